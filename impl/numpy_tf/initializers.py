"""Initializers: functions of a shape and a dtype that make a variable's initial value."""

import math

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.export import export
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.diagonal import eye
from numpy_tf.ops.array.fill import ones, zeros
from numpy_tf.ops.math.arithmetic import Mul
from numpy_tf.ops.state.random import random_normal, random_uniform, truncated_normal


def _arguments(**defaults):
    """A table of arguments and their defaults; `dtype` comes last unless it is placed."""
    return {**defaults, "dtype": dtypes.float32}


class Initializer:
    """What all initializers are: called with a shape and a dtype, they make a tensor.

    A class says its arguments and their defaults in `_defaults`; they become attributes and
    the configuration. `dtype` is the dtype when a call gives none.
    """

    _defaults = _arguments()
    _floating = False  # whether only floating types will do

    def __init__(self, *args, **kwargs):
        names = list(self._defaults)
        if len(args) > len(names):
            raise TypeError(
                f"{type(self).__name__} takes {len(names)} arguments, but {len(args)} were given"
            )
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        for name in given:
            if name not in self._defaults:
                raise TypeError(
                    f"{type(self).__name__} got an unexpected keyword argument '{name}'"
                )
        for name, default in self._defaults.items():
            setattr(self, name, given.get(name, default))
        self.dtype = dtypes.as_dtype(self.dtype)
        if self._floating and not self.dtype.is_floating:
            raise ValueError(
                f"Argument `dtype` is expected to be floating point. Received: {self.dtype!r}."
            )

    def get_config(self):
        """The arguments, as `from_config` takes them."""
        config = {name: getattr(self, name) for name in self._defaults}
        config["dtype"] = self.dtype.name
        return config

    @classmethod
    def from_config(cls, config):
        """An initializer of the configuration that `get_config` gave."""
        return cls(**config)

    def __call__(self, shape, dtype=None, partition_info=None):
        """A tensor of `shape`; of `dtype`, or else of the initializer's own."""
        return self._make(shape, self.dtype if dtype is None else dtype)


@export("zeros_initializer", "initializers.zeros")
class Zeros(Initializer):
    """Zeros."""

    def _make(self, shape, dtype):
        return zeros(shape, dtype)


@export("ones_initializer", "initializers.ones")
class Ones(Initializer):
    """Ones."""

    def _make(self, shape, dtype):
        return ones(shape, dtype)


