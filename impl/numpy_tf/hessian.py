"""tf.hessians: second derivatives of a sum, one square block for each x."""

from numpy_tf.backprop import gradients
from numpy_tf.framework import dtypes
from numpy_tf.framework.export import export
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.shape import reshape, shape, size
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.control.tensor_array import TensorArray
from numpy_tf.ops.control.while_loop import while_loop


@export("hessians")
def hessians(
    ys,
    xs,
    name="hessians",
    colocate_gradients_with_ops=False,
    gate_gradients=False,
    aggregation_method=None,
):
    """The Hessian of the sum of `ys` with respect to each x.

    Args:
      ys: a tensor or a list of them.
      xs: a tensor or variable, or a list of them.
      name: for TensorFlow's signature.
      colocate_gradients_with_ops, gate_gradients, aggregation_method: of the first
        derivative, as in `tf.gradients`.

    Returns:
      A list, for each x a tensor of shape `x.shape + x.shape`.

    Raises:
      ValueError: when a y does not depend on an x, or depends on it linearly: its gradient
        is None and cannot be differentiated, as in TensorFlow.
    """
    xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    first = gradients(
        ys,
        xs,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
    )
    return [_hessian(gradient, x) for gradient, x in zip(first, xs, strict=True)]


def _hessian(gradient, x):
    flat = reshape(gradient, [-1])
    count = size(x)
    _, rows = while_loop(
        lambda i, _: i < count,
        lambda i, rows: (i + 1, rows.write(i, gradients(flat[i], x)[0])),
        [constant(0, dtypes.int32), TensorArray(x.dtype, count)],
    )
    dims = shape(x)
    return reshape(rows.stack(), concat((dims, dims), 0))
