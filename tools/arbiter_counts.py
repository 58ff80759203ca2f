"""Writes into docs/arbiter.md how often the arbiter said what, by parts of the corpus.

    gradparity run cases/tutorial --arbiter all --report reports/arbiter/tutorial
    ...
    python tools/arbiter_counts.py reports/arbiter/*/report.json

The corpus may be run at once or in parts; of a check in several reports the last one counts.
"""

import argparse
import json
import re
from collections import Counter
from pathlib import Path

from gradparity.reports.arbitration import DEPARTS, ORDER

PAGE = Path(__file__).resolve().parent.parent / "docs" / "arbiter.md"
MARKED = re.compile(r"(<!-- counts:[^\n]*-->\n).*?(<!-- end of counts -->)", re.DOTALL)
UNCLEAR, NONE = ORDER[-2:]
# What a reason of these words says -> how it is counted; any other counts as it stands.
KINDS = {
    "is at a kink": "the function has a kink there, and the answer lies between its two sides",
    "not finite there": "x or a y is infinite or NaN there, so that there is nothing to difference",
    "overflows in its own dtype": "a y overflows in its own dtype, and not in float64",
    "is at a jump": "the function jumps there, or its slope is infinite",
    "converge to nothing": "the differences converge to nothing",
    "±": "rounding, or what the differences may be off by, is as large as what they say",
    "cannot be built without": "the program cannot be built without its gradients",
    "cannot be evaluated in float64": "a gradient of a gradient needs kernels in float64",
    "the graph changes variables": "the graph changes variables",
    "the forward program fails": "the forward program fails at other inputs",
    "is of dtype": "an x is a whole number",
    "has rows that": "its rows are not those of x",
    "has shape": "its shape is not that of x",
    "evaluator ended": "the evaluator ended",
    "evaluator did not answer": "the evaluator did not answer in time",
}
DEPTH = {"contract": 2, "ops": 2}  # folders of a case's name that make a part; 1 elsewhere


def part(check):
    """The part of the corpus that a check belongs to."""
    folders = check["case"].split("/")
    return "/".join(folders[: DEPTH.get(folders[0], 1)])


def last_of_each(reports):
    """The checks of some reports, each once, as the last report that has it tells it.

    Raises:
      SystemExit: the arbiter was not asked about a check.
    """
    found = {check["id"]: check for report in reports for check in report["checks"]}
    unasked = [name for name, check in found.items() if check["arbiter"] is None]
    if unasked:
        raise SystemExit(f"{unasked[0]}: without the arbiter's word; run it with --arbiter all")
    return list(found.values())


def counts(checks):
    """Part -> how often each word was said; of departures, how often each is declared as what."""
    found = {}
    for check in checks:
        words = found.setdefault(part(check), Counter())
        word = check["arbiter"]["word"]
        words[word] += 1
        if word == DEPARTS:
            words["undeclared" if check["truth"] is None else check["truth"]["kind"]] += 1
    return found


def reasons(checks):
    """Word -> why it was said, with how often, for the two words that decide nothing."""
    found = {UNCLEAR: Counter(), NONE: Counter()}
    for check in checks:
        word, reason = check["arbiter"]["word"], check["arbiter"]["reason"]
        if word in found:
            kind = next((kind for part, kind in KINDS.items() if part in reason), reason)
            found[word][kind] += 1
    return found


def reason_table(found):
    """These as a table, the most frequent first."""
    lines = ["| word | why | checks |", "|---|---|--:|"]
    for word, whys in found.items():
        lines += [f"| {word} | {why} | {count:,} |" for why, count in whys.most_common()]
    return "\n".join(lines) + "\n"


def table(found):
    """The counts as a table, parts in order, their total last."""
    columns = [*ORDER[:3], "defect", "convention", "undeclared", *ORDER[3:]]
    titles = [f"… as a declared {c}" if c in ("defect", "convention") else c for c in columns]
    titles = ["… undeclared" if title == "undeclared" else title for title in titles]
    lines = [f"| part | checks | {' | '.join(titles)} |", "|---|" + "--:|" * (len(columns) + 1)]
    rows = [*sorted(found.items()), ("**all**", sum(found.values(), Counter()))]
    for name, words in rows:
        checks = sum(words[word] for word in ORDER)
        numbers = [f"{count:,}" if count else "" for count in (words[c] for c in columns)]
        lines.append(f"| {name} | {checks:,} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


def main():
    """Reads reports and writes the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", type=Path, nargs="+", help="report.json, of --arbiter all")
    arguments = parser.parse_args()
    reports = (json.loads(path.read_text(encoding="utf-8")) for path in arguments.reports)
    checks = last_of_each(reports)
    found, why = table(counts(checks)), reason_table(reasons(checks))
    text, changed = MARKED.subn(
        lambda marked: f"{marked[1]}\n{found}\n{why}\n{marked[2]}",
        PAGE.read_text(encoding="utf-8"),
    )
    if not changed:
        raise SystemExit(f"{PAGE} has no place for the counts")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
