"""The order of a tensor's dimensions, and repeating a tensor along them."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INT32_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import dims_given_by, merge_dim, multiply_dims, with_rank
from numpy_tf.ops.array.shape import rank, reshape, shape, size
from numpy_tf.ops.array.stack import concat, stack


def _invalid(message):
    return errors.invalid_argument(message)


# -- transpose ---------------------------------------------------------------------------


def _transposed_shape(op):
    tensor, perm = op.inputs
    order = constant_value(perm)
    count = _elements(perm.dims)
    if tensor.dims is not None:
        rank_ = len(tensor.dims)
    elif count is not None:
        rank_ = count
    elif order is not None:
        rank_ = order.size
    else:
        return None
    if tensor.dims is None and rank_ < 2:
        return None  # one element may stand for a scalar or for a vector
    dims = with_rank(tensor.dims, rank_)
    with_rank(perm.dims, 1)
    merge_dim(count, rank_)
    if order is None:
        return (None,) * rank_
    for axis in order.tolist():
        if not -rank_ <= axis < rank_:
            raise ValueError(f"perm dim {axis} is out of range of input rank {rank_}")
    return tuple(dims[axis] for axis in order.tolist())


def _elements(dims):
    if dims is None or None in dims:
        return None
    return int(np.prod(dims, dtype=np.int64))


def _transposed(x, perm):
    if perm.ndim != 1:
        raise _invalid(f"perm must be rank 1, got shape {list(perm.shape)}")
    if perm.size != x.ndim:
        raise _invalid(
            f"transpose expects a vector of size {x.ndim}. But input(1) is a vector of size "
            f"{perm.size}"
        )
    order = perm.tolist()
    for axis in order:
        if not -x.ndim <= axis < x.ndim:
            raise _invalid(f"{axis} is out of range [0 .. {x.ndim})")
    order = [axis % x.ndim for axis in order]
    for axis in range(x.ndim):
        if axis not in order:
            raise _invalid(f"{axis} is missing from {{{','.join(map(str, order))}}}.")
    return x.transpose(order)


@op("x: T, perm: Tperm -> y: T", T=ANY, Tperm=INT32_BY_DEFAULT)
class Transpose:
    """The input with its dimensions in the order `perm`."""

    shape = _transposed_shape

    def kernel(x, perm):
        return _transposed(x, perm)

    def gradient(op, grad):
        return transpose(grad, invert_permutation(op.inputs[1])), None


@op("x: T, perm: Tperm -> y: T", T=ANY, Tperm=INT32_BY_DEFAULT)
class ConjugateTranspose:
    """The complex conjugate of the input with its dimensions in the order `perm`."""

    shape = _transposed_shape

    def kernel(x, perm):
        return np.conjugate(_transposed(x, perm))

    def gradient(op, grad):
        return transpose(grad, invert_permutation(op.inputs[1]), conjugate=True), None


@export("transpose")
def transpose(a, perm=None, name="transpose", conjugate=False):
    """`a` with its dimensions in the order `perm`, by default the opposite one.

    Args:
      a: a tensor of rank n.
      perm: [n] integers.
      conjugate: whether to conjugate complex elements as well.
    """
    with NameScope(name, "transpose", [a]) as scope:
        if not isinstance(a, Tensor):
            a = convert_to_tensor(a, name="a")
        transposing = ConjugateTranspose if conjugate and a.dtype.is_complex else Transpose
        if perm is None:
            if a.dims is not None:
                perm = np.arange(len(a.dims) - 1, -1, -1, dtype=np.int32)
            else:
                from numpy_tf.ops.math.sequence import Range

                perm = Range(rank(a) - 1, -1, -1)
        return transposing(a, perm, name=scope)


@export("linalg.matrix_transpose", "linalg.transpose", "matrix_transpose")
def matrix_transpose(a, name="matrix_transpose", conjugate=False):
    """`a` with its last two dimensions exchanged.

    Raises:
      ValueError: when it is known to have fewer.
    """
    with NameScope(name, None, [a]):
        a = convert_to_tensor(a, name="a")
        if a.dims is not None:
            rank_ = len(a.dims)
            if rank_ < 2:
                raise ValueError(
                    "Argument `a` should be a (batch) matrix with rank >= 2.  "
                    f"Received `a` = {a} with shape: {a.shape}"
                )
            perm = [*range(rank_ - 2), rank_ - 1, rank_ - 2]
        else:
            from numpy_tf.ops.math.sequence import Range

            rank_ = rank(a)
            perm = concat((Range(0, rank_ - 2, 1), [rank_ - 1, rank_ - 2]), 0)
        return transpose(a, perm=perm, conjugate=conjugate)


@op("x: T -> y: T", T=INT32_BY_DEFAULT)
class InvertPermutation:
    """y such that y[x[i]] == i."""

    def shape(op):
        return with_rank(op.inputs[0].dims, 1)

    def kernel(x):
        if x.ndim != 1:
            raise _invalid("invert_permutation expects a 1D vector.")
        outside = (x < 0) | (x >= x.size)
        if outside.any():
            raise _invalid(f"{x[int(np.argmax(outside))]} is not between 0 and {x.size}")
        result = np.full(x.size, -1, x.dtype)
        result[x] = np.arange(x.size)
        if (result < 0).any():
            values, counts = np.unique(x, return_counts=True)
            raise _invalid(f"{values[counts > 1][0]} is duplicated in the input.")
        return result

    gradient = NOT_DIFFERENTIABLE


@export("invert_permutation", "math.invert_permutation")
def invert_permutation(x, name=None):
    """y such that y[x[i]] == i.

    Raises:
      errors.InvalidArgumentError: when x is no permutation of 0, 1, …
    """
    return InvertPermutation(x, name=name)


# -- tile --------------------------------------------------------------------------------


@op("input: T, multiples: Tmultiples -> output: T", T=ANY, Tmultiples=INT32_BY_DEFAULT)
class Tile:
    """The input repeated `multiples[i]` times along each dimension i."""

    def shape(op):
        tensor, multiples = op.inputs
        dims, times = tensor.dims, dims_given_by(multiples)
        if dims is not None:
            times = with_rank(times, len(dims))
            merge_dim(with_rank(multiples.dims, 1)[0], len(dims))
        if times is None:
            return None
        dims = with_rank(dims, len(times))
        return tuple(map(multiply_dims, dims, times))

    def kernel(input, multiples):
        if input.dtype == np.uint16:  # the one dtype that TensorFlow's kernel leaves out
            raise errors.UnimplementedError(
                None,
                None,
                "TileOp : The input data type is not supported, DataType : uint16, "
                f"Dimension : {input.ndim}",
            )
        if multiples.shape != (input.ndim,):
            raise _invalid(
                f"Expected multiples argument to be a vector of length {input.ndim} but got "
                f"length {multiples.size}"
            )
        if (multiples < 0).any():
            at = int(np.argmax(multiples < 0))
            raise _invalid(f"Expected multiples[{at}] >= 0, but got {multiples[at]}")
        return np.tile(input, tuple(multiples.tolist()))

    def gradient(op, grad):
        from numpy_tf.ops.math.cast import cast
        from numpy_tf.ops.math.reduction import reduce_sum
        from numpy_tf.ops.math.segment import unsorted_segment_sum
        from numpy_tf.ops.math.sequence import range

        tensor, multiples = op.inputs
        own = shape(tensor, out_type=multiples.dtype.base_dtype)
        # Every dimension becomes a pair: how often it was repeated, and its own size.
        pairs = reshape(transpose(stack([multiples, own])), [-1])
        axes = range(0, size(pairs), 2)
        if isinstance(grad, IndexedSlices):
            rows = cast(own[0], grad.indices.dtype)
            grad = unsorted_segment_sum(grad.values, grad.indices % rows, rows)
            pairs = concat([[1], pairs[1:]], axis=0)
        result = reduce_sum(reshape(grad, pairs), axes)
        result.set_shape(tensor.dims)
        return result, None


@export("tile", "manip.tile")
def tile(input, multiples, name=None):
    """`input` repeated `multiples[i]` times along each dimension i.

    Raises:
      ValueError: when there is not one multiple for each dimension.
    """
    return Tile(input, multiples, name=name)
