"""Looks checks up in the recordings, and says what is amiss with those not found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gradparity import worker
from gradparity.language.check import Check
from gradparity.recordings.answer import Answer, program_key
from gradparity.recordings.file import file_name
from gradparity.recordings.store import Store, versions

NAMESPACE = "tensorflow.compat.v1"


class State(str, Enum):
    """How a recording stands to its check."""

    FRESH = "fresh"
    NEW = "new"  # never recorded
    EDITED = "edited"  # recorded, but of another program
    OTHER_VERSION = "other version"  # recorded from another TensorFlow alone
    OTHER_SETTINGS = "other settings"  # recorded when workers configured TensorFlow otherwise
    OTHER_BITS = "other bits"  # a live answer is as near as another processor's may be
    OTHER_ERROR = "other error"  # of the same class, in the run: several operations fail
    DIFFERS = "differs"  # a live TensorFlow has just answered otherwise


@dataclass(frozen=True)
class Found:
    """A check in the recordings.

    Attributes:
      state: how its recording stands to it.
      answer: what is recorded; None unless the state is FRESH.
      reason: what is amiss and the command that mends it, for people; empty when FRESH.
    """

    state: State
    answer: Answer | None = None
    reason: str = ""


def look_up(check: Check, store: Store) -> Found:
    """The recording of a check in a store.

    Raises:
      RecordingError: a file cannot be read.
    """
    key = program_key(check.program)
    recording = store.recording(file_name(check.case))
    checks = {} if recording is None else recording.checks
    recorded = checks.get(check.id)
    if recorded is None or recorded.program != key:
        # A check that was only renamed is still the same question.
        same = next((one for one in checks.values() if one.program == key), None)
        if same is None:
            return _not_found(check, store, edited=recorded is not None)
        recorded = same
    assert recording is not None
    settings = differing_settings(store.configurations().get(recording.configuration, {}))
    if settings:
        return Found(
            State.OTHER_SETTINGS,
            reason=f"recorded when workers ran TensorFlow under other settings ({settings}); "
            + mending(check),
        )
    return Found(State.FRESH, recorded.answer)


def _not_found(check: Check, store: Store, edited: bool) -> Found:
    if edited:
        return Found(
            State.EDITED, reason=f"the check was edited since it was recorded; {mending(check)}"
        )
    key = program_key(check.program)
    others = [version for version in versions(store.folder) if version != store.version]
    for version in reversed(others):
        recording = Store(store.folder, version).recording(file_name(check.case))
        if recording and any(one.program == key for one in recording.checks.values()):
            return Found(
                State.OTHER_VERSION,
                reason=f"recorded from TensorFlow {version}, not from {store.version}; choose "
                f"that one with --oracle-version {version}, or {mending(check)}",
            )
    return Found(State.NEW, reason=f"the check is new: it was never recorded; {mending(check)}")


def mending(check: Check) -> str:
    """The command that makes a recording fresh."""
    from gradparity.reports.document import relative_path

    return f"record it: gradparity record {relative_path(check.case.path)}"


def differing_settings(configuration: Mapping[str, Any]) -> str:
    """In which settings of TensorFlow a configuration departs from today's worker, or ""."""
    if not str(configuration.get("namespace", "")).startswith("tensorflow"):
        return ""
    now: dict[str, Any] = {**worker.PINNED_ENVIRONMENT, **worker.SESSION_SETTINGS}
    then = {**configuration.get("environment", {}), **configuration.get("session", {})}
    return ", ".join(
        f"{name} was {then.get(name)!r}, is {now.get(name)!r}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    )


def described(checks: Sequence[Check], store: Store) -> dict[str, Any]:
    """Who answered these checks when they were recorded, as a worker describes itself.

    Where recordings come from several configurations, what differs is listed.

    Raises:
      RecordingError: a file cannot be read.
    """
    recordings = (
        store.recording(name) for name in dict.fromkeys(file_name(c.case) for c in checks)
    )
    configurations = store.configurations()
    names = sorted({recording.configuration for recording in recordings if recording is not None})
    used = [configurations[name] for name in names if name in configurations]
    if not used:
        return {"namespace": NAMESPACE, "version": store.version, "mode": worker.MODES[0]}
    description: dict[str, Any] = {}
    for key in dict.fromkeys(key for one in used for key in one):
        values = [one[key] for one in used if key in one]
        same = all(value == values[0] for value in values)
        description[key] = values[0] if same else ", ".join(sorted({str(v) for v in values}))
    if str(description.get("namespace", "")).startswith("tensorflow"):
        description["mode"] = worker.MODES[0]  # no other is recorded
    return description
