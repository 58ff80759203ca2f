"""Changes: which checks did worse or better in a run than in an earlier one, as plain data.

`document` puts what `since` returns under the key "changes" of report.json, and all reports
render it from there:

    changes = document.get("changes")     # reports of earlier versions have none
    if changes and changes["started_at"]: # else there was nothing to compare with
        line = headline(changes)          # "3 worse, 1 better since the last run, 2026-…"
        for entry in changes["worse"]:
            entry["id"], entry["before"], entry["after"], entry["causes"]

The earlier run is the one whose report a run found in its folder (`set_aside`, `last_run`), or
a report that was named as the baseline, read with `comparison.report.read`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gradparity.comparison.compare import Cause, CheckChange, Turn, compare
from gradparity.comparison.report import Report, ReportError, read
from gradparity.judge.verdict import Rule, Word
from gradparity.reports.wording import moment

Json: TypeAlias = dict[str, Any]

MEANINGS = {
    "worse": "passed and no longer does",
    "better": "failed and passes",
    "otherwise": "another verdict, no better and no worse",
    "looser": "agrees, but no longer as exactly",
    "stricter": "agrees more exactly than before",
    "new": "not in the earlier run",
    "gone": "in the earlier run alone: removed, or not selected",
}
"""The lists of checks under "changes", the most urgent first, and what a check in them is."""

LAST = "report.last.json"  # in a report folder: the report of the run before
CLOSING = 200  # bytes at the end of a report.json that hold its closing record

STRICTNESS = [rule.value for rule in Rule]
TURNS = {Turn.WORSE: "worse", Turn.BETTER: "better", Turn.OTHERWISE: "otherwise"}


def since(earlier: Report | None, document: Json, baseline: str | None = None) -> Json:
    """What changed from an earlier run to this one.

    Every key is always there, and between runs with equal results nothing but "started_at"
    varies: without an earlier run, and when nothing changed, all lists are empty.

    Args:
      earlier: its report; None: there was none.
      document: of this run, with its "end" when it ended.
      baseline: what to call the earlier report where it was named by the caller; None: it is
        the run before this one.

    Returns:
      "started_at": of the earlier run, or None; "baseline"; "settings": what those who
      answered say of themselves otherwise; and for each key of `MEANINGS` a list of checks,
      in the order of the run: "id"; "before" and "after", a verdict, or where both agree the
      rule by which they do, or None where the check was not there; and "causes".
    """
    found: Json = {
        "started_at": None,
        "baseline": baseline,
        "settings": [],
        **{name: [] for name in MEANINGS},
    }
    if earlier is None:
        return found
    comparison = compare(earlier, Report(Path(), document))
    changed = {change.id: change for change in comparison.changed}
    found["started_at"] = earlier.document.get("started_at", "an unknown time")
    found["settings"] = [
        {
            "side": setting.side,
            "profiles": list(setting.profiles),
            "name": setting.name,
            "before": setting.before,
            "after": setting.after,
        }
        for setting in comparison.settings
    ]
    for change in comparison.changed:
        name = _list_of(change)
        if name is not None:
            found[name].append(_entry(change.id, *change.verdicts, change.causes))
    before = earlier.checks
    for check in document["checks"]:
        rules = agreement(before.get(check["id"])), agreement(check)
        if None not in rules and rules[0] != rules[1]:
            looser = STRICTNESS.index(str(rules[1])) > STRICTNESS.index(str(rules[0]))
            known = changed.get(check["id"])
            causes = known.causes if known is not None else (Cause.JUDGE,)
            found["looser" if looser else "stricter"].append(_entry(check["id"], *rules, causes))
    return found


def _list_of(change: CheckChange) -> str | None:
    if Cause.NEW in change.causes:
        return "new"
    return "gone" if Cause.GONE in change.causes else TURNS.get(change.turn)


def _entry(id: str, before: str | None, after: str | None, causes: Iterable[Cause]) -> Json:
    return {"id": id, "before": before, "after": after, "causes": [c.value for c in causes]}


def agreement(check: Mapping[str, Any] | None) -> str | None:
    """The loosest rule by which a tensor of a check that agrees does; None without one."""
    if check is None or check["verdict"] != Word.AGREE.value:
        return None
    rules = [c["rule"] for c in check.get("comparisons", ()) if c["rule"] is not None]
    return max(rules, key=STRICTNESS.index, default=None)


def set_aside(folder: Path) -> None:
    """Makes the report in a folder the last run's, now that another run begins there.

    That of a run that did not end is removed: what was set aside before it stays, so that a
    run that is interrupted and resumed is compared with the one before it.

    Raises:
      OSError: the files cannot be changed.
    """
    report = folder / "report.json"
    if not report.exists():
        return
    with report.open("rb") as file:
        file.seek(max(0, report.stat().st_size - CLOSING))
        ended = b'\n"end": ' in file.read()
    if ended:
        report.replace(folder / LAST)
    else:
        report.unlink()


def last_run(folder: Path) -> Report | None:
    """The report that was set aside in a folder; None when there is none.

    One that cannot be read, by this version or at all, is as none: no run should fail for it.
    """
    try:
        report = read(folder / LAST)
    except ReportError:
        return None
    return report if report.is_whole else None


def headline(changes: Json) -> str:
    """The changes in one sentence; "" when there was no earlier run to compare with."""
    if not changes["started_at"]:
        return ""
    since_when = f"since the {earlier_name(changes)}, {moment(changes['started_at'])}."
    return f"{counts(changes)} {since_when}"


def counts(changes: Json) -> str:
    """How many checks did what: "3 worse, 20 new (1 fails)", "Nothing changed"."""
    failing = sum(not Word(entry["after"]).passes for entry in changes["new"])
    fail = f" ({failing:,} {'fails' if failing == 1 else 'fail'})" if failing else ""
    found = [
        f"{len(changes[name]):,} {name}{fail if name == 'new' else ''}"
        for name in MEANINGS
        if changes[name]
    ]
    return ", ".join(found) or "Nothing changed"


def earlier_name(changes: Json) -> str:
    """What the earlier run is called: "last run", "baseline main/report.json"."""
    return f"baseline {changes['baseline']}" if changes["baseline"] else "last run"


def causes_text(entry: Json) -> str:
    """Why a check changed: "another oracle, the implementation"; "" for new ones and gone."""
    from gradparity.reports.comparison import CAUSES  # it imports those that use this module

    told = [Cause(cause) for cause in entry["causes"]]
    return ", ".join(CAUSES[cause] for cause in told if cause not in (Cause.NEW, Cause.GONE))


def any_told(changes: Json) -> bool:
    """Whether anything changed, checks or those who answered."""
    return bool(changes["settings"]) or any(changes[name] for name in MEANINGS)


def setting_line(setting: Json) -> str:
    """What a side says of itself otherwise: "oracle, version (tf1): 2.20.0 → 2.21.0"."""
    profiles = ", ".join(setting["profiles"])
    return (
        f"{setting['side']}, {setting['name']} ({profiles}): "
        f"{setting['before']} → {setting['after']}"
    )
