"""Writes docs/semantics.md: rule by rule what TensorFlow does, and the checks that hold it.

    gradparity run cases/contract --report reports/contract
    python tools/semantics_page.py reports/contract/report.json

The rules' sentences and numbers come from the case files (`cases/contract/<part>/<number>_…`),
the verdicts from the run: nothing on the page is written by hand but the titles of the parts
and the reasons for which a rule has no case.
"""

import argparse
import json
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "semantics.md"

PARTS = {
    "a01_arguments": ("Arguments and the shape of the call", range(1, 15)),
    "a02_reachability": ("Which operations, and in which order", range(15, 25)),
    "a03_grad_ys": ("grad_ys", range(25, 34)),
    "a04_dtypes": ("dtypes", range(34, 40)),
    "a05_stop_gradients": ("stop_gradients and tf.stop_gradient", range(40, 48)),
    "a06_unconnected": ("unconnected_gradients", range(48, 51)),
    "a07_gating_aggregation_names": ("Gating, aggregation, names", range(51, 58)),
    "a08_state": ("Variables and assignment", range(58, 66)),
    "a09_indexed_slices": ("IndexedSlices", range(66, 72)),
    "a10_control_flow": ("Control flow", range(72, 80)),
    "a11_custom_gradients": ("Custom gradients and the registry", range(80, 85)),
    "a12_missing_gradients": ("Missing gradients", range(85, 90)),
    "a13_broadcasting": ("Broadcasting and static shape", range(90, 93)),
    "a14_ties": ("Ties", ()),
    "a15_nan_inf": ("NaN and infinity", ()),
    "a16_higher_order": ("Higher order", range(93, 97)),
    "a17_numerics": ("Numerics", range(97, 99)),
    "a18_scale": ("Scale", range(99, 101)),
}

# Rules that no case file can hold, and where they are held instead or why not.
ELSEWHERE = {
    12: "Eager contexts are refused: held by tests/numpy_tf/test_backprop.py.",
    54: "Sums over several devices: held by tests/numpy_tf/test_contract.py.",
    56: "Colocation: held by tests/numpy_tf/test_contract.py.",
    71: "Kinds of gradients through control flow: held in part A10.",
    84: "Python callbacks, which no case may make: held by tests/numpy_tf/test_extension.py.",
}


# What stands below a part: where a program cannot come, and so no case does.
NOTES = {
    "a10_control_flow": "Functions: `Defun` and the operations that it makes have no name under "
    "`tf.compat.v1`, so no program of this corpus can hold one; what a v1 graph holds of functions "
    "comes from `tf.function` and `tf.wrap_function` (the latter held by "
    "tests/numpy_tf/test_control_flow.py). TensorFlow's own SymbolicGradient is reached where "
    "`stop_gradients` names a call (rule 78).",
}


def rule_of(case_name):
    """(part, number or None, slug) of "contract/a02_reachability/17_the_operation…"."""
    _, part, name = case_name.split("/", 2)
    match = re.match(r"(\d+)_(.*)", name)
    return (part, int(match[1]), match[2]) if match else (part, None, name)


def gathered(report):
    """Part -> (number, case name) -> (case, verdicts of its checks), in order."""
    verdicts = defaultdict(Counter)
    profiles = defaultdict(set)
    for check in report["checks"]:
        verdicts[check["case"]][check["verdict"]] += 1
        profiles[check["case"]].add(check["profile"])
    parts = defaultdict(list)
    for case in report["cases"]:
        if case["name"].startswith("contract/"):
            part, number, _ = rule_of(case["name"])
            name = case["name"]
            parts[part].append((number, case, verdicts[name], sorted(profiles[name])))
    for rows in parts.values():
        rows.sort(key=lambda row: (row[0] is None, row[0] or 0, row[1]["name"]))
    return parts


def cell(text):
    """Text that cannot break out of a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def rendered(report):
    """The page's text."""
    oracle = next(iter(report["oracle"].values()))
    parts = gathered(report)
    checks = sum(sum(v.values()) for rows in parts.values() for _, _, v, _ in rows)
    agree = sum(v["agree"] for rows in parts.values() for _, _, v, _ in rows)
    lines = [
        "# What TensorFlow does, rule by rule",
        "",
        "<!-- Written by tools/semantics_page.py from a run. Do not edit. -->",
        "",
        f"Each line is held by checks that ran in TensorFlow {oracle['version']} and in numpy_tf: "
        f"{checks:,} checks, of which {agree:,} agree.",
        "",
    ]
    for part, (title, numbers) in PARTS.items():
        rows = parts.get(part, [])
        lines += [f"## {part.split('_')[0].upper()}. {title}", ""]
        lines += ["| rule | what TensorFlow does | checks | verdict |", "|---|---|---|---|"]
        shown = {number for number, *_ in rows}
        rest = [(n, None, None, None) for n in numbers if n not in shown]
        for number, case, verdicts, profiles in sorted(
            [*rows, *rest], key=lambda row: (row[0] is None, row[0] or 0)
        ):
            if case is None:
                held = ELSEWHERE.get(number, "no case yet")
                lines.append(f"| {number} | {cell(held)} | – | – |")
                continue
            link = os.path.relpath(ROOT / case["file"], PAGE.parent)
            count = sum(verdicts.values())
            words = ", ".join(f"{n} {word}" for word, n in verdicts.most_common())
            lines.append(
                f"| {'' if number is None else number} | [{cell(case['about'])}]({link}) "
                f"| {count} ({', '.join(profiles)}) | {words} |"
            )
        lines.append("")
        if part in NOTES:
            lines += [NOTES[part], ""]
    return "\n".join(lines)


def main():
    """Reads a report and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, help="report.json of a run over cases/contract")
    report = json.loads(parser.parse_args().report.read_text(encoding="utf-8"))
    PAGE.write_text(rendered(report), encoding="utf-8")


if __name__ == "__main__":
    main()
