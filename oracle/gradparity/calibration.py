"""Calibration: how far apart sound computations of one op are, which ulp budgets must cover.

TensorFlow is asked under one configuration after another, and what it answers is compared
with its own pinned answer, with mathematics, and with NumPy or SciPy in the same dtype. The
largest distances are kept as data beside the budgets, which a test holds against them.
"""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "gradparity-spread"
VERSION = 1
FILE = Path(__file__).parent / "judge" / "spread.json"
POINTS = 200_000  # of each elementwise op
IN_PIECES = 20_000  # of them, computed in short tensors
PIECE = 7  # too short for a vector of eight lanes, and with a tail behind one of four
TERMS = (128, 256)  # of each sum: rows of the first, columns of a product of the second
ROWS = 2048
SEED = 20
TIME_LIMIT = 1800.0  # seconds for one configuration

Array: TypeAlias = "NDArray[Any]"
Spread: TypeAlias = dict[str, dict[str, dict[str, float]]]
"""Op -> dtype -> cause -> the largest distance."""

CAUSES = {
    "lanes": "equal values in short tensors, where scalar code takes the place of vector lanes",
    "threads": "eight threads in place of one",
    "oneDNN": "oneDNN's kernels in place of Eigen's",
    "XLA": "compiled by XLA",
    "mathematics": "the value in twice the precision, rounded once",
    "NumPy": "NumPy or SciPy in the same dtype",
}
CONFIGURATIONS: Mapping[str, Mapping[str, Any]] = {
    "pinned": {"threads": 1, "xla": False, "environment": {}},
    "threads": {"threads": 8, "xla": False, "environment": {}},
    "oneDNN": {"threads": 1, "xla": False, "environment": {"TF_ENABLE_ONEDNN_OPTS": "1"}},
    "XLA": {"threads": 1, "xla": True, "environment": {}},
}
WIDER = {
    "float16": "float64",
    "bfloat16": "float64",
    "float32": "float64",
    "float64": "longdouble",
}


@dataclass(frozen=True)
class Elementwise:
    """An op that works element by element.

    Attributes:
      code: how TensorFlow computes it from a (and b). An op that magnifies the errors of
        the one before it, as gradients do, is asked of that one's own result: "Cosh(Asinh)".
      own: the same with NumPy or SciPy, in whatever dtype it is given.
      ranges: for each argument the lowest and highest value.
      dtypes: those that are measured.
      spaced: whether values are spaced by factors, not by differences.
      wide: whether `own` is as exact as its argument when that has twice the precision.
    """

    code: str
    own: Callable[..., Any]
    ranges: Sequence[tuple[float, float]]
    dtypes: Sequence[str] = ("float16", "bfloat16", "float32", "float64")
    spaced: bool = False
    wide: bool = True


@dataclass(frozen=True)
class Reduction:
    """An op that sums or multiplies along an axis; its distances are also taken by scale.

    Attributes:
      code: how TensorFlow computes it.
      own: the same with NumPy.
      low: the lowest of its terms, which are below 1; below 0 they cancel.
      shapes: of its arguments.
    """

    code: str
    own: Callable[..., Any]
    low: float
    shapes: Sequence[tuple[int, ...]]


def _np(name: str) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        import numpy as np

        return getattr(np, name)(*arguments)

    return function


def _special(name: str) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arguments)

    return function


def _sigmoid(x: Any) -> Any:
    import numpy as np

    return 1 / (1 + np.exp(-x))


def _softplus(x: Any) -> Any:
    import numpy as np

    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _elu(x: Any) -> Any:
    import numpy as np

    return np.where(x < 0, np.expm1(x), x)


def _selu(x: Any) -> Any:
    import numpy as np

    of = type(x.flat[0])
    scale, alpha = of(1.0507009873554804934193349852946), of(1.7580993408473768599402175208123)
    return np.where(x < 0, alpha * np.expm1(x), scale * x)


_FLOAT32_AND_64 = ("float32", "float64")

