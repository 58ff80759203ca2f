"""Activation functions, and the kernels that are their gradients."""

import functools

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOAT32_BY_DEFAULT, FLOATING, REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.ops.array.dims import merge
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.kernels import ZERO, over_second
from numpy_tf.ops.math.arithmetic import maximum
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Exp, Neg, Sigmoid


def _merged_shape(op):
    """Shape rule of the kernels of gradients, which do not broadcast."""
    weights, features = op.inputs
    return merge(weights.dims, features.dims)


# -- rectifiers --------------------------------------------------------------------------


@op("features: T -> activations: T", T=REAL, public="nn.relu")
class Relu:
    """The input, and 0 where it is negative."""

    elementwise = True

    def kernel(features):
        return maximum(features, ZERO[features.dtype])

    def gradient(op, grad):
        return ReluGrad(grad, op.outputs[0])


@op("gradients: T, features: T -> backprops: T", T=REAL)
class ReluGrad:
    """The gradient where the feature is above 0; a product with a mask, so that 0·inf is NaN."""

    elementwise = True
    shape = _merged_shape

    def kernel(gradients, features):
        mask = (features > ZERO[features.dtype]).astype(gradients.dtype)
        return over_second(np.multiply, gradients, mask)

    def gradient(op, grad):
        x = op.inputs[1]
        return ReluGrad(grad, x), zeros_like(x)


@op("features: T -> activations: T", T=REAL)
class Relu6:
    """The input between 0 and 6."""

    elementwise = True

    def kernel(features):
        kind = features.dtype.type
        return np.minimum(maximum(features, kind(0)), kind(6))

    def gradient(op, grad):
        return Relu6Grad(grad, op.outputs[0])


@op("gradients: T, features: T -> backprops: T", T=REAL)
class Relu6Grad:
    """The gradient where 0 < feature < 6; a product with a mask, as ReluGrad's."""

    elementwise = True
    shape = _merged_shape

    def kernel(gradients, features):
        return gradients * ((features > 0) & (features < 6)).astype(gradients.dtype)

    def gradient(op, grad):
        x = op.inputs[1]
        return Relu6Grad(grad, x), zeros_like(x)


def _slope(alpha, dtype):
    """Attributes of TensorFlow's ops are float32, whatever the tensors are."""
    return np.float32(alpha).astype(dtype)


@op("features: T -> activations: T", T=FLOAT32_BY_DEFAULT, alpha=0.2)
class LeakyRelu:
    """The input, and alpha times it where it is not above 0."""

    elementwise = True

    def kernel(features, *, alpha):
        return np.where(features > 0, features, features * _slope(alpha, features.dtype))

    def gradient(op, grad):
        return LeakyReluGrad(grad, op.inputs[0], alpha=op.attrs["alpha"])


@op("gradients: T, features: T -> backprops: T", T=FLOAT32_BY_DEFAULT, alpha=0.2)
class LeakyReluGrad:
    """The gradient, and alpha times it where the feature is not above 0, or is NaN."""

    elementwise = True
    shape = _merged_shape

    def kernel(gradients, features, *, alpha):
        return np.where(features > 0, gradients, gradients * _slope(alpha, gradients.dtype))

    def gradient(op, grad):
        x = op.inputs[1]
        return LeakyReluGrad(grad, x, alpha=op.attrs["alpha"]), zeros_like(x)


# -- exponential units -------------------------------------------------------------------


@op("features: T -> activations: T", T=FLOATING, public="nn.elu")
class Elu:
    """The input, and e to its power minus 1 where it is negative."""

    elementwise = True

    def kernel(features):
        # Not expm1: that TensorFlow's kernel has no digits left near 0 is seen in gradients.
        return np.where(features < 0, np.exp(features) - features.dtype.type(1), features)

    def gradient(op, grad):
        return EluGrad(grad, op.outputs[0])


@op("gradients: T, outputs: T -> backprops: T", T=FLOATING)
class EluGrad:
    """The gradient, times 1 + output where the output is negative."""

    elementwise = True
    shape = _merged_shape

    def kernel(gradients, outputs):
        one = outputs.dtype.type(1)
        return np.where(outputs < 0, (outputs + one) * gradients, gradients)

    def gradient(op, grad):
        elu = op.inputs[1]
        through = where(elu < 0, grad * op.inputs[0], zeros_like(elu))
        return EluGrad(grad, elu), through


# Klambauer and others, Self-Normalizing Neural Networks (2017), appendix A.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


@op("features: T -> activations: T", T=FLOATING, public="nn.selu")
class Selu:
    """The scaled exponential unit: negative inputs saturate, positive ones grow by a factor."""

    def kernel(features):
        kind = features.dtype.type
        negative = kind(_SELU_SCALE_ALPHA) * (np.exp(features) - kind(1))
        return np.where(features < 0, negative, kind(_SELU_SCALE) * features)

    def gradient(op, grad):
        return SeluGrad(grad, op.outputs[0])


