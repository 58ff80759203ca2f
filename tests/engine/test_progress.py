"""Progress: shown on a terminal alone, with what is waited for."""

import io
from collections import Counter

import pytest
from rich.console import Console

from gradparity.commands.progress import UnderWay, progress, status
from gradparity.judge.verdict import Verdict, Word
from gradparity.results import CheckResult


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


@pytest.fixture
def checks(check):
    return [check(f"a::{n}") for n in range(4)] + [check(f"v::{n}", profile="v2") for n in range(2)]


def test_the_earliest_check_without_a_result_is_waited_for(checks):
    now = [0.0]
    under_way = UnderWay(checks, lambda: now[0])
    now[0] = 2.0
    assert under_way.waited() == ("a::0", 2.0)
    under_way.done(checks[4])
    now[0] = 3.0
    under_way.done(checks[1])  # another worker was quicker
    assert under_way.waited() == ("a::0", 3.0)
    under_way.done(checks[0])
    assert under_way.waited() == ("v::1", 1.0)
    under_way.done(checks[5])
    assert under_way.waited() == ("a::2", 0.0)


def test_at_last_nothing_is_waited_for(checks):
    under_way = UnderWay(checks)
    for check in reversed(checks):
        assert under_way.waited() is not None
        under_way.done(check)
    assert under_way.waited() is None


@pytest.mark.parametrize(
    ("counts", "waited", "line"),
    [
        ({}, ("a::0", 4.2), "starting both sides: 4 s"),
        ({"agree": 1234, "differ": 1}, ("a::7", 0.1), "1,234 agree, 1 differ; a::7"),
        ({"agree": 5}, ("a::7", 41.9), "5 agree; 42 s on a::7"),
        ({"agree": 5}, None, "5 agree; all are judged; looking into those that fail"),
    ],
)
def test_the_line_below_the_bar(counts, waited, line):
    assert status(Counter(counts), waited) == line


@pytest.mark.parametrize("width", [80, 40, 20])
def test_a_failure_is_shown_as_it_comes(checks, width):
    stream = Screen()
    console = Console(file=stream, width=width, height=24, force_terminal=True)
    with progress(console, checks, quiet=False) as on_result:
        for check in checks:
            word = Word.DIFFER if check.id == "a::1" else Word.AGREE
            on_result(CheckResult(check, None, None, Verdict(word, "Why.")))
    assert "differ" in stream.getvalue()
    assert "a::1" in stream.getvalue()
    assert "a::2" not in stream.getvalue().replace("0 s on a::2", "").split("differ")[0]


@pytest.mark.parametrize(("stream", "quiet"), [(io.StringIO(), False), (Screen(), True)])
def test_a_pipe_and_a_quiet_run_show_nothing(checks, stream, quiet):
    with progress(Console(file=stream, force_terminal=True), checks, quiet) as on_result:
        on_result(CheckResult(checks[0], None, None, Verdict(Word.DIFFER, "Why.")))
    assert stream.getvalue() == ""
