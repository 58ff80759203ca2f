"""A case's page: picture, values, worst elements, heat maps, times, scripts, ways to go on."""

import base64
import json
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from tests.reports.test_document import validate
from tests.reports.test_pages import EVIL, rendered
from tests.reports.test_picture import case_result

from gradparity.blame.finding import Blame, Fault
from gradparity.judge.judge import judge
from gradparity.judge.verdict import Rule, Verdict, Word
from gradparity.program import Program
from gradparity.reports.code import highlight, query, scripts
from gradparity.reports.document import ELEMENTS, document
from gradparity.reports.elements import WORST, distances, worst
from gradparity.reports.heat_map import LEVELS, heat_map
from gradparity.reports.heat_map import pictures as coloured
from gradparity.reports.pages import pages
from gradparity.reports.tensors import tensor_rows
from gradparity.results import CheckResult

PAGE = "cases/tutorial/weighted_sum.html"
DIAMOND = "cases/tutorial/diamond.html"


def html(run, name=PAGE):
    return pages(document(run))[name]


def judged(make, one, other, **more):
    """A check whose only gradient is `one` by the oracle and `other` by the implementation."""
    answers = [make.outcome(gradient, **more) for gradient in (one, other)]
    check = make.result(oracle=answers[0], implementation=answers[1]).check
    return CheckResult(check, *answers, judge(check, *answers))


def values(make, one, other):
    return judged(make, make.dense(one), make.dense(other))


