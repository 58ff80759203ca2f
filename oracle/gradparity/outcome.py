"""Outcome: all that one side did with one check, decoded from a worker's reply."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Stage: TypeAlias = Literal["build", "gradients", "run"]
StaticShape: TypeAlias = tuple[int | None, ...] | None  # None: the rank itself is unknown


@dataclass(frozen=True)
class DenseResult:
    """A tensor's symbolic dtype and shape, and the value that the run gave it."""

    dtype: str
    static_shape: StaticShape
    value: np.ndarray[Any, Any]


@dataclass(frozen=True)
class SparseResult:
    """`tf.IndexedSlices`: rows `values[i]` to be added at `indices[i]`."""

    values: DenseResult
    indices: DenseResult
    dense_shape: DenseResult | None


Result: TypeAlias = DenseResult | SparseResult | None  # None: no gradient, which is not zero


@dataclass(frozen=True)
class Failure:
    """The error that a program raised.

    Attributes:
      stage: where it arose: while building the graph, in the gradient call, or in the run.
      type: the class of the exception, its bare name.
      message: its text, possibly cut.
      line: the line of that stage's source in which it arose, counted from 1.
    """

    stage: Stage
    type: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Maker:
    """The operation of several outputs that a tensor comes from.

    Attributes:
      type: its op type.
      op: its name.
      output: which of its outputs the tensor is, from 0.
    """

    type: str
    op: str
    output: int


@dataclass(frozen=True)
class Outcome:
    """What one side answered.

    Attributes:
      ys: the forward values; empty after an error.
      gradients: one result for each x; empty after an error.
      made_by: for each y the operation it comes from, where that has several outputs.
      error: what the program raised, or None.
      op_types: the types of all ops in the graph, sorted.
      gradient_calls: "ORDER DTYPE" -> the op types whose registered gradient function was
        called at that order for that dtype, as `worker.GradientFunctions` takes them down;
        from TensorFlow only.
      seconds: time spent in each stage.
    """

    ys: Sequence[Result] = ()
    gradients: Sequence[Result] = ()
    error: Failure | None = None
    op_types: Sequence[str] = ()
    gradient_calls: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    made_by: Sequence[Maker | None] = ()

    @property
    def gradient_functions(self) -> Sequence[str]:
        """The op types whose registered gradient function was called, sorted."""
        return sorted({op for ops in self.gradient_calls.values() for op in ops.split()})

    @classmethod
    def from_json(cls, reply: Mapping[str, Any]) -> Outcome:
        """Decodes the "outcome" of a worker's reply."""
        error = reply["error"]
        return cls(
            ys=tuple(_result(item) for item in reply["ys"]),
            gradients=tuple(_result(item) for item in reply["gradients"]),
            error=None if error is None else Failure(**error),
            op_types=tuple(reply["op_types"]),
            gradient_calls=dict(reply.get("gradient_calls", {})),
            seconds=reply["seconds"],
            made_by=makers(reply.get("made_by", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """The inverse of `from_json`: as a worker replies, exact to the bit."""
        return {
            "ys": [_result_json(y) for y in self.ys],
            "gradients": [_result_json(gradient) for gradient in self.gradients],
            "error": None if self.error is None else asdict(self.error),
            "op_types": list(self.op_types),
            "gradient_calls": dict(self.gradient_calls),
            "seconds": dict(self.seconds),
            "made_by": [None if maker is None else list(astuple(maker)) for maker in self.made_by],
        }


def makers(items: Iterable[Sequence[Any] | None]) -> tuple[Maker | None, ...]:
    """The operations that ys come from, from lists of their three parts."""
    return tuple(None if item is None else Maker(*item) for item in items)


def _result_json(result: Result) -> dict[str, Any] | None:
    if result is None:
        return None
    if isinstance(result, DenseResult):
        return _dense_json(result)
    shape = result.dense_shape
    return {
        "kind": "sparse",
        "values": _dense_json(result.values),
        "indices": _dense_json(result.indices),
        "dense_shape": None if shape is None else _dense_json(shape),
    }


def _dense_json(result: DenseResult) -> dict[str, Any]:
    from gradparity.worker import encode_array

    shape = result.static_shape
    return {
        "kind": "dense",
        "dtype": result.dtype,
        "static_shape": None if shape is None else list(shape),
        "value": encode_array(result.value),
    }


def _result(item: Mapping[str, Any] | None) -> Result:
    if item is None:
        return None
    if item["kind"] == "sparse":
        shape = item["dense_shape"]
        return SparseResult(
            values=_dense(item["values"]),
            indices=_dense(item["indices"]),
            dense_shape=None if shape is None else _dense(shape),
        )
    return _dense(item)


def _dense(item: Mapping[str, Any]) -> DenseResult:
    shape = item["static_shape"]
    return DenseResult(
        dtype=item["dtype"],
        static_shape=None if shape is None else tuple(shape),
        value=decode_array(item["value"]),
    )


def decode_array(item: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The inverse of the worker's `encode_array`: bit for bit the same array."""
    import numpy as np

    shape = tuple(item["shape"])
    if item["dtype"] == "string":
        texts = np.empty(len(item["strings"]), dtype=object)
        texts[:] = [base64.b64decode(text) for text in item["strings"]]
        return texts.reshape(shape)
    data = base64.b64decode(item["bytes"])
    return np.frombuffer(data, dtype=numpy_dtype(item["dtype"])).reshape(shape)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """NumPy's dtype of that name, bfloat16 and its kind included.

    Raises:
      AttributeError: there is none.
    """
    import numpy as np

    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes  # bfloat16 and its kind, which NumPy does not know by itself

        dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return dtype
