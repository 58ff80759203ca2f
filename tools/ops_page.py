"""Writes docs/ops.md: TensorFlow's gradient functions, and how far numpy_tf agrees with each.

    gradparity run cases --report reports/latest
    python tools/ops_page.py reports/latest/report.json

What a check invokes is measured (docs/coverage.md). An op's family is the folder of its block in
numpy_tf.
"""

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

from gradparity.coverage import Group, Status, measure
from numpy_tf.framework.op_def import OPS
from numpy_tf.ops import catalog  # noqa: F401 (defines the ops)

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "ops.md"
RULES = ("bits", "ulp", "meaning", "scale")  # from the strictest to the loosest

MISSING = {  # why no check that agrees invokes an op's gradient function
    "numpy_tf has no arithmetic of sparse tensors yet": (
        "SparseAdd SparseDenseCwiseAdd SparseDenseCwiseDiv SparseDenseCwiseMul "
        "SparseFillEmptyRows SparseReduceSum SparseReorder SparseSlice SparseSoftmax "
        "SparseSparseMaximum SparseSparseMinimum SparseTensorDenseAdd"
    ),
    "numpy_tf has no compressed sparse matrices yet": (
        "CSRSparseMatrixToDense CSRSparseMatrixToSparseTensor DenseToCSRSparseMatrix "
        "SparseMatrixMatMul SparseMatrixSparseMatMul SparseMatrixTranspose "
        "SparseTensorToCSRSparseMatrix"
    ),
    "numpy_tf has no ops on ragged tensors or other composite tensors yet": (
        "CompositeTensorVariantFromComponents CompositeTensorVariantToComponents "
        "RaggedFillEmptyRows RaggedGather RaggedTensorFromVariant RaggedTensorToSparse "
        "RaggedTensorToTensor RaggedTensorToVariant"
    ),
    "numpy_tf has no such op yet": "BlockLSTM BlockLSTMV2 CTCLoss",
    "its samples are TensorFlow's own generator's, which numpy_tf does not imitate": (
        "RandomGamma StatelessParameterizedTruncatedNormal StatelessRandomGammaV2 "
        "StatelessRandomGammaV3"
    ),
    "it works on references to variables, which no public function passes on": (
        "RefEnter RefExit RefIdentity RefMerge RefNextIteration"
    ),
    "its kernels are for integers, which pass no gradient": "TruncateDiv",
    "it is of a boolean, which passes no gradient": "LoopCond",
    "no public function makes it": "TensorArrayConcatV2",
    "a case may not call back into Python": "EagerPyFunc",
}

HEAD = """\
# The ops

<!-- Written by tools/ops_page.py from a run. Do not edit. -->

TensorFlow {tensorflow} registers {registered} gradient functions; a program can ask {scope} of them
on a CPU. {covered} are **covered**: invoked in TensorFlow by a check on which numpy_tf agrees, and
which could have failed. What is missing is listed at the end. The functions of TensorFlow 1's
control flow and TensorArrays have no op in numpy_tf, whose control flow is functional: it gives
the same gradients by others.

*orders*: at which order of derivative. *checks*: how many that agree invoked it. *equal bits*: of
those that compare values, the share in which every tensor is equal bit for bit. *largest*: in units
in the last place, among the checks of the op's own file in `cases/ops/` that needed no more than an
ulp budget; a dash where all bits are equal or there is no such file.
"""


def family(op):
    """The folder of an op's block, or "elsewhere"."""
    if op not in OPS:
        return "without an op in numpy_tf"
    parts = OPS[op].__module__.split(".")
    return parts[2] if len(parts) > 3 else "python"


def loosest(check):
    """The loosest rule by which tensors of a check were found equal, or None without tensors."""
    rules = [found["rule"] for found in check["comparisons"] if found["rule"]]
    return max(rules, key=RULES.index, default=None)


def share(checks):
    """Of checks that compare values, how many are equal bit for bit, in per cent."""
    rules = Counter(filter(None, map(loosest, checks)))
    total = sum(rules.values())
    return f"{100 * rules['bits'] / total:.0f} %" if total else "–"


