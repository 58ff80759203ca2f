"""How far apart two floating-point values may be: one table by dtype, one by op type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gradparity.judge.ulp import COMPONENT
from gradparity.language.check import Tolerance


@dataclass(frozen=True)
class Precision:
    """The "scale" rule of a dtype: |a - b| <= factor * eps * scale is excused.

    `scale` is the largest finite magnitude in the tensor. The rule is for sums whose terms
    cancel: what is left may be tiny, but its error is that of the terms. It therefore holds
    only where the graph has one of the `SUMMING` ops: a graph that works element by element
    has no excuse for a small element in that a large one stands beside it.

    Attributes:
      eps: the distance from 1 to the next larger number.
      factor: how many of them: the power of two above what was measured.
      why: what was measured to justify the factor.
    """

    eps: float
    factor: float
    why: str


PRECISIONS: Mapping[str, Precision] = {
    "float16": Precision(
        2.0**-10, 8, "accumulated in float16: 128 terms down columns, 4.3 from NumPy's"
    ),
    "bfloat16": Precision(
        2.0**-7, 1, "accumulated in float32 and rounded once: MatMul over 256 terms, 0.82"
    ),
    "float32": Precision(
        2.0**-23, 8, "128 terms down columns, 4.3 from NumPy's; MatMul over 256, 4.1"
    ),
    "float64": Precision(
        2.0**-52, 8, "MatMul over 256 terms, 6.5 from mathematics; 128 down columns, 5.1"
    ),
}


@dataclass(frozen=True)
class UlpBudget:
    """How many ulps a sound implementation of an op may be away from TensorFlow's.

    Attributes:
      float16: the budget in float16; the other dtypes likewise.
      why: where the distance comes from.
      beyond: why it is larger than what `gradparity calibrate` has measured, if it is.
    """

    float16: int
    bfloat16: int
    float32: int
    float64: int
    why: str
    beyond: str = ""


# All figures are `gradparity calibrate`'s, kept in spread.json and shown in docs/tolerances.md;
# a test holds the budgets against them. TensorFlow is as far from itself: equal values in one
# vector give different results in its vector lanes and in its scalar tail.
_POLYNOMIAL = "Eigen's vectorised polynomial, no correctly rounded libm"
_DIVISION = "vectorised approximation with one Newton step in float32"
_COMPOSED = "composed of exp and log1p in the tensor's own dtype"
_ORDER = "another order of the terms: blocks and vector lanes against NumPy's pairs"
_LOGARITHM = "composed of log and sqrt"
_SERIES = "Cephes' Chebyshev series, evaluated in another order"
_MAGNIFIED = "magnifies the error of its argument"

ULP_BUDGETS: Mapping[str, UlpBudget] = {
    "Acos": UlpBudget(1, 1, 5, 1, _POLYNOMIAL),
    "Acosh": UlpBudget(1, 1, 2, 2, _LOGARITHM),
    "Asin": UlpBudget(1, 1, 4, 1, _POLYNOMIAL),
    "Asinh": UlpBudget(1, 1, 1, 1, _LOGARITHM),
    "Atan": UlpBudget(1, 1, 3, 3, _POLYNOMIAL),
    "Atan2": UlpBudget(1, 4, 5, 4, "a quotient, and Eigen's polynomial"),
    "Atanh": UlpBudget(0, 2, 2, 2, _POLYNOMIAL),
    "BesselI0": UlpBudget(0, 0, 6, 6, _SERIES),
    "BesselI0e": UlpBudget(0, 0, 6, 7, _SERIES),
    "BesselI1": UlpBudget(0, 0, 19, 14, _SERIES),
    "BesselI1e": UlpBudget(0, 0, 13, 9, _SERIES),
    "Cos": UlpBudget(0, 1, 1, 0, _POLYNOMIAL),
    "Cosh": UlpBudget(0, 1, 2, 1, _POLYNOMIAL),
    "Cosh(Asinh)": UlpBudget(3, 7, 7, 7, f"{_MAGNIFIED} up to |asinh x|-fold"),
    "Erf": UlpBudget(0, 1, 6, 4, "Eigen's rational approximation"),
    "Erfc": UlpBudget(0, 5, 8, 16, "Eigen's rational approximation, and an exp"),
    "Exp": UlpBudget(1, 1, 3, 2, _POLYNOMIAL),
    "Expm1": UlpBudget(1, 1, 5, 3, "composed of exp and log with a correction near 0"),
    "Log": UlpBudget(1, 1, 4, 1, _POLYNOMIAL),
    "Log1p": UlpBudget(1, 1, 4, 2, "composed of log with a correction near 0"),
    "Mean": UlpBudget(8, 1, 8, 10, _ORDER),
    "Pow": UlpBudget(1, 1, 2, 2, "Eigen's double-word exp and log"),
    "Prod": UlpBudget(6, 6, 7, 7, _ORDER),
    "Reciprocal": UlpBudget(0, 1, 3, 0, _DIVISION),
    "ReciprocalGrad(Reciprocal)": UlpBudget(3, 3, 3, 3, f"{_MAGNIFIED} twofold: -y*y*dy"),
    "Rsqrt": UlpBudget(1, 1, 2, 0, _DIVISION),
    "RsqrtGrad(Rsqrt)": UlpBudget(7, 7, 6, 6, f"{_MAGNIFIED} threefold: -y*y*y*dy/2"),
    "Sigmoid": UlpBudget(3, 2, 7, 3, "composed of exp and a division"),
    "Sin": UlpBudget(1, 1, 1, 0, _POLYNOMIAL),
    "Sinh": UlpBudget(1, 1, 2, 2, _POLYNOMIAL),
    "Sinh(Acosh)": UlpBudget(2, 6, 5, 5, f"{_MAGNIFIED} up to |acosh x|-fold"),
    "Softplus": UlpBudget(1, 4, 4, 3, _COMPOSED),
    "SqrtGrad(Sqrt)": UlpBudget(2, 2, 2, 2, "dy/2/y rounds twice, in either order"),
    "Sum": UlpBudget(8, 1, 8, 9, _ORDER),
    "Tan": UlpBudget(1, 1, 3, 1, _POLYNOMIAL),
    "Tanh": UlpBudget(0, 1, 5, 5, "Eigen's rational approximation"),
}
"""Op type -> its budget; or ops of which the first is taken of the next, "Cosh(Asinh)" -> what
a graph with both is allowed beside the budgets of each."""

_OPS = {chain: frozenset(re.findall(r"\w+", chain)) for chain in ULP_BUDGETS}


_REDUCTION = "sums along axes"
_PRODUCT = "sums products: an inner product for each element"
_ROWS = "sums the rows that share an index"
_TERMS = "adds tensors, whose own errors remain where they cancel"
_SOLVES = "solves or decomposes: sums of products, one after the other"
_WINDOW = "sums over windows"
_NORMALISES = "divides by, or takes off, a sum over an axis"
_COMPLEMENT = "has 1 - y*y, y*(1 - y), 1 + y or exp(x) - 1, where the error of y or exp remains"
_PARTS = "goes between complex numbers, products of which sum two products, and their parts"
_BODY = "its body, whose ops are not listed, may hold any of the others"

SUMMING: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "Sum", "Mean", "Prod", "EuclideanNorm", "L2Loss", "Cumsum", "Cumprod",
            "CumulativeLogsumexp", "BiasAddGrad", "SparseReduceSum",
        ),
        _REDUCTION,
    ),
    **dict.fromkeys(
        (
            "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "SparseMatMul",
            "SparseTensorDenseMatMul", "Einsum", "Cross", "TridiagonalMatMul",
            "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter", "Conv3D",
            "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2", "DepthwiseConv2dNative",
            "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter",
            "FFT", "FFT2D", "FFT3D", "IFFT", "IFFT2D", "IFFT3D", "RFFT", "RFFT2D", "RFFT3D",
            "IRFFT", "IRFFT2D", "IRFFT3D",
        ),
        _PRODUCT,
    ),
    **dict.fromkeys(
        (
            "SegmentSum", "SegmentMean", "SegmentSumV2", "UnsortedSegmentSum",
            "SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN",
            "SparseSegmentSumGrad", "SparseSegmentMeanGrad", "SparseSegmentSqrtNGrad",
            "ScatterNd", "ScatterAdd", "ResourceScatterAdd", "TensorScatterAdd",
        ),
        _ROWS,
    ),
    **dict.fromkeys(("AddN", "AccumulateNV2"), _TERMS),
    **dict.fromkeys(
        (
            "Cholesky", "Qr", "Svd", "Eig", "SelfAdjointEigV2", "MatrixInverse",
            "MatrixDeterminant", "LogMatrixDeterminant", "MatrixSolve", "MatrixSolveLs",
            "MatrixTriangularSolve", "MatrixSquareRoot", "BandedTriangularSolve",
            "TridiagonalSolve", "Lu",
        ),
        _SOLVES,
    ),
    **dict.fromkeys(
        (
            "AvgPool", "AvgPoolGrad", "AvgPool3D", "AvgPool3DGrad", "FractionalAvgPool",
            "FractionalAvgPoolGrad", "ResizeBilinear", "ResizeBilinearGrad", "ResizeBicubic",
            "ResizeBicubicGrad", "ResizeArea", "ScaleAndTranslate", "CropAndResize", "LRN",
            "LRNGrad",
        ),
        _WINDOW,
    ),
    **dict.fromkeys(
        (
            "Softmax", "LogSoftmax", "SoftmaxCrossEntropyWithLogits",
            "SparseSoftmaxCrossEntropyWithLogits", "SparseSoftmax", "CTCLoss",
            "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "FusedBatchNormGrad",
            "FusedBatchNormGradV2", "FusedBatchNormGradV3",
        ),
        _NORMALISES,
    ),
    **dict.fromkeys(("Complex", "Real", "Imag", "ComplexAbs", "Angle"), _PARTS),
    **dict.fromkeys(
        ("TanhGrad", "SigmoidGrad", "Elu", "EluGrad", "Selu", "SeluGrad"), _COMPLEMENT
    ),
    **dict.fromkeys(
        (
            "While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase",
            "PartitionedCall", "StatefulPartitionedCall", "SymbolicGradient",
        ),
        _BODY,
    ),
}  # fmt: skip
"""Op type -> in what it sums, so that `Precision`'s rule by scale may hold."""


