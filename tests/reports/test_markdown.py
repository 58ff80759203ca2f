"""report.md: bounded, honest about what it leaves out, and closed to what it quotes."""

import re

import numpy as np
import pytest

from gradparity.judge.verdict import Word
from gradparity.reports.document import document
from gradparity.reports.markdown import LIMIT, code_span, fenced, markdown, prose

EVIL = "</summary></details><script>alert(1)</script>\n```\n# heading | cell *bold* @somebody"


def outside_of_fences(text):
    """The text less its code blocks, found as Markdown finds them."""
    kept, fence = [], None
    for line in text.splitlines():
        mark = re.match("`{3,}", line)
        if fence is None and mark:
            fence = mark[0]
        elif fence is not None:
            if re.fullmatch(f"{fence}`*", line):
                fence = None
        else:
            kept.append(line)
    assert fence is None, "a code block is left open"
    return "\n".join(kept)


def test_a_failure_shows_its_reason_sentence_code_values_and_script(make):
    text = markdown(document(make.run(make.agreeing(), make.differing())))
    assert text.startswith("### gradparity: 1 of 2 checks fails.\n")
    for part in (
        "| ≠ differ | 1 |",
        "TensorFlow 2.21.0 (tf1, v2) against numpy&#95;tf 0.1.0",
        "gradient 0 (w1) differs in 1 of 3 values.",
        "grad&#95;ys weights each y",
        "`cases/tutorial/weighted_sum.yaml:14:5`",
        "z2 = tf.stop_gradient(z1)",
        "TensorFlow  float32 [3]  [1.0, 2.0, 3.0]",
        "numpy_tf    float32 [3]  [1.0, 2.0, 4.0]",
        "import tensorflow.compat.v1 as tf",
    ):
        assert part in text, part
    assert text.count("<details>") == text.count("</details>") == 1


def test_every_failing_verdict_word_is_told(make):
    text = markdown(document(make.every_word()))
    for word in Word:
        assert (f"A reason for {word.value}." in text) is not word.passes
        assert f" {word.value} |" in text


def test_quoted_text_cannot_break_out(make):
    evil = make.case(about=EVIL, graph=EVIL, name="a/" + EVIL)
    result = make.result(
        Word.DIFFER,
        EVIL,
        make.outcome(make.dense(np.array([EVIL.encode()], object))),
        None,
        of=evil,
        query=EVIL,
    )
    outside = outside_of_fences(markdown(document(make.run(result))))
    assert "<script" not in outside
    assert "@somebody" not in outside
    assert "*bold*" not in outside
    assert outside.count("</details>") == outside.count("</summary>") == 1
    assert not re.search("^# ", outside, re.MULTILINE)


@pytest.mark.parametrize("text", ["", "`", "```", "a ````` b", "x\n```\ny", "no ticks"])
def test_code_stays_inside_its_fence(text):
    assert outside_of_fences(fenced(text) + "\nafter").strip() == "after"


@pytest.mark.parametrize(
    ("text", "span"), [("a.b:3", "`a.b:3`"), ("a `b` ``c``", "``` a `b` ``c`` ```")]
)
def test_code_stays_inside_its_span(text, span):
    assert code_span(text) == span


def test_prose_means_itself():
    assert prose("a_b <i> & *c*\n`d`") == "a&#95;b &lt;i&gt; &amp; &#42;c&#42; &#96;d&#96;"


def test_ten_thousand_failures_stay_within_the_bound_and_are_accounted_for(make):
    text = markdown(document(make.many(checks=10_000, failing_every=1)))
    assert LIMIT * 0.8 < len(text) <= LIMIT
    folded = text.count("<details>")
    listed = len(re.findall("^- ≠ differ", text, re.MULTILINE))
    note = re.search(r"([\d,]+) of 10,000 failing checks are listed .* ([\d,]+) are left", text)
    assert note is not None
    assert int(note[1].replace(",", "")) == listed > 10
    assert int(note[2].replace(",", "")) == 10_000 - folded - listed
    assert "report.html" in text


def test_one_huge_failure_stays_within_the_bound(make):
    huge = make.case(graph="x = tf.add(x, x)\n" * 10_000, about="word " * 10_000)
    values = make.dense(np.arange(100_000.0))
    result = make.result(
        Word.DIFFER, "r" * 100_000, make.outcome(values, ys=[values] * 300), None, of=huge
    )
    text = markdown(document(make.run(result)))
    assert len(text) <= LIMIT
    assert "complete in report.json" in text
    outside_of_fences(text)
