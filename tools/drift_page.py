"""Writes docs/tensorflow-drift.md: what TensorFlow's gradients were in versions before this one.

    python tools/drift_page.py reports/drift --python 1.15=~/tf-1.15/bin/python …

Below the folder there is a report for each version, `<version>/report.json`, as `gradparity run
cases --oracle-python PATH --report …` writes it. Where there is none and an interpreter is
given, it is asked now. A version of which there is neither is on the page as missing.

The sentences about causes come from tools/drift_causes.yaml: the first cause whose pattern a
difference fits explains it. A difference that none fits is on the page as unexplained; a cause
that fits no difference is an error.
"""

import argparse
import fnmatch
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

from gradparity.comparison.answers import Kind, error_text
from gradparity.comparison.compare import compare
from gradparity.comparison.report import ReportError, read
from gradparity.judge.tolerance import PRECISIONS
from gradparity.judge.ulp import COMPONENT, components
from gradparity.recordings.tensor_text import from_element_texts
from gradparity.reports import wording

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tensorflow-drift.md"
CAUSES = ROOT / "tools" / "drift_causes.yaml"

VERSIONS = ("1.15", "2.12", "2.15", "2.18", "2.21")
NEWEST = VERSIONS[-1]

KINDS = {
    Kind.ANSWER: "no answer",
    Kind.NAME: "name not there",
    Kind.ERROR: "error or none",
    Kind.STAGE: "stage",
    Kind.NONE: "None",
    Kind.SPARSITY: "sparsity",
    Kind.DTYPE: "dtype",
    Kind.SHAPE: "shape",
    Kind.VALUE: "value",
    Kind.BITS: "bits only",
    Kind.MESSAGE: "error text",
}
ROWS = 8  # cases of a group that are shown with their answers; the rest are named
ELEMENTS = 6  # of a tensor in a cell
CELL = 110  # characters of an answer
PLACE = re.compile(r"(gradient|y) (\d+)(?:[^,]*)(?:, (values|indices|dense_shape))?")
ANSWER = ("ys", "gradients", "error")  # of an outcome: what tells one answer from another


class DriftError(Exception):
    """What keeps the page from being written; the message says what to do."""


@dataclass(frozen=True)
class Cause:
    """Why some answers changed.

    Attributes:
      title: what changed, in a few words.
      why: one or two sentences.
      evidence: where that can be read.
      checks: a pattern, as of file names, of the ids that it explains; any of several.
      kinds: in what the answers differ; empty: in anything.
      versions: whose answers it explains; empty: any.
      before: a regular expression that the older answer's text holds.
      after: the same for the newest's.
      detail: the same for what else is said of the difference: how many elements, how far.
    """

    title: str
    why: str
    evidence: tuple
    checks: tuple = ("*",)
    kinds: frozenset = frozenset()
    versions: tuple = ()
    before: str = ""
    after: str = ""
    detail: str = ""

    def explains(self, difference):
        """Whether the coarsest change of a difference is of this cause."""
        change = difference.change
        return (
            (not self.kinds or change.kind in self.kinds)
            and (not self.versions or difference.version in self.versions)
            # Brackets are part of ids and no character classes.
            and any(
                fnmatch.fnmatchcase(difference.check, pattern.replace("[", "[[]"))
                for pattern in self.checks
            )
            and re.search(self.before, change.before) is not None
            and re.search(self.after, change.after) is not None
            and re.search(self.detail, change.detail) is not None
        )


@dataclass(frozen=True)
class Difference:
    """One check that a version answers otherwise than the newest.

    Attributes:
      check: its id.
      version: whose answer it is.
      change: the coarsest thing in which it differs, from this version to the newest.
    """

    check: str
    version: str
    change: object


@dataclass
class Group:
    """The differences of one cause."""

    cause: object
    differences: list = field(default_factory=list)

    @property
    def checks(self):
        """Check id -> its differences, in the order of the versions."""
        found = defaultdict(list)
        for difference in self.differences:
            found[difference.check].append(difference)
        return found


def causes(path=CAUSES):
    """The causes that are known.

    Raises:
      DriftError: an entry is none.
    """
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        where = entry.pop("where", {})
        try:
            found.append(
                Cause(
                    title=entry.pop("title"),
                    why=" ".join(entry.pop("why").split()),
                    evidence=tuple(entry.pop("evidence")),
                    checks=tuple(where.pop("checks", ["*"])),
                    kinds=frozenset(Kind(kind) for kind in where.pop("kinds", ())),
                    versions=tuple(str(version) for version in where.pop("versions", ())),
                    before=where.pop("before", ""),
                    after=where.pop("after", ""),
                    detail=where.pop("detail", ""),
                )
            )
        except (KeyError, ValueError) as error:
            raise DriftError(f"{path}: {error!r} in {entry}") from None
        if entry or where:
            raise DriftError(f"{path}: unknown keys {sorted([*entry, *where])}")
    return found


