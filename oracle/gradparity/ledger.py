"""The ledger: known divergences of an implementation, held to in every particular.

A case knows no implementation, so what an implementation is known to do otherwise stands
beside it: in `known_divergences.yaml` in its package, or in `NAME.known_divergences.yaml`
beside a module that is a single file. The ledger excuses a difference only as long as it is
just the one described; everything else that has become of an entry fails the run.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from gradparity.judge.verdict import Kind, Verdict, Word
from gradparity.language import yaml_source
from gradparity.language.check import Check, Position
from gradparity.language.problems import CaseErrors, CaseProblem, nearest
from gradparity.language.yaml_source import DataPath, Document
from gradparity.program import Profile
from gradparity.results import CheckResult

FILE_NAME = "known_divergences.yaml"
UNSUPPORTED = Word.UNSUPPORTED.value
KINDS = (*(kind.value for kind in Kind), UNSUPPORTED)
"""How a check can be known to diverge: in a kind of difference, or for want of an op."""

EMPTY = """\
# Where this implementation is known to differ from TensorFlow: docs/ledger.md.
divergences: []
"""


@dataclass(frozen=True)
class Divergence:
    """One entry: checks that are known to differ, how, and why that is borne.

    Attributes:
      checks: a pattern for their ids, see `matches`.
      kinds: every kind of difference that they show, no more and no fewer; of `KINDS`.
      reason: why.
      position: where the entry stands.
      profiles: the profiles that it speaks of; empty for all.
      oracles: patterns of the TensorFlow versions that it speaks of; empty for all.
      match: a regular expression to be found in the reason of the verdict, or None.
      link: where more is to be read, or "".
      expires: the first day on which it no longer excuses anything, or None.
    """

    checks: str
    kinds: frozenset[str]
    reason: str
    position: Position
    profiles: Sequence[Profile] = ()
    oracles: Sequence[str] = ()
    match: str | None = None
    link: str = ""
    expires: date | None = None

    def names(self, check: Check) -> bool:
        """Whether it speaks of a check, with one TensorFlow or another."""
        profile = check.program.profile
        return matches(self.checks, check.id) and (not self.profiles or profile in self.profiles)

    def covers(self, check: Check, oracle_version: str) -> bool:
        """Whether it speaks of a check with this TensorFlow."""
        in_scope = any(matches(pattern, oracle_version) for pattern in self.oracles)
        return self.names(check) and (in_scope or not self.oracles)

    def otherwise(self, verdict: Verdict) -> str:
        """In what a difference is not the one described, or ""."""
        found = kinds_of(verdict)
        if found != self.kinds:
            return f"it says {_listed(self.kinds)}, found is {_listed(found)}"
        if self.match is not None and re.search(self.match, verdict.reason) is None:
            return f"{self.match!r} is not found in the difference"
        return ""

    def expired(self, today: date) -> bool:
        """Whether its time is over."""
        return self.expires is not None and today >= self.expires

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.position.path}:{self.position.line}"


@dataclass(frozen=True)
class Ledger:
    """The known divergences of one implementation.

    Attributes:
      path: the file.
      entries: in its order.
    """

    path: Path
    entries: Sequence[Divergence] = ()

    def covering(self, check: Check, oracle_version: str) -> list[Divergence]:
        """The entries that speak of a check with this TensorFlow."""
        return [entry for entry in self.entries if entry.covers(check, oracle_version)]

    def applied(
        self,
        result: CheckResult,
        oracle: Mapping[str, Mapping[str, Any]],
        today: date | None = None,
    ) -> CheckResult:
        """A result as it stands in the light of the ledger.

        A difference becomes `known` when every entry that speaks of the check describes it
        and none has expired; agreement becomes `healed` when any entry speaks of it. What
        could not be compared stays what it is.

        Args:
          result: of one check.
          oracle: profile -> what the oracle said of itself, its "version" above all.
          today: by default the day of the call.
        """
        verdict = result.verdict
        if verdict.word not in (Word.AGREE, Word.DIFFER, Word.UNSUPPORTED):
            return result
        described = oracle.get(result.check.program.profile, {})
        entries = self.covering(result.check, str(described.get("version", "")))
        if not entries:
            return result
        return replace(result, verdict=_in_light_of(entries, verdict, today or date.today()))

    def problems(self, checks: Sequence[Check], today: date | None = None) -> list[str]:
        """What is wrong with entries as such, when all checks of a corpus are known.

        An entry that has expired, and one that speaks of no check, fails the run even though
        no result tells of it.
        """
        today = today or date.today()
        found = []
        for entry in self.entries:
            if not any(entry.names(check) for check in checks):
                profiles = f" in profile {_listed(entry.profiles)}" if entry.profiles else ""
                found.append(
                    f"{entry.place}: no check of the corpus matches {entry.checks!r}{profiles}: "
                    "correct the pattern, or remove the entry"
                )
            elif entry.expired(today):
                found.append(f"{entry.place}: the entry has expired on {entry.expires}")
        return found


def _in_light_of(entries: Sequence[Divergence], verdict: Verdict, today: date) -> Verdict:
    if verdict.word is Word.AGREE:
        entry = entries[0]
        reason = f"{verdict.reason}; {entry.place} says that it differs in {_listed(entry.kinds)}"
        return replace(verdict, word=Word.HEALED, reason=reason)
    for entry in entries:
        if entry.expired(today):
            reason = f"{verdict.reason}; it was known ({entry.place}) until {entry.expires}"
            return replace(verdict, reason=reason)
        otherwise = entry.otherwise(verdict)
        if otherwise:
            reason = f"{verdict.reason}; not as known by {entry.place}: {otherwise}"
            return replace(verdict, reason=reason)
    reason = f"{entries[0].reason} ({entries[0].place}); {verdict.reason}"
    return replace(verdict, word=Word.KNOWN, reason=reason)


def kinds_of(verdict: Verdict) -> frozenset[str]:
    """How a check diverges: every kind of its differences, or that an op is wanting."""
    if verdict.word is Word.UNSUPPORTED:
        return frozenset({UNSUPPORTED})
    return frozenset(difference.kind.value for difference in verdict.differences)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern fits a whole text: `*` for any characters, `?` for one.

    Brackets mean themselves, since ids end in them, so that every id matches itself.
    """
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(character) or re.escape(character) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _listed(words: Iterable[str]) -> str:
    return " and ".join(sorted(words)) or "nothing"


