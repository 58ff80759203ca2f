"""Random numbers.

The streams are NumPy's, not TensorFlow's: a seed gives the same numbers every time, but
not those that TensorFlow gives. Shapes, dtypes, ranges and the derivation of each op's
seeds from the graph's are TensorFlow's, and so is what gradients flow through.
"""

import weakref

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, FLOATING, INDEX
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import Graph, NameScope, get_default_graph
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.ops.array.fill import ones
from numpy_tf.ops.array.shape import BroadcastTo, broadcast_dynamic_shape, reshape
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.math.arithmetic import Maximum, Mul, Sub, add
from numpy_tf.ops.math.broadcasting import broadcast_shape
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import range as range_of

_DEFAULT_GRAPH_SEED = 87654321
_MAX_INT32 = 2**31 - 1

# For each graph, how many of its ops so far had no seed of their own.
_unseeded_ops: weakref.WeakKeyDictionary[Graph, int] = weakref.WeakKeyDictionary()


@export("get_seed", "random.get_seed")
def get_seed(op_seed):
    """The two seeds of an op, from the default graph's seed and its own.

    Returns:
      (None, None) when neither is set: the op's numbers are then new in every session.
    """
    graph = get_default_graph()
    if graph.seed is None:
        if op_seed is None:
            return None, None
        seeds = _DEFAULT_GRAPH_SEED, op_seed % _MAX_INT32
    else:
        if op_seed is None:
            op_seed = _unseeded_ops.get(graph, 0)
            _unseeded_ops[graph] = op_seed + 1
        seeds = graph.seed % _MAX_INT32, op_seed % _MAX_INT32
    # Two zeros would mean "not seeded".
    return (0, _MAX_INT32) if seeds == (0, 0) else seeds


def _seed_attrs(op_seed):
    seed, seed2 = get_seed(op_seed)
    return {"seed": seed or 0, "seed2": seed2 or 0}


def _asked_shape(op):
    return shape_value(op.inputs[0])


_BITS = {"float16": 10, "bfloat16": 7}  # of the significand: numbers in [0, 1) that round to none


@op("shape: T -> output: dtype", T=INDEX, dtype=FLOATING, seed=0, seed2=0)
class RandomUniform:
    """Numbers from [0, 1), each as likely as any other."""

    stateful = True
    shape = _asked_shape

    def kernel(shape, *, op, state):
        stream, dtype = state.random(op), op.attrs["dtype"]
        size = tuple(shape.tolist())
        bits = _BITS.get(dtype.name)
        if bits is None:
            return stream.random(size, dtype.as_numpy_dtype)
        return (stream.integers(0, 2**bits, size) / 2**bits).astype(dtype.as_numpy_dtype)

    gradient = NOT_DIFFERENTIABLE


@op("shape: T, minval: Tout, maxval: Tout -> output: Tout", T=INDEX, Tout=INDEX, seed=0, seed2=0)
class RandomUniformInt:
    """Integers from [minval, maxval), each as likely as any other."""

    stateful = True
    shape = _asked_shape

    def kernel(shape, minval, maxval, *, op, state):
        size = tuple(shape.tolist())
        return state.random(op).integers(minval, maxval, size, dtype=minval.dtype)

    gradient = NO_GRADIENT


def _standard_normal(stream, size, dtype):
    if dtype.itemsize >= 4:
        return stream.standard_normal(size, dtype)
    return stream.standard_normal(size, np.float32).astype(dtype)


@op("shape: T -> output: dtype", T=INDEX, dtype=FLOATING, seed=0, seed2=0)
class RandomStandardNormal:
    """Normally distributed numbers of mean 0 and standard deviation 1."""

    stateful = True
    shape = _asked_shape

    def kernel(shape, *, op, state):
        dtype = np.dtype(op.attrs["dtype"].as_numpy_dtype)
        return _standard_normal(state.random(op), tuple(shape.tolist()), dtype)

    gradient = NOT_DIFFERENTIABLE


@op("shape: T -> output: dtype", T=INDEX, dtype=FLOATING, seed=0, seed2=0)
class TruncatedNormal:
    """Standard normal numbers, those beyond two standard deviations drawn again."""

    stateful = True
    shape = _asked_shape

    def kernel(shape, *, op, state):
        stream = state.random(op)
        dtype = np.dtype(op.attrs["dtype"].as_numpy_dtype)
        numbers = np.asarray(_standard_normal(stream, tuple(shape.tolist()), dtype))
        beyond = np.abs(numbers) > 2
        while beyond.any():
            numbers[beyond] = _standard_normal(stream, int(beyond.sum()), dtype)
            beyond = np.abs(numbers) > 2
        return numbers

    gradient = NOT_DIFFERENTIABLE


_GAMMA_TYPES = FLOATING - {dtypes.bfloat16}


@op("shape: S, alpha: T -> output: T", S=INDEX, T=_GAMMA_TYPES, seed=0, seed2=0)
class RandomGamma:
    """For each alpha, `shape` numbers of a gamma distribution of that shape parameter."""

    stateful = True

    def shape(op):
        first, last = shape_value(op.inputs[0]), op.inputs[1].dims
        return None if first is None or last is None else (*first, *last)

    def kernel(shape, alpha, *, op, state):
        size = (*shape.tolist(), *alpha.shape)
        return state.random(op).standard_gamma(alpha.astype(np.float64), size).astype(alpha.dtype)

    def gradient(op, grad):
        # The derivative of the number itself, other things being equal: Figurnov, Mohamed
        # and Mnih, "Implicit Reparameterization Gradients", 2018.
        shape, alpha = op.inputs
        count = shape_of(shape)[0]
        aligned = concat([ones([count], dtype=dtypes.int32), shape_of(alpha)], axis=0)
        by_alpha = RandomGammaGrad(reshape(alpha, aligned), op.outputs[0])
        return None, reduce_sum(grad * by_alpha, axis=range_of(count))


