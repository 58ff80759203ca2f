"""Special functions: gamma, beta, error, Bessel and related integrals.

The kernels are SciPy's, imported when a kernel first runs; float16 and bfloat16 are computed
in float32. Poles and edges of domains are TensorFlow's.
"""

import functools

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.tensor_shape import merge_dims
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import ones_like
from numpy_tf.ops.array.select import where, where_v2
from numpy_tf.ops.array.shape import BroadcastGradientArgs, reshape, shape
from numpy_tf.ops.math.arithmetic import div
from numpy_tf.ops.math.broadcasting import broadcast_shape
from numpy_tf.ops.math.cast import cast, conj
from numpy_tf.ops.math.comparison import Equal
from numpy_tf.ops.math.elementwise import Cos, Exp, Log, Reciprocal, Sign, Sin, Square
from numpy_tf.ops.math.guarded import xlog1py, xlogy
from numpy_tf.ops.math.reduction import reduce_sum

_FULL = frozenset({dtypes.float32, dtypes.float64})
_ALL_BUT_BFLOAT16 = FLOATING - {dtypes.bfloat16}


def _of_scipy(name):
    """A kernel that calls scipy.special.<name>."""

    def kernel(*inputs):
        import scipy.special

        return _in_float(getattr(scipy.special, name), *inputs)

    return kernel


def _in_float(function, *inputs):
    """`function` in the inputs' dtype, or in float32 when that is half precision."""
    dtype = inputs[0].dtype
    if dtype.itemsize > 2:
        return function(*inputs)
    return function(*(x.astype(np.float32) for x in inputs)).astype(dtype)


def _summed_back(x, y, partial, grad, of):
    """The gradient for input `of` of two that were broadcast together."""
    shapes = shape(x), shape(y)
    axes = BroadcastGradientArgs(*shapes)
    return reshape(reduce_sum(partial * grad, axes[of]), shapes[of])


# -- gamma and its derivatives -----------------------------------------------------------


def _lgamma(x):
    import scipy.special

    return np.where(np.isinf(x), x.dtype.type(np.inf), scipy.special.gammaln(x))


@op("x: T -> y: T", T=FLOATING, public="lgamma, math.lgamma")
class Lgamma:
    """The logarithm of the absolute value of the gamma function."""

    runs_in = _ALL_BUT_BFLOAT16

    def kernel(x):
        return _in_float(_lgamma, x)

    def gradient(op, grad):
        return grad * Digamma(conj(op.inputs[0]))


def _rounded(function, x):
    """`function` as the C library has it: of float32 the nearest number, nearly always."""
    return function(x.astype(np.float64)).astype(x.dtype)


# The asymptotic series of digamma, by falling powers of 1/s².
_DIGAMMA_SERIES = {
    4: (-1 / 240, 1 / 252, -1 / 120, 1 / 12),
    8: (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12),
}
_DIGAMMA_FROM = 10  # where the series is good


def _digamma(x):
    """Cephes' psi as Eigen has it: in x's dtype, not a number at the poles 0, -1, …"""
    kind = x.dtype.type
    reflected = x <= 0
    s = np.where(reflected, 1 - x, x)
    steps = np.zeros_like(s)
    for _ in range(_DIGAMMA_FROM):
        low = s < _DIGAMMA_FROM
        steps = np.where(low, steps + 1 / s, steps)
        s = np.where(low, s + 1, s)
    inverse = 1 / (s * s)
    series = inverse * np.polyval(np.array(_DIGAMMA_SERIES[x.dtype.itemsize], x.dtype), inverse)
    value = _rounded(np.log, s) - kind(0.5) / s - series - steps
    rest = x - np.floor(x)
    rest = np.where(rest > 0.5, x - (np.floor(x) + 1), rest)
    cotangent = np.where(rest == 0.5, kind(0), kind(np.pi) / _rounded(np.tan, kind(np.pi) * rest))
    value = np.where(reflected, value - cotangent, value)
    return np.where(reflected & (x == np.floor(x)), kind(np.nan), value)


@op("x: T -> y: T", T=FLOATING, public="digamma, math.digamma")
class Digamma:
    """The derivative of `Lgamma`."""

    runs_in = _ALL_BUT_BFLOAT16

    def kernel(x):
        return _in_float(_digamma, x)

    def gradient(op, grad):
        x = conj(op.inputs[0])
        return grad * Polygamma(constant(1, dtype=x.dtype), x)


