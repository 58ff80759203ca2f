"""The picture of a check: the graph with the gradient's flow as data, made whatever happens."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reports.test_document import validate

from gradparity.blame.finding import Blame, Fault
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.loading import load
from gradparity.outcome import Outcome
from gradparity.program import Program
from gradparity.reports.document import document
from gradparity.reports.picture import FAILING, FEW, chosen, observed, picture, why_not
from gradparity.results import CheckResult

ROOT = Path(__file__).resolve().parents[2]


def case_result(case, query, word=Word.AGREE, blame=None):
    checks = load([ROOT / "cases" / f"{case}.yaml"])
    check = next(check for check in checks if query in check.id)
    return CheckResult(check, None, None, Verdict(word, "A reason."), blame)


def drawn(case, query, blame=None):
    return picture({"picture": observed(case_result(case, query, blame=blame))})


def kinds(found):
    return {box.label: box.kind for box in found.boxes}


def of_program(make, build, gradients):
    result = make.agreeing()
    return replace(result, check=replace(result.check, program=Program("tf1", build, gradients)))


class TestTheDiamondWithOneStoppedEdge:
    @pytest.fixture
    def found(self):
        return drawn("tutorial/diamond", "one-edge@c->e")

    def test_shows_where_the_gradient_is_stopped_and_what_it_does_not_reach(self, found):
        assert kinds(found) == {
            **dict.fromkeys(["a", "b", "mul", "d", "e"], "passed"),
            "c": "unreached",
            "c_stopped": "stopped",
            "2": "outside",
        }

    def test_has_an_edge_for_each_use_of_a_tensor(self, found):
        labels = [box.label for box in found.boxes]
        edges = {(labels[e.source], labels[e.target]): (e.kind, e.label) for e in found.edges}
        assert edges == {
            ("a", "c"): ("none", ""),
            ("b", "c"): ("none", ""),
            ("c", "c_stopped"): ("stopped", ""),
            ("2", "mul"): ("dropped", "1"),
            ("a", "mul"): ("flow", "2"),
            ("mul", "d"): ("flow", "1"),
            ("b", "d"): ("flow", "1"),
            ("c_stopped", "e"): ("flow", "1"),
            ("d", "e"): ("flow", "1"),
        }

    def test_says_what_the_ys_start_with_and_the_xs_get(self, found):
        ends = {box.label: (box.role, box.seed, box.gradient) for box in found.boxes if box.role}
        assert ends == {"a": ("x", "", "2"), "b": ("x", "", "1"), "e": ("y", "1", "")}

    def test_numbers_the_steps_in_the_order_of_processing(self, found):
        number = {box.label: box.number for box in found.boxes}
        assert number["e"] == 1
        assert number["c_stopped"] < number["c"] < number["a"]
        assert number["2"] == 0


def test_what_stop_gradients_names_is_stopped():
    found = drawn("tutorial/diamond", "both-by-the-argument")
    assert [box.label for box in found.boxes if box.kind == "stopped"] == ["c", "d"]
    assert [box.gradient for box in found.boxes if box.role == "x"] == ["None", "None"]


def test_sparse_gradients_are_labelled_by_their_rows():
    found = drawn("contract/a10_control_flow/71_gathers_of_a_result_v1", "")
    assert any("rows" in edge.label or "Slices" in edge.label for edge in found.edges)


@pytest.mark.parametrize(
    ("blame", "marked"),
    [
        (Blame(Fault.GRADIENT, "Mul", op="mul", type="Mul"), ["mul"]),
        (Blame(Fault.GRADIENT, "numbered otherwise", op="mul_7", type="Mul"), ["mul"]),
        (Blame(Fault.GRADIENT, "of its gradient", "x/Mul", "Neg", gradient_of="Add_1"), ["d"]),
        (Blame(Fault.SUM, "a sum", op="a", type="AddN"), ["a"]),
        (Blame(Fault.VALUE, "two of the type", op="other", type="AddV2"), []),
        (Blame(Fault.NOWHERE, "nothing"), []),
    ],
)
def test_the_blamed_operation_is_marked_where_it_can_be_found(blame, marked):
    found = drawn("tutorial/diamond", "no-stop", blame)
    assert [box.label for box in found.boxes if box.blamed] == marked


def test_a_loop_is_one_box_and_is_blamed_by_its_name():
    blame = Blame(Fault.GRADIENT, "the loop", op="while_1", type="While")
    found = drawn("contract/a10_control_flow/74_iterations_that_data_decide", "squares", blame)
    assert [box.type for box in found.boxes if box.blamed] == ["StatelessWhile"]
    assert not [box for box in found.boxes if "loop_counter" in box.title]


def test_data_hold_the_whole_picture():
    data = observed(case_result("tutorial/diamond", "one-edge@c->e"))
    found = picture({"picture": json.loads(json.dumps(data))})
    assert found.to_json() == data


def test_a_report_with_and_without_pictures_fits_the_schema(make):
    run = make.run(case_result("tutorial/diamond", "one-edge@c->e"), make.agreeing())
    data = document(run)
    validate(data)
    with_one, without = data["checks"]
    assert picture(with_one).boxes
    assert picture(without) is None
    assert why_not(without) == "It does not come to a call of tf.gradients."


class TestWhereThereIsNone:
    """The report is written all the same, and says why."""

    def test_too_many_operations(self, monkeypatch):
        monkeypatch.setattr("gradparity.reports.picture.SECONDS", 60.0)
        assert (
            "too large"
            in observed(case_result("contract/a18_scale/99_long_chains", "[1000]"))["why"]
        )

    def test_nothing_is_differentiated(self, make):
        program = "x = tf.constant(1.0)\nys, xs, feeds = [x], [x], {}\n"
        result = of_program(make, program, "gradients = []\n")
        assert observed(result) == {"why": "It does not come to a call of tf.gradients."}

    def test_a_program_that_does_not_end(self, make, monkeypatch):
        monkeypatch.setattr("gradparity.reports.picture.SECONDS", 0.1)
        result = of_program(
            make, "while True:\n    try: np.ones(2)\n    except Exception: pass\n", ""
        )
        assert observed(result) == {"why": "Observing it took more than 0.1 s."}

    def test_a_check_that_took_long_or_crashed(self, make):
        slow = Outcome(ys=(), gradients=(), error=None, seconds={"run": 30.0})
        assert "takes long" in observed(replace(make.agreeing(), implementation=slow))["why"]
        assert "crashed" in observed(make.result(Word.CRASHED, "SIGSEGV"))["why"]

    def test_a_failure_of_the_observer(self, make, monkeypatch):
        def broken(program):
            raise KeyError("accumulator")

        monkeypatch.setattr("gradparity.explain.observing.observe", broken)
        assert observed(make.agreeing()) == {"why": "Observing it failed: KeyError: 'accumulator'"}


def test_what_a_program_prints_is_not_printed_again(make, capfd):
    build = "x = tf.constant([1.0])\ny = tf.Print(x, [x], 'seen ')\nys, xs, feeds = [y], [x], {}\n"
    data = observed(of_program(make, build, "gradients = tf.gradients(ys, xs)\n"))
    assert "boxes" in data
    assert capfd.readouterr() == ("", "")


def test_gradients_that_are_not_numbers_are_labelled(make):
    build = "x = tf.constant([0.0, -1.0])\ny = tf.log(x) * 0.0\nys, xs, feeds = [y], [x], {}\n"
    found = picture(
        {"picture": observed(of_program(make, build, "gradients = tf.gradients(ys, xs)\n"))}
    )
    assert "[nan, -0]" in [box.gradient for box in found.boxes]


class TestOfALargeRun:
    def test_all_are_drawn_when_they_are_few(self, make):
        results = [make.agreeing(query=f"q{n}") for n in range(FEW)]
        assert {r.check.id for r in chosen(results)} == {r.check.id for r in results}

    def test_failures_first_checks_and_placements_come_before_the_rest(self, make):
        cases = [make.case(f"a/b{n}") for n in range(50)]
        results = [make.agreeing(of=cases[n % 50], query=f"q{n}") for n in range(2 * FEW)]
        failing = [make.differing(query=f"f{n}") for n in range(3 * FAILING)]
        stopped = replace(results[-1], check=replace(results[-1].check, stopped=("z1",)))
        found = chosen([*results, stopped, *failing])
        assert len(found) == FEW
        assert found[:FAILING] == failing[:FAILING]
        assert [r.check.id for r in found[FAILING:][:50]] == [r.check.id for r in results[:50]]
        assert stopped in found

    def test_every_case_has_a_picture_however_many_there_are(self, make):
        cases = [make.case(f"a/b{n}") for n in range(2 * FEW)]
        results = [make.agreeing(of=case, query=f"q{n}") for case in cases for n in range(2)]
        assert [r.check.id for r in chosen(results)] == [r.check.id for r in results[::2]]