@op("alpha: T, sample: T -> output: T", T={dtypes.float32, dtypes.float64})
class RandomGammaGrad:
    """The derivative by alpha of a number that was drawn from a gamma distribution."""

    shape = broadcast_shape

    def kernel(alpha, sample):
        from scipy.special import gammaln

        from numpy_tf.ops.math.special import IgammaGradA

        a, x = alpha.astype(np.float64), sample.astype(np.float64)
        log_density = (a - 1) * np.log(x) - x - gammaln(a)
        return (-IgammaGradA.kernel(a, x) / np.exp(log_density)).astype(alpha.dtype)

    gradient = NO_GRADIENT


@op("value: T -> output: T", T=ANY, seed=0, seed2=0)
class RandomShuffle:
    """The input's rows in another order."""

    stateful = True

    def kernel(value, *, op, state):
        return value[state.random(op).permutation(len(value))] if value.ndim else value

    gradient = NOT_DIFFERENTIABLE


def _shape_tensor(shape):
    return convert_to_tensor(shape, preferred_dtype=dtypes.int32, name="shape")


@export("random_uniform", "random.uniform")
def random_uniform(shape, minval=0, maxval=None, dtype=dtypes.float32, seed=None, name=None):
    """Numbers from [minval, maxval), each as likely as any other.

    Gradients flow to `minval` and `maxval` of floating types.

    Args:
      shape: the shape of the result.
      minval, maxval: the bounds, by default 0 and, for floating types, 1.
      dtype: float16, bfloat16, float32, float64, int32 or int64.
      seed: an integer; see `tf.set_random_seed` for how it goes with the graph's.
      name: the operation's name.

    Raises:
      ValueError: for another dtype, or an integer one without `maxval`.
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in FLOATING and dtype not in INDEX:
        accepted = ", ".join(
            f"tf.{name}" for name in ("float16", "bfloat16", "float32", "float64", "int32", "int64")
        )
        raise ValueError(
            f"Argument `dtype` got invalid value {dtype}. Accepted dtypes are ({accepted})."
        )
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with NameScope(name, "random_uniform", [shape, minval, maxval]) as scope:
        shape = _shape_tensor(shape)
        from_zero = isinstance(minval, int) and minval == 0
        to_one = isinstance(maxval, int) and maxval == 1
        if not from_zero or not to_one or dtype.is_integer:
            minval = convert_to_tensor(minval, dtype=dtype, name="min")
            maxval = convert_to_tensor(maxval, dtype=dtype, name="max")
        seeds = _seed_attrs(seed)
        if dtype.is_integer:
            return RandomUniformInt(shape, minval, maxval, name=scope, **seeds)
        numbers = RandomUniform(shape, dtype=dtype, **seeds)
        if from_zero:
            return numbers if to_one else Mul(numbers, maxval)
        width = Sub(maxval, minval, name="sub")
        return add(Mul(numbers, width, name="mul"), minval, name=scope)


def _normal(definition, default_name, shape, mean, stddev, dtype, seed, name):
    """The numbers of `definition`, scaled and shifted: gradients flow to both."""
    with NameScope(name, default_name, [shape, mean, stddev]) as scope:
        shape = _shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        numbers = definition(shape, dtype=dtype, **_seed_attrs(seed))
        return add(Mul(numbers, stddev, name="mul"), mean, name=scope)


@export("random_normal", "random.normal")
def random_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Normally distributed numbers; gradients flow to `mean` and `stddev`."""
    return _normal(RandomStandardNormal, "random_normal", shape, mean, stddev, dtype, seed, name)


@export("truncated_normal", "random.truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Normally distributed numbers, none further than two `stddev` from `mean`.

    Gradients flow to `mean` and `stddev`.
    """
    return _normal(TruncatedNormal, "truncated_normal", shape, mean, stddev, dtype, seed, name)


@export("random_shuffle", "random.shuffle")
def random_shuffle(value, seed=None, name=None):
    """`value`'s rows in another order; not differentiable."""
    return RandomShuffle(value, name=name, **_seed_attrs(seed))


@export("random_gamma", "random.gamma")
def random_gamma(shape, alpha, beta=None, dtype=dtypes.float32, seed=None, name=None):
    """Numbers of gamma distributions; gradients flow to `alpha` and `beta`.

    Args:
      shape: how many for each distribution.
      alpha: their shape parameters.
      beta: their rates, by default 1; broadcast with `alpha`.
      dtype: float16, float32 or float64.
      seed: see `random_uniform`.

    Returns:
      A tensor of shape `shape + (alpha + beta).shape`.
    """
    with NameScope(name, "random_gamma", [shape, alpha, beta]):
        shape = convert_to_tensor(shape, name="shape", dtype=dtypes.int32)
        alpha = convert_to_tensor(alpha, name="alpha", dtype=dtype)
        beta = convert_to_tensor(1 if beta is None else beta, name="beta", dtype=dtype)
        whole = broadcast_dynamic_shape(shape_of(alpha), shape_of(beta))
        seeds = _seed_attrs(seed)
        numbers = RandomGamma(shape, BroadcastTo(alpha, whole), **seeds) / beta
        # A number that is too small to be told from 0 would make its logarithm infinite.
        return Maximum(np.finfo(alpha.dtype.as_numpy_dtype).tiny, numbers)