def _zeta(x, q):
    import scipy.special

    value = scipy.special.zeta(x, q)
    value = np.where(x == 1, x.dtype.type(np.inf), value)
    value = np.where((x > 1) & (q > 1) & np.isnan(value), x.dtype.type(0), value)
    pole = (q <= 0) & (q == np.floor(q)) & (x > 1)
    even = np.isinf(x) | (np.fmod(x, 2) == 0)
    at_pole = np.where(even, x.dtype.type(np.inf), x.dtype.type(np.nan))
    return np.where(pole, at_pole, np.where(x != x, x, value))


@op("x: T, q: T -> z: T", T=_FULL, public="zeta, math.zeta")
class Zeta:
    """Hurwitz's zeta function, Σ (q + n)^-x over n = 0, 1, …"""

    shape = broadcast_shape
    kernel = staticmethod(_zeta)

    def gradient(op, grad):
        x, q = conj(op.inputs[0]), conj(op.inputs[1])
        # None for x, as TensorFlow has it: no derivative by x is known to it.
        return None, _summed_back(*op.inputs, -x * Zeta(x + 1, q), grad, of=1)


@op("a: T, x: T -> z: T", T=_FULL, public="polygamma, math.polygamma")
class Polygamma:
    """The a-th derivative of `Digamma`."""

    shape = broadcast_shape

    def kernel(a, x):
        import scipy.special

        order = a + a.dtype.type(1)
        sign = np.where(np.fmod(order, 2) == 0, a.dtype.type(1), a.dtype.type(-1))
        derivative = sign * scipy.special.gamma(order) * _zeta(order, x)
        value = np.where(a == 0, _digamma(x), derivative)
        return np.where((a >= 0) & (a == np.floor(a)), value, a.dtype.type(np.nan))

    def gradient(op, grad):
        a, x = conj(op.inputs[0]), conj(op.inputs[1])
        # None for a, as TensorFlow has it.
        return None, _summed_back(*op.inputs, Polygamma(a + 1, x), grad, of=1)


# -- incomplete gamma and beta -----------------------------------------------------------


def _igamma(a, x):
    import scipy.special

    value = scipy.special.gammainc(a, x)
    value = np.where((a <= 0) | (x < 0), a.dtype.type(np.nan), value)
    return np.where((x == 0) | _both_infinite(a, x), a.dtype.type(0), value)


def _igammac(a, x):
    import scipy.special

    # Below 1 or a it is what P leaves of 1, to the digits that the difference has.
    by_rest = a.dtype.type(1) - scipy.special.gammainc(a, x)
    value = np.where((x < 1) | (x < a), by_rest, scipy.special.gammaincc(a, x))
    value = np.where(_both_infinite(a, x), a.dtype.type(0), value)
    return np.where((a <= 0) | (x < 0), a.dtype.type(np.nan), value)


def _both_infinite(a, x):
    return (a == np.inf) & (x == np.inf)  # where Eigen has 0 for both functions


def _igamma_gradient(op, grad):
    a, x = op.inputs
    by_a = IgammaGradA(a, x)
    # In logarithms, because Γ(a) can be large.
    by_x = Exp(-x + (a - 1) * Log(x) - Lgamma(a))
    return _summed_back(a, x, by_a, grad, of=0), _summed_back(a, x, by_x, grad, of=1)


@op("a: T, x: T -> z: T", T=FLOATING, public="igamma, math.igamma")
class Igamma:
    """The lower regularised incomplete gamma function P(a, x)."""

    runs_in = _FULL
    shape = broadcast_shape

    def kernel(a, x):
        return _in_float(_igamma, a, x)

    gradient = _igamma_gradient


@op("a: T, x: T -> z: T", T=FLOATING, public="igammac, math.igammac")
class Igammac:
    """The upper regularised incomplete gamma function Q(a, x) = 1 - P(a, x)."""

    runs_in = _FULL
    shape = broadcast_shape

    def kernel(a, x):
        return _in_float(_igammac, a, x)

    def gradient(op, grad):
        by_a, by_x = _igamma_gradient(op, grad)
        return -by_a, -by_x


_MOST_TERMS = 2000  # as many as Eigen's own iteration in float64 may take


