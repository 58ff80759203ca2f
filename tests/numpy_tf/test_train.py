"""Optimizers: slots, updates over several runs, and a training script in both modules."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numpy_tf as tf

EXAMPLE = Path(__file__).parents[2] / "examples/training"
RATE = np.float32(0.1)


@pytest.fixture(autouse=True, params=["tf1", "v2"])
def fresh_graph(request):
    """Each test runs with reference variables, then with resource variables."""
    tf.disable_v2_behavior() if request.param == "tf1" else tf.enable_v2_behavior()
    with tf.Graph().as_default():
        yield
    tf.disable_v2_behavior()


def trained(optimizer, gradient, start, steps=3):
    """The variable after each of some runs of one update."""
    w = tf.Variable(np.array(start, np.float32), name="w")
    update = optimizer.apply_gradients([(gradient, w)])
    after = []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            session.run(update)
            after.append(session.run(w))
    return np.array(after)


class TestRules:
    """Each rule against its formula, in float32 and in TensorFlow's order."""

    start = np.array([1.0, -2.0], np.float32)
    gradient = np.array([0.5, 3.0], np.float32)

    def test_gradient_descent(self):
        found = trained(tf.train.GradientDescentOptimizer(0.1), self.gradient, self.start)
        w = self.start
        for step in range(3):
            w = w - self.gradient * RATE
            assert found[step].tolist() == w.tolist()

    @pytest.mark.parametrize("nesterov", [False, True])
    def test_momentum(self, nesterov):
        optimizer = tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=nesterov)
        found = trained(optimizer, self.gradient, self.start)
        w, total, momentum = self.start, np.float32(0), np.float32(0.9)
        for step in range(3):
            total = total * momentum + self.gradient
            along = self.gradient * RATE + total * momentum * RATE if nesterov else total * RATE
            w = w - along
            assert found[step].tolist() == w.tolist()

    def test_adam_corrects_for_the_bias_of_its_means(self):
        found = trained(tf.train.AdamOptimizer(0.1), self.gradient, self.start)
        # Of a constant gradient both means are the gradient: each step is the rate's length.
        steps = np.diff(np.vstack([self.start, found]), axis=0)
        np.testing.assert_allclose(steps, np.full([3, 2], -0.1), rtol=1e-4)

    def test_rmsprop_begins_with_a_mean_square_of_one(self):
        found = trained(tf.train.RMSPropOptimizer(0.1), self.gradient, self.start, steps=1)
        square = 0.9 + 0.1 * self.gradient**2
        np.testing.assert_allclose(found[0], self.start - 0.1 * self.gradient / np.sqrt(square))

    def test_centered_rmsprop_takes_the_square_of_the_mean_away(self):
        optimizer = tf.train.RMSPropOptimizer(0.1, centered=True)
        found = trained(optimizer, self.gradient, self.start, steps=1)
        variance = 0.9 + 0.1 * self.gradient**2 - (0.1 * self.gradient) ** 2
        expected = self.start - 0.1 * self.gradient / np.sqrt(variance)
        np.testing.assert_allclose(found[0], expected, rtol=1e-6)

    def test_adagrad(self):
        found = trained(tf.train.AdagradOptimizer(0.1), self.gradient, self.start, steps=1)
        square = 0.1 + self.gradient**2
        expected = self.start - 0.1 * self.gradient / np.sqrt(square)
        np.testing.assert_allclose(found[0], expected, rtol=1e-6)


class TestSparseUpdates:
    @pytest.mark.parametrize(
        "optimizer",
        [
            lambda: tf.train.MomentumOptimizer(0.1, 0.9),
            lambda: tf.train.AdamOptimizer(0.1),
            lambda: tf.train.RMSPropOptimizer(0.1),
            lambda: tf.train.RMSPropOptimizer(0.1, centered=True),
            lambda: tf.train.AdagradOptimizer(0.1),
        ],
    )
    def test_rows_that_come_twice_are_summed_before_the_update(self, optimizer):
        start = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
        rows = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
        twice = tf.IndexedSlices(tf.constant(rows), tf.constant([2, 0, 2]), tf.constant([3, 2]))
        with tf.Graph().as_default():
            summed = tf.IndexedSlices(
                tf.constant([[3.0, 4.0], [6.0, 8.0]]), tf.constant([0, 2]), tf.constant([3, 2])
            )
            expected = trained(optimizer(), summed, start)
        assert trained(optimizer(), twice, start).tolist() == expected.tolist()

    def test_the_raw_op_takes_rows_that_come_twice_in_turn(self):
        w = tf.Variable([1.0, 2.0], use_resource=True)
        total = tf.Variable([0.0, 0.0], use_resource=True)
        update = tf.raw_ops.ResourceSparseApplyMomentum(
            var=w.handle, accum=total.handle, lr=1.0, grad=[1.0, 1.0], indices=[1, 1], momentum=0.5
        )
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(update)
            # The sum is 1, then 1 * 0.5 + 1: two steps, not one of 2.
            assert session.run([w, total])[1].tolist() == [0.0, 1.5]
            assert session.run(w).tolist() == [1.0, -0.5]

    def test_an_index_that_is_out_of_range_is_refused(self):
        rows = tf.IndexedSlices(tf.constant([1.0]), tf.constant([2]), tf.constant([2]))
        with pytest.raises(tf.errors.InvalidArgumentError, match="Index 2 at offset 0 in indices"):
            trained(tf.train.AdagradOptimizer(0.1), rows, [1.0, 2.0])


