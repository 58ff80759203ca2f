"""Shapes and gradients of ops that broadcast two inputs to each other."""

from numpy_tf.framework.graph import Tensor
from numpy_tf.framework.tensor_shape import broadcast_dims


def broadcast_shape(op):
    """Shape rule: that of the first two inputs broadcast together."""
    x, y = op.inputs
    return broadcast_dims(x.dims, y.dims)


def equal_full_shapes(x, y, grad):
    """Whether nothing was broadcast, as far as that is certain before the run."""
    dims = x.dims
    return (
        grad.__class__ is Tensor
        and dims == y.dims
        and dims == grad.dims
        and dims is not None
        and None not in dims
    )


def reduce_gradient_args(x, y, gx, gy):
    """Sums each gradient over the axes along which its input was broadcast.

    Args:
      x, y: the inputs of a broadcasting op.
      gx, gy: gradients of the shape of its output, or None.

    Returns:
      Both gradients, of the shapes of x and y.
    """
    if gx is None and gy is None:
        return gx, gy
    # Both shapes, wanted or not: TensorFlow makes them first, and names depend on it.
    x_shape, y_shape = _shape(x), _shape(y)
    x_axes, y_axes = _static_axes(x.dims, y.dims)
    if x_axes is not None:
        x_rank, y_rank = len(x.dims), len(y.dims)
        if gx is not None and (x_axes or x_rank < y_rank):
            gx = _summed_to(gx, x_axes, x_shape)
        if gy is not None and (y_axes or y_rank < x_rank):
            gy = _summed_to(gy, y_axes, y_shape)
        return gx, gy
    from numpy_tf.ops.array.shape import BroadcastGradientArgs

    x_axes, y_axes = BroadcastGradientArgs(x_shape, y_shape)
    if gx is not None:
        gx = _summed_to(gx, x_axes, x_shape)
    if gy is not None:
        gy = _summed_to(gy, y_axes, y_shape)
    return gx, gy


def _shape(x):
    from numpy_tf.ops.array.shape import shape

    return shape(x)


def _summed_to(grad, axes, shape):
    from numpy_tf.ops.array.shape import reshape
    from numpy_tf.ops.math.reduction import reduce_sum

    return reshape(reduce_sum(grad, axes, keepdims=True), shape)


def _static_axes(x_dims, y_dims):
    """The axes of the output along which x and y are repeated; (None, None) when unsure."""
    if x_dims is None or y_dims is None:
        return None, None
    rank = max(len(x_dims), len(y_dims))
    x_axes, y_axes = [], []
    for axis in range(rank):
        x_at, y_at = axis - rank + len(x_dims), axis - rank + len(y_dims)
        x_dim = 1 if x_at < 0 else x_dims[x_at]
        y_dim = 1 if y_at < 0 else y_dims[y_at]
        if x_dim == 1 and y_dim != 1:
            x_axes.append(axis)
        elif y_dim == 1 and x_dim != 1:
            y_axes.append(axis)
        elif x_dim is None or y_dim is None:
            return None, None
    return x_axes, y_axes