def _series_by_a(a, x):
    """∂P/∂a by the power series, for x up to about a: all its terms are positive."""
    import scipy.special

    term = total = np.ones_like(x)
    slope = total_slope = np.zeros_like(x)
    n = a
    for _ in range(_MOST_TERMS):
        n = n + 1
        slope = (slope - term / n) * (x / n)
        term = term * (x / n)
        total = total + term
        total_slope = total_slope + slope
        if np.all(np.abs(slope) <= 2.0**-54 * np.abs(total_slope)):
            break
    log_factor = a * np.log(x) - x - scipy.special.gammaln(a + 1)
    log_slope = np.log(x) - scipy.special.psi(a + 1)
    return np.exp(log_factor) * (total_slope + total * log_slope)


def _fraction_by_a(a, x):
    """-∂Q/∂a by the continued fraction, for x above a and 1; numerators and slopes by a."""
    import scipy.special

    y, z, c = 1 - a, x + 2 - a, np.zeros_like(x)
    p2, q2, p1, q1 = np.ones_like(x), x, x + 1, z * x
    value = p1 / q1
    dp2, dq2, dp1, dq1 = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), -x
    dvalue = (dp1 - value * dq1) / q1
    done = np.zeros(x.shape, bool)  # each element stops by itself: going on loses digits
    for _ in range(_MOST_TERMS):
        c, y, z = c + 1, y + 1, z + 2
        yc = y * c
        p, q = p1 * z - p2 * yc, q1 * z - q2 * yc
        dp = dp1 * z - p1 - dp2 * yc + p2 * c
        dq = dq1 * z - q1 - dq2 * yc + q2 * c
        found = (q != 0) & ~done
        safe = np.where(found, q, 1)
        value = np.where(found, p / safe, value)
        new = np.where(found, (dp - value * dq) / safe, dvalue)
        done |= found & (np.abs(new - dvalue) <= 2.0**-54)
        dvalue = new
        p2, p1, q2, q1, dp2, dp1, dq2, dq1 = p1, p, q1, q, dp1, dp, dq1, dq
        scale = np.where(np.abs(p) > 2.0**52, 2.0**-52, 1.0)
        p2, p1, q2, q1 = p2 * scale, p1 * scale, q2 * scale, q1 * scale
        dp2, dp1, dq2, dq1 = dp2 * scale, dp1 * scale, dq2 * scale, dq1 * scale
        if done.all():
            break
    log_factor = a * np.log(x) - x - scipy.special.gammaln(a)
    log_slope = np.log(x) - scipy.special.psi(a)
    return -np.exp(log_factor) * (dvalue + value * log_slope)


@op("a: T, x: T -> z: T", T=_FULL)
class IgammaGradA:
    """The derivative of `Igamma` by a."""

    shape = broadcast_shape

    def kernel(a, x):
        dtype = a.dtype
        a, x = np.broadcast_arrays(a.astype(np.float64), x.astype(np.float64))
        undefined = ~((x >= 0) & (a > 0))
        by_fraction = ~undefined & (x > 1) & (x > a) & np.isfinite(x)
        by_series = ~undefined & ~by_fraction & (x > 0) & np.isfinite(a + x)
        result = np.zeros(a.shape)
        result[undefined & (x != 0)] = np.nan
        result[~undefined & np.isinf(x) & np.isfinite(a)] = -0.0
        result[by_series] = _series_by_a(a[by_series], x[by_series])
        result[by_fraction] = _fraction_by_a(a[by_fraction], x[by_fraction])
        return result.astype(dtype)

    gradient = NO_GRADIENT


def _beta_shape(op):
    dims = None
    for tensor in op.inputs:
        if tensor.dims != ():
            dims = merge_dims(dims, tensor.dims)
    return () if all(tensor.dims == () for tensor in op.inputs) else dims


@op("a: T, b: T, x: T -> z: T", T=_FULL, public="betainc, math.betainc")
class Betainc:
    """The regularised incomplete beta function I_x(a, b)."""

    shape = _beta_shape

    def kernel(a, b, x):
        import scipy.special

        defined = (a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b) & (x >= 0) & (x <= 1)
        return np.where(defined, scipy.special.betainc(a, b, x), a.dtype.type(np.nan))

    def gradient(op, grad):
        a, b, x = op.inputs
        log_beta = Lgamma(a) + Lgamma(b) - Lgamma(a + b)
        by_x = Exp(xlog1py(b - 1, -x) + xlogy(a - 1, x) - log_beta)
        # None for a and b, as TensorFlow has it.
        return None, None, _summed_back(a, x, by_x, grad, of=1)


