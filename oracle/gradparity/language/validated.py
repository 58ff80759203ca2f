"""Remembers which case files were valid, so that only what changed is looked at again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(".gradparity_cache")
_FILE = "valid_cases.json"


class Validated:
    """Valid contents of case files, and how many checks each makes.

    What is remembered holds for this very version of the language: any change of the modules
    beside this one forgets it all. A file is known by its name and content, not by its time.

    Args:
      folder: where the memory is kept from one run to the next.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._language = _fingerprint_of_language()
        self._before = self._read()
        self._now: dict[str, int] = {}

    def count(self, path: Path, name: str) -> int | None:
        """How many checks the file makes if it is known to be valid, else None."""
        key = _key(path, name)
        count = self._before.get(key)
        if count is not None:
            self._now[key] = count
        return count

    def remember(self, path: Path, name: str, count: int) -> None:
        """Notes that the file is valid."""
        self._now[_key(path, name)] = count

    def save(self) -> None:
        """Keeps what this run found; a folder that cannot be written to is no error."""
        if self._now == self._before:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            (self._folder / ".gitignore").write_text("*\n", encoding="utf-8")
            memory = {"language": self._language, "files": self._now}
            (self._folder / _FILE).write_text(json.dumps(memory), encoding="utf-8")

    def _read(self) -> Mapping[str, int]:
        try:
            memory = json.loads((self._folder / _FILE).read_text(encoding="utf-8"))
            if memory["language"] == self._language:
                return dict(memory["files"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no memory, or none that can be read: everything is looked at
        return {}


def _key(path: Path, name: str) -> str:
    return hashlib.sha256(name.encode() + b"\0" + path.read_bytes()).hexdigest()


def _fingerprint_of_language() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.iterdir()):
        if file.is_file():
            stat = file.stat()
            digest.update(f"{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