# -- the file ----------------------------------------------------------------------------


def beside(module: str, paths: Sequence[str] = ()) -> Path | None:
    """Where the ledger of an implementation belongs, whether or not it is there.

    The module is found as a worker would find it, but not imported.

    Args:
      module: its dotted name.
      paths: folders put before the module search path.

    Returns:
      None when there is no such module, or it is not made of files.
    """
    places: Sequence[str] | None = [*paths, *sys.path]
    spec = None
    parts = module.split(".")
    for number in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: number + 1]), places)
        if spec is None:
            return None
        places = spec.submodule_search_locations
        if places is None and number < len(parts) - 1:
            return None
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))) / FILE_NAME
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    return Path(spec.origin).with_name(f"{parts[-1]}.{FILE_NAME}")


def load(path: Path) -> Ledger:
    """Reads a ledger.

    Raises:
      CaseErrors: it cannot be read or is not well formed; with every problem found.
    """
    return from_document(yaml_source.read(path))


def from_document(document: Document) -> Ledger:
    """The ledger that a YAML file holds. Raises CaseErrors."""
    data = document.data
    if not isinstance(data, dict) or "divergences" not in data:
        message = "a ledger is a mapping with the key `divergences`, a list of entries"
        raise CaseErrors([document.problem((), message, "`divergences: []` when there are none")])
    problems = [
        document.problem((key,), f"unknown key {key!r}", nearest(key, ["divergences"]), key=True)
        for key in data
        if key != "divergences"
    ]
    listed = data["divergences"]
    if not isinstance(listed, list):
        problems.append(document.problem(("divergences",), "`divergences` must be a list"))
        listed = []
    entries = []
    for number, item in enumerate(listed):
        entry = _entry(document, ("divergences", number), item, problems)
        if entry is not None:
            entries.append(entry)
    if problems:
        raise CaseErrors(sorted(problems, key=lambda p: (p.position.line, p.position.column)))
    return Ledger(document.path, tuple(entries))


