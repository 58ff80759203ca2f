"""report.md: bounded, honest about what it leaves out, and closed to what it quotes."""

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradparity.comparison.report import Report
from gradparity.explain.picture import Box, Edge, Picture
from gradparity.judge.verdict import Word
from gradparity.reports.document import document
from gradparity.reports.markdown import CHANGES, LIMIT, LISTED, code_span, fenced, markdown, prose
from gradparity.reports.places import Places

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


def with_picture(data, boxes=3):
    """The document with the same graph drawn for each check."""
    drawn = Picture(
        [Box(f"box {n}", "Mul", "passed") for n in range(boxes)],
        [Edge(n, n + 1, "flow", "2") for n in range(boxes - 1)],
    )
    for check in data["checks"]:
        check["picture"] = drawn.to_json()
    return data


def test_a_failing_case_has_its_graph_drawn(make):
    text = markdown(with_picture(document(make.run(make.agreeing(), make.differing()))))
    (drawing,) = re.findall("```mermaid\n(.*?)```\n", text, re.DOTALL)
    assert drawing.startswith("flowchart TB\n")
    assert '  n0 <==>|"2"| n1\n' in drawing


def test_a_case_is_told_once_however_many_of_its_checks_fail(make):
    failing = [make.differing(query=f"z1~w1@{n}") for n in range(3)]
    text = markdown(with_picture(document(make.run(*failing))))
    assert text.count("<details>") == 3
    assert text.count("```mermaid") == text.count("z2 = tf.stop_gradient(z1)\n```") == 1
    assert text.count("the case of <code>tutorial/weighted&#95;sum::z1&#126;w1@0</code>") == 2


def test_pictures_count_in_the_bound(make):
    data = with_picture(document(make.many(checks=3000, failing_every=1)), boxes=40)
    text = markdown(data)
    assert len(text) <= LIMIT
    assert text.count("```mermaid") >= 5
    outside_of_fences(text)


def test_a_graph_too_large_is_left_out_whole(make):
    data = with_picture(document(make.run(make.differing())), boxes=1000)
    assert "Its graph is too large for a picture here." in markdown(data)
    assert "```mermaid" not in markdown(data)


def test_links_lead_to_the_report(make):
    data = document(make.run(make.differing()))
    text = markdown(data, Places.of(data, "https://e.org/r"))
    assert "[The whole report](<https://e.org/r/report.html>)" in text
    assert (
        "[Its page in the report](<https://e.org/r/cases/tutorial/weighted_sum.html#z1~w1>)" in text
    )
    assert "](" not in markdown(data)


def test_the_id_of_a_check_can_be_copied_as_it_is(make):
    text = markdown(document(make.run(make.differing(query="z1~w1@w2"))))
    (shown,) = re.findall("<summary>.*?<code>(.*?)</code>", text)
    assert html.unescape(shown) == "tutorial/weighted_sum::z1~w1@w2"


def test_what_changed_is_told_and_what_got_worse_first(make):
    agreeing, differing = make.agreeing, make.differing
    before = make.run(agreeing(query="a"), differing(query="b"), differing(query="c"))
    after = make.run(differing(query="c"), differing(query="a"), agreeing(query="b"))
    earlier = Report(Path("main.json"), document(before))
    text = markdown(document(after, earlier, "main.json"))
    assert "**1 worse, 1 better since the baseline main.json" in text
    assert "<summary>1 worse: passed and no longer does</summary>" in text
    assert "<code>tutorial/weighted&#95;sum::a</code>: agree → differ (" in text
    assert text.index("<summary>≠ differ <code>tutorial/weighted&#95;sum::a") < text.index(
        "<summary>≠ differ <code>tutorial/weighted&#95;sum::c"
    )


def test_that_nothing_changed_is_told(make):
    run = make.run(make.agreeing())
    text = markdown(document(run, Report(Path("main.json"), document(run))))
    assert "Nothing changed since the last run" in text


def test_many_changes_are_counted(make):
    before = make.run(*(make.agreeing(query=f"q{n}") for n in range(100)))
    after = make.run(*(make.differing(query=f"q{n}") for n in range(100)))
    text = markdown(document(after, Report(Path("main.json"), document(before))))
    assert f"- ... and {100 - LISTED} more" in text


def test_long_lists_beside_the_failures_stay_within_the_bound(make):
    before = make.run(*(make.agreeing(query=f"{n}" + "`" * 290) for n in range(100)))
    after = make.run(*(make.differing(query=f"{n}" + "`" * 290) for n in range(100)))
    problems = ["a_" * 5_000] * 1_000
    after = replace(after, ledger_problems=problems, truth_problems=problems)
    text = markdown(document(after, Report(Path("main.json"), document(before))))
    assert len(text) <= LIMIT
    assert text.count("... and 980 more") == 2
    changed = text[text.index("**100 worse") :].split("≠ differ")[0]
    assert len(changed) <= CHANGES + len("\nMore that fail:\n\n- ")


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
    assert "@somebody" not in re.sub("<code>.*?</code>", "", outside)
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
