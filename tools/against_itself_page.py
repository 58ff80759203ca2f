"""Writes docs/tensorflow-against-itself.md: TensorFlow's other paths against its default one.

    for mode in grappler xla tape onednn; do
      gradparity run --impl tensorflow.compat.v1 --impl-mode $mode --report reports/self/$mode
    done
    python tools/against_itself_page.py reports/self

Figures and lists come from the runs; the explanations of what differs stand in
against_itself.yaml beside this script. A difference that none of them fits is shown as
unexplained, and an explanation that fits nothing is named on the terminal.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tensorflow-against-itself.md"
GROUPS = Path(__file__).with_name("against_itself.yaml")

MODES = {
    "grappler": "Grappler's meta optimizer and constant folding on, as `tf.Session()` has them",
    "xla": "Every op that XLA takes is compiled by it, on the CPU",
    "tape": "Gradients by `tf.GradientTape`, which watches every tensor of the graph",
    "onednn": "`TF_ENABLE_ONEDNN_OPTS=1`, which is TensorFlow's own default",
}
KINDS = ("error", "none", "sparsity", "dtype", "shape", "value")
EXAMPLES = 2  # of each group


def known_groups(path=GROUPS):
    """The explanations, in the order in which they are tried.

    Raises:
      ValueError: an entry is none.
    """
    groups = yaml.safe_load(path.read_text("utf-8"))["groups"]
    for group in groups:
        if (
            not {"mode", "why"} <= set(group) <= {"mode", "why", "checks", "kind", "reason"}
            or group["mode"] not in MODES
            or group.get("kind") not in (None, *KINDS)
        ):
            raise ValueError(f"{path}: this explains nothing: {group}")
    return groups


def fits(group, mode, check):
    """Whether a group explains a check that differs."""
    return (
        group["mode"] == mode
        and any(fnmatchcase(check["id"], pattern) for pattern in group.get("checks", ["*"]))
        and group.get("kind") in (None, check["kind"])
        and re.search(group.get("reason", ""), check["reason"]) is not None
    )


def grouped(mode, failing, groups):
    """Index of the first group that fits, or None -> the checks that it explains."""
    found = defaultdict(list)
    for check in failing:
        numbers = (n for n, group in enumerate(groups) if fits(group, mode, check))
        found[next(numbers, None)].append(check)
    return found


def summary_row(mode, report):
    """A mode's line of the table at the top."""
    totals = report["totals"]
    verdicts = totals["verdicts"]
    kinds = Counter(check["kind"] for check in report["checks"] if check["verdict"] == "differ")
    agreement = totals["agreement"]
    rules = [rule for rule in agreement if rule != "nothing"]
    compared = sum(agreement[rule]["checks"] for rule in rules)
    share = f"{100 * agreement['bits']['checks'] / compared:.1f}%" if compared else "–"
    worst = max(agreement[rule]["max_ulp"] or 0 for rule in rules)
    rest = sum(verdicts[word] for word in verdicts) - sum(
        verdicts[word] for word in ("agree", "differ", "unsupported")
    )
    cells = [
        f"[`{mode}`](#{mode})",
        f"{totals['checks']:,}",
        f"{verdicts['agree']:,}",
        *(str(kinds[kind] or "") for kind in KINDS),
        f"{verdicts['unsupported'] or ''}",
        f"{rest or ''}",
        share,
        f"{worst:,}",
    ]
    return "| " + " | ".join(cells) + " |"