ELEMENTWISE: Mapping[str, Elementwise] = {
    "Acos": Elementwise("tf.acos(a)", _np("arccos"), [(-1, 1)]),
    "Acosh": Elementwise("tf.acosh(a)", _np("arccosh"), [(1, 1e3)], spaced=True),
    "Asin": Elementwise("tf.asin(a)", _np("arcsin"), [(-1, 1)]),
    "Asinh": Elementwise("tf.asinh(a)", _np("arcsinh"), [(-100, 100)]),
    "Atan": Elementwise("tf.atan(a)", _np("arctan"), [(-100, 100)]),
    "Atan2": Elementwise("tf.atan2(a, b)", _np("arctan2"), [(-10, 10), (-10, 10)]),
    "Atanh": Elementwise("tf.atanh(a)", _np("arctanh"), [(-0.999, 0.999)]),
    "BesselI0": Elementwise(
        "tf.math.bessel_i0(a)", _special("i0"), [(-20, 20)], _FLOAT32_AND_64, wide=False
    ),
    "BesselI0e": Elementwise(
        "tf.math.bessel_i0e(a)", _special("i0e"), [(-20, 20)], _FLOAT32_AND_64, wide=False
    ),
    "BesselI1": Elementwise(
        "tf.math.bessel_i1(a)", _special("i1"), [(-20, 20)], _FLOAT32_AND_64, wide=False
    ),
    "BesselI1e": Elementwise(
        "tf.math.bessel_i1e(a)", _special("i1e"), [(-20, 20)], _FLOAT32_AND_64, wide=False
    ),
    "Cos": Elementwise("tf.cos(a)", _np("cos"), [(-100, 100)]),
    "Cosh": Elementwise("tf.cosh(a)", _np("cosh"), [(-10, 10)]),
    "Cosh(Asinh)": Elementwise(
        "tf.cosh(tf.asinh(a))", lambda x: _np("cosh")(_np("arcsinh")(x)), [(-100, 100)]
    ),
    "Elu": Elementwise("tf.nn.elu(a)", _elu, [(-10, 10)]),
    "Erf": Elementwise("tf.math.erf(a)", _special("erf"), [(-4, 4)], wide=False),
    "Erfc": Elementwise("tf.math.erfc(a)", _special("erfc"), [(-4, 4)], wide=False),
    "Exp": Elementwise("tf.exp(a)", _np("exp"), [(-10, 10)]),
    "Expm1": Elementwise("tf.math.expm1(a)", _np("expm1"), [(-10, 10)]),
    "Log": Elementwise("tf.math.log(a)", _np("log"), [(1e-4, 1e4)], spaced=True),
    "Log1p": Elementwise("tf.math.log1p(a)", _np("log1p"), [(-0.99, 100)]),
    "Pow": Elementwise("tf.pow(a, b)", _np("power"), [(1e-2, 1e2), (-2, 2)]),
    "Reciprocal": Elementwise("tf.math.reciprocal(a)", lambda x: 1 / x, [(1e-4, 1e4)], spaced=True),
    "ReciprocalGrad(Reciprocal)": Elementwise(
        "tf.raw_ops.ReciprocalGrad(y=tf.math.reciprocal(a), dy=b)",
        lambda x, dy: -dy / (x * x),
        [(0.1, 100), (-2, 2)],
    ),
    "Rsqrt": Elementwise("tf.math.rsqrt(a)", lambda x: 1 / x**0.5, [(1e-4, 1e4)], spaced=True),
    "RsqrtGrad(Rsqrt)": Elementwise(
        "tf.raw_ops.RsqrtGrad(y=tf.math.rsqrt(a), dy=b)",
        lambda x, dy: -dy / (2 * x * x**0.5),
        [(0.1, 100), (-2, 2)],
    ),
    "Selu": Elementwise("tf.nn.selu(a)", _selu, [(-10, 10)]),
    "Sigmoid": Elementwise("tf.sigmoid(a)", _sigmoid, [(-10, 10)]),
    "Sin": Elementwise("tf.sin(a)", _np("sin"), [(-100, 100)]),
    "Sinh": Elementwise("tf.sinh(a)", _np("sinh"), [(-10, 10)]),
    "Sinh(Acosh)": Elementwise(
        "tf.sinh(tf.acosh(a))", lambda x: _np("sinh")(_np("arccosh")(x)), [(1.5, 1e3)], spaced=True
    ),
    "Softplus": Elementwise("tf.nn.softplus(a)", _softplus, [(-10, 10)]),
    "Sqrt": Elementwise("tf.sqrt(a)", _np("sqrt"), [(1e-4, 1e4)], spaced=True),
    "SqrtGrad(Sqrt)": Elementwise(
        "tf.raw_ops.SqrtGrad(y=tf.sqrt(a), dy=b)",
        lambda x, dy: dy / (2 * x**0.5),
        [(0.1, 100), (-2, 2)],
    ),
    "Tan": Elementwise("tf.tan(a)", _np("tan"), [(-100, 100)]),
    "Tanh": Elementwise("tf.tanh(a)", _np("tanh"), [(-10, 10)]),
}
REDUCTIONS: Mapping[str, Reduction] = {
    "Mean": Reduction(
        "tf.reduce_mean(a, 1)", lambda a: a.mean(1, dtype=a.dtype), 0.0, [(ROWS, TERMS[0])]
    ),
    "Prod": Reduction("tf.reduce_prod(a, 1)", lambda a: a.prod(1), 0.5, [(ROWS, 16)]),
    "Sum": Reduction(
        "tf.reduce_sum(a, 1)", lambda a: a.sum(1, dtype=a.dtype), 0.0, [(ROWS, TERMS[0])]
    ),
    # Term by term, in NumPy; as the gradient of a broadcast sums.
    "Mean, down columns": Reduction(
        "tf.reduce_mean(a, 0)", lambda a: a.mean(0, dtype=a.dtype), 0.0, [(TERMS[0], ROWS)]
    ),
    "Prod, down columns": Reduction("tf.reduce_prod(a, 0)", lambda a: a.prod(0), 0.5, [(16, ROWS)]),
    "Sum, down columns": Reduction(
        "tf.reduce_sum(a, 0)", lambda a: a.sum(0, dtype=a.dtype), 0.0, [(TERMS[0], ROWS)]
    ),
    # Terms that cancel: of these the distance by scale alone means something.
    "Mean, of both signs": Reduction(
        "tf.reduce_mean(a, 1)", lambda a: a.mean(1, dtype=a.dtype), -1.0, [(ROWS, TERMS[0])]
    ),
    "Sum, of both signs": Reduction(
        "tf.reduce_sum(a, 1)", lambda a: a.sum(1, dtype=a.dtype), -1.0, [(ROWS, TERMS[0])]
    ),
    "MatMul": Reduction(
        "tf.matmul(a, b)", lambda a, b: a @ b, -1.0, [(64, TERMS[1]), (TERMS[1], 64)]
    ),
}
REAL = ("float16", "bfloat16", "float32", "float64")