def words(text):
    """What is read of a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


class TestThePicture:
    def test_shows_flow_stop_and_none_and_says_them(self, make):
        text = html(
            make.run(case_result("tutorial/diamond", "one-edge@c->e")),
            DIAMOND,
        )
        svg = re.search(r"<svg.*?</svg>", text, re.DOTALL).group()
        for kind in ("flow", "stopped", "none", "dropped"):
            assert f'<g class="{kind}">' in svg
            assert f'<i class="{kind}">' in text  # in the legend
        assert (
            'role="img" aria-label="e starts with 1. Gradients flow from e to c_stopped: 1;' in svg
        )
        assert "gets 2" in words(svg)

    def test_marks_the_blamed_operation(self, make):
        blame = Blame(Fault.GRADIENT, "Mul 'mul': wrong", op="mul", type="Mul")
        result = case_result("tutorial/diamond", "no-stop", Word.DIFFER, blame)
        text = html(make.run(result), DIAMOND)
        (marked,) = re.findall(r'<g class="box [^"]*blamed[^"]*"><title>([^<]*)', text)
        assert marked.startswith("Mul")
        assert "<b>Blame</b> Mul" in text

    def test_is_there_whatever_implementation_is_under_test(self, make):
        run = make.run(case_result("tutorial/diamond", "no-stop"))
        other = {"tf1": {**run.implementation["tf1"], "namespace": "my_autodiff"}}
        text = html(replace(run, implementation=other), DIAMOND)
        assert "<svg" in text
        assert "import my_autodiff as tf" in words(text)

    def test_missing_says_why(self, make):
        text = html(make.run(make.agreeing()))
        assert "No picture: It does not come to a call of tf.gradients." in text

    def test_not_drawn_in_a_large_run_says_how_to_draw_it(self, make):
        data = document(make.run(make.agreeing()))
        del data["checks"][0]["picture"]
        assert 'gradparity explain "tutorial/weighted_sum::z1~w1" --html' in unescape(
            pages(data)[PAGE]
        )


class TestElementsThatDiffer:
    def test_are_listed_with_both_values_and_their_distance(self, make):
        one, other = np.float32([[1, 2], [3, 4]]), np.float32([[1, 2.0000002], [3, 5]])
        check = document(make.run(values(make, one, other)))["checks"][0]
        assert check["comparisons"][0]["worst"] == [
            {"index": [1, 1], "oracle": "4.0", "implementation": "5.0", "ulp": 2097152},
            {"index": [0, 1], "oracle": "2.0", "implementation": "2.0000002", "ulp": 1},
        ]
        text = words(html(make.run(values(make, one, other))))
        assert "[1, 1] 4.0 5.0 2,097,152" in text
        assert "[0, 1] 2.0 2.0000002 1 " in text

    def test_say_their_distance_where_they_stand(self, make):
        text = html(make.run(values(make, np.float32([1, 4]), np.float32([1, 5]))))
        assert text.count('<mark class="wrong" title="2,097,152 ulp">') == 2

    def test_are_listed_beyond_those_that_are_written(self, make):
        one = np.arange(2 * ELEMENTS, dtype=np.float32)
        other = one.copy()
        other[-1] = -1
        result = values(make, one, other)
        validate(document(make.run(result)))
        assert "[1999] 1999.0 -1.0" in words(html(make.run(result)))

    def test_are_no_more_than_a_few(self):
        assert len(worst(np.zeros(99, np.float32), np.ones(99, np.float32))) == WORST

    @pytest.mark.parametrize(
        ("one", "other", "found"),
        [
            (np.float32(1), np.float32(2), [([], "1.0", "2.0", 8388608)]),
            (np.float32([np.nan]), np.float32([1]), [([0], "nan", "1.0", None)]),
            (np.float32([np.nan]), np.float32([np.nan]), []),
            (np.float64([np.inf]), np.float64([-np.inf]), [([0], "inf", "-inf", None)]),
            (np.float64([0.0]), np.float64([-0.0]), [([0], "0.0", "-0.0", None)]),
            (np.complex64([2j]), np.complex64([3j]), [([0], "0.0+2.0j", "0.0+3.0j", 4194304)]),
            (np.int32([7]), np.int32([9]), [([0], "7", "9", None)]),
            (np.bool_([True]), np.bool_([False]), [([0], "True", "False", None)]),
            (np.array([b"a"], object), np.array([b"b"], object), [([0], "b'a'", "b'b'", None)]),
            (np.zeros((0, 3)), np.zeros((0, 3)), []),
        ],
    )
    def test_of_every_dtype(self, one, other, found):
        listed = [tuple(element.values()) for element in worst(one, other)]
        assert listed == found
        assert distances(one, other).shape == one.shape

    def test_of_sparse_gradients_are_those_of_their_parts(self, make):
        one = make.sparse(np.float32([[1, 2]]), [0], [3, 2])
        other = make.sparse(np.float32([[1, 9]]), [0], [3, 2])
        check = document(make.run(judged(make, one, other)))["checks"][0]
        listed = {c["where"]: c["worst"] for c in check["comparisons"] if "worst" in c}
        assert [e["index"] for e in listed["gradient 0 (w1), values"]] == [[0, 1]]
        assert len(listed) == 1

    def test_are_not_listed_where_there_are_none(self, make):
        check = document(make.run(make.agreeing()))["checks"][0]
        assert all("worst" not in comparison for comparison in check["comparisons"])


class TestLargeTensors:
    @pytest.fixture
    def sides(self):
        one = np.random.RandomState(1).normal(size=(64, 64)).astype(np.float32)
        other = one.copy()
        other[10, 20] += 1
        other[40, 1] = np.nan
        return one, other

    def test_are_shown_as_pictures_of_both_sides_and_their_difference(self, make, sides):
        result = values(make, *sides)
        validate(document(make.run(result)))
        text = html(make.run(result))
        images = re.findall(r'<img src="data:image/png;base64,([^"]+)"[^>]* alt="([^"]*)"', text)
        assert [alt.split(", ")[1] for _, alt in images] == ["TensorFlow", "numpy_tf", "difference"]
        assert "NaN or infinity on one side" in text
        assert "4,096 elements in 32 × 32 blocks" in text

    def test_are_one_picture_when_both_sides_are_the_same(self, make, sides):
        text = html(make.run(values(make, sides[0], sides[0])))
        assert len(re.findall("<img ", text)) == 1

    def test_small_enough_to_be_written_have_pictures_too(self, make):
        text = html(make.run(values(make, np.eye(10), 2 * np.eye(10))))
        assert len(re.findall("<img ", text)) == 3
        assert "100 elements, one cell each" in text
        assert "heat_map" not in json.dumps(document(make.run(values(make, np.eye(9), np.eye(9)))))

    def test_of_a_few_elements_have_none(self, make):
        assert "<img " not in html(make.run(make.differing()))

    def test_mark_the_block_in_which_something_differs(self, sides):
        found = heat_map(*sides)
        marks = {divmod(n, 32): mark for n, mark in enumerate(found["difference"]) if mark != "."}
        assert set(marks) == {(5, 10), (20, 0)}
        assert marks[20, 0] == "N"
        assert marks[5, 10] in LEVELS
        assert found["implementation"][20 * 32] == "N"

    def test_have_levels_from_the_least_to_the_most(self):
        found = heat_map(np.arange(4.0).reshape(2, 2), np.arange(4.0).reshape(2, 2))
        assert (found["low"], found["high"]) == ("0", "3")
        assert found["oracle"] == LEVELS[0] + LEVELS[10] + LEVELS[20] + LEVELS[30]
        assert found["difference"] == "...."

    def test_with_both_signs_have_zero_in_the_middle(self):
        found = heat_map(np.float32([[-1, 0], [0, 3]]), np.float32([[-1, 0], [0, 3]]))
        assert (found["low"], found["high"]) == ("-3", "3")
        assert found["oracle"][1] == LEVELS[15]

    @pytest.mark.parametrize(
        ("array", "shape", "marks"),
        [
            (np.full(1200, np.nan), [35, 35], {"N", "."}),
            (np.array([np.inf, -np.inf] * 50), [10, 10], {"P", "M"}),
            (np.arange(5000.0), [71, 71], None),
            (np.zeros((2, 3, 70)), [20, 21], None),
            (np.zeros((4, 10, 50)), [40, 50], None),
            (np.array(3.0), [1, 1], None),
            (np.array([1e308, -1e308] * 50), [10, 10], {LEVELS[0], LEVELS[-1]}),
            (np.ones((10, 10), bool), [10, 10], None),
            (np.full((10, 10), 3 + 4j), [10, 10], None),
        ],
    )
    def test_of_any_shape_and_kind(self, array, shape, marks):
        found = heat_map(array, array)
        assert found["shape"] == shape
        assert set(found["difference"]) == {"."}
        assert len(found["oracle"]) == found["rows"] * found["columns"]
        assert marks is None or set(found["oracle"]) == marks

    def test_of_strings_and_of_nothing_have_none(self):
        strings = np.array([b"a"] * 2000, object)
        assert heat_map(strings, strings) is None
        assert heat_map(np.zeros((0, 5)), np.zeros((0, 5))) is None

    def test_are_pictures_that_can_be_decoded(self, sides):
        for shown in coloured(heat_map(*sides)):
            data = base64.b64decode(shown["src"].partition(",")[2])
            assert data[:8] == b"\x89PNG\r\n\x1a\n"
            assert data[16:24] == bytes([0, 0, 0, 32, 0, 0, 0, 32])
            start = data.index(b"IDAT")
            pixels = zlib.decompress(data[start + 4 :])
            assert len(pixels) == 32 * 33
            assert max(pixels) < len(LEVELS) + 4


class TestScripts:
    def test_are_there_for_both_sides(self, make):
        check = document(make.run(make.agreeing()))["checks"][0]
        found = scripts(check, {"tf1": {"namespace": "numpy_tf"}})
        assert list(found) == ["TensorFlow", "numpy_tf"]
        assert found["TensorFlow"] == check["script"]
        assert found["numpy_tf"] == make.agreeing().check.program.script("numpy_tf")

    def test_of_the_implementation_give_its_gradients(self, tmp_path):
        check = case_result("tutorial/diamond", "one-edge@c->e").check
        script = scripts(
            {"script": check.program.script(), "profile": "tf1"}, {"tf1": {"namespace": "numpy_tf"}}
        )["numpy_tf"]
        path = tmp_path / "script.py"
        path.write_text(script)
        done = subprocess.run(
            [sys.executable, str(path)], capture_output=True, text=True, check=True
        )
        assert (
            done.stdout == "ys: [np.float32(5.0)]\ngradients: [np.float32(2.0), np.float32(1.0)]\n"
        )

    def test_are_one_when_tensorflow_is_held_against_itself(self, make):
        check = document(make.run(make.agreeing()))["checks"][0]
        itself = {"tf1": {"namespace": "tensorflow.compat.v1"}}
        assert list(scripts(check, itself)) == ["TensorFlow"]

    def test_are_highlighted_and_escaped(self, make):
        result = make.agreeing()
        build = f"x = {EVIL!r}  # <b>\nys = [x]\nxs = [x]\nfeeds = {{}}\n"
        program = Program("tf1", build, "gradients = []\n")
        result = replace(result, check=replace(result.check, program=program))
        page = rendered(make.run(result))[PAGE]
        assert page.scripts == 1
        assert program.script() in page.text
        assert program.script("numpy_tf") in page.text
        assert '<i class="k">import</i>' in html(make.run(result))

    def test_keep_every_character_when_they_are_highlighted(self):
        text = 'def f(a):\n    """Text\n    <i> \'of\' lines"""\n'
        code = text + '\treturn a @ 1e-3 if a else "\\n"  # é\n'
        assert unescape(re.sub(r"</?i[^>]*>", "", str(highlight(code)))) == code
        assert '<i class="c"># é</i>' in highlight(code)

    def test_are_quoted_from_the_ys_on_as_what_was_asked(self):
        check = case_result("tutorial/diamond", "one-edge@c->e").check
        asked = query({"script": check.program.script()})
        assert asked == "ys = [e]\nxs = [a, b]\ngradients = tf.gradients(ys, xs)\n"


