"""Ops: autograd's functions, with TensorFlow's names and arguments."""

import inspect

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from autograd_tf.graph import Tensor, UnsupportedOpError, convert_to_tensor, numpy_dtype


def _op(function):
    """A function of arrays as one of tensors: those among its arguments are the node's inputs."""
    signature = inspect.signature(function)
    operands = {"x", "y"} <= set(signature.parameters)

    def op(*args, name=None, **kwargs):
        try:
            arguments = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise UnsupportedOpError(str(error)) from None
        if operands:  # a number takes the dtype of the tensor beside it
            tensors = [x for x in arguments.values() if isinstance(x, Tensor)]
            dtype = tensors[-1].dtype if tensors else None
            arguments = {key: convert_to_tensor(x, dtype) for key, x in arguments.items()}
        inputs = {key: x for key, x in arguments.items() if isinstance(x, Tensor)}

        def compute(*values):
            return function(**{**arguments, **dict(zip(inputs, values, strict=True))})

        return Tensor(compute, inputs.values())

    return op


def _of_one(function):
    return _op(lambda x: function(x))


def _of_two(function):
    return _op(lambda x, y: function(x, y))


def _of_several(function):
    def op(values, *arguments, name=None, **options):
        tensors = [convert_to_tensor(value) for value in values]
        return Tensor(lambda *arrays: function(arrays, *arguments, **options), tensors)

    return op


def _reduction(function):
    def reduced(input_tensor, axis=None, keepdims=None):
        axis = tuple(axis) if isinstance(axis, list) else axis
        return function(input_tensor, axis=axis, keepdims=keepdims is True)

    return _op(reduced)


def _matmul(a, b, transpose_a=False, transpose_b=False):
    a = anp.swapaxes(a, -1, -2) if transpose_a else a
    b = anp.swapaxes(b, -1, -2) if transpose_b else b
    return anp.matmul(a, b)


add = _of_two(anp.add)
subtract = sub = _of_two(anp.subtract)
multiply = mul = _of_two(anp.multiply)
divide = div = truediv = _of_two(anp.divide)
pow = _of_two(anp.power)
floormod = mod = _of_two(anp.mod)
floordiv = _of_two(anp.floor_divide)
maximum = _of_two(anp.maximum)
minimum = _of_two(anp.minimum)
greater = _of_two(anp.greater)
greater_equal = _of_two(anp.greater_equal)
less = _of_two(anp.less)
less_equal = _of_two(anp.less_equal)
equal = _of_two(anp.equal)

negative = _of_one(anp.negative)
abs = _of_one(anp.abs)
sign = _of_one(anp.sign)
floor = _of_one(anp.floor)
ceil = _of_one(anp.ceil)
square = _of_one(anp.square)
sqrt = _of_one(anp.sqrt)
reciprocal = _of_one(anp.reciprocal)
exp = _of_one(anp.exp)
expm1 = _of_one(anp.expm1)
log = _of_one(anp.log)
log1p = _of_one(anp.log1p)
sin = _of_one(anp.sin)
cos = _of_one(anp.cos)
tan = _of_one(anp.tan)
asin = _of_one(anp.arcsin)
acos = _of_one(anp.arccos)
atan = _of_one(anp.arctan)
sinh = _of_one(anp.sinh)
cosh = _of_one(anp.cosh)
tanh = _of_one(anp.tanh)
sigmoid = _of_one(lambda x: 1 / (1 + anp.exp(-x)))
relu = _op(lambda features: anp.maximum(features, 0))
conj = _of_one(anp.conj)
real = _op(lambda input: anp.real(input))
imag = _op(lambda input: anp.imag(input))

reduce_sum = _reduction(anp.sum)
reduce_mean = _reduction(anp.mean)
reduce_prod = _reduction(anp.prod)
reduce_max = _reduction(anp.max)
reduce_min = _reduction(anp.min)
matmul = _op(_matmul)

identity = _op(lambda input: input)
stop_gradient = _op(lambda input: getval(input))
zeros_like = _op(lambda tensor: np.zeros_like(getval(tensor)))
ones_like = _op(lambda tensor: np.ones_like(getval(tensor)))
cast = _op(lambda x, dtype: x.astype(numpy_dtype(dtype)))
where = _op(lambda condition, x, y: anp.where(condition, x, y))
reshape = _op(lambda tensor, shape: anp.reshape(tensor, shape))
transpose = _op(lambda a, perm=None: anp.transpose(a, perm))
expand_dims = _op(lambda input, axis: anp.expand_dims(input, axis))
squeeze = _op(lambda input, axis=None: anp.squeeze(input, axis))
tile = _op(lambda input, multiples: anp.tile(input, multiples))
gather = _op(lambda params, indices: params[indices])
add_n = _of_several(lambda arrays: anp.sum(anp.stack(arrays), axis=0))
stack = _of_several(anp.stack)
concat = _of_several(anp.concatenate)

OPERATORS = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": divide,
    "floordiv": floordiv,
    "mod": floormod,
    "pow": pow,
    "matmul": matmul,
}
for _name, _function in OPERATORS.items():
    setattr(Tensor, f"__{_name}__", lambda x, y, op=_function: op(x, y))
    setattr(Tensor, f"__r{_name}__", lambda x, y, op=_function: op(y, x))
Tensor.__neg__ = negative
Tensor.__abs__ = abs
Tensor.__gt__ = greater
Tensor.__lt__ = less
Tensor.__getitem__ = lambda x, place: Tensor(lambda value: value[place], [x])