@dataclass
class Measured:
    """What a calibration found.

    Attributes:
      tensorflow: its version.
      machine: of which kind the processor is.
      points: of each elementwise op.
      ulp: the largest distances in ulps.
      scale: of reductions, the largest in units of eps × the largest element.
    """

    tensorflow: str
    machine: str
    points: int = POINTS
    ulp: Spread = field(default_factory=dict)
    scale: Spread = field(default_factory=dict)


def inputs(op: str, dtype: str) -> list[Array]:
    """The arrays that an op is measured on, the same in every run."""
    import numpy as np

    from gradparity.outcome import numpy_dtype

    random = np.random.RandomState(SEED)
    to = numpy_dtype(dtype)
    if op in REDUCTIONS:
        reduction = REDUCTIONS[op]
        return [random.uniform(reduction.low, 1, shape).astype(to) for shape in reduction.shapes]
    entry = ELEMENTWISE[op]
    arrays = []
    for low, high in entry.ranges:
        if entry.spaced:
            values = np.exp(random.uniform(np.log(low), np.log(high), POINTS))
        else:
            values = random.uniform(low, high, POINTS)
        # Rounding must not lead out of the domain.
        arrays.append(np.clip(values.astype(to), to.type(low), to.type(high)))
    return arrays


def measure(
    ops: Sequence[str], python: str = sys.executable, say: Callable[[str], None] = lambda _: None
) -> Measured:
    """Measures ops in one configuration of TensorFlow after another.

    Args:
      ops: of `ELEMENTWISE` and `REDUCTIONS`.
      python: the interpreter of TensorFlow's environment.
      say: told of each step.

    Raises:
      CalibrationError: TensorFlow did not answer.
    """
    asked = {
        f"{op} {dtype}": {"code": _entry(op).code, "arrays": inputs(op, dtype), "pieces": None}
        for op in ops
        for dtype in _dtypes(op)
    }
    in_pieces = {
        f"{op} {dtype}": {
            "code": _entry(op).code,
            "arrays": [array[:IN_PIECES] for array in inputs(op, dtype)],
            "pieces": PIECE,
        }
        for op in ops
        if op in ELEMENTWISE
        for dtype in _dtypes(op)
    }
    answers = {}
    for cause, settings in CONFIGURATIONS.items():
        say(f"asking TensorFlow: {CAUSES.get(cause, 'as it is pinned')}")
        answers[cause] = _ask(asked, settings, python)
    say(f"asking TensorFlow: {CAUSES['lanes']}")
    answers["lanes"] = _ask(in_pieces, CONFIGURATIONS["pinned"], python)
    import platform
    from importlib.metadata import version

    found = Measured(version("tensorflow"), platform.machine())
    for op in ops:
        for dtype in _dtypes(op):
            name = f"{op} {dtype}"
            others = {cause: answers[cause].get(name) for cause in ("lanes", *CONFIGURATIONS)}
            pinned = others.pop("pinned")
            if pinned is None or isinstance(pinned, str):
                continue  # TensorFlow has no such kernel
            for cause, other in (*others.items(), *_references(op, dtype)):
                if other is not None and not isinstance(other, str):
                    note(found, op, dtype, cause, pinned[: len(other)], other)
    return found