class _Unfit(ValueError):
    """A value that does not fit its key; the message says what would."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Unfit("must be text that is not empty")
    return value.strip()


def _words(allowed: Sequence[str]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        words = value if isinstance(value, list) else [value]
        wrong = [word for word in words if word not in allowed]
        if wrong or not words:
            hint = nearest(str(wrong[0]), allowed) if wrong else ""
            raise _Unfit(f"must be one or a list of {', '.join(allowed)}{hint and '; ' + hint}")
        return tuple(words)

    return read


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise _Unfit("must not be an empty list")
    if not all(isinstance(item, str) for item in items):
        raise _Unfit('must be one or a list of texts, in quotes: "2.21.*"')
    return tuple(map(_text, items))


def _expression(value: Any) -> str:
    try:
        re.compile(_text(value))
    except re.error as error:
        raise _Unfit(f"must be a regular expression: {error}") from None
    return _text(value)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Unfit("must be a day, YYYY-MM-DD") from None


REQUIRED_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "checks": _text,
    "kind": _words(KINDS),
    "reason": _text,
}
OPTIONAL_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "profiles": _words(("tf1", "v2")),
    "oracles": _texts,
    "match": _expression,
    "link": _text,
    "expires": _day,
}
KEYS = {**REQUIRED_KEYS, **OPTIONAL_KEYS}


def _entry(
    document: Document, path: DataPath, item: Any, problems: list[CaseProblem]
) -> Divergence | None:
    """One entry; None when there is a problem with it, which is added to `problems`."""
    if not isinstance(item, dict):
        message = f"an entry is a mapping with the keys {', '.join(REQUIRED_KEYS)}"
        problems.append(document.problem(path, message))
        return None
    before = len(problems)
    values = {}
    for key, value in item.items():
        if key not in KEYS:
            hint = nearest(key, KEYS) or f"the keys are {', '.join(KEYS)}"
            problems.append(document.problem((*path, key), f"unknown key {key!r}", hint, key=True))
            continue
        try:
            values[key] = KEYS[key](value)
        except _Unfit as error:
            problems.append(document.problem((*path, key), f"`{key}` {error}"))
    problems += [
        document.problem(path, f"the entry has no `{key}`")
        for key in REQUIRED_KEYS
        if key not in item
    ]
    if len(problems) > before:
        return None
    kinds = frozenset(values.pop("kind"))
    return Divergence(kinds=kinds, position=document.position(path), **values)


# -- writing -----------------------------------------------------------------------------


def extended(text: str, path: Path, entries: Iterable[Mapping[str, Any]]) -> str:
    """The text of a ledger with entries added at its end; what was there stays as it was.

    Args:
      text: of the file, which is well formed.
      path: its place, for messages.
      entries: keys and values as they are written.

    Raises:
      ValueError: the file is written in a way that cannot be added to.
    """
    added = list(entries)
    document = yaml_source.parse(text, path)
    before = from_document(document).entries
    if before:
        # The place of an entry is that of its first key, behind "- ".
        place = document.places[("divergences", 0)]
        indent = " " * (place.column - 3)
        new = text.rstrip("\n") + "\n"
    else:
        indent = "  "
        new = re.sub(r"(?m)^divergences:[^#\n]*", "divergences:", text.rstrip("\n")) + "\n"
    new += "".join(_rendered(entry, indent) for entry in added)
    try:
        after = from_document(yaml_source.parse(new, path)).entries
    except CaseErrors:
        after = ()
    stable = [replace(entry, position=Position(path, 0, 0)) for entry in after[: len(before)]]
    if len(after) != len(before) + len(added) or stable != [
        replace(entry, position=Position(path, 0, 0)) for entry in before
    ]:
        raise ValueError(
            f"{path} cannot be added to: write `divergences` as a block list at the end of the file"
        )
    return new


def _rendered(entry: Mapping[str, Any], indent: str) -> str:
    lines = [f"{key}: {_yaml(value)}" for key, value in entry.items()]
    return "".join(
        f"{indent}{'  ' if number else '- '}{line}\n" for number, line in enumerate(lines)
    )


def _yaml(value: Any) -> str:
    """A text, or a list of texts, on one line; JSON is YAML."""
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z-]*", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def entries_for(
    pattern: str,
    checks: Sequence[Mapping[str, Any]],
    details: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """The entries that make known what the checks of a report do otherwise.

    One entry for all when all checks that match differ in the same way; else one for each
    that differs, since an entry that speaks of a check that agrees would be healed.

    Args:
      pattern: of check ids.
      checks: the checks of a report.json, whatever they came to.
      details: the other keys of an entry; empty values are left out.
    """
    matching = [check for check in checks if matches(pattern, check["id"])]
    diverging = [check for check in matching if check["verdict"] in DIVERGING]
    given = {key: value for key, value in details.items() if value}
    ways = {tuple(_reported_kinds(check)) for check in diverging}
    if len(diverging) == len(matching) and len(ways) == 1:
        yield {"checks": pattern, "kind": _one_or_list(next(iter(ways))), **given}
        return
    for check in diverging:
        yield {"checks": check["id"], "kind": _one_or_list(_reported_kinds(check)), **given}


DIVERGING = (Word.DIFFER.value, UNSUPPORTED)
"""The verdicts that an entry can make known."""


def _reported_kinds(check: Mapping[str, Any]) -> Sequence[str]:
    if check["verdict"] == UNSUPPORTED:
        return [UNSUPPORTED]
    found = {difference["kind"] for difference in check["differences"]}
    return [kind for kind in KINDS if kind in found]


def _one_or_list(words: Sequence[str]) -> str | list[str]:
    return words[0] if len(words) == 1 else list(words)
