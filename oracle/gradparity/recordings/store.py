"""The folder of recordings: <TensorFlow version>/cases/<name>.json, and their configurations."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradparity.recordings import file
from gradparity.recordings.file import Recording, RecordingError

CASES = "cases"
CONFIGURATIONS = "configurations.json"
NAME_DIGITS = 8


@dataclass
class Store:
    """The recordings of one TensorFlow version; each file is read when it is first wanted.

    Attributes:
      folder: the folder of all versions.
      version: TensorFlow's version, as it names itself.
    """

    folder: Path
    version: str
    _read: dict[str, Recording | None] = field(default_factory=dict)
    _configurations: dict[str, Mapping[str, Any]] | None = None

    def recording(self, name: str) -> Recording | None:
        """The recording of a case file, or None when there is none.

        Raises:
          RecordingError: it cannot be read.
        """
        if name not in self._read:
            path = self.path(name)
            self._read[name] = None
            if path.is_file():
                try:
                    text = path.read_text("utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    raise RecordingError(f"{path} cannot be read: {error}") from None
                self._read[name] = file.from_text(text, path)
        return self._read[name]

    def write(self, recording: Recording) -> bool:
        """Writes a recording; returns whether the file changed.

        Raises:
          OSError: it cannot be written.
        """
        path = self.path(recording.file)
        content = file.to_text(recording).encode("utf-8", "backslashreplace")
        self._read.pop(recording.file, None)
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return True

    def path(self, name: str) -> Path:
        """Where the recording of a case file is kept."""
        return self.folder / self.version / CASES / f"{name}.json"

    def names(self) -> list[str]:
        """The names of all recorded case files, sorted."""
        top = self.folder / self.version / CASES
        return sorted(path.relative_to(top).with_suffix("").as_posix() for path in _files(top))

    def remove(self, name: str) -> None:
        """Removes the recording of a case file, and folders that it leaves empty."""
        path = self.path(name)
        path.unlink()
        for parent in path.relative_to(self.folder / self.version / CASES).parents:
            folder = self.folder / self.version / CASES / parent
            if any(folder.iterdir()):
                break
            folder.rmdir()

    def configurations(self) -> dict[str, Mapping[str, Any]]:
        """Name -> what a worker said of itself, but for its profile.

        Raises:
          RecordingError: the file cannot be read.
        """
        if self._configurations is None:
            path = self.folder / self.version / CONFIGURATIONS
            try:
                found = json.loads(path.read_text("utf-8"))
                self._configurations = {name: dict(one) for name, one in found.items()}
            except FileNotFoundError:
                self._configurations = {}
            except (OSError, ValueError, TypeError, AttributeError) as error:
                raise RecordingError(f"{path} cannot be read: {error}") from None
        return self._configurations

    def keep_configurations(self, new: Mapping[str, Mapping[str, Any]]) -> None:
        """Adds configurations, and drops those that no recording names any more.

        Raises:
          OSError: the file cannot be written.
        """
        wanted = {recording.configuration for recording in self._all()}
        known = {**new, **self.configurations()}
        kept = {name: known[name] for name in sorted(wanted & set(known))}
        path = self.folder / self.version / CONFIGURATIONS
        self._configurations = None
        if kept:
            path.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        else:
            path.unlink(missing_ok=True)

    def _all(self) -> Iterator[Recording]:
        for name in self.names():
            recording = self.recording(name)
            if recording is not None:
                yield recording


def configuration(description: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The configuration that a worker's description of itself tells of: its name and content.

    Of every profile, and of the one mode that is recorded.
    """
    content = {key: value for key, value in description.items() if key not in ("profile", "mode")}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS], content


def versions(folder: Path) -> list[str]:
    """The TensorFlow versions of which there are recordings, the newest last."""
    if not folder.is_dir():
        return []
    return sorted((path.name for path in folder.iterdir() if (path / CASES).is_dir()), key=_order)


def _order(version: str) -> tuple[Any, ...]:
    """2.9 before 2.21, and 2.21.0rc1 before 2.21.0."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    return numbers, not re.search(r"[a-z]", version), version


def _files(top: Path) -> Iterable[Path]:
    return (path for path in top.rglob("*.json") if path.is_file()) if top.is_dir() else ()
