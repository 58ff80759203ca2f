"""Comparing: whether what is told of a check is what TensorFlow answers, in one line."""

from __future__ import annotations

from pathlib import Path

from gradparity import engine
from gradparity.explain.story import Story
from gradparity.explain.telling import NONE, PLAIN, STOP, TITLE, Span
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.check import Check
from gradparity.outcome import Outcome, SparseResult
from gradparity.recordings.file import RecordingError
from gradparity.recordings.source import NoRecordingsError, RecordedOracle, open_store
from gradparity.reports.wording import side_versions
from gradparity.workers import WorkerSource


def compared(check: Check, story: Story, recordings: Path | None) -> tuple[Span, ...]:
    """What TensorFlow answers to a check, against the story.

    Args:
      check: the check.
      story: what is told of it.
      recordings: their folder, or None to ask TensorFlow itself.

    Returns:
      A line for people.
    """
    try:
        source: WorkerSource = (
            engine.side_source(engine.TENSORFLOW)
            if recordings is None
            else RecordedOracle([check], open_store(recordings))
        )
        record = engine.run([check], engine.side_source("numpy_tf", in_process=True), source)
    except (NoRecordingsError, RecordingError, engine.OracleStartError) as error:
        return (("Not held against TensorFlow: ", NONE), (str(error).partition("\n")[0], PLAIN))
    result = record.results[0]
    verdict = result.verdict
    who = side_versions("oracle", record.oracle).replace(", recorded", " (recorded)")
    if verdict.word is Word.UNCHECKED or result.oracle is None:
        return (("Not held against TensorFlow: ", NONE), (verdict.reason, PLAIN))
    if not verdict.word.passes:
        return (
            (f"{who} answers otherwise ({verdict.word.value}): ", STOP),
            (verdict.reason, PLAIN),
        )
    if result.implementation is not None and not same(story, result.implementation):
        return ((f"{who} gives the same as numpy_tf unwatched: ", TITLE), *_otherwise(verdict))
    return ((f"{who} gives the same: ", TITLE), (verdict.reason, PLAIN))


def _otherwise(verdict: Verdict) -> tuple[Span, ...]:
    told = (
        "the values above have other last digits: memory that somebody looks at cannot be summed "
        "into, so a sum began with another term; or the program is random"
    )
    return (f"{verdict.reason}; ", PLAIN), (told, NONE)


def same(story: Story, outcome: Outcome) -> bool:
    """Whether the values told are, bit for bit, those of a run that nobody watched."""
    if outcome.error is not None or len(outcome.gradients) != len(story.results):
        return bool(story.error) and outcome.error is not None
    for told, answered in zip(story.results, outcome.gradients, strict=True):
        if told is None or answered is None:
            if (told is None) != (answered is None):
                return False
            continue
        dense = answered.values if isinstance(answered, SparseResult) else answered
        value = story.values.get(told.values)
        if value is None or value.tobytes() != dense.value.tobytes():
            return False
    return True
