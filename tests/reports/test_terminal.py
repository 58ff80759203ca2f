"""The terminal: one screen for a run."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from gradparity.judge.verdict import Word
from gradparity.reports.document import document
from gradparity.reports.legend import LEGEND
from gradparity.reports.terminal import summary
from gradparity.reports.wording import duration, percentage


def printed(run, folder=None, **settings):
    stream = io.StringIO()
    summary(document(run), Console(file=stream, width=100, **settings), folder)
    return stream.getvalue()


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
