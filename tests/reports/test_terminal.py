"""The terminal: one screen for a run."""

import io
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from gradparity import selection
from gradparity.comparison.report import Report
from gradparity.judge.verdict import Word
from gradparity.reports.document import document
from gradparity.reports.legend import LEGEND
from gradparity.reports.terminal import summary
from gradparity.reports.wording import duration, percentage


def printed(run, folder=None, **settings):
    stream = io.StringIO()
    summary(document(run), Console(file=stream, width=100, **settings), folder)
    return stream.getvalue()


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def shown(run, width, height):
    """The lines of a screen of this size that the summary takes."""
    stream = Screen()
    console = Console(
        file=stream, width=width, height=height, color_system=None, force_terminal=True
    )
    summary(document(run), console)
    lines = stream.getvalue().splitlines()
    return [line[n : n + width] for line in lines for n in range(0, max(len(line), 1), width)]


def test_a_run_that_passes_says_so_and_by_whom(make, in_tmp):
    text = printed(make.run(*[make.agreeing()] * 41), in_tmp / "reports")
    assert text.splitlines() == [
        "All 41 checks agree.",
        "  checks    41 agree; 1 case",
        "  exactness 100% bit for bit (41 of 41 agreeing checks with values to compare)",
        "  versions  TensorFlow 2.21.0 (tf1, v2) against numpy_tf 0.1.0",
        "  time      12.3 s",
        "  report    reports/report.html",
    ]


def test_failures_are_named_with_place_and_reason_and_what_to_do(make):
    text = printed(make.run(make.agreeing(), make.differing()))
    assert "1 of 2 checks fails." in text
    assert (
        "differ          cases/tutorial/weighted_sum.yaml:14  tutorial/weighted_sum::z1~w1" in text
    )
    assert "gradient 0 (w1) differs in 1 of 3 values." in text
    assert LEGEND[Word.DIFFER].advice in text


def test_many_failures_still_fit_a_screen(make):
    text = printed(make.many(checks=1000, failing_every=1))
    assert "... and 990 more" in text
    assert len(text.splitlines()) < 35


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (132, 43), (60, 24)])
@pytest.mark.parametrize("failing", [0, 1, 2, 7, 1000])
def test_a_summary_fits_its_screen(make, width, height, failing):
    agreeing = [make.agreeing(query=f"ok{n}") for n in range(50)]
    differing = [make.differing(query=f"q{n}~" + "w1," * 20) for n in range(failing)]
    record = make.run(*agreeing, *differing)
    record.unblamed = failing
    assert len(shown(record, width, height)) < height


def test_a_summary_uses_the_screen_that_it_has(make):
    run = make.run(*(make.differing(query=f"q{n}") for n in range(30)))
    assert sum("::q" in line and "differ" in line for line in shown(run, 80, 24)) >= 6
    assert sum("in 1 of 3 values" in line for line in shown(run, 120, 60)) == 10


def test_on_a_narrow_screen_failures_are_still_named(make):
    found = shown(make.run(*(make.differing(query=f"q{n}") for n in range(9))), 40, 20)
    assert found[0].startswith("differ          tutorial/weighted_s")
    assert any("... and 6 more" in line for line in found)


def test_a_command_can_be_copied_from_a_narrow_screen(make):
    stream = Screen()
    run = document(make.run(make.differing(query="z (1 + 2)~w1")))
    summary(run, Console(file=stream, width=40, color_system=None, force_terminal=True))
    text = stream.getvalue()
    assert "gradparity explain 'tutorial/weighted_sum::z (1 + 2)~w1'" in text
    assert (
        "gradparity run cases/tutorial/weighted_sum.yaml -k 'tutorial/weighted_sum::z 1 + 2 ~w1'"
        in text
    )


def test_the_command_that_runs_it_again_has_the_same_sides_and_finds_the_check(make):
    failing = make.differing(query="z (1 + 2)~w1")
    run = make.run(failing)
    run.implementation = {"tf1": {**run.implementation["tf1"], "namespace": "your_tf"}}
    run.oracle = {"tf1": {**run.oracle["tf1"], "recorded": True}}
    command = next(line for line in printed(run).splitlines() if "gradparity run" in line)
    arguments = shlex.split(command)[2:]
    assert arguments[:2] == ["cases/tutorial/weighted_sum.yaml", "-k"]
    assert arguments[3:] == ["--impl", "your_tf", "--oracle", "recorded"]
    assert selection.parse(arguments[2])(failing.check.id)


def test_what_changed_is_told(make):
    before = Report(Path("main.json"), document(make.run(make.agreeing())))
    stream = io.StringIO()
    data = document(make.run(make.differing()), before, "main.json")
    summary(data, Console(file=stream, width=100))
    assert "  changes   1 worse since the baseline main.json" in stream.getvalue()


def test_a_check_that_took_long_is_named(make):
    slow = make.agreeing(query="slow")
    slow = replace(slow, oracle=replace(slow.oracle, seconds={"run": 12.3}))
    text = printed(make.run(make.agreeing(), slow))
    assert "            longest 12.3 s: tutorial/weighted_sum::slow" in text


@pytest.mark.parametrize("word", [word for word in Word if not word.passes])
def test_each_failing_word_advises(make, word):
    assert LEGEND[word].advice in printed(make.run(make.result(word, "Why.")))


def test_a_run_that_judged_nothing_is_not_called_green(make):
    assert printed(make.run()).startswith("Nothing was judged")


def test_an_interrupted_run_is_not_called_green(make):
    record = replace(make.run(make.agreeing(), make.agreeing()), interrupted=True)
    text = printed(record, force_terminal=True, color_system="standard")
    assert "\x1b[1;31mInterrupted after 2 checks: 2 agree." in text


def test_tensorflow_against_itself_has_two_names(make):
    run = make.run(make.agreeing())
    text = printed(replace(run, implementation={"tf1": run.oracle["tf1"]}))
    assert "TensorFlow 2.21.0 (tf1, v2) against tensorflow.compat.v1 2.21.0" in text


def test_what_fails_a_run_though_all_checks_agree_is_said_at_once(make):
    run = make.run(*[make.agreeing()] * 3)
    assert printed(replace(run, ledger_problems=["a", "b"])).startswith(
        "All 3 checks agree. 2 problems in the ledger fail the run.\n"
    )
    assert printed(replace(run, truth_problems=["a"])).startswith(
        "All 3 checks agree. 1 declaration that the arbiter denies fails the run.\n"
    )


def test_known_divergences_are_counted_apart(make):
    assert "2 checks pass: 1 agree, 1 known." in printed(
        make.run(make.agreeing(), make.result(Word.KNOWN, "As the ledger says."))
    )


def test_colour_is_used_on_a_terminal_and_can_be_turned_off(make):
    run = make.run(make.differing())
    assert "\x1b[31m" in printed(run, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(run)
    assert "\x1b[3" not in printed(run, force_terminal=True, no_color=True)


def test_text_of_strangers_cannot_command_the_terminal(make):
    evil = make.differing(reason="clear \x1b[2J screen", query="\x1b]0;title\x07")
    assert "\x1b" not in printed(make.run(evil))


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(3, 3, "100%"), (99_999, 100_000, "99.9%"), (1, 100_000, "0.1%"), (0, 5, "0.0%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part, whole, text):
    assert percentage(part, whole) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12.3 ms"), (1.26, "1.3 s"), (200, "3 min 20 s"), (0, "0 ms")],
)
def test_durations_are_short(seconds, text):
    assert duration(seconds) == text