def reports(folder, pythons):
    """Version -> its report; None where there is none and no interpreter to ask.

    Raises:
      DriftError: there is no report of the newest version.
    """
    found = {}
    for version in VERSIONS:
        place = folder / version
        if not (place / "report.json").is_file() and version in pythons:
            _ask(pythons[version], place)
        found[version] = read(place) if (place / "report.json").is_file() else None
    if found[NEWEST] is None:
        raise DriftError(
            f"There is no {folder / NEWEST / 'report.json'}: all versions are held against that "
            f"one. Make it with: gradparity run cases --report {folder / NEWEST}"
        )
    return found


def _ask(python, place):
    command = [sys.executable, "-m", "gradparity", "run", "cases", "--oracle-python", python]
    done = subprocess.run([*command, "--report", str(place), "--quiet"], cwd=ROOT, check=False)
    if done.returncode not in (0, 1):
        raise DriftError(f"{python} could not be asked (exit status {done.returncode}).")


def differences(found, before, after):
    """What the oracle of one version answers otherwise than that of another."""
    compared = compare(found[before], found[after], sides=("oracle",))
    return [
        Difference(change.id, before, change.oracle[0])
        for change in compared.changed
        if change.oracle
    ]


def grouped(all_differences, known, complete=True):
    """The differences by cause, those about missing names and the unexplained apart.

    Args:
      all_differences: against the newest version.
      known: the causes, in the order in which they are tried.
      complete: whether all versions are there: then each cause must explain something.

    Returns:
      (groups in the order of the causes, group of missing names, group of the rest).

    Raises:
      DriftError: a cause explains nothing.
    """
    groups = [Group(cause) for cause in known]
    names, rest = Group(None), Group(None)
    for difference in all_differences:
        if difference.change.kind is Kind.NAME:
            names.differences.append(difference)
            continue
        group = next((group for group in groups if group.cause.explains(difference)), rest)
        group.differences.append(difference)
    idle = [group.cause.title for group in groups if not group.differences]
    if idle and complete:
        raise DriftError("These causes explain nothing, remove or correct them: " + "; ".join(idle))
    return [group for group in groups if group.differences], names, rest


def answer(outcome, where):
    """What a version answered to one check, as far as `where` goes: short, one line."""
    if outcome is None:
        return "no answer"
    if outcome["error"] is not None:
        return shortened(error_text(outcome["error"]).replace(" in stage ", " in "))
    if PLACE.match(where) is None:
        shown = [_tensor(result) for result in outcome["gradients"]]
        return shortened("; ".join(shown))
    return shortened(_tensor(result_at(outcome, where)))


def result_at(outcome, where):
    """The result of an outcome that `where` names, such as "gradient 0 (x), values"."""
    noun = PLACE.match(where)
    result = outcome["gradients" if noun[1] == "gradient" else "ys"][int(noun[2])]
    if noun[3] and result is not None and result["kind"] == "sparse":
        result = result[noun[3]]
    return result


def distance(before, after):
    """How far two tensors are apart, in eps of the later one's largest element.

    Unlike ulp it has a meaning for elements near zero, which are sums that cancel. Of a tensor
    too large to be in a report as a whole, it is that of the elements that are.
    """
    old, new = (
        components(from_element_texts(tensor["values"], tensor["dtype"])).astype(np.float64)
        for tensor in (before, after)
    )
    both = np.isfinite(old) & np.isfinite(new)
    if not both.any() or not new[both].any():
        return 0.0  # only NaNs, infinities and zeros: what differs are their signs
    dtype = before["dtype"]
    eps = PRECISIONS[COMPONENT.get(dtype, dtype)].eps
    return float(np.max(np.abs(old[both] - new[both])) / (eps * np.max(np.abs(new[both]))))


def _tensor(result):
    if result is None:
        return "None"
    if result.get("kind") == "sparse":
        return "IndexedSlices of " + _tensor(result["values"])
    return f"{wording.type_text(result)} {wording.values_text(result, ELEMENTS)}".replace("\n", "")


def shortened(text):
    line = " ".join(text.split())
    return line if len(line) <= CELL else line[: CELL - 1] + "…"


def cell(text):
    """Text that cannot break out of a table's cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def code(text):
    """Text as code in a table's cell."""
    return f"`{cell(text).replace('`', chr(39))}`"


