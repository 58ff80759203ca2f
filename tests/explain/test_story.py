"""The story: which steps there are, what arrives, what becomes of it, and with which values."""

import numpy as np
import pytest

import numpy_tf as tf
from gradparity.explain.observing import observe
from gradparity.explain.reasons import Outside, dead_ends, left_out
from gradparity.explain.story import Fate
from gradparity.program import Program


def story_of(build, gradients="gradients = tf.gradients(ys, xs)", profile="tf1"):
    """The story of a program; its lines are separated by semicolons, `feeds` are none."""
    lines = [line.strip() for line in build.split(";")]
    return observe(Program(profile, "\n".join([*lines, "feeds = {}", ""]), gradients + "\n"))


def processed(call):
    return [(step.op.type, step.fate) for step in call.steps]


def step_of(story, name):
    return story.calls[-1].step_of[name]


def values_at(story, arrival):
    return [float(story.values[part.gradient.values]) for part in arrival.contributions]


DIAMOND = (
    "a = tf.constant(3.0, name='a'); b = tf.constant(2.0, name='b');"
    "c = tf.multiply(a, b, name='c'); d = tf.add(a, c, name='d'); e = tf.multiply(c, d, name='e');"
    "ys = [e]; xs = [a, b]"
)


class TestSteps:
    def test_are_in_the_order_in_which_all_takers_of_an_op_have_been_processed(self):
        story = story_of(DIAMOND)
        assert [step.op.name for step in story.calls[0].steps] == ["e", "d", "c", "a", "b"]

    def test_hold_each_contribution_in_the_order_of_its_coming_and_who_passed_it(self):
        arrival = step_of(story_of(DIAMOND), "c").arrivals[0]
        assert [part.source.name for part in arrival.contributions] == ["e", "d"]

    def test_hold_the_values_that_came_in_and_their_sum(self):
        story = story_of(DIAMOND)
        arrival = step_of(story, "c").arrivals[0]
        assert values_at(story, arrival) == [9.0, 6.0]
        assert story.values[arrival.total.values] == 15.0
        assert arrival.total.made_by == "AddN"

    def test_hold_what_is_passed_to_each_input(self):
        story = story_of(DIAMOND)
        passed = step_of(story, "c").passed
        assert [p.tensor for p in passed] == ["a:0", "b:0"]
        assert [float(story.values[p.gradient.values]) for p in passed] == [30.0, 45.0]

    def test_know_the_line_of_the_program_that_made_the_op(self):
        story = story_of(DIAMOND)
        assert [step_of(story, name).op.line for name in "abcde"] == [1, 2, 3, 4, 5]

    def test_begin_with_ones_or_with_the_weight_that_is_given(self):
        ones = story_of(DIAMOND).calls[0].seeds[0]
        assert (ones.y, ones.given) == ("e:0", False)
        story = story_of(DIAMOND, "gradients = tf.gradients(ys, xs, grad_ys=[0.5])")
        weight = story.calls[0].seeds[0]
        assert weight.given
        assert story.values[weight.gradient.values] == 0.5

    def test_hold_zeros_for_an_output_beside_one_that_was_reached(self):
        story = story_of("x = tf.constant([1.0, 2.0]); p, q = tf.unstack(x); ys = [p]; xs = [x]")
        first, second = step_of(story, "unstack").arrivals
        assert len(first.contributions) == 1
        assert not second.contributions
        assert story.values[second.total.values] == 0.0

    def test_know_which_ops_their_gradient_consists_of(self):
        story = story_of("x = tf.constant(2.0); y = tf.sin(x); ys = [y]; xs = [x]")
        assert step_of(story, "Sin").built == ["Cos", "Mul"]

    def test_know_when_the_program_has_a_gradient_function_of_its_own(self):
        story = story_of(
            "x = tf.constant(2.0); double = tf.RegisterGradient('Double')(lambda op, g: g * 2.0);"
            "g = tf.get_default_graph().gradient_override_map({'Square': 'Double'});"
            "g.__enter__(); y = tf.square(x); g.__exit__(None, None, None); ys = [y]; xs = [x]"
        )
        assert step_of(story, "Square").has_own_rule
        assert story.values[story.results[0].values] == 2.0

    def test_of_rows_hold_the_rows(self):
        story = story_of(
            "x = tf.constant([1.0, 2.0]); y = tf.gather(x, [1, 1]); ys = [y]; xs = [x]"
        )
        gradient = story.results[0]
        assert story.values[gradient.indices].tolist() == [1, 1]
        assert story.values[gradient.values].tolist() == [1.0, 1.0]


