"""The registry beside the recordings: what their TensorFlow can differentiate, kept as text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gradparity.recordings.file import RecordingError

NAME = "registry.json"
FORMAT = "gradparity-registry"
VERSION = 1
START_LIMIT = 120.0  # seconds


def path(folder: Path, version: str) -> Path:
    """Where the registry of a TensorFlow version is kept below the folder of recordings."""
    return folder / version / NAME


def read(folder: Path, version: str) -> Mapping[str, Any]:
    """What `registry_probe` found in that TensorFlow.

    Raises:
      RecordingError: it was never written down, or cannot be read.
    """
    place = path(folder, version)
    try:
        data: Mapping[str, Any] = json.loads(place.read_text("utf-8"))
        if (data["format"], data["version"]) == (FORMAT, VERSION):
            return data
        problem = f"is not of the format {FORMAT}, version {VERSION}"
    except FileNotFoundError:
        problem = "is not there"
    except (OSError, ValueError, TypeError, KeyError) as error:
        problem = f"cannot be read: {error}"
    raise RecordingError(
        f"{place} {problem}.\n"
        f"Where TensorFlow {version} is installed, write it with: gradparity record --registry"
    )


def known(folder: Path, versions: Iterable[str]) -> Mapping[str, Any] | None:
    """As `read`, of the one TensorFlow that answered; None for several, or when it has none."""
    found = set(versions)
    try:
        return read(folder, found.pop()) if len(found) == 1 else None
    except RecordingError:
        return None


def write(folder: Path, python: str = sys.executable) -> Path:
    """Asks the TensorFlow of an interpreter's environment, and writes down what it says.

    Raises:
      RecordingError: it could not be asked.
      OSError: the file cannot be written.
    """
    from gradparity import registry_probe

    try:
        answer = subprocess.run(
            [python, registry_probe.__file__], capture_output=True, timeout=START_LIMIT, check=True
        )
    except subprocess.SubprocessError as error:
        stderr = (getattr(error, "stderr", None) or b"").decode("utf-8", "replace").strip()
        last = stderr.rpartition("\n")[2]
        raise RecordingError(f"TensorFlow's registry could not be asked: {last or error}") from None
    found = json.loads(answer.stdout)
    place = path(folder, str(found["tensorflow"]))
    place.parent.mkdir(parents=True, exist_ok=True)
    data = {"format": FORMAT, "version": VERSION, **found}
    place.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    return place