class TestUpdatesThatCannotBe:
    def test_before_the_variable_has_a_value(self):
        update = tf.train.GradientDescentOptimizer(0.1).apply_gradients(
            [([1.0], tf.Variable([1.0]))]
        )
        with tf.Session() as session, pytest.raises(tf.errors.OpError):
            session.run(update)

    def test_a_gradient_whose_shape_only_the_run_knows(self):
        gradient = tf.placeholder(tf.float32)
        w = tf.Variable([1.0, 2.0])
        update = tf.train.GradientDescentOptimizer(0.1).apply_gradients([(gradient, w)])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            with pytest.raises(tf.errors.InvalidArgumentError, match="do not have the same shape"):
                session.run(update, {gradient: [1.0]})

    def test_a_resource_variable_of_another_dtype(self):
        # TensorFlow aborts the process here.
        w = tf.Variable([1.0, 2.0], use_resource=True)
        gradient = tf.constant([1.0, 2.0], tf.float64)
        update = tf.train.GradientDescentOptimizer(0.1).apply_gradients([(gradient, w)])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            with pytest.raises(tf.errors.InvalidArgumentError, match="Expected a variable of type"):
                session.run(update)


class TestOwnOptimizers:
    def test_a_subclass_says_how_a_variable_changes(self):
        class SignDescent(tf.train.Optimizer):
            def __init__(self, rate):
                super().__init__(False, "SignDescent")
                self._rate = rate

            def _create_slots(self, var_list):
                for variable in var_list:
                    self._zeros_slot(variable, "count", self._name)

            def _apply_dense(self, grad, var):
                count = self.get_slot(var, "count").assign_add(tf.ones_like(grad))
                return tf.group(var.assign_sub(tf.sign(grad) * self._rate), count)

            _resource_apply_dense = _apply_dense

        optimizer = SignDescent(0.5)
        found = trained(optimizer, np.array([3.0, -0.1], np.float32), [1.0, 1.0])
        assert found.tolist() == [[0.5, 1.5], [0.0, 2.0], [-0.5, 2.5]]
        assert [variable.name for variable in optimizer.variables()] == ["w/SignDescent:0"]

    def test_what_a_subclass_does_not_say_is_not_there(self):
        with pytest.raises(NotImplementedError):
            tf.train.Optimizer(False, "Nothing").apply_gradients([([1.0], tf.Variable([1.0]))])


class TestState:
    def test_one_optimizer_in_two_sessions_has_two_states(self):
        w = tf.Variable([1.0])
        optimizer = tf.train.MomentumOptimizer(1.0, 1.0)
        update = optimizer.apply_gradients([([1.0], w)])
        with tf.Session() as one, tf.Session() as other:
            for session, runs in ((one, 3), (other, 1)):
                session.run(tf.global_variables_initializer())
                for _ in range(runs):
                    session.run(update)
            slot = optimizer.get_slot(w, "momentum")
            assert [s.run(slot).tolist() for s in (one, other)] == [[3.0], [1.0]]

    def test_the_global_step_counts_runs(self):
        step = tf.train.get_or_create_global_step()
        update = tf.train.GradientDescentOptimizer(0.1).apply_gradients(
            [([1.0], tf.Variable([1.0]))], global_step=step
        )
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(3):
                session.run(update)
            assert tf.train.global_step(session, step) == 3

    def test_slots_are_made_outside_of_control_dependencies(self):
        w = tf.Variable([1.0])
        optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
        with tf.control_dependencies([w.assign([5.0])]):
            optimizer.apply_gradients([([1.0], w)])
        assert optimizer.get_slot(w, "momentum").op.control_inputs == ()


def test_a_loss_may_be_a_function():
    w = tf.Variable([3.0], use_resource=True)
    tf.Variable([1.0], use_resource=True)
    pairs = tf.train.GradientDescentOptimizer(0.1).compute_gradients(lambda: w * w)
    assert [variable for _, variable in pairs] == [w]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(pairs[0][0]).tolist() == [6.0]


def test_the_training_script_has_the_same_loss_curve_in_both_modules():
    run = subprocess.run(
        [sys.executable, EXAMPLE / "compare.py", "--rtol", "2e-6"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"largest relative difference of 50 steps: \d\.\de-0[67]", run.stdout)
