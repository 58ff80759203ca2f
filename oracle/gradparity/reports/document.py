"""The document: a run as the plain data of report.json, from which all else is rendered."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import gradparity
from gradparity.blame.finding import Blame
from gradparity.judge.tolerance import limits
from gradparity.judge.ulp import COMPONENT, REAL_DTYPES
from gradparity.judge.verdict import Rule, Verdict, Word
from gradparity.language.check import Case, Check
from gradparity.outcome import DenseResult, Outcome, Result
from gradparity.recordings.answer import KEY_DIGITS, program_key
from gradparity.reports import arbitration, evidence, picture
from gradparity.reports.exact import digest, element_texts
from gradparity.reports.legend import LEGEND
from gradparity.results import CheckResult, RunRecord

if TYPE_CHECKING:
    from gradparity.comparison.report import Report

FORMAT = "gradparity-report"
VERSION = 1
ELEMENTS = 1000  # written of each tensor; of a larger one the first, and a digest of all

Json: TypeAlias = dict[str, Any]


def document(
    record: RunRecord,
    earlier: Report | None = None,
    baseline: str | None = None,
    registry: Mapping[str, Any] | None = None,
) -> Json:
    """A run as plain data; `schemas/report.schema.json` describes it.

    Args:
      record: the run.
      earlier: the report of an earlier run, for the key "changes"; None: there was none.
      baseline: what to call it when it is another than the last one.
      registry: what the oracle's TensorFlow can differentiate, for the map of coverage.

    The last key, "end", proves that the run ended: of an interrupted run it is missing.

    File paths are relative to the current directory, with forward slashes. Nothing but
    "started_at" and the keys named "seconds" varies between two runs with equal results.
    """
    from gradparity.reports import changes  # it reads documents back, with the names from here

    results = record.results
    cases = {(r.check.case.path, r.check.case.name): r.check.case for r in results}
    pictures = picture.pictures(results)
    data: Json = {
        "format": FORMAT,
        "version": VERSION,
        "gradparity": gradparity.__version__,
        "started_at": record.started_at,
        "seconds": round(record.seconds, 6),
        "passes": record.passes,
        "ledger_problems": list(record.ledger_problems),
        "unblamed": record.unblamed,
        "truth_problems": list(record.truth_problems),
        "oracle": {profile: dict(d) for profile, d in record.oracle.items()},
        "implementation": {profile: dict(d) for profile, d in record.implementation.items()},
        "registry": None if registry is None else dict(registry),
        "totals": totals(results),
        "cases": [case_data(case) for case in cases.values()],
        "checks": [check_data(result, pictures.get(id(result))) for result in results],
    }
    closing = {"checks": len(results), "seconds": round(record.seconds, 6)}
    end = {} if record.interrupted else {"end": closing}
    return {**data, "changes": changes.since(earlier, {**data, **end}, baseline), **end}


def totals(results: Sequence[CheckResult]) -> Json:
    """How many checks came to what.

    "agreement" divides the checks that agree by the loosest rule that one of their tensors
    needed; those in which no tensor was compared, such as an expected error, are "nothing".
    """
    words = Counter(r.verdict.word for r in results)
    by_rule: dict[Rule | None, list[CheckResult]] = {}
    for result in results:
        if result.verdict.word is Word.AGREE:
            by_rule.setdefault(_loosest(result.verdict), []).append(result)
    return {
        "checks": len(results),
        "cases": len({(r.check.case.path, r.check.case.name) for r in results}),
        "verdicts": {word.value: words[word] for word in LEGEND},
        "agreement": {
            **{rule.value: _largest(by_rule.get(rule, [])) for rule in Rule},
            "nothing": {"checks": len(by_rule.get(None, []))},
        },
        "arbiter": arbitration.totals(results),
    }


def _loosest(verdict: Verdict) -> Rule | None:
    rules = [c.rule for c in verdict.comparisons if c.rule is not None]
    return max(rules, key=list(Rule).index, default=None)


def _largest(results: Sequence[CheckResult]) -> Json:
    """How many checks, and where among them the largest distance in ulps was found."""
    worst = max(
        (
            (comparison.max_ulp, result.check.id, comparison.where)
            for result in results
            for comparison in result.verdict.comparisons
            if comparison.max_ulp is not None
        ),
        key=lambda found: found[0],
        default=(None, None, None),
    )
    return {"checks": len(results), **dict(zip(("max_ulp", "check", "where"), worst, strict=True))}


def case_data(case: Case) -> Json:
    """A case as it stands in report.json; "file" and "name" identify it.

    A file whose cases are generated holds several.
    """
    return {
        "name": case.name,
        "file": relative_path(case.path),
        "about": case.about,
        "source": case.source,
        "graph": case.graph,
    }


def check_data(result: CheckResult, drawn: Json | None = None) -> Json:
    """A check, its verdict with the evidence, and what both sides answered; its picture, if any."""
    check, verdict = result.check, result.verdict
    data: Json = {
        "id": check.id,
        "case": check.case.name,
        "file": relative_path(check.position.path),
        "line": check.position.line,
        "column": check.position.column,
        "profile": check.program.profile,
        "ys": list(check.ys),
        "xs": list(check.xs),
        "stopped": list(check.stopped),
        "program": program_key(check.program),
        "expectation": _expectation_key(check),
        "tolerance": _tolerance(result),
        "verdict": verdict.word.value,
        "reason": verdict.reason,
        "kind": None if verdict.kind is None else verdict.kind.value,
        "differences": [
            {
                "where": d.where,
                "kind": d.kind.value,
                "oracle": d.oracle,
                "implementation": d.implementation,
                "index": None if d.index is None else [int(i) for i in d.index],
                "count": d.count,
                "total": d.total,
                "detail": d.detail,
            }
            for d in verdict.differences
        ],
        "comparisons": [
            {
                "where": c.where,
                "rule": None if c.rule is None else c.rule.value,
                "max_ulp": c.max_ulp,
            }
            for c in verdict.comparisons
        ],
        "blame": None if result.blame is None else _blame(result.blame),
        "oracle": _oracle(result.oracle),
        "implementation": _outcome(result.implementation),
        "script": check.program.script(),
        "arbiter": arbitration.word_data(result.arbitration),
        "truth": arbitration.truth_data(check.truth),
    }
    evidence.add(data, result.oracle, result.implementation, ELEMENTS)
    if drawn is not None:
        data["picture"] = drawn
    return data


def _blame(blame: Blame) -> Json:
    return {
        "fault": blame.fault.value,
        "sentence": blame.sentence,
        "op": blame.op,
        "type": blame.type,
        "gradient_of": blame.gradient_of,
        "inside": blame.inside,
        "line": blame.file_line,
        "code": blame.code,
        "agreeing": list(blame.agreeing),
        "differing": list(blame.differing),
    }


def _expectation_key(check: Check) -> str:
    """What the case demands of the answers as hexadecimal digits: equal for equal demands."""
    raises = None if check.raises is None else asdict(check.raises)
    content = json.dumps([check.expect, raises, list(check.may_raise), check.intent], default=repr)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_DIGITS]


def _tolerance(result: CheckResult) -> Json:
    """Floating-point dtype of the answers -> what its tensors are allowed."""
    answers = [outcome for outcome in (result.oracle, result.implementation) if outcome is not None]
    op_types = answers[0].op_types if answers else ()
    dtypes = {
        tensor.dtype
        for outcome in answers
        for one in (*outcome.ys, *outcome.gradients)
        for tensor in (one if isinstance(one, DenseResult) else getattr(one, "values", None),)
        if tensor is not None
    }
    return {
        dtype: asdict(limits(dtype, op_types, result.check.tolerance))
        for dtype in sorted(dtypes.intersection([*REAL_DTYPES, *COMPONENT]))
    }


def _outcome(outcome: Outcome | None) -> Json | None:
    if outcome is None:
        return None
    error = outcome.error
    data: Json = {
        "ys": [_result(y) for y in outcome.ys],
        "gradients": [_result(gradient) for gradient in outcome.gradients],
        "error": None
        if error is None
        else {
            "stage": error.stage,
            "type": error.type,
            "message": error.message,
            "line": error.line,
        },
        "gradient_functions": list(outcome.gradient_functions),
        "seconds": {stage: round(seconds, 6) for stage, seconds in outcome.seconds.items()},
    }
    if outcome.gradient_calls:
        data["gradient_calls"] = dict(outcome.gradient_calls)
    return data


def _oracle(outcome: Outcome | None) -> Json | None:
    """The oracle's side, with the ops of its graph: what `gradparity coverage` counts by."""
    data = _outcome(outcome)
    return None if data is None or outcome is None else {**data, "op_types": list(outcome.op_types)}


def _result(result: Result) -> Json | None:
    if result is None:
        return None
    if isinstance(result, DenseResult):
        return {"kind": "dense", **_dense(result)}
    return {
        "kind": "sparse",
        "values": _dense(result.values),
        "indices": _dense(result.indices),
        "dense_shape": None if result.dense_shape is None else _dense(result.dense_shape),
    }


def _dense(result: DenseResult) -> Json:
    value, static = result.value, result.static_shape
    data: Json = {
        "dtype": result.dtype,
        "static_shape": None if static is None else list(static),
        "shape": list(value.shape),
        "values": element_texts(value, ELEMENTS),
    }
    if value.size > ELEMENTS:
        data["sha256"] = digest(value)
    return data


def relative_path(path: Path) -> str:
    """A path relative to the current directory, with forward slashes."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


def to_text(data: Json) -> str:
    """A document as JSON text with a line for each case and each check."""

    def value(item: Any) -> Iterable[str]:
        if isinstance(item, list) and item:
            yield "[\n" + ",\n".join(_compact(entry) for entry in item) + "\n]"
        else:
            yield _compact(item)

    lines = (f"{_compact(key)}: {text}" for key, item in data.items() for text in value(item))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