class CalibrationError(Exception):
    """TensorFlow could not be measured."""


def _entry(op: str) -> Elementwise | Reduction:
    return ELEMENTWISE[op] if op in ELEMENTWISE else REDUCTIONS[op]


def _dtypes(op: str) -> Sequence[str]:
    return ELEMENTWISE[op].dtypes if op in ELEMENTWISE else REAL


def _ask(questions: Mapping[str, Any], settings: Mapping[str, Any], python: str) -> dict[str, Any]:
    from gradparity import calibration_probe

    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "questions"), Path(folder, "answers")
        module = calibration_probe.__name__
        asked.write_bytes(pickle.dumps(questions))
        done = subprocess.run(
            [python, "-m", module, asked, answered, json.dumps(settings)],
            capture_output=True,
            timeout=TIME_LIMIT,
        )
        if done.returncode or not answered.is_file():
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise CalibrationError(f"TensorFlow did not answer: {lines[-1] if lines else ''}")
        answers: dict[str, Any] = pickle.loads(answered.read_bytes())
        return answers


def _references(op: str, dtype: str) -> Iterator[tuple[str, Array]]:
    """What NumPy comes to: in twice the precision, rounded once, and in the dtype itself."""
    import numpy as np

    entry, arrays = _entry(op), inputs(op, dtype)
    to = arrays[0].dtype
    exact = not (isinstance(entry, Elementwise) and not entry.wide and dtype == "float64")
    with np.errstate(all="ignore"):
        if exact:
            wide = WIDER[dtype]
            if isinstance(entry, Elementwise) and not entry.wide:
                wide = "float64"
            yield "mathematics", np.asarray(entry.own(*(a.astype(wide) for a in arrays))).astype(to)
        try:
            own = np.asarray(entry.own(*arrays))
        except TypeError:  # SciPy knows no half precision
            return
        yield "NumPy", own.astype(to)


def note(found: Measured, op: str, dtype: str, cause: str, one: Array, other: Array) -> None:
    """Notes the largest distance between two answers of an op, where both are normal numbers."""
    import numpy as np

    from gradparity.judge.tolerance import PRECISIONS
    from gradparity.judge.ulp import ulp_distance

    a, b = np.asarray(one), np.asarray(other)
    wide = a.astype(np.float64), b.astype(np.float64)
    normal = np.isfinite(wide[0]) & np.isfinite(wide[1])
    with np.errstate(all="ignore"):
        # What cannot be normal in the dtype is flushed by some processors, and is no distance.
        smallest = np.finfo(np.float32).tiny if dtype != "float64" else np.finfo(np.float64).tiny
        normal &= np.abs(wide[1]) > smallest
    if op in ELEMENTWISE or REDUCTIONS[op].low >= 0:
        distance = int(ulp_distance(a, b)[normal].max(initial=0))
        found.ulp.setdefault(op, {}).setdefault(dtype, {})[cause] = distance
    if op in REDUCTIONS:
        eps = PRECISIONS[dtype].eps
        scale = np.abs(wide[0][normal]).max(initial=0.0)
        largest = float(np.abs(wide[0] - wide[1])[normal].max(initial=0.0) / (eps * scale))
        found.scale.setdefault(op, {}).setdefault(dtype, {})[cause] = round(largest, 2)


def to_json(measured: Measured) -> dict[str, Any]:
    """What was measured as plain data, for the file beside the budgets."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "tensorflow": measured.tensorflow,
        "machine": measured.machine,
        "points": measured.points,
        "ulp": measured.ulp,
        "scale": measured.scale,
    }


def read(path: Path = FILE) -> Measured:
    """What was measured when the file was last written.

    Raises:
      OSError: there is no such file.
    """
    data = json.loads(path.read_text("utf-8"))
    return Measured(data["tensorflow"], data["machine"], data["points"], data["ulp"], data["scale"])


def merged(old: Measured, new: Measured) -> Measured:
    """The figures of both; where both have an op, those of the new."""
    return Measured(
        new.tensorflow,
        new.machine,
        new.points,
        dict(sorted({**old.ulp, **new.ulp}.items())),
        dict(sorted({**old.scale, **new.scale}.items())),
    )


def names(chain: str) -> list[str]:
    """The ops of a chain: Cosh and Asinh of "Cosh(Asinh)"."""
    return re.findall(r"\w+", chain)


def largest(op: str, dtype: str, measured: Measured) -> int:
    """The largest distance in ulps that was measured of an op, alone or with another."""
    return max(
        (
            int(distance)
            for entry, dtypes in measured.ulp.items()
            if op in names(entry)
            for distance in dtypes.get(dtype, {}).values()
        ),
        default=0,
    )
