"""Functions of tf.math that are compositions of a few ops: polynomials, counts, lbeta."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.nest import flatten
from numpy_tf.framework.tensor_shape import as_dims, merge_dims
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.fill import zeros, zeros_like
from numpy_tf.ops.math.arithmetic import DivNoNan, add_n
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import NotEqual
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.special import Lgamma


@export("math.reciprocal_no_nan")
def reciprocal_no_nan(x, name=None):
    """1 / x, and 0 where x is 0."""
    with NameScope(name, "reciprocal_no_nan", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        one = convert_to_tensor(1, dtype=x.dtype.base_dtype, name="one")
        return DivNoNan(one, x, name=scope)


@export("math.polyval")
def polyval(coeffs, x, name=None):
    """A polynomial at x, by Horner's rule.

    Args:
      coeffs: a list of its coefficients, that of the highest power first.

    Raises:
      ValueError: unless `coeffs` is a list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    with NameScope(name, "polyval", [*flatten(coeffs), x]) as scope:
        x = convert_to_tensor(x, name="x")
        if not coeffs:
            return zeros_like(x, name=scope)
        coeffs = [convert_to_tensor(c, name=f"coeff_{i}") for i, c in enumerate(coeffs)]
        value = coeffs[0]
        for coefficient in coeffs[1:]:
            value = coefficient + value * x
        return value


@export("lbeta", "math.lbeta")
def lbeta(x, name=None):
    """The logarithm of the absolute value of the beta function of vectors in the last axis."""
    with NameScope(name, "lbeta", [x]):
        x = convert_to_tensor(x, name="x")
        product = reduce_sum(Lgamma(x), axis=[-1])
        return product - Lgamma(reduce_sum(x, axis=[-1]))


@export("count_nonzero", "math.count_nonzero")
def count_nonzero(
    input_tensor=None,
    axis=None,
    keepdims=None,
    dtype=dtypes.int64,
    name=None,
    reduction_indices=None,
    keep_dims=None,
    input=None,
):
    """How many elements along axes are not zero; the last three arguments are older names."""
    input_tensor = input_tensor if input is None else input
    axis = reduction_indices if axis is None else axis
    keep = bool(keep_dims if keepdims is None else keepdims)
    with NameScope(name, "count_nonzero", [input_tensor]):
        x = convert_to_tensor(input_tensor, name="input")
        counted = x if x.dtype.is_bool else NotEqual(x, zeros([], dtype=x.dtype))
        total = reduce_sum(cast(counted, dtypes.int64), axis=axis, keepdims=keep)
        return cast(total, dtype)


@export("accumulate_n", "math.accumulate_n")
def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """The sum of tensors of one shape.

    Args:
      shape: what their static shapes must fit.
      tensor_dtype: what their dtype must be.

    Raises:
      ValueError: for no inputs, or such as do not fit together.
      TypeError: for another dtype than `tensor_dtype`.
    """
    complaint = "inputs must be a list of at least one Tensor with the same dtype and shape"
    if not inputs or not isinstance(inputs, (list, tuple)):
        raise ValueError(complaint)
    inputs = [x if isinstance(x, Tensor) else convert_to_tensor(x) for x in inputs]
    if any(x.dtype != inputs[0].dtype for x in inputs):
        raise ValueError(complaint)
    dims = None if shape is None else as_dims(shape)
    for x in inputs:
        dims = merge_dims(dims, x.dims)
    if tensor_dtype is not None and tensor_dtype != inputs[0].dtype:
        raise TypeError(
            f"The `tensor_dtype` argument is {tensor_dtype}, but `input` is of type "
            f"{inputs[0].dtype}. These must be equal. Try casting the input to the desired type."
        )
    if len(inputs) == 1:
        return inputs[0] if name is None else identity(inputs[0], name=name)
    return add_n(inputs, name=name)