# -- error function ----------------------------------------------------------------------


@op("x: T -> y: T", T=FLOATING, public="erf, math.erf")
class Erf:
    """The error function."""

    def kernel(x):
        import scipy.special

        value = _in_float(scipy.special.erf, x)
        if x.dtype == np.float64:
            # TensorFlow 2.21 has NaN at the infinities, in float64 alone.
            return np.where(np.isinf(x), np.nan, value)
        return value

    def gradient(op, grad):
        factor = constant(2 / np.sqrt(np.pi), dtype=grad.dtype)
        return grad * factor * Exp(-Square(conj(op.inputs[0])))


@op("x: T -> y: T", T=FLOATING, public="erfc, math.erfc")
class Erfc:
    """1 less the error function."""

    kernel = staticmethod(_of_scipy("erfc"))

    def gradient(op, grad):
        factor = constant(-2 / np.sqrt(np.pi), dtype=grad.dtype)
        return grad * factor * Exp(-Square(conj(op.inputs[0])))


@op("x: T -> y: T", T=FLOATING, public="math.erfinv")
class Erfinv:
    """The inverse of the error function.

    By way of the normal quantile, as TensorFlow computes it: near 0 its digits are those
    that (x + 1) / 2 has left.
    """

    runs_in = _FULL

    def kernel(x):
        import scipy.special

        kind = x.dtype.type
        return _in_float(scipy.special.ndtri, (x + kind(1)) / kind(2)) * kind(np.sqrt(0.5))

    def gradient(op, grad):
        factor = constant(np.sqrt(np.pi) / 2, dtype=grad.dtype)
        return grad * factor * Exp(Square(op.outputs[0]))


@op("x: T -> y: T", T=FLOATING, public="math.ndtri")
class Ndtri:
    """The quantile of the standard normal distribution."""

    runs_in = _FULL
    kernel = staticmethod(_of_scipy("ndtri"))

    def gradient(op, grad):
        factor = constant(np.sqrt(2 * np.pi), dtype=grad.dtype)
        return grad * factor * Exp(Square(op.outputs[0]) / 2.0)


@export("math.erfcinv")
def erfcinv(x, name=None):
    """The inverse of `erfc`."""
    from numpy_tf.framework.conversion import convert_to_tensor
    from numpy_tf.framework.graph import NameScope

    with NameScope(name, "erfcinv", [x]):
        x = convert_to_tensor(x, name="start")
        return -Ndtri(0.5 * x) * np.sqrt(0.5)


# -- integrals ---------------------------------------------------------------------------


@op("x: T -> y: T", T=FLOATING, public="math.special.dawsn")
class Dawsn:
    """Dawson's integral."""

    runs_in = _FULL

    def kernel(x):
        import scipy.special

        return _in_float(scipy.special.dawsn, x) + x.dtype.type(0)  # of -0.0 it is 0.0

    def gradient(op, grad):
        return grad * (1.0 - 2 * op.inputs[0] * op.outputs[0])


def _expint(x):
    import scipy.special

    return np.where((x >= 0) & np.isfinite(x), scipy.special.expi(x), x.dtype.type(np.nan))


@op("x: T -> y: T", T=FLOATING, public="math.special.expint")
class Expint:
    """The exponential integral Ei."""

    runs_in = _FULL

    def kernel(x):
        return _in_float(_expint, x)

    def gradient(op, grad):
        x = op.inputs[0]
        return grad * Exp(x) / x


_FRESNEL_SETTLED = 36974  # beyond, Cephes gives the limit


def _fresnel(part):
    def integral(x):
        import scipy.special

        value = scipy.special.fresnel(x)[part]
        return np.where(np.abs(x) > _FRESNEL_SETTLED, np.copysign(x.dtype.type(0.5), x), value)

    return functools.partial(_in_float, integral)


@op("x: T -> y: T", T=FLOATING, public="math.special.fresnel_cos")
class FresnelCos:
    """Fresnel's cosine integral."""

    runs_in = _FULL
    kernel = _fresnel(1)

    def gradient(op, grad):
        return grad * Cos((np.pi / 2.0) * Square(op.inputs[0]))


@op("x: T -> y: T", T=FLOATING, public="math.special.fresnel_sin")
class FresnelSin:
    """Fresnel's sine integral."""

    runs_in = _FULL
    kernel = _fresnel(0)

    def gradient(op, grad):
        return grad * Sin((np.pi / 2.0) * Square(op.inputs[0]))