@export("constant_initializer", "initializers.constant")
class Constant(Initializer):
    """A constant.

    Args:
      value: a value for all elements, or a list or array of values for each.
      dtype: the dtype when a call gives none.
      verify_shape: whether one value may not stand for all elements.
    """

    _defaults = _arguments(value=0, dtype=dtypes.float32, verify_shape=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not (np.isscalar(self.value) or isinstance(self.value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value={self.value} of type: "
                f"{type(self.value).__name__}. Expected Python scalar, list or tuple of values, "
                "or numpy.ndarray."
            )

    def get_config(self):
        """The arguments but for `verify_shape`."""
        return {"value": self.value, "dtype": self.dtype.name}

    def __call__(self, shape, dtype=None, partition_info=None, verify_shape=None):
        """A constant of `shape`; of `dtype`, or else of the initializer's own."""
        verify = self.verify_shape if verify_shape is None else verify_shape
        dtype = self.dtype if dtype is None else dtype
        return constant(self.value, dtype=dtype, shape=shape, verify_shape=verify)


@export("random_uniform_initializer", "initializers.random_uniform")
class RandomUniform(Initializer):
    """Numbers from [minval, maxval), each as likely as any other."""

    _defaults = _arguments(minval=0.0, maxval=None, seed=None)

    def _make(self, shape, dtype):
        return random_uniform(shape, self.minval, self.maxval, dtype, seed=self.seed)


@export("random_normal_initializer", "initializers.random_normal")
class RandomNormal(Initializer):
    """Normally distributed numbers."""

    _defaults = _arguments(mean=0.0, stddev=1.0, seed=None)
    _floating = True

    def _make(self, shape, dtype):
        return random_normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


@export("truncated_normal_initializer", "initializers.truncated_normal")
class TruncatedNormal(Initializer):
    """Normally distributed numbers, none further than two `stddev` from `mean`."""

    _defaults = _arguments(mean=0.0, stddev=1.0, seed=None)
    _floating = True

    def _make(self, shape, dtype):
        return truncated_normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


@export("uniform_unit_scaling_initializer", "initializers.uniform_unit_scaling")
class UniformUnitScaling(Initializer):
    """Uniform numbers that keep the scale of what a layer's input has.

    After Sussillo and Abbott, "Random Walk Initialization for Training Very Deep
    Feedforward Networks", 2014.
    """

    _defaults = _arguments(factor=1.0, seed=None)
    _floating = True

    def _make(self, shape, dtype):
        inputs = max(1.0, math.prod(float(size) for size in _sizes(shape)[:-1]))
        limit = math.sqrt(3 / inputs) * self.factor
        return random_uniform(shape, -limit, limit, dtype, seed=self.seed)


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("normal", "uniform", "truncated_normal", "untruncated_normal")
# The standard deviation that is left of 1 when what is beyond two of them is cut off.
_TRUNCATED_STDDEV = 0.87962566103423978


@export("variance_scaling_initializer", "initializers.variance_scaling")
class VarianceScaling(Initializer):
    """Random numbers of variance scale / n, n being a layer's inputs, outputs or their mean.

    Args:
      scale: a positive number.
      mode: "fan_in", "fan_out" or "fan_avg".
      distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
      seed: an integer, or None.
      dtype: the dtype when a call gives none.

    Raises:
      ValueError: for another scale, mode or distribution.
    """

    _defaults = _arguments(scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None)
    _floating = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.scale <= 0.0:
            raise ValueError(f"Argument `scale` must be a positive float. Received: {self.scale}")
        if self.mode not in _MODES:
            raise ValueError(f"Argument `mode` should be one of {_MODES}. Received: {self.mode}")
        self.distribution = self.distribution.lower()
        if self.distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"Argument `distribution` should be one of {_DISTRIBUTIONS}. "
                f"Received: {self.distribution}"
            )

    def _make(self, shape, dtype):
        fan_in, fan_out = _fans(_sizes(shape))
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}
        variance = self.scale / max(1.0, fans[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random_uniform(shape, -limit, limit, dtype, seed=self.seed)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, stddev, dtype, seed=self.seed)
        return truncated_normal(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype, seed=self.seed)


def _sizes(shape):
    return [int(size) for size in shape]


def _fans(sizes):
    """A weight's numbers of input and output units; dimensions before those are positions."""
    if len(sizes) < 2:
        return (sizes[0], sizes[0]) if sizes else (1, 1)
    positions = math.prod(sizes[:-2])
    return sizes[-2] * positions, sizes[-1] * positions


class _SeedAndDtype(VarianceScaling):
    """A variance scaling of which only the seed and the dtype are left to choose."""

    _defaults = _arguments(seed=None)
    _scaling = (1.0, "fan_avg", "uniform")

    def __init__(self, *args, **kwargs):
        self.scale, self.mode, self.distribution = self._scaling
        super().__init__(*args, **kwargs)


@export("glorot_uniform_initializer", "initializers.glorot_uniform")
class GlorotUniform(_SeedAndDtype):
    """Uniform numbers of variance 2 / (inputs + outputs): the default of `get_variable`."""


@export("glorot_normal_initializer", "initializers.glorot_normal")
class GlorotNormal(_SeedAndDtype):
    """Truncated normal numbers of variance 2 / (inputs + outputs)."""

    _scaling = (1.0, "fan_avg", "truncated_normal")


def _variance_scaling(scale, distribution, public):
    def make(seed=None):
        return VarianceScaling(scale=scale, mode="fan_in", distribution=distribution, seed=seed)

    make.__name__ = public
    make.__doc__ = f"Variance scaling of scale {scale} by the number of inputs, {distribution}."
    export(f"initializers.{public}")(make)
    return make


he_normal = _variance_scaling(2.0, "truncated_normal", "he_normal")
he_uniform = _variance_scaling(2.0, "uniform", "he_uniform")
lecun_normal = _variance_scaling(1.0, "truncated_normal", "lecun_normal")
lecun_uniform = _variance_scaling(1.0, "uniform", "lecun_uniform")


@export("initializers.identity")
class Identity(Initializer):
    """Ones on the diagonal of a matrix, times `gain`."""

    _defaults = _arguments(gain=1.0)
    _floating = True

    def _make(self, shape, dtype):
        if len(shape) != 2:
            raise ValueError(
                "The tensor to initialize, specified by argument `shape` must be at least "
                f"two-dimensional. Received shape={shape}"
            )
        matrix = eye(*_sizes(shape), dtype=dtype)
        return matrix if self.gain == 1.0 else Mul(self.gain, matrix, name="mul")