@dataclass(frozen=True)
class Limits:
    """What two floating-point tensors of one dtype are allowed.

    Two elements are equal within `ulp`, else within atol + rtol * the smaller magnitude.

    Attributes:
      ulp: the largest distance in units in the last place.
      eps_factor: atol is this many eps of the dtype times the tensor's scale, unless `atol`
        is given.
      atol: an absolute tolerance in place of that by scale, or None.
      rtol: relative to the smaller of the two magnitudes.
    """

    ulp: int
    eps_factor: float
    atol: float | None = None
    rtol: float = 0.0

    def absolute(self, scale: float) -> float:
        """The absolute tolerance in a tensor whose largest finite magnitude is `scale`."""
        return self.eps_factor * scale if self.atol is None else self.atol


def limits(dtype: str, op_types: Iterable[str], override: Tolerance | None = None) -> Limits:
    """The limits of a check for tensors of one dtype.

    The ulp budget of a check is the sum over the op types in its graph, because relative
    errors add along a path, to first order, and the longest path can meet each type. A type
    that is met twice counts once: the budget grows with the kinds of approximation in a
    graph and not with its size, so that a long chain of Exp cannot hide an error. A type
    that is not in the table counts nothing: TensorFlow's result is the correctly rounded one
    (+, -, *, /, sqrt) or is not known to be any other.

    Args:
      dtype: floating point, real or complex; a complex one has the limits of its parts.
      op_types: of all ops in the oracle's graph; repetitions count nothing.
      override: replaces what it names; naming `atol` also replaces the rule by scale.
    """
    real = COMPONENT.get(dtype, dtype)
    precision = PRECISIONS[real]
    op_types = frozenset(op_types)
    budgets = (ULP_BUDGETS[chain] for chain, ops in _OPS.items() if ops <= op_types)
    budget: int = sum(getattr(budget, real) for budget in budgets)
    # A product of complex numbers sums two products, whatever the op.
    sums = dtype in COMPONENT or any(op in SUMMING for op in op_types)
    eps_factor = precision.factor * precision.eps if sums else 0.0
    if override is None:
        return Limits(budget, eps_factor)
    return Limits(
        ulp=budget if override.ulp is None else override.ulp,
        eps_factor=eps_factor,
        atol=override.atol,
        rtol=override.rtol or 0.0,
    )


LEAST_DOCUMENTED_ULP = 4
"""A documented value is what mathematics says, rounded once; a program of a few correctly
rounded ops has rounded a few times."""


def documented_limits(
    dtype: str, op_types: Iterable[str], override: Tolerance | None = None
) -> Limits:
    """The limits for a result against the value that a case documents (`expect`).

    The ulp budget is the check's own, but at least `LEAST_DOCUMENTED_ULP`, and there is no
    rule by scale: a document is held to the digits that it prints. An `override` counts here
    as it does between the sides, so that one with `atol` serves documents that print few.
    """
    between_sides = limits(dtype, op_types, override)
    ulp = between_sides.ulp
    if override is None or override.ulp is None:
        ulp = max(ulp, LEAST_DOCUMENTED_ULP)
    return replace(between_sides, ulp=ulp, eps_factor=0.0)
