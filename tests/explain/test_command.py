"""`gradparity explain`: what a reader sees, and what a wrong call gets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradparity.cli import main
from gradparity.language.loading import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def explain(*arguments):
    return CliRunner().invoke(main, ["explain", *arguments], catch_exceptions=False)


def told(*arguments):
    result = explain(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


class TestADiamondWithOneStoppedEdge:
    @pytest.fixture
    def text(self):
        return told("tutorial/diamond::one-edge@c->e")

    def test_begins_with_the_cases_sentence_and_the_program(self, text):
        assert "Two paths lead from a and b to e; a stop on one leaves the other." in text
        assert "4  c_stopped = tf.stop_gradient(c)" in text

    def test_says_where_the_gradient_ends(self, text):
        _, _, rest = text.partition("StopGradient 'StopGradient'  line 4")
        assert "ends here: it is tf.stop_gradient" in rest.partition("\n\n")[0]

    def test_says_by_which_rule_a_value_came_about(self, text):
        assert "a gets in · 'mul/x' = 2.0" in text

    def test_says_what_is_dropped(self, text):
        assert "'mul/x' gets in · a = 1.0  (dropped: it is not between)" in text

    def test_ends_with_the_answers_and_tensorflows_word(self, text):
        assert "d/da = 2.0\nd/db = 1.0\n" in text
        assert re.search(r"^TensorFlow 2\.\S+ \(recorded\) gives the same: equal bit", text, re.M)

    def test_has_no_colours_in_a_pipe(self, text):
        assert "\x1b" not in text


class TestWhatIsTold:
    def test_of_a_sum(self):
        text = told("tutorial/diamond::no-stop")
        assert "a had 2 contributions:" in text
        assert "AddN sums them, taking them in this order: 3.0" in text

    def test_of_stop_gradients_and_of_none(self):
        text = told("tutorial/diamond::both-by-the-argument")
        assert "stop_gradients names c" in text
        assert "d/da = None  each way from it ends at AddV2 'Add' (line 3), which stop_gr" in text

    def test_of_rows(self):
        text = told("contract/a09_indexed_slices/68_sums_with_a_broadcast_operand", "-k", "tf1")
        assert "IndexedSlices of shape [3, 2] {row 2: [1.0, 2.0]; row 0: [3.0, 4.0]; row 2" in text
        assert "s gets in, summed over the axes along which it was broadcast = 21.0" in text

    def test_of_a_loop(self):
        text = told("contract/a10_control_flow/77_stops_around_loops", "-k", "nothing and v2")
        assert "the loop made 3 passes; its gradient is another loop" in text
        assert "'while:4' got no gradient, but a sibling did: zeros stand in, [0.0, 0.0]" in text

    def test_of_integers_in_the_middle(self):
        text = told("contract/a04_dtypes/35_integers_in_the_middle_cut_the_path", "-k", "as-zero")
        assert "zeros for None, as unconnected_gradients='zero' asks" in text
        assert "whose dtype int32 carries no gradient" in text

    def test_of_values_that_are_others_when_somebody_looks(self):
        case = "contract/a07_gating_aggregation_names/53_contributions_are_summed_into_a_free_one"
        text = told(case, "-k", "weights-of-sums and 3")
        assert "gives the same as numpy_tf unwatched: equal bit for bit; the values above" in text

    def test_of_a_call_within_a_body(self):
        text = told("contract/a10_control_flow/72_higher_orders", "-k", "hessian and tf1")
        assert "tf.gradients within a body" in text
        assert "what it is asked for is differentiated in this order: StridedSlice" in text
        assert "(no value)" not in text

    def test_of_an_error(self):
        text = told("tutorial/errors::too-few-weights")
        assert "Here line 8 raises ValueError: Length mismatch." in text
        assert "gives the same: both raise ValueError in stage gradients" in text


class TestChoosing:
    def test_lists_the_checks_and_explains_the_first(self):
        text = told("tutorial/diamond", "--oracle", "none")
        assert "The case makes 6 checks" in text
        assert " * no-stop\n   e~a,b@c\n" in text
        assert "TensorFlow" not in text.partition("The program")[2]

    def test_takes_a_path(self):
        assert "::no-stop" in told("cases/tutorial/diamond.yaml", "--oracle", "none")

    def test_takes_the_id_of_a_check_of_a_generated_case(self):
        check = load([ROOT / "cases/contract/a02_reachability/20_random_graphs.yaml"])[-1].id
        assert f"\n{check}  (" in f"\n{told(check, '--oracle', 'none')}"

    def test_of_an_unknown_case_names_the_nearest_and_exits_2(self):
        result = explain("tutorial/diamnd")
        assert result.exit_code == 2
        assert "There is no case 'tutorial/diamnd'." in result.output
        assert "\n  tutorial/diamond\n" in result.output

    def test_of_an_unknown_check_names_those_there_are_and_exits_2(self):
        result = explain("tutorial/diamond::none-such")
        assert result.exit_code == 2
        assert "no-stop" in result.output

    def test_without_recordings_says_so_and_explains_all_the_same(self, tmp_path):
        text = told("tutorial/diamond::no-stop", "--recordings", str(tmp_path))
        assert "d/da = 3.0" in text
        assert "Not held against TensorFlow: There are no recordings" in text


def test_the_help_imports_neither_numpy_nor_an_implementation():
    code = (
        "import sys; from gradparity.cli import main\n"
        "try: main(['explain', '--help'])\n"
        "except SystemExit: print(sorted({'numpy', 'numpy_tf', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
