"""Wording: a document's run, checks and tensors as plain lines, the same in every report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from gradparity.blame.finding import Fault
from gradparity.judge.verdict import Word
from gradparity.reports.exact import layout
from gradparity.reports.legend import NOTHING_JUDGED

Json: TypeAlias = dict[str, Any]

SIDES = ("oracle", "implementation")
DEFAULT_NAMES = {"oracle": "TensorFlow", "implementation": "implementation"}
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160)) if code != 10}
STAGES = {"build": "building the graph", "gradients": "tf.gradients", "run": "the run"}


def side_name(side: str, profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """What a side is called: "TensorFlow", or the name of the module under test."""
    namespace = next((d.get("namespace") for d in profiles.values()), None)
    if namespace is None:
        return DEFAULT_NAMES[side]
    # TensorFlow can be set against itself: then its other self keeps its full name.
    is_judge = side == "oracle" and namespace.startswith("tensorflow")
    return "TensorFlow" if is_judge else str(namespace)


def side_versions(side: str, profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """Name and version of a side: "TensorFlow 2.21.0, recorded", "TensorFlow 2.21.0, xla"."""
    versions = sorted({str(d["version"]) for d in profiles.values() if "version" in d})
    recorded = ", recorded" if any(d.get("recorded") for d in profiles.values()) else ""
    modes = sorted(
        {str(d["mode"]) for d in profiles.values() if d.get("mode", "default") != "default"}
    )
    return ", ".join([" ".join([side_name(side, profiles), *versions]), *modes]) + recorded


def versions_line(
    oracle: Mapping[str, Mapping[str, Any]], implementation: Mapping[str, Mapping[str, Any]]
) -> str:
    """Who answered: "TensorFlow 2.21.0 (tf1, v2) against numpy_tf 0.1.0".

    The oracle's Python is named where it answered in another one than the implementation:
    "TensorFlow 1.15.5 on Python 3.7.16 (tf1) against numpy_tf 0.1.0".
    """
    profiles = f" ({', '.join(oracle)})" if oracle else ""
    left = side_versions("oracle", oracle)
    pythons = _pythons(oracle)
    if pythons and _pythons(implementation) and pythons != _pythons(implementation):
        left += f" on Python {', '.join(pythons)}"
    return f"{left}{profiles} against {side_versions('implementation', implementation)}"


def _pythons(profiles: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The Pythons in which a side has answered, but not those of recordings."""
    live = [d for d in profiles.values() if "python" in d and not d.get("recorded")]
    return sorted({str(d["python"]) for d in live})


def names(document: Json) -> dict[str, str]:
    """Side -> what it is called in this document."""
    return {side: side_name(side, document[side]) for side in SIDES}


def fails(check: Json) -> bool:
    """Whether a check of a document does not pass."""
    return not Word(check["verdict"]).passes


def failures(document: Json) -> list[Json]:
    """The checks that do not pass: those first that got worse since an earlier run."""
    worse = {entry["id"] for entry in document.get("changes", {}).get("worse", [])}
    failing = [check for check in document["checks"] if fails(check)]
    return sorted(failing, key=lambda check: check["id"] not in worse)


def result_line(
    totals: Json, *, ended: bool, ledger_problems: int = 0, truth_problems: int = 0
) -> str:
    """The run in one sentence, with one more for each other thing that fails it.

    Args:
      totals: of the run.
      ended: False for a run that was interrupted.
      ledger_problems: how many entries of the ledger fail it, whatever the checks came to.
      truth_problems: how many declarations of the truth do, which the arbiter denies.
    """
    sentences = [_result_of_checks(totals, ended)]
    for count, noun, where in (
        (ledger_problems, "problem", "in the ledger"),
        (truth_problems, "declaration", "that the arbiter denies"),
    ):
        if count:
            fails = "fails" if count == 1 else "fail"
            sentences.append(f"{plural(count, noun)} {where} {fails} the run.")
    return " ".join(sentences)