def cell(text):
    """Text that cannot break out of a table's cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def group_lines(found, groups):
    """The groups of a mode as a table, the largest first, and what is unexplained as a list."""
    known = sorted(((n, c) for n, c in found.items() if n is not None), key=lambda x: -len(x[1]))
    lines = []
    if known:
        lines += ["| differ | in | why | for example |", "|---|---|---|---|"]
    for number, checks in known:
        kinds = ", ".join(dict.fromkeys(c["kind"] or c["verdict"] for c in checks))
        examples = "<br>".join(f"`{cell(c['id'])}`" for c in checks[:EXAMPLES])
        lines.append(f"| {len(checks)} | {kinds} | {cell(groups[number]['why'])} | {examples} |")
    unexplained = found.get(None, [])
    if unexplained:
        lines += ["", f"Unexplained: {len(unexplained)}.", ""]
        lines += [f"- `{c['id']}`: {cell(c['reason'])}" for c in unexplained]
    return [*lines, ""] if lines else ["Nothing differs.", ""]


def mode_section(mode, report, groups):
    """What is to be said of one mode."""
    totals = report["totals"]
    lines = [f"## {mode}", "", f"{MODES[mode]}.", ""]
    failing = [
        check for check in report["checks"] if check["verdict"] not in ("agree", "unsupported")
    ]
    lines += group_lines(grouped(mode, failing, groups), groups)
    refused = Counter(
        check["reason"].partition(": ")[2]
        for check in report["checks"]
        if check["verdict"] == "unsupported"
    )
    if refused:
        count = totals["verdicts"]["unsupported"]
        lines += [f"{count:,} checks could not be asked in this mode, because", ""]
        lines += [f"- {cell(reason)}: {number:,}" for reason, number in refused.most_common(12)]
        rest = sum(number for _, number in refused.most_common()[12:])
        lines += [f"- other reasons of the kind: {rest:,}"] if rest else []
        lines.append("")
    return lines


def folder(check):
    """Of what a check is: "contract/a05_stop_gradients", "ops/nn"; "tutorial" alone."""
    return "/".join(check["case"].split("/")[:-1][:2]) or check["case"]


def asked_lines(reports):
    """Which checks a mode that was cut short had been asked, against the fullest of the runs."""
    whole = Counter(map(folder, max((r["checks"] for r in reports.values()), key=len)))
    lines = [f"The corpus of these runs has {whole.total():,} checks."]
    for mode, report in reports.items():
        asked = Counter(map(folder, report["checks"]))
        if asked == whole:
            continue
        complete = [name for name in sorted(whole) if asked[name] == whole[name]]
        parts = [
            f"{name} ({asked[name]:,} of {whole[name]:,})"
            for name in sorted(whole)
            if 0 < asked[name] < whole[name]
        ]
        lines.append(
            f"Of `{mode}`, {asked.total():,} were asked: all of "
            f"{', '.join(complete) or 'nothing'}; in part {', '.join(parts) or 'nothing'}; "
            "no other."
        )
    return ["\n\n".join(lines)]


def rendered(reports, groups):
    """The page's text, and the checks that nothing explains."""
    versions = {next(iter(r["oracle"].values()))["version"] for r in reports.values()}
    lines = [
        "# TensorFlow against itself",
        "",
        "<!-- Written by tools/against_itself_page.py from runs. Do not edit. -->",
        "",
        f"TensorFlow {', '.join(sorted(versions))} has several paths by which it can come to a "
        "gradient. Here each of them is judged as any implementation is, by TensorFlow's default "
        "mode, in which the graph runs as it is written:",
        "",
        "```console",
        "$ gradparity run cases --impl tensorflow.compat.v1 --impl-mode xla",
        "```",
        "",
        f"| mode | checks | agree | {' | '.join(KINDS)} | cannot be asked | other | bit for bit "
        "| largest ulp |",
        "|---|" + "---|" * (len(KINDS) + 6),
        *(summary_row(mode, report) for mode, report in reports.items()),
        "",
        "The columns from *error* to *value* count what differs, by the coarsest kind. *Bit for "
        "bit* is a share of the checks that agree and have values; *largest ulp* is among these "
        "(by the scale of the tensor a difference of many ulps near zero is none).",
        "",
    ]
    lines += asked_lines(reports)
    for mode, report in reports.items():
        lines += ["", *mode_section(mode, report, groups)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def main():
    """Reads the reports and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", type=Path, help="folder with a report's folder for each mode")
    folder = parser.parse_args().reports
    groups = known_groups()
    reports = {
        mode: json.loads((folder / mode / "report.json").read_text("utf-8"))
        for mode in MODES
        if (folder / mode / "report.json").is_file()
    }
    PAGE.write_text(rendered(reports, groups), "utf-8")
    used = {
        number
        for mode, report in reports.items()
        for number in grouped(mode, report["checks"], groups)
    }
    for number, group in enumerate(groups):
        if number not in used and group["mode"] in reports:
            print(f"explains nothing: {group['mode']}: {group['why']}", file=sys.stderr)


if __name__ == "__main__":
    main()