class Page:
    """The page's text, from the reports and the groups."""

    def __init__(self, found, known):
        self.found = found
        self.there = [version for version in VERSIONS if found[version] is not None]
        self.older = [version for version in self.there if version != NEWEST]
        self.checks = {version: found[version].checks for version in self.there}
        self.full = {version: _full_version(found[version]) for version in self.there}
        self.against = [d for v in self.older for d in differences(found, v, NEWEST)]
        self.groups, self.names, self.rest = grouped(
            self.against, known, complete=len(self.there) == len(VERSIONS)
        )

    def text(self):
        """The whole page."""
        return "\n".join(
            [
                *self._head(),
                *self._summary(),
                *self._steps(),
                *self._causes(),
                *self._missing_names(),
                *self._unexplained(),
            ]
        )

    def _head(self):
        total = len(self.checks[NEWEST])
        return [
            "# What TensorFlow's gradients were before",
            "",
            "<!-- Written by tools/drift_page.py from runs. Do not edit. -->",
            "",
            f"The same {total:,} checks, all that `cases/` held then, were asked of several "
            "TensorFlows, graph mode, CPU, one thread, no graph rewriting. How to do so yourself: "
            "[other TensorFlows](other-tensorflows.md).",
            "",
            "| TensorFlow | Python | NumPy | profiles |",
            "|---|---|---|---|",
            *(self._who(version) for version in VERSIONS),
            "",
        ]

    def _who(self, version):
        if version not in self.there:
            return f"| {version} | missing: not asked | – | – |"
        oracle = self.found[version].document["oracle"]
        one = next(iter(oracle.values()))
        return f"| {one['version']} | {one['python']} | {one['numpy']} | {', '.join(oracle)} |"

    def _summary(self):
        yield "## How many checks each version answers otherwise than the newest"
        yield ""
        yield (
            "Each check is counted once, under the coarsest kind of change. *Name not there* is no "
            "difference of semantics: the version does not have what the check asks about. *Bits "
            "only* are values within the check's tolerance; *error text*, the same error in other "
            "words."
        )
        yield ""
        yield from self._table([(v, NEWEST) for v in VERSIONS if v != NEWEST])

    def _steps(self):
        yield "## When it changed"
        yield ""
        yield "The same, from each version to the next."
        yield ""
        yield from self._table(list(pairwise(VERSIONS)))

    def _table(self, pairs):
        rows = {
            (a, b): Counter(d.change.kind for d in differences(self.found, a, b))
            for a, b in pairs
            if a in self.there and b in self.there
        }
        kinds = [kind for kind in Kind if any(row[kind] for row in rows.values())]
        yield "| from → to | the same | " + " | ".join(KINDS[kind] for kind in kinds) + " |"
        yield "|---|--:|" + "--:|" * len(kinds)
        for pair in pairs:
            label = " → ".join(self.full.get(version, version) for version in pair)
            if pair in rows:
                row = rows[pair]
                same = len(self.checks[pair[1]]) - row.total()
                counts = " | ".join(f"{row[kind]:,}" for kind in kinds)
                yield f"| {label} | {same:,} | {counts} |"
            else:
                missing = " and ".join(version for version in pair if version not in self.there)
                yield f"| {label} | missing: no {missing} |" + " – |" * len(kinds)
        yield ""

    def _causes(self):
        explained = sum(len(group.differences) for group in self.groups)
        yield "## What changed, by cause"
        yield ""
        yield (
            f"{explained:,} differences (a check, in a version) are explained below; "
            f"{len(self.names.differences):,} are names that are missing, "
            f"{len(self.rest.differences):,} have no explanation yet."
        )
        yield ""
        for group in self.groups:
            yield f"### {group.cause.title}"
            yield ""
            yield group.cause.why
            yield ""
            for source in group.cause.evidence:
                yield f"- {source}"
            yield ""
            if {d.change.kind for d in group.differences} == {Kind.BITS}:
                yield from self._distances(group)
            else:
                yield from self._cases(group)

    def _distances(self, group):
        """The differences of bits by family, with the farthest of each as measured."""
        yield (
            "The distance is the largest of an element, in eps of the dtype times the tensor's "
            "largest element."
        )
        yield ""
        yield f"| of | {' | '.join(self.full[v] for v in self.older)} | farthest | in |"
        yield "|---|" + "--:|" * (len(self.older) + 1) + "---|"
        families = defaultdict(list)
        for difference in group.differences:
            families["/".join(difference.check.split("::")[0].split("/")[:2])].append(difference)
        for family, found in sorted(families.items()):
            counts = Counter(d.version for d in found)
            farthest = max(found, key=self._distance)
            cells = [f"{counts[v]:,}" if counts[v] else "" for v in self.older]
            yield (
                f"| {family} | {' | '.join(cells)} | {self._distance(farthest):.2g} "
                f"| [`{cell(farthest.check)}`]({self._link(farthest.check)}), "
                f"{self.full[farthest.version]} |"
            )
        yield ""

    def _distance(self, difference):
        """See `distance`: of a check's tensor between its version and the newest."""
        return distance(
            *(
                result_at(self.checks[v][difference.check]["oracle"], difference.change.where)
                for v in (difference.version, NEWEST)
            )
        )

    def _cases(self, group):
        """The cases of a group: how many checks, and what each version answers to one of them."""
        by_case = defaultdict(list)
        for check, found in group.checks.items():
            by_case[check.partition("::")[0]].append((check, found))
        versions = Counter(d.version for d in group.differences)
        counts = ", ".join(f"{self.full[v]}: {versions[v]:,}" for v in self.older if versions[v])
        yield f"Checks that differ from {self.full[NEWEST]}: {counts}."
        yield ""
        yield "| case | checks | one of them, and what each version answers |"
        yield "|---|--:|---|"
        shown = sorted(by_case.items(), key=lambda item: -len(item[1]))
        for case, found in shown[:ROWS]:
            check, of_check = found[0]
            change = of_check[0].change
            element = (
                f", first at {code(change.before)} → {code(change.after)}"
                if change.kind in (Kind.VALUE, Kind.BITS)
                else ""
            )
            yield (
                f"| [{cell(case.partition('/')[2] or case)}]({self._link(check)}) | {len(found):,} "
                f"| {code(check.partition('::')[2])}, {cell(change.where)}{element}<br>"
                f"{self._answers(check, change.where)} |"
            )
        yield ""
        if shown[ROWS:]:
            rest = ", ".join(f"{cell(case)} ({len(found)})" for case, found in shown[ROWS:])
            yield f"And in {len(shown) - ROWS} more cases: {rest}."
            yield ""

    def _answers(self, check, where):
        """Each version's answer; versions in a row that answer alike share it."""
        runs = []
        for version in VERSIONS:
            asked = self.checks.get(version, {}).get(check)
            if version not in self.there:
                text, whole = "missing", None
            elif asked is None:
                text, whole = "not asked", None
            else:
                text = answer(asked["oracle"], where)
                whole = {k: v for k, v in (asked["oracle"] or {}).items() if k in ANSWER}
            label = self.full.get(version, version)
            if runs and runs[-1][1:] == (text, whole):
                runs[-1][0].append(label)
            else:
                runs.append(([label], text, whole))
        return "<br>".join(
            f"{labels[0] + (' to ' + labels[-1] if labels[1:] else '')}: {code(text)}"
            for labels, text, _ in runs
        )

    def _link(self, check):
        return os.path.relpath(ROOT / self.checks[NEWEST][check]["file"], PAGE.parent)

    def _missing_names(self):
        if not self.names.differences:
            return
        yield "## Names and arguments that older versions do not have"
        yield ""
        yield "| name | not in | checks | cases |"
        yield "|---|---|--:|---|"
        by_name = defaultdict(list)
        for difference in self.names.differences:
            by_name[difference.change.detail].append(difference)
        for name, found in sorted(by_name.items()):
            versions = sorted({d.version for d in found}, key=VERSIONS.index)
            cases = {d.check.partition("::")[0]: d.check for d in found}
            links = ", ".join(
                f"[{cell(case.rpartition('/')[2])}]({self._link(check)})"
                for case, check in cases.items()
            )
            label = ", ".join(self.full[version] for version in versions)
            checks = len({d.check for d in found})
            yield f"| {code(name)} | {label} | {checks:,} | {links} |"
        yield ""

    def _unexplained(self):
        yield "## Not explained"
        yield ""
        if not self.rest.differences:
            yield "Nothing: each difference has a cause above."
            yield ""
            return
        yield "Differences whose cause has not been looked up."
        yield ""
        yield from self._cases(self.rest)


def _full_version(report):
    return next(iter(report.document["oracle"].values()))["version"]


def _python(text):
    version, is_given, path = text.partition("=")
    if not is_given or version not in VERSIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is not VERSION=PATH, with one of {VERSIONS}")
    return version, os.path.expanduser(path)


def main():
    """Reads or makes the reports and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the reports: <version>/report.json")
    parser.add_argument(
        "--python", type=_python, action="append", default=[], metavar="VERSION=PATH"
    )
    arguments = parser.parse_args()
    try:
        page = Page(reports(arguments.folder, dict(arguments.python)), causes())
    except (DriftError, ReportError) as error:
        sys.exit(str(error))
    PAGE.write_text(page.text(), encoding="utf-8")
    print(
        f"{PAGE.relative_to(ROOT)}: {len(page.against):,} differences, "
        f"{len(page.rest.differences):,} of them unexplained"
    )


if __name__ == "__main__":
    main()
