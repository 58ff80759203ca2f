"""Layers that are thin compositions, and what is measured of them."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.fill import zeros
from numpy_tf.ops.array.shape import size
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import not_equal
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.nn.activation import Relu
from numpy_tf.ops.nn.bias import bias_add


@export("nn.xw_plus_b")
def xw_plus_b(x, weights, biases, name=None):
    """x·weights + biases.

    Args:
      x: [batch, inputs].
      weights: [inputs, outputs].
      biases: [outputs].
    """
    with NameScope(name, "xw_plus_b", [x, weights, biases]) as scope:
        return bias_add(_product(x, weights), _biases(biases), name=scope)


@export("nn.relu_layer")
def relu_layer(x, weights, biases, name=None):
    """max(0, x·weights + biases); as `xw_plus_b`."""
    with NameScope(name, "relu_layer", [x, weights, biases]) as scope:
        return Relu(bias_add(_product(x, weights), _biases(biases)), name=scope)


def _product(x, weights):
    return matmul(convert_to_tensor(x, name="x"), convert_to_tensor(weights, name="weights"))


def _biases(biases):
    return convert_to_tensor(biases, name="biases")


@export("nn.zero_fraction", "math.zero_fraction")
def zero_fraction(value, name=None):
    """Which part of the elements is zero, in float32; it passes no gradient."""
    with NameScope(name, "zero_fraction", [value]):
        value = convert_to_tensor(value, name="value")
        total = size(value, out_type=dtypes.int64)
        others = cast(not_equal(value, zeros([], value.dtype)), dtypes.int64)
        missing = cast(total - reduce_sum(others), dtypes.float32)
        return identity(missing / cast(total, dtypes.float32), "fraction")