def _result_of_checks(totals: Json, ended: bool) -> str:
    count = totals["checks"]
    if not ended:
        judged = f": {verdict_counts(totals)}" if count else ""
        return f"Interrupted after {plural(count, 'check')}{judged}."
    if not count:
        return NOTHING_JUDGED
    words = {word: n for word, n in totals["verdicts"].items() if n}
    failing = sum(n for word, n in words.items() if not Word(word).passes)
    if failing:
        return f"{failing:,} of {plural(count, 'check')} {'fails' if failing == 1 else 'fail'}."
    if set(words) == {Word.AGREE.value}:
        return "The one check agrees." if count == 1 else f"All {count:,} checks agree."
    return f"{plural(count, 'check')} pass: {verdict_counts(totals)}."


def run_problems(document: Json) -> list[tuple[str, str]]:
    """What fails a run beside its checks: ("ledger", "truth" or "run", what is wrong)."""
    problems = [("ledger", problem) for problem in document.get("ledger_problems", [])]
    problems += [("truth", problem) for problem in document.get("truth_problems", [])]
    if "end" not in document:
        problems.append(("run", _result_of_checks(document["totals"], ended=False)))
    elif not document["checks"]:
        problems.append(("run", NOTHING_JUDGED))
    return problems


def verdict_counts(totals: Json) -> str:
    """The verdicts that occur: "40 agree, 2 known"."""
    return ", ".join(f"{n:,} {word}" for word, n in totals["verdicts"].items() if n)


def agreement_lines(totals: Json) -> list[str]:
    """How exactly the checks that agree do: bit for bit, within ulps, by scale."""
    agreement = totals["agreement"]
    compared = sum(found["checks"] for rule, found in agreement.items() if rule != "nothing")
    if not compared:
        return []
    bits = agreement["bits"]["checks"]
    lines = [
        f"{percentage(bits, compared)} bit for bit "
        f"({bits:,} of {compared:,} agreeing checks with values to compare)"
    ]
    for rule, words in (
        ("ulp", "within an ulp budget"),
        ("scale", "by the scale of the tensor"),
        ("meaning", "in what is unique of them"),
    ):
        found = agreement.get(rule)  # "meaning" is younger than the others
        if found and found["checks"]:
            worst = ""
            if found["max_ulp"] is not None:
                worst = f", largest {found['max_ulp']:,} ulp: {found['check']}, {found['where']}"
            lines.append(f"{found['checks']:,} {words}{worst}")
    return lines


def percentage(part: int, whole: int) -> str:
    """A share that says 100% only when nothing is missing, and 0% only when all is."""
    if part == whole:
        return "100%"
    share = min(max(100 * part / whole, 0.1 if part else 0.0), 99.9)
    return f"{share:.1f}%"


def plural(count: int, noun: str) -> str:
    """ "1 check", "2 checks"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """ "740 ms", "12.3 s" or "3 min 20 s"."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def one_line(text: str, limit: int) -> str:
    """Text on one line, cut with " ..." when it has more than `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 4] + " ..."


def seconds(check: Json) -> float:
    """How long both sides took for a check."""
    return sum(sum(check[side]["seconds"].values()) for side in SIDES if check[side] is not None)


def moment(time: str) -> str:
    """A time of day in UTC, ISO 8601, to the minute: "2026-11-22 23:48 UTC"."""
    return f"{time[:16].replace('T', ' ')} UTC" if time.endswith("+00:00") else time


def place(check: Json) -> str:
    """Where a check's query stands: "cases/tutorial/sum.yaml:14:5"."""
    return f"{check['file']}:{check['line']}:{check['column']}"


def tensor_labels(check: Json) -> Iterator[tuple[str, int, str]]:
    """All tensors of a check, as ("gradients" or "ys", number, label), gradients first."""
    for group, noun, named in (("gradients", "gradient", "xs"), ("ys", "y", "ys")):
        count = max(len((check[side] or {group: ()})[group]) for side in SIDES)
        for number in range(count):
            name = check[named][number] if number < len(check[named]) else ""
            yield group, number, f"{noun} {number}" + (f" ({name})" if name else "")