def largest(checks):
    """The largest distance among checks that needed an ulp budget."""
    distances = [
        found["max_ulp"]
        for check in checks
        if loosest(check) == "ulp"
        for found in check["comparisons"]
        if found["max_ulp"]
    ]
    return f"{max(distances):,}" if distances else "–"


class Page:
    """The page of one report.

    Args:
      report: a report.json, read.
      registry: what the oracle's TensorFlow can differentiate.
    """

    def __init__(self, report, registry):
        self._checks = report["checks"]
        self._coverage = measure(registry, self._checks)
        self._own = defaultdict(list)
        for check in self._checks:
            case = check["case"].split("/")
            if case[0] == "ops" and check["verdict"] == "agree":
                self._own[case[-1]].append(check)

    def text(self):
        """The page, in Markdown."""
        coverage = self._coverage
        covered = coverage.of(Group.FUNCTION, Status.COVERED)
        rows = coverage.of(Group.FUNCTION, *Status)
        outside = coverage.of(Group.FUNCTION, Status.OUT_OF_SCOPE)
        families = defaultdict(list)
        for row in covered:
            families[family(row.op)].append(row)
        lines = [
            HEAD.format(
                tensorflow=coverage.tensorflow,
                registered=len(rows),
                scope=len(rows) - len(outside),
                covered=len(covered),
            ),
            "| family | gradient functions | checks | equal bits |",
            "|---|--:|--:|--:|",
        ]
        for name, members in sorted(families.items()):
            checks = self._agreeing(members)
            anchor = name.replace(" ", "-")
            lines.append(
                f"| [{name}](#{anchor}) | {len(members)} | {len(checks):,} | {share(checks)} |"
            )
        for name, members in sorted(families.items()):
            lines += [
                "",
                f"## {name}",
                "",
                "| op | orders | dtypes | checks | equal bits | largest |",
            ]
            lines += ["|---|---|---|--:|--:|--:|", *map(self._row, members)]
        lines += ["", "## Missing", ""]
        for status in (Status.RAISES, Status.FAILING):
            names = [f"`{row.op}`" for row in coverage.of(Group.FUNCTION, status)]
            if names:
                lines.append(f"- {status.value.capitalize()}: {', '.join(names)}.")
        reasons = {op: reason for reason, ops in MISSING.items() for op in ops.split()}
        by_reason = defaultdict(list)
        for row in coverage.of(Group.FUNCTION, Status.NOT_INVOKED):
            by_reason[reasons.get(row.op, "the reason is not known")].append(f"`{row.op}`")
        for reason, names in by_reason.items():
            lines.append(f"- Not invoked, {reason}: {', '.join(names)}.")
        by_reason = defaultdict(list)
        for row in outside:
            by_reason[row.reason].append(f"`{row.op}`")
        for reason, names in sorted(by_reason.items()):
            lines.append(f"- Out of scope, {reason}: {', '.join(names)}.")
        return "\n".join(lines) + "\n"

    def _agreeing(self, rows):
        """The checks that agree and invoke any of the ops."""
        indices = {
            index
            for row in rows
            for verdicts in row.calls.values()
            for index in verdicts.get("agree", ())
        }
        return [self._checks[index] for index in sorted(indices)]

    def _row(self, row):
        checks = self._agreeing([row])
        orders = sorted({order for order, _ in row.covered()})
        dtypes = sorted({dtype for _, dtype in row.covered()})
        own = self._own.get(row.op, ())
        return (
            f"| `{row.op}` | {', '.join(map(str, orders))} | {', '.join(dtypes)} | {len(checks):,} "
            f"| {share(checks)} | {largest(own)} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument(
        "--registry", type=Path, default=ROOT / "recordings" / "2.21.0" / "registry.json"
    )
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text())
    registry = json.loads(arguments.registry.read_text())
    PAGE.write_text(Page(report, registry).text())


if __name__ == "__main__":
    main()