@op("gradients: T, outputs: T -> backprops: T", T=FLOATING)
class SeluGrad:
    """The gradient times the slope, which the output tells."""

    shape = _merged_shape

    def kernel(gradients, outputs):
        kind = outputs.dtype.type
        negative = gradients * (outputs + kind(_SELU_SCALE_ALPHA))
        return np.where(outputs < 0, negative, gradients * kind(_SELU_SCALE))

    def gradient(op, grad):
        selu = op.inputs[1]
        through = where(selu < 0.0, grad * op.inputs[0], zeros_like(selu))
        return SeluGrad(grad, selu), through


# -- smooth units ------------------------------------------------------------------------


_EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


@functools.cache
def _softplus_threshold(dtype):
    """Where log(1 + e^x) is e^x, and beyond its negative x, to the last bit."""
    return np.log(dtype.type(_EPSILON[dtype.name])) + dtype.type(2)


def _softplus(features):
    threshold = _softplus_threshold(features.dtype)
    exponential = np.exp(features)
    middle = np.log1p(exponential)
    result = np.where(features < threshold, exponential, middle)
    return np.where(features > -threshold, features, result)


@op("features: T -> activations: T", T=FLOATING, public="nn.softplus, math.softplus")
class Softplus:
    """log(1 + e to the power of the input)."""

    kernel = staticmethod(_softplus)

    def gradient(op, grad):
        return grad * Sigmoid(op.inputs[0])


@op("gradients: T, features: T -> backprops: T", T=FLOATING)
class SoftplusGrad:
    """gradient / (1 + e to the power -feature)."""

    shape = _merged_shape

    def kernel(gradients, features):
        return gradients / (np.exp(-features) + features.dtype.type(1))

    def gradient(op, grad):
        dy, x = op.inputs
        second = grad * dy / (Exp(-x) + 2.0 + Exp(x))
        return SoftplusGrad(grad, x), second


@op("features: T -> activations: T", T=FLOATING, public="nn.softsign, math.softsign")
class Softsign:
    """x / (1 + |x|)."""

    def kernel(features):
        return features / (np.absolute(features) + features.dtype.type(1))

    def gradient(op, grad):
        return SoftsignGrad(grad, op.inputs[0])


@op("gradients: T, features: T -> backprops: T", T=FLOATING)
class SoftsignGrad:
    """gradient / (1 + |feature|)²."""

    shape = _merged_shape

    def kernel(gradients, features):
        return gradients / np.square(features.dtype.type(1) + np.absolute(features))

    gradient = NO_GRADIENT


# -- the public functions ----------------------------------------------------------------


@export("nn.relu6")
def relu6(features, name=None):
    """The input between 0 and 6."""
    with NameScope(name, "Relu6", [features]) as scope:
        return Relu6(convert_to_tensor(features, name="features"), name=scope)


@export("nn.leaky_relu")
def leaky_relu(features, alpha=0.2, name=None):
    """The input, and `alpha` times it where it is not above 0; integers become float32."""
    with NameScope(name, "LeakyRelu", [features, alpha]) as scope:
        features = convert_to_tensor(features, name="features")
        if features.dtype.is_integer:
            features = cast(features, dtypes.float32)
        if isinstance(alpha, np.ndarray):
            alpha = alpha.item()
        return LeakyRelu(features, alpha=alpha, name=scope)


@export("nn.crelu")
def crelu(features, name=None, axis=-1):
    """The positive part and the negative part, side by side along `axis`."""
    from numpy_tf.ops.array.stack import concat

    with NameScope(name, "CRelu", [features]) as scope:
        features = convert_to_tensor(features, name="features")
        return Relu(concat([features, -features], axis, name=scope))


@export("log_sigmoid", "math.log_sigmoid")
def log_sigmoid(x, name=None):
    """log(1 / (1 + e to the power -x))."""
    with NameScope(name, "LogSigmoid", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return Neg(Softplus(-x), name=scope)


@export("nn.swish", "nn.silu")
def swish(features, beta=1.0):
    """features · sigmoid(beta · features), with a gradient of its own that keeps less."""
    from numpy_tf.extension.custom_gradient import custom_gradient
    from numpy_tf.ops.math.elementwise import Square, sigmoid
    from numpy_tf.ops.math.reduction import reduce_sum

    features = convert_to_tensor(features, name="features")
    beta = cast(convert_to_tensor(beta, name="beta"), features.dtype)

    @custom_gradient
    def activation(features, beta):
        def grad(dy):
            chance = sigmoid(beta * features)
            slope = chance * (1.0 + (beta * features) * (1.0 - chance))
            by_beta = reduce_sum(dy * Square(features) * chance * (1.0 - chance))
            return dy * slope, by_beta

        return features * sigmoid(beta * features), grad

    return activation(features, beta)