def parts(result: Json | None) -> dict[str, Json | None]:
    """The dense tensors of one result by name: "" for a dense one or None, else its parts."""
    if result is None or result["kind"] == "dense":
        return {"": result}
    return {
        name: result[name]
        for name in ("values", "indices", "dense_shape")
        if result[name] is not None
    }


def type_text(tensor: Json) -> str:
    """Dtype and shape, and the static shape where it says less: "float32 [3], static [?]"."""
    shape, static = tensor["shape"], tensor["static_shape"]
    text = f"{tensor['dtype']} {shape_text(shape)}"
    return text if static == shape else f"{text}, static {shape_text(static)}"


def shape_text(shape: list[int | None] | None) -> str:
    """A shape with "?" for what is not known."""
    if shape is None:
        return "unknown rank"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def values_text(tensor: Json, limit: int | None = None) -> str:
    """A tensor's elements in nested brackets, at most `limit` of them."""
    values = tensor["values"][:limit]
    return "".join(
        piece if isinstance(piece, str) else values[piece]
        for piece in layout(tensor["shape"], len(values))
    )


def result_text(result: Json | None, limit: int) -> str:
    """A gradient or y, on one line or several: "float32 [3]  [1.0, 2.0, 3.0]", "None"."""
    lines = []
    for name, tensor in parts(result).items():
        if tensor is None:
            return "None"
        values = values_text(tensor, limit)
        gap = "\n" if "\n" in values else "  "
        lines.append(f"{name + ': ' if name else ''}{type_text(tensor)}{gap}{values}")
        if "sha256" in tensor:
            lines.append(f"sha256 {tensor['sha256']}")
    return "\n".join(lines)


def error_text(error: Json) -> str:
    """An error with its stage: "ValueError in tf.gradients, line 3: message"."""
    line = "" if error["line"] is None else f", line {error['line']}"
    return f"{error['type']} in {STAGES[error['stage']]}{line}: {error['message']}"


def difference_text(difference: Json, names: Mapping[str, str]) -> str:
    """One difference in one line."""
    where, kind, index = (difference[key] for key in ("where", "kind", "index"))
    subject = where if where == kind else f"{where}, {kind}"
    both = ", ".join(f"{names[side]} {difference[side]}" for side in SIDES)
    extra = [f"{difference['count']:,} of {difference['total']:,} differ"] if index else []
    extra += [difference["detail"]] if difference["detail"] else []
    more = f" ({'; '.join(extra)})" if extra else ""
    return f"{subject}{f' at {index}' if index else ''}: {both}{more}"


def blame_text(check: Json) -> str:
    """What makes a check differ, in one line; "" where that is not known."""
    blame = check.get("blame")  # reports of earlier versions have none
    return f"blame: {blame['sentence']}" if blame else ""


def found_text(check: Json) -> str:
    """As `blame_text`; "" also where the search found nothing to name."""
    blame = check.get("blame")
    return blame_text(check) if blame and blame["fault"] != Fault.NOWHERE.value else ""


def unblamed_text(count: int) -> str:
    """How many checks were not looked into; "" when all were."""
    differ = "differs and was" if count == 1 else "differ and were"
    return f"{plural(count, 'more check')} that {differ} not looked into" if count else ""


def answers_text(check: Json, names: Mapping[str, str], limit: int) -> str:
    """What both sides answered: errors, then each gradient and y, side above side."""
    width = max(len(name) for name in names.values()) + 2
    blocks = []
    for side in SIDES:
        if check[side] is None:
            blocks.append(f"{names[side]} gave no answer")
        elif check[side]["error"]:
            blocks.append(f"{names[side]} raised {error_text(check[side]['error'])}")
    for group, number, label in tensor_labels(check):
        lines = [label]
        for side in SIDES:
            results = (check[side] or {group: ()})[group]
            if number < len(results):
                text = result_text(results[number], limit).replace("\n", "\n" + " " * (width + 2))
                lines.append(f"  {names[side]:<{width}}{text}")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def printable(text: str) -> str:
    """Text with what could command a terminal, or cannot be written at all, spelled out."""
    return text.translate(CONTROLS).encode("utf-8", "backslashreplace").decode()