class TestFates:
    def test_of_what_stop_gradients_names(self):
        story = story_of(DIAMOND, "gradients = tf.gradients(ys, xs, stop_gradients=[c])")
        assert processed(story.calls[0]) == [
            ("Mul", Fate.DIFFERENTIATED),
            ("AddV2", Fate.DIFFERENTIATED),
            ("Mul", Fate.STOPPED),
            ("Const", Fate.AT_AN_X),
            ("Const", Fate.AT_AN_X),
        ]

    def test_of_tf_stop_gradient_and_of_what_then_gets_nothing(self):
        story = story_of(
            "x = tf.constant(2.0); y = tf.stop_gradient(tf.square(x)); ys = [y]; xs = [x]"
        )
        assert processed(story.calls[0]) == [
            ("StopGradient", Fate.NOT_DIFFERENTIABLE),
            ("Square", Fate.NO_GRADIENT),
            ("Const", Fate.AT_AN_X),
        ]

    def test_of_an_op_without_a_gradient_is_that_it_raises(self):
        story = story_of(
            "x = tf.constant(2.0); y = tf.guarantee_const(x); ys = [y * 2.0]; xs = [x]"
        )
        assert story.error.startswith("LookupError")
        assert processed(story.calls[0])[-1] == ("GuaranteeConst", Fate.RAISED)
        assert story.values  # of what was done until then


class TestCalls:
    def test_of_higher_order_are_one_after_the_other(self):
        story = story_of(
            "x = tf.constant(3.0); g = tf.gradients(x * x * x, x)[0]; ys = [g]; xs = [x]"
        )
        assert [call.line for call in story.calls] == [2, 6]
        assert story.values[story.results[0].values] == 18.0

    @pytest.mark.parametrize("profile", ["tf1", "v2"])
    def test_within_a_loop_belong_to_its_step(self, profile):
        story = story_of(
            "x = tf.constant(3.0);"
            "y = tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a * x), [0, x])[1];"
            "ys = [y]; xs = [x]",
            profile=profile,
        )
        assert len(story.calls) == 1
        (step,) = [step for step in story.calls[0].steps if "While" in step.op.type]
        assert step.inside[0].steps[0].op.type == "Mul"
        assert story.values[next(iter(step.op.outputs))] == 2  # passes


class TestErrors:
    def test_belong_to_the_story_with_their_line(self):
        story = story_of(
            "x = tf.constant(2.0); ys = [x]; xs = [x]", "gradients = tf.gradients(ys, xs, [1., 2.])"
        )
        assert story.error.startswith("ValueError: Length mismatch")
        assert story.error_line == 5

    def test_of_the_run_leave_the_steps_and_what_can_be_computed(self):
        story = story_of(
            "x = tf.constant([1.0]); y = tf.gather(x, tf.constant([7])); ys = [y]; xs = [x]"
        )
        assert story.error.startswith("InvalidArgumentError")
        assert len(story.calls[0].steps) == 2
        assert "GatherV2:0" not in story.values
        assert story.values["Const:0"].tolist() == [1.0]  # what can be computed is told


class TestReasons:
    def test_an_op_that_no_x_leads_to_is_left_out(self):
        story = story_of("x = tf.constant(1.0); y = x * tf.exp(2.0); ys = [y]; xs = [x]")
        found = left_out(story.calls[0], story.graph)
        assert [op.type for op in found[Outside.NOT_FROM_XS]] == ["Const", "Exp"]

    def test_an_op_that_leads_to_no_y_is_left_out(self):
        story = story_of("x = tf.constant(1.0); z = tf.exp(x); y = x * x; ys = [y]; xs = [x]")
        found = left_out(story.calls[0], story.graph)
        assert [op.type for op in found[Outside.NOT_TO_YS]] == ["Exp"]

    def test_an_integer_in_the_middle_cuts_the_way(self):
        story = story_of(
            "x = tf.constant(1.0); i = tf.cast(x, tf.int32); y = tf.cast(i, tf.float32);"
            "ys = [y]; xs = [x]"
        )
        (end,) = dead_ends("Const:0", story.calls[0], story.graph)
        assert (end.step, end.tensor) == (None, "Cast:0")
        assert Outside.CUT in left_out(story.calls[0], story.graph)

    def test_none_has_an_end_for_each_way(self):
        story = story_of(
            "x = tf.constant(1.0); p = tf.exp(x); q = tf.stop_gradient(x); ys = [p + q]; xs = [x]",
            "gradients = tf.gradients(ys, xs, stop_gradients=[p])",
        )
        ends = dead_ends("Const:0", story.calls[0], story.graph)
        assert [end.step.fate for end in ends] == [Fate.STOPPED, Fate.NOT_DIFFERENTIABLE]

    def test_without_a_way_there_is_no_end(self):
        story = story_of("x = tf.constant(1.0); y = tf.constant(2.0); ys = [y]; xs = [x]")
        assert story.results == [None]
        assert dead_ends("Const:0", story.calls[0], story.graph) == []


def test_watching_changes_no_value():
    program = "x = tf.constant([0.1, 0.2]); y = tf.exp(x) * x + tf.sin(x) * x; ys = [y]; xs = [x]"
    story = story_of(program)
    names = {"tf": tf}
    with tf.Graph().as_default(), tf.Session() as session:
        exec(program.replace("; ", "\n"), names)
        expected = session.run(tf.gradients(names["ys"], names["xs"]))[0]
    assert np.array_equal(story.values[story.results[0].values], expected)
