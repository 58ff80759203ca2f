"""Which operations are analytic functions, through which an imaginary step may go."""

from __future__ import annotations

from gradparity.arbiter.evaluation import COMPLEX, Call, Description

# Those that TensorFlow computes, with complex operands, as the analytic continuation of what
# they are with real ones. Not here: all that conjugates (SquaredDifference, L2Loss, norms,
# factorizations), compares, rounds, or has real results.
ANALYTIC = frozenset(
    """
    Acos Acosh Add AddN AddV2 Asin Asinh Atan Atanh BatchMatMul BatchMatMulV2 BiasAdd BroadcastTo
    ConcatV2 Const Cos Cosh Cumprod Cumsum Div DivNoNan Einsum Exp ExpandDims Expm1 Fill Gather
    GatherNd GatherV2 Identity IdentityN Inv Log Log1p MatMul MatrixDiag MatrixDiagPart Mean Mul
    MulNoNan Neg NoOp OnesLike Pack Pad PadV2 ParallelConcat Placeholder PlaceholderWithDefault
    Pow Prod RealDiv ReadVariableOp Reciprocal Reshape ReverseV2 Roll Rsqrt Shape Sigmoid Sin Sinh
    Slice Softplus Split SplitV Sqrt Square Squeeze StopGradient StridedSlice Sub Sum Tan Tanh
    Tile Transpose Unpack VarHandleOp Variable VariableV2 Xdivy Xlogy Xlog1py ZerosLike
    """.split()  # noqa: SIM905 - one name on a line would be a page of them
)


# A complex power of a negative number has an imaginary part of rounding alone, which drowns
# the step: what comes of it needs to be held against differences.
UNSAFE = frozenset(["Pow"])


def is_analytic(description: Description) -> bool:
    """Whether all that a real program does is analytic, as far as its operations tell."""
    tensors = [t for call in description.calls for t in (*call.ys, *call.xs)]
    return (
        description.op_types <= ANALYTIC
        and not description.conjugates
        and not any(tensor.dtype in COMPLEX for tensor in tensors)
    )


def is_safely_analytic(description: Description, call: Call) -> bool:
    """Whether the complex step needs no confirmation for an innermost call."""
    innermost = not any(y.needs for y in call.ys)
    return innermost and is_analytic(description) and not description.op_types & UNSAFE
