"""Recorder: turns what TensorFlow has answered into recording files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradparity.language.check import Check
from gradparity.recordings.answer import Answer, program_key
from gradparity.recordings.file import Recorded, Recording, file_name
from gradparity.recordings.lookup import differing_settings
from gradparity.recordings.store import Store, configuration


@dataclass
class Changes:
    """What recording has done to the files: names of case files."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def record(
    checks: Sequence[Check],
    answers: Mapping[str, Answer],
    description: Mapping[str, Any],
    store: Store,
    orphans: Sequence[str] = (),
) -> Changes:
    """Writes the recordings of case files.

    A file whose every answer is confirmed stays as it is, together with the configuration
    that it names: another Python or machine that comes to the same bits changes nothing.

    Args:
      checks: all checks of each case file to be recorded.
      answers: check id -> what TensorFlow answered.
      description: what TensorFlow's worker said of itself.
      store: where to.
      orphans: recorded case files that are no more.

    Raises:
      OSError: a file cannot be written.
      RecordingError: a file that was there cannot be read.
    """
    name, content = configuration(description)
    changes = Changes()
    files: dict[str, dict[str, Recorded]] = {}
    for check in checks:
        recorded = Recorded(program_key(check.program), answers[check.id])
        files.setdefault(file_name(check.case), {})[check.id] = recorded
    for file, entries in files.items():
        old = store.recording(file)
        used = name
        if old is not None and dict(old.checks) == entries:
            known = store.configurations().get(old.configuration)
            if known is not None and not differing_settings(known):
                used = old.configuration
        wrote = store.write(Recording(file, used, entries))
        (changes.written if wrote else changes.unchanged).append(file)
    for file in orphans:
        store.remove(file)
        changes.removed.append(file)
    store.keep_configurations({name: content})
    return changes