class TestTimes:
    def test_are_bars_of_the_same_scale(self, make):
        slow = replace(make.outcome(), seconds={"build": 0.05, "gradients": 0.02, "run": 0.03})
        fast = replace(make.outcome(), seconds={"build": 0.01})
        text = html(make.run(make.result(oracle=slow, implementation=fast)))
        widths = re.findall(r'<i class="(\w+)" style="width:([\d.]+)%"', text)
        assert widths == [
            ("build", "50.0"),
            ("gradients", "20.0"),
            ("run", "30.0"),
            ("build", "10.0"),
        ]
        assert "100 ms: build 50 ms, gradients 20 ms, run 30 ms" in words(text)

    def test_are_not_there_for_a_recording(self, make):
        silent = replace(make.outcome(), seconds={})
        assert 'class="times"' not in html(make.run(make.result(oracle=silent)))


class TestThePage:
    def test_leads_to_its_neighbours_and_back(self, make):
        cases = [make.case(f"a/{name}") for name in ("one", "two", "three")]
        found = rendered(make.run(*(make.agreeing(of=case) for case in cases)))
        links = found["cases/a/two.html"].links
        assert {"../../report.html", "../../cases/a/one.html", "../../cases/a/three.html"} <= {
            *links
        }

    def test_leads_from_check_to_check(self, make):
        results = [make.agreeing(query=f"q{n}") for n in range(3)]
        links = rendered(make.run(*results))[PAGE].links
        assert [links.count(f"#q{n}") for n in range(3)] == [2, 3, 2]

    def test_opens_the_checks_that_fail(self, make):
        text = html(make.run(make.agreeing(query="fine"), make.differing(query="bad")))
        assert '<details class="check good" id="fine">' in text
        assert '<details class="check wrong" id="bad" open>' in text
        assert '<a href="#bad">the one that fails</a>' in text

    def test_says_in_how_far_the_sides_agree(self, make):
        text = html(make.run(make.agreeing(), make.differing()))
        assert re.findall(r'<span class="gist">([^<]*)', text) == ["bit for bit", "in value"]

    def test_tells_under_what_it_was_run(self, make):
        text = words(html(make.run(make.agreeing())))
        assert "TensorFlow 2.21.0, profile tf1" in text
        assert "TF_ENABLE_ONEDNN_OPTS=0" in text
        assert "profile v2" not in text  # which none of its checks has

    def test_can_still_be_made_from_a_report_of_an_earlier_version(self, make):
        data = document(make.run(make.differing()))
        for key in ("picture", "blame", "arbiter", "truth"):
            data["checks"][0].pop(key, None)
        for comparison in data["checks"][0]["comparisons"]:
            comparison.pop("worst", None)
        assert "<mark" in pages(data)[PAGE]

    def test_takes_a_tensor_of_a_dtype_that_numpy_has_not(self, make):
        row = {"kind": "dense", "dtype": "odd7", "static_shape": [1], "shape": [1], "values": ["x"]}
        check = document(make.run(make.agreeing()))["checks"][0]
        check["oracle"]["gradients"] = [row]
        check["implementation"]["gradients"] = [{**row, "values": ["y"]}]
        (shown,) = tensor_rows(check)
        assert [cell["spans"][1][:2] for cell in shown["cells"]] == [("x", "near"), ("y", "near")]


def test_evidence_is_kept_only_of_what_was_compared(make):
    one, other = make.dense(np.float32([1, 2])), make.dense(np.float64([1, 2]))
    answers = [make.outcome(gradient) for gradient in (one, other)]
    check = make.result(oracle=answers[0], implementation=answers[1]).check
    comparisons = judge(check, *answers).comparisons
    verdict = Verdict(Word.DIFFER, "dtype", comparisons=comparisons)
    data = document(make.run(CheckResult(check, *answers, verdict)))
    assert all("worst" not in c for c in data["checks"][0]["comparisons"])
    assert all(c["rule"] == Rule.BITS.value for c in data["checks"][0]["comparisons"])
