"""The text of a failure: a good bug report, from a result or from a report.json."""

import numpy as np

from gradparity.judge.verdict import Word
from gradparity.reports.legend import LEGEND


def test_a_failure_reads_like_a_bug_report(make, told):
    assert told(make.differing(), {"oracle": "TensorFlow", "implementation": "numpy_tf"}) == (
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


def test_an_error_on_one_side_is_shown_with_stage_and_line(make, told):
    text = told(make.raising())
    assert "TensorFlow raised ValueError in tf.gradients, line 1: Shapes must be equal" in text
    assert "implementation  float32 [3]  [1.0, 2.0, 4.0]" in text


def test_rows_of_a_matrix_stand_under_each_other(make, told):
    matrix = make.outcome(make.dense(np.float32([[1, 2], [3, 4]])))
    text = told(make.result(Word.DIFFER, "Why.", matrix, None))
    assert "  TensorFlow      float32 [2, 2]\n                  [[1.0, 2.0],\n" in text
    assert "                   [3.0, 4.0]]" in text
    assert "implementation gave no answer" in text


def test_text_of_strangers_cannot_command_the_terminal(make, told):
    evil = make.differing(reason="clear \x1b[2J screen", query="\x1b]0;title\x07")
    assert "\x1b" not in told(evil)
