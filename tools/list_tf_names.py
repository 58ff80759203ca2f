"""Remakes oracle/gradparity/language/tf_names.txt from the installed TensorFlow.

    python tools/list_tf_names.py

Lists the public names of `tensorflow.compat.v1`: functions, classes, dtypes, constants,
members of enums, constructors of classes, and raw ops; without those that the table
`FORBIDDEN` of `gradparity.language.tf_names` speaks against, and without error classes.
"""

import enum
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "oracle"))

import tensorflow  # noqa: E402

from gradparity.language.tf_names import reason_against  # noqa: E402

LIST = ROOT / "oracle/gradparity/language/tf_names.txt"

MODULES = (
    "bitwise", "debugging", "dtypes", "image", "initializers", "linalg", "losses", "manip",
    "math", "nn", "quantization", "ragged", "random", "raw_ops", "sets", "signal", "sparse",
    "spectral", "strings", "train",
)  # fmt: skip
SUBMODULES = ("linalg.experimental", "math.special", "nn.experimental", "random.experimental")

# Classes whose members are values or constructors; of other classes only the class is listed.
OPEN_CLASSES = (
    "AggregationMethod", "GraphKeys", "RaggedTensor", "SparseTensor", "TensorShape",
    "TensorSpec", "UnconnectedGradients", "VariableAggregation", "VariableSynchronization",
    "losses.Reduction", "train.Optimizer",
)  # fmt: skip
NOT_FOR_CASES = ("from_proto", "from_pb", "experimental_", "value_type", "to_proto")

HEADER = """\
# The names below `tf` that the graph of a case may use.
#
# Made by tools/list_tf_names.py from tensorflow.compat.v1 of TensorFlow {version}; do not
# edit. What is left out, and why, is the table FORBIDDEN in tf_names.py.
"""


def public(namespace: object, prefix: str) -> Iterator[tuple[str, object]]:
    for name in dir(namespace):
        if name.startswith("_"):
            continue
        value = getattr(namespace, name)
        if not isinstance(value, types.ModuleType):
            yield prefix + name, value


def members(name: str, cls: type) -> Iterator[str]:
    for member in dir(cls):
        if member.startswith("_") or any(word in member for word in NOT_FOR_CASES):
            continue
        value = inspect.getattr_static(cls, member)
        is_constructor = isinstance(value, classmethod | staticmethod)
        is_value = isinstance(value, enum.Enum | str | int)
        if is_constructor or is_value:
            yield f"{name}.{member}"


def names() -> Iterator[str]:
    tf = tensorflow.compat.v1
    found = list(public(tf, ""))
    for module in (*MODULES, *SUBMODULES):
        namespace = tf
        for part in module.split("."):
            namespace = getattr(namespace, part, None)
        if namespace is not None:
            found += public(namespace, f"{module}.")
    for name, value in found:
        if isinstance(value, type) and issubclass(value, BaseException):
            continue
        if reason_against(name):
            continue
        yield name
        if name in OPEN_CLASSES:
            yield from members(name, value)


def main() -> None:
    listed = sorted(set(names()))
    header = HEADER.format(version=tensorflow.__version__)
    LIST.write_text(header + "\n".join(listed) + "\n", encoding="utf-8")
    print(f"{LIST.relative_to(ROOT)}: {len(listed)} names")


if __name__ == "__main__":
    main()
