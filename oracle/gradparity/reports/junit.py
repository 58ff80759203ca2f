"""JUnit XML: a run as the test results that CI systems read.

There is no one schema. This is valid by the two that are checked against in practice: Jenkins'
junit-10.xsd, whose xUnit plugin drops a file that is not, and Ant's as Windy Road wrote it down.
Between them they leave no room for `file` and `line` of a test case: the file is a property of
its suite, and both stand in a failure's text. What fails a run is never called "skipped", which
would look green.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from xml.etree import ElementTree

from gradparity.judge.verdict import Word
from gradparity.reports import wording
from gradparity.reports.failure import failure_text
from gradparity.reports.places import Places

Json: TypeAlias = dict[str, Any]

# Of these nothing is known about the implementation; any other that fails is a failure of it.
ERRORS = {Word.CRASHED, Word.TIMED_OUT, Word.INVALID, Word.UNCHECKED}
BODY = 10_000  # characters of one failure's text
MESSAGE = 1_000


def junit(document: Json, places: Places) -> str:
    """A document as JUnit XML: a test suite for each case, a test case for each check.

    Of a check `classname` is its case, with dots for slashes; `name` its id; `time` the seconds
    that both sides took. A known divergence passes, and its suite's `system-out` says what is
    known. What fails the run beside its checks is a suite of its own, "run".
    """
    names = wording.names(document)
    checks = defaultdict(list)
    for check in document["checks"]:
        checks[check["file"], check["case"]].append(check)
    root = ElementTree.Element("testsuites")
    for case in document["cases"]:
        own = checks[case["file"], case["name"]]
        cases = [_test_case(check, case, names, places) for check in own]
        properties = {"about": case["about"], "source": case["source"]}
        if own:
            properties = {"file": places.file(own[0]), **properties}
        _add_suite(root, document, case["name"], cases, properties, _known(own))
    problems = [_problem(kind, text) for kind, text in wording.run_problems(document)]
    if problems:
        _add_suite(root, document, "run", problems)
    ElementTree.indent(root, "")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_suite(
    root: ElementTree.Element,
    document: Json,
    name: str,
    cases: Sequence[ElementTree.Element],
    properties: Mapping[str, str] | None = None,
    output: str = "",
) -> None:
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        id=str(len(root)),
        package="gradparity",
        name=_text(name),
        hostname="localhost",
        timestamp=document["started_at"][:19],  # both schemas leave the time zone out
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped="0",
        time=_seconds(sum(float(case.get("time", "0")) for case in cases)),
    )
    listed = ElementTree.SubElement(suite, "properties")
    for key, value in (properties or {}).items():
        ElementTree.SubElement(listed, "property", name=key, value=_text(value))
    suite.extend(cases)
    ElementTree.SubElement(suite, "system-out").text = _text(output)
    ElementTree.SubElement(suite, "system-err").text = ""


def _known(checks: Sequence[Json]) -> str:
    """What is known of checks that pass though they differ, a line for each."""
    known = [check for check in checks if check["verdict"] == Word.KNOWN.value]
    return "".join(f"{c['id']}: known: {wording.one_line(c['reason'], MESSAGE)}\n" for c in known)


def _test_case(
    check: Json, case: Json, names: Mapping[str, str], places: Places
) -> ElementTree.Element:
    word, page = Word(check["verdict"]), places.page(check)
    element = ElementTree.Element(
        "testcase",
        classname=_text(check["case"].replace("/", ".")),
        name=_text(check["id"]),
        time=_seconds(wording.seconds(check)),
    )
    if not word.passes:
        found = ElementTree.SubElement(
            element,
            "error" if word in ERRORS else "failure",
            type=word.value if check["kind"] is None else f"{word.value}: {check['kind']}",
            message=_text(wording.one_line(check["reason"], MESSAGE)),
        )
        more = "" if page is None else f"\nreport: {page}\n"
        found.text = _text(_cut(failure_text(check, case, names)) + more)
    return element


def _problem(kind: str, text: str) -> ElementTree.Element:
    """Something that fails the run though no check does."""
    element = ElementTree.Element(
        "testcase", classname="run", name=_text(f"{kind}: {text}"), time=_seconds(0)
    )
    tag = "error" if kind == "run" else "failure"
    ElementTree.SubElement(element, tag, type=kind, message=_text(text)).text = _text(text)
    return element


def _cut(text: str) -> str:
    return text if len(text) <= BODY else f"{text[:BODY]}\nCut here; complete in report.json.\n"


def _seconds(seconds: float) -> str:
    """To the millisecond, which is what the schemas have room for."""
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    """Text less what XML cannot hold: control characters and their like are spelled out."""
    return re.sub("[\ufffe\uffff]", lambda c: f"\\u{ord(c[0]):x}", wording.printable(text))
