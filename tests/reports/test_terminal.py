"""The terminal: one screen for a run, a good bug report for a failure."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from gradparity.judge.verdict import Word
from gradparity.reports.legend import LEGEND
from gradparity.reports.terminal import failure_text, summary
from gradparity.reports.wording import duration, percentage


def printed(run, folder=None, **settings):
    stream = io.StringIO()
    summary(run, Console(file=stream, width=100, **settings), folder)
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


def test_a_failure_reads_like_a_bug_report(make):
    assert failure_text(
        make.differing(), {"oracle": "TensorFlow", "implementation": "numpy_tf"}
    ) == (
        """\
DIFFER: gradient 0 (w1) differs in 1 of 3 values.

tutorial/weighted_sum::z1~w1
cases/tutorial/weighted_sum.yaml:14:5
grad_ys weights each y before the sum over ys is differentiated.

graph:
    z1 = w1 * w2  # weighted
    z2 = tf.stop_gradient(z1)

gradient 0 (w1)
  TensorFlow  float32 [3]  [1.0, 2.0, 3.0]
  numpy_tf    float32 [3]  [1.0, 2.0, 4.0]
y 0 (z1)
  TensorFlow  float32 []  6.0
  numpy_tf    float32 []  6.0

first difference:
    gradient 0 (w1), value at [2]: TensorFlow 3.0, numpy_tf 4.0 (1 of 3 differ; worst 4194304 ulp)

standalone script:
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()

    with tf.Graph().as_default(), tf.Session() as sess:
        z1 = w1 * w2  # weighted
        z2 = tf.stop_gradient(z1)
        ys = [z1]
        xs = [w1]
        feeds = {}

        gradients = []
        sess.run(tf.global_variables_initializer(), feeds)
        print("ys:", sess.run(ys, feeds))
        print("gradients:", [
            None if g is None else sess.run(g, feeds) for g in gradients
        ])

next: """
        + LEGEND[Word.DIFFER].advice
        + "\n"
    )


def test_an_error_on_one_side_is_shown_with_stage_and_line(make):
    text = failure_text(make.raising())
    assert "TensorFlow raised ValueError in tf.gradients, line 1: Shapes must be equal" in text
    assert "implementation  float32 [3]  [1.0, 2.0, 4.0]" in text


def test_rows_of_a_matrix_stand_under_each_other(make):
    matrix = make.outcome(make.dense(np.float32([[1, 2], [3, 4]])))
    text = failure_text(make.result(Word.DIFFER, "Why.", matrix, None))
    assert "  TensorFlow      float32 [2, 2]\n                  [[1.0, 2.0],\n" in text
    assert "                   [3.0, 4.0]]" in text
    assert "implementation gave no answer" in text


def test_text_of_strangers_cannot_command_the_terminal(make):
    evil = make.differing(reason="clear \x1b[2J screen", query="\x1b]0;title\x07")
    assert "\x1b" not in failure_text(evil) + printed(make.run(evil))


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
