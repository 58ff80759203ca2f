"""Coverage: which of TensorFlow's gradient functions the checks of a report really invoked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

FORMAT = "gradparity-coverage"
VERSION = 1
RUNNABLE = {"CPU", "DEFAULT"}  # devices whose kernels the oracle can use; DEFAULT: any device's


class Group(str, Enum):
    """What TensorFlow's gradient registry says of an op; the values are the registry's keys."""

    FUNCTION = "gradient functions"
    NOT_DIFFERENTIABLE = "not differentiable"
    UNREGISTERED = "unregistered"


class Status(str, Enum):
    """How an op stands, from the best to the worst; the last five are of gradient functions."""

    MET = "met"  # in the graph of a check that agrees, of an op without gradient function
    NOT_MET = "not met"
    COVERED = "covered"  # invoked by a check that agrees on gradients
    RAISES = "raises"  # invoked by checks that agree, but on an error in place of gradients
    FAILING = "failing"  # invoked by checks alone that do not agree
    NOT_INVOKED = "not invoked"
    OUT_OF_SCOPE = "out of scope"  # not invoked, and the reason why it cannot be


OUT_OF_SCOPE: Sequence[tuple[str, str]] = (
    (r"_.*", "internal: made by TensorFlow's rewriting of graphs, not by programs"),
    (r"Risc[A-Z].*|Foo\d|Namespace>.*|TwoFloat.*|TestStringOutput|CopyOp", "a test's or a trial"),
    (r"Unary|Binary|Polymorphic|MlirPassthroughOp|SleepIdentityOp", "a test's or a trial"),
    (r"(Copy|CopyHost|Debug\w+)", "made by TensorFlow's debugger alone"),
    (r"Collective.*|Nccl.*|RemoteCall|DTensor.*", "for several devices or processes"),
    (r"TPU.*|Xla.*", "for a TPU or a compiler"),
    (r"Batch|Unbatch|UnbatchGrad|BatchFunction", "waits for other sessions to fill a batch"),
)
"""Whole names of ops, as regular expressions, that no check can ask for, and why."""


FAMILIES: Mapping[str, str] = {
    "math": "math|special_math|clip",
    "array": "array|manip",
    "nn": "nn|nn_fused_batch_norm|ctc|rnn",
    "control flow": "control_flow|cond_v2|while_v2|optional|script",
    "lists": "list|tensor_array|data_flow|composite_tensor",
    "sparse": "sparse|sparse_csr_matrix",
    "linalg": "linalg",
    "signal": "fft",
    "image": "image",
    "ragged": r"ragged_\w+",
    "state": "resource_variable|random",
    "debugging": "check|debug_gradients|dumping_callback|logging",
    "devices": "cudnn_rnn|nccl|tpu|xla|api",
}
"""Families of gradient functions -> the modules of TensorFlow that register them, as regular
expressions of names without "_grad" and "_ops"; a module of another name is its own family."""


@dataclass
class Row:
    """One op.

    Attributes:
      op: its type.
      group: what the registry says of it.
      status: how it stands.
      reason: why it is out of scope; else empty.
      family: of gradient functions, which of `FAMILIES`; "" where the registry does not say.
      calls: order and floating-point dtype -> verdict -> indices of the checks that invoked
        its gradient function so. "agree" stands for agreement on gradients; where both sides
        raised the same error it is "raises".
      met: verdict -> indices of the checks with the op in their graph, for ops without a
        gradient function.
    """

    op: str
    group: Group
    status: Status
    reason: str = ""
    family: str = ""
    calls: dict[tuple[int, str], dict[str, list[int]]] = field(default_factory=dict)
    met: dict[str, list[int]] = field(default_factory=dict)

    def verdicts(self) -> Counter[str]:
        """How many checks with which verdict; one that calls at two orders counts once."""
        words: dict[str, set[int]] = {}
        for by_word in (*self.calls.values(), self.met):
            for word, checks in by_word.items():
                words.setdefault(word, set()).update(checks)
        return Counter({word: len(checks) for word, checks in words.items()})

    def covered(self) -> set[tuple[int, str]]:
        """The orders and dtypes at which a check agreed."""
        return {call for call, by_word in self.calls.items() if "agree" in by_word}


@dataclass
class Coverage:
    """All ops of a TensorFlow, and what the checks of one report did with them.

    Attributes:
      tensorflow: its version.
      checks: the ids of the report's checks.
      rows: one for each op, by group and name.
    """

    tensorflow: str
    checks: Sequence[str]
    rows: Sequence[Row]

    def of(self, group: Group, *statuses: Status) -> list[Row]:
        """The rows of a group, with one of the statuses if any are given."""
        return [
            row
            for row in self.rows
            if row.group is group and (not statuses or row.status in statuses)
        ]

    def totals(self) -> Json:
        """Counts of ops: by group and status; of covered ones also by order and by dtype."""
        covered = self.of(Group.FUNCTION, Status.COVERED)
        orders = Counter(order for row in covered for order in {o for o, _ in row.covered()})
        dtypes = Counter(dtype for row in covered for dtype in {d for _, d in row.covered()})
        return {
            "checks": len(self.checks),
            **{
                group.value: {
                    "registered" if group is not Group.UNREGISTERED else "ops": len(self.of(group)),
                    **Counter(row.status.value for row in self.of(group)),
                }
                for group in Group
            },
            "covered by order": {str(order): orders[order] for order in sorted(orders)},
            "covered by dtype": {dtype: dtypes[dtype] for dtype in sorted(dtypes)},
        }


def measure(registry: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> Coverage:
    """The coverage of a TensorFlow's gradient registry by the checks of a report.

    Args:
      registry: what `registry_probe` found in that TensorFlow.
      checks: "checks" of a report.json: for each its id, verdict and the oracle's outcome.
    """
    calls: dict[str, dict[tuple[int, str], dict[str, list[int]]]] = {}
    graphs: dict[str, dict[str, list[int]]] = {}
    for index, check in enumerate(checks):
        oracle = check["oracle"]
        if oracle is None:
            continue
        word = "raises" if check["verdict"] == "agree" and oracle["error"] else check["verdict"]
        for call, op in _calls(oracle):
            calls.setdefault(op, {}).setdefault(call, {}).setdefault(word, []).append(index)
        for op in oracle.get("op_types", ()):
            graphs.setdefault(op, {}).setdefault(word, []).append(index)
    rows = []
    families = {
        op: _family(module)
        for module, ops in registry.get("families", {}).items()
        for op in ops.split()
    }
    for group in Group:
        for op, devices in registry[group.value].items():
            reason = _out_of_scope(op, devices, registry["removed"])
            if group is Group.FUNCTION:
                row = Row(op, group, Status.NOT_INVOKED, calls=calls.get(op, {}))
                row.status = _status_of_function(row, reason)
            else:
                row = Row(op, group, Status.NOT_MET, met=graphs.get(op, {}))
                row.status = _status_of_other(row, reason)
            row.family = families.get(op, "")
            row.reason = reason if row.status is Status.OUT_OF_SCOPE else ""
            rows.append(row)
    return Coverage(registry["tensorflow"], [check["id"] for check in checks], rows)


def _family(module: str) -> str:
    name = module.removesuffix("_ops")
    return next((f for f, names in FAMILIES.items() if re.fullmatch(names, name)), name)


def _calls(oracle: Mapping[str, Any]) -> Iterator[tuple[tuple[int, str], str]]:
    for call, ops in oracle.get("gradient_calls", {}).items():
        order, _, dtype = call.partition(" ")
        for op in ops.split():
            yield (int(order), dtype), op


def _out_of_scope(op: str, devices: str | None, removed: Mapping[str, str]) -> str:
    """Why no check can invoke an op's gradient function, or ""."""
    if devices is None:
        return "a name in the registry that is no op"
    if op in removed:
        return f"TensorFlow refuses to make it: {removed[op]}"
    if not RUNNABLE & set(devices.split()):
        return f"no CPU kernel, only for {devices}" if devices else "no kernel at all"
    return next((why for names, why in OUT_OF_SCOPE if re.fullmatch(names, op)), "")


def _status_of_function(row: Row, out_of_scope: str) -> Status:
    words = row.verdicts()
    for word, status in (("agree", Status.COVERED), ("raises", Status.RAISES)):
        if words[word]:
            return status
    if words:
        return Status.FAILING
    return Status.OUT_OF_SCOPE if out_of_scope else Status.NOT_INVOKED


def _status_of_other(row: Row, out_of_scope: str) -> Status:
    words = row.verdicts()
    if words["agree"] or words["raises"]:
        return Status.MET
    return Status.OUT_OF_SCOPE if out_of_scope else Status.NOT_MET


def to_json(coverage: Coverage) -> Json:
    """Coverage as plain data; checks are named once and elsewhere by their index."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "tensorflow": coverage.tensorflow,
        "totals": coverage.totals(),
        "ops": [
            {
                "op": row.op,
                "group": row.group.value,
                "status": row.status.value,
                "family": row.family,
                "reason": row.reason,
                "calls": [
                    {"order": order, "dtype": dtype, "checks": row.calls[order, dtype]}
                    for order, dtype in sorted(row.calls)
                ],
                "met": row.met,
            }
            for row in coverage.rows
        ],
        "checks": list(coverage.checks),
    }