@op("x: T -> y: T", T=FLOATING, public="math.special.spence")
class Spence:
    """Spence's integral, Li₂(1 - x)."""

    runs_in = _FULL
    kernel = staticmethod(_of_scipy("spence"))

    def gradient(op, grad):
        x = op.inputs[0]
        slope = Log(x) / (1 - x)
        return grad * where(Equal(x, 1.0), -ones_like(x), slope)


# -- Bessel functions --------------------------------------------------------------------


def _of_positive(name, elsewhere):
    """A kernel that calls scipy.special.<name>, with one value for negative numbers."""
    function = _of_scipy(name)

    def kernel(x):
        return np.where(x < 0, x.dtype.type(elsewhere), function(x))

    return kernel


@op("x: T -> y: T", T=FLOATING, public="math.bessel_i0, math.special.bessel_i0")
class BesselI0:
    """The modified Bessel function of order 0."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_scipy("i0"))

    def gradient(op, grad):
        return grad * BesselI1(op.inputs[0])


@op("x: T -> y: T", T=FLOATING, public="math.bessel_i0e, math.special.bessel_i0e")
class BesselI0e:
    """The modified Bessel function of order 0 times e to the power -|x|."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_scipy("i0e"))

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        return grad * (BesselI1e(x) - Sign(x) * y)


@op("x: T -> y: T", T=FLOATING, public="math.bessel_i1, math.special.bessel_i1")
class BesselI1:
    """The modified Bessel function of order 1."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_scipy("i1"))

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        # TensorFlow puts 1 at x = 0, where the formula has 0/0; the true derivative is 1/2.
        slope = where_v2(Equal(x, 0.0), cast(1.0, x.dtype), BesselI0(x) - div(y, x))
        return grad * slope


@op("x: T -> y: T", T=FLOATING, public="math.bessel_i1e, math.special.bessel_i1e")
class BesselI1e:
    """The modified Bessel function of order 1 times e to the power -|x|."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_scipy("i1e"))

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        slope = BesselI0e(x) - y * (Sign(x) + Reciprocal(x))
        return grad * where_v2(Equal(x, 0.0), cast(0.5, x.dtype), slope)


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_k0")
class BesselK0:
    """The modified Bessel function of the second kind, of order 0."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_positive("k0", np.inf))

    def gradient(op, grad):
        return grad * -BesselK1(op.inputs[0])


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_k0e")
class BesselK0e:
    """`BesselK0` times e to the power x."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_positive("k0e", np.inf))

    def gradient(op, grad):
        return grad * (op.outputs[0] - BesselK1e(op.inputs[0]))


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_k1")
class BesselK1:
    """The modified Bessel function of the second kind, of order 1."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_positive("k1", np.inf))

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        return grad * (-BesselK0(x) - div(y, x))


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_k1e")
class BesselK1e:
    """`BesselK1` times e to the power x."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_positive("k1e", np.inf))

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        return grad * (y * (1.0 - Reciprocal(x)) - BesselK0e(x))


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_j0")
class BesselJ0:
    """The Bessel function of the first kind, of order 0."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_scipy("j0"))

    def gradient(op, grad):
        return grad * -BesselJ1(op.inputs[0])


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_j1")
class BesselJ1:
    """The Bessel function of the first kind, of order 1."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_scipy("j1"))

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        slope = where_v2(Equal(x, 0.0), cast(0.5, x.dtype), BesselJ0(x) - div(y, x))
        return grad * slope


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_y0")
class BesselY0:
    """The Bessel function of the second kind, of order 0."""

    runs_in = _ALL_BUT_BFLOAT16
    kernel = staticmethod(_of_positive("y0", -np.inf))

    def gradient(op, grad):
        return grad * -BesselY1(op.inputs[0])


@op("x: T -> y: T", T=FLOATING, public="math.special.bessel_y1")
class BesselY1:
    """The Bessel function of the second kind, of order 1."""

    runs_in = _ALL_BUT_BFLOAT16

    def kernel(x):
        value = _of_positive("y1", -np.inf)(x)
        # At 0 TensorFlow has -inf in float64 and, computed in float32, NaN.
        return value if x.dtype == np.float64 else np.where(x == 0, x.dtype.type(np.nan), value)

    def gradient(op, grad):
        x, y = op.inputs[0], op.outputs[0]
        return grad * (BesselY0(x) - div(y, x))
