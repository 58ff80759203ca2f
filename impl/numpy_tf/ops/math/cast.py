"""Cast, Bitcast and the complex conjugate."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, COMPLEX, FLOATING, NUMERIC, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NO_GRADIENT, op


@op("x: SrcT -> y: DstT", SrcT=ANY, DstT=ANY, Truncate=False)
class Cast:
    """The input's values in another dtype; the imaginary part is dropped on the way to real."""

    def kernel(x, *, dtype):
        if x.dtype.kind == "c" and dtype.kind not in "cb":
            x = x.real
        return x.astype(dtype)

    def gradient(op, grad):
        source, target = op.inputs[0].dtype.base_dtype, grad.dtype.base_dtype
        differentiable = FLOATING | COMPLEX
        if source in differentiable and target in differentiable:
            return cast(grad, source)
        return None


@export("cast", "dtypes.cast")
def cast(x, dtype, name=None):
    """`x` in another dtype; `x` itself when it has that dtype.

    Raises:
      TypeError: when `x` cannot become a tensor.
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    if x.__class__ is Tensor and x.dtype.base_dtype is dtype:
        return x
    with NameScope(name, "Cast", [x]) as scope:
        if isinstance(x, IndexedSlices):
            return IndexedSlices(cast(x.values, dtype, scope), x.indices, x.dense_shape)
        x = convert_to_tensor(x, name="x")
        if x.dtype.base_dtype is dtype:
            return x
        return Cast(x, DstT=dtype, name=scope)


def _size(dtype):
    return np.dtype(dtype.as_numpy_dtype).itemsize


@op("input: T -> output: type", T=NUMERIC, type=NUMERIC)
class Bitcast:
    """The input's bits as elements of another dtype; what changes in size is a last dimension."""

    def shape(op):
        dims = op.inputs[0].dims
        before, after = _size(op.attrs["T"]), _size(op.attrs["type"])
        if dims is None or before == after:
            return dims
        if before > after:
            return (*dims, before // after)
        if not dims or dims[-1] not in (None, after // before):
            raise ValueError(
                f"Cannot bitcast due to shape. {dims[-1] if dims else '[]'} does not match "
                f"{after // before}"
            )
        return dims[:-1]

    def kernel(input, *, type):
        wanted = np.dtype(type.as_numpy_dtype)
        before, after = input.dtype.itemsize, wanted.itemsize
        if before < after and (not input.ndim or input.shape[-1] * before != after):
            raise errors.invalid_argument(
                f"Cannot bitcast from {input.dtype} to {wanted}: the last dimension of "
                f"{list(input.shape)} is not {after // before}",
            )
        dims = input.shape if before == after else (*input.shape, before // after)
        dims = input.shape[:-1] if before < after else dims
        return np.ascontiguousarray(input).reshape(-1).view(wanted).reshape(dims)

    gradient = NO_GRADIENT


@export("bitcast")
def bitcast(input, type, name=None):
    """The bits of `input` as elements of another dtype.

    Raises:
      ValueError: when the last dimension is known not to make up one element.
    """
    return Bitcast(input, type=dtypes.as_dtype(type), name=name)


to_float = export("to_float")(lambda x, name="ToFloat": cast(x, dtypes.float32, name))
to_double = export("to_double")(lambda x, name="ToDouble": cast(x, dtypes.float64, name))
to_int32 = export("to_int32")(lambda x, name="ToInt32": cast(x, dtypes.int32, name))
to_int64 = export("to_int64")(lambda x, name="ToInt64": cast(x, dtypes.int64, name))


@op("input: T -> output: T", T=Types(COMPLEX | {dtypes.variant}, default=dtypes.complex64))
class Conj:
    """The complex conjugate."""

    kernel = np.conjugate

    def gradient(op, grad):
        return conj(grad)


@export("conj", "math.conj")
def conj(x, name=None):
    """The complex conjugate; a real tensor is its own.

    Raises:
      TypeError: for what is no number.
    """
    if x.__class__ is Tensor and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    x = convert_to_tensor(x, name="x")
    if x.dtype.is_complex or x.dtype.base_dtype is dtypes.variant:
        return Conj(x, name=name)
    if x.dtype.is_floating or x.dtype.is_integer:
        return x
    raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}.")
