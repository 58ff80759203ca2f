"""Sessions: fetches, feeds, plans, and errors at run time."""

import tracemalloc

import numpy as np
import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


class TestFetches:
    def test_keep_their_structure(self):
        x = tf.constant([1.0, 2.0])
        with tf.Session() as session:
            result = session.run({"a": [x, (x,)], "op": x.op, "name": "Const:0"})
        assert result["op"] is None
        np.testing.assert_array_equal(result["a"][0], [1, 2])
        assert isinstance(result["a"][1], tuple)
        np.testing.assert_array_equal(result["name"], [1, 2])

    def test_of_shape_nothing_are_numpy_scalars(self):
        with tf.Session() as session:
            value = session.run(tf.constant(1.5))
        assert type(value) is np.float32

    def test_may_be_changed_by_the_caller_without_harm(self):
        constant = tf.constant([1.0, 2.0])
        variable = tf.Variable([3.0, 4.0])
        view = tf.reshape(constant, [2, 1])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            fetches = [constant, variable, view]
            for value in session.run(fetches):
                value[...] = 7
            np.testing.assert_array_equal(session.run(constant), [1, 2])
            np.testing.assert_array_equal(session.run(variable), [3, 4])
            np.testing.assert_array_equal(session.run(view), [[1], [2]])

    def test_do_not_hand_a_fed_array_back(self):
        x = tf.placeholder(tf.float32, [2])
        fed = np.array([1, 2], np.float32)
        with tf.Session() as session:
            session.run(tf.identity(x), {x: fed})[0] = 7
        np.testing.assert_array_equal(fed, [1, 2])

    @pytest.mark.parametrize("fetch", [None, 1, 2.5])
    def test_of_anything_else_are_refused(self, fetch):
        with tf.Session() as session, pytest.raises(TypeError, match="has invalid type"):
            session.run(fetch)

    def test_of_another_graph_are_refused(self):
        with tf.Graph().as_default():
            stranger = tf.constant(1.0)
        with tf.Session() as session, pytest.raises(ValueError, match="cannot be interpreted"):
            session.run(stranger)


class TestFeeds:
    def test_override_a_tensor_in_the_middle(self):
        x = tf.constant(3.0)
        hidden = x * x
        y = tf.square(hidden)
        (gradient,) = tf.gradients(y, hidden)
        with tf.Session() as session:
            assert session.run([y, gradient]) == [81, 18]
            assert session.run([y, gradient], {hidden: 10.0}) == [100, 20]

    def test_must_fit_the_static_shape(self):
        x = tf.placeholder(tf.float32, [None, 2])
        with tf.Session() as session:
            with pytest.raises(ValueError, match=r"Cannot feed value of shape \(3,\) for Tensor"):
                session.run(x, {x: [1, 2, 3]})
            assert session.run(x, {x: [[1, 2]]}).shape == (1, 2)

    def test_cannot_be_tensors(self):
        x = tf.placeholder(tf.float32, [])
        with (
            tf.Session() as session,
            pytest.raises(TypeError, match=r"cannot be a tf\.Tensor object"),
        ):
            session.run(x, {x: tf.constant(1.0)})

    def test_are_demanded_only_where_they_are_needed(self):
        x = tf.placeholder(tf.float32, [], name="x")
        y = tf.constant(1.0)
        with tf.Session() as session:
            assert session.run(y) == 1
            with pytest.raises(
                tf.errors.InvalidArgumentError, match="must feed a value for placeholder tensor 'x'"
            ):
                session.run(x + y)


class TestPlans:
    def test_are_compiled_once_for_the_same_fetches_and_feeds(self):
        x = tf.placeholder(tf.float32, [])
        y = tf.exp(x)
        with tf.Session() as session:
            session.run([y], {x: 1.0})
            session.run([y], {x: 2.0})
            assert len(session._plans) == 1
            session.run(y, {x: 2.0})
            session.run([y, x], {x: 2.0})
            assert len(session._plans) == 2

    def test_use_a_slot_again_once_its_value_is_spent(self):
        x = y = tf.placeholder(tf.float32, [])
        for _ in range(100):
            y = tf.sin(y)
        with tf.Session() as session:
            session.run(y, {x: 1.0})
            (plan,) = session._plans.values()
        assert len(plan._initial) <= 3

    def test_keep_apart_two_references_read_by_one_operation(self):
        a, b = tf.Variable(2.0), tf.Variable(5.0)
        difference = tf.raw_ops.Sub(x=a.op.outputs[0], y=b.op.outputs[0])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(difference) == -3

    def test_write_over_no_buffer_that_a_view_still_shows(self):
        x = tf.placeholder(tf.float32, [None])
        y = x + 1.0
        negated = -tf.reshape(y, [-1])
        fed = np.ones(100_000, np.float32)
        with tf.Session() as session:
            assert session.run([y, negated], {x: fed})[0][0] == 2
            assert session.run([tf.exp(-negated), tf.reduce_sum(negated)], {x: fed})[1] == -200_000

    def test_write_large_results_over_spent_buffers(self):
        x = tf.placeholder(tf.float32, [None])
        y = tf.exp(-(x + 1.0))
        fed = np.zeros(1_000_000, np.float32)
        with tf.Session() as session:
            session.run(y, {x: fed})
            tracemalloc.start()
            session.run(y, {x: fed})
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 1.5 * fed.nbytes

    def test_run_what_a_control_dependency_demands(self):
        counter = tf.Variable(0.0)
        with tf.control_dependencies([tf.assign_add(counter, 1.0)]):
            y = tf.constant(5.0)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(y) == 5
            assert session.run(counter) == 1


class TestErrors:
    def test_name_the_operation(self):
        x = tf.placeholder(tf.float32, [None], name="x")
        y = tf.add(x, tf.constant([1.0, 2.0]), name="the_sum")
        with (
            tf.Session() as session,
            pytest.raises(tf.errors.InvalidArgumentError, match="the_sum") as caught,
        ):
            session.run(y, {x: [1, 2, 3]})
        assert caught.value.op is y.op

    def test_an_uninitialised_variable_is_a_failed_precondition(self):
        v = tf.Variable(1.0, name="v")
        with (
            tf.Session() as session,
            pytest.raises(
                tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value v"
            ),
        ):
            session.run(v)

    def test_each_session_has_its_own_values(self):
        v = tf.Variable(1.0)
        with tf.Session() as one, tf.Session() as other:
            one.run(tf.global_variables_initializer())
            with pytest.raises(tf.errors.FailedPreconditionError):
                other.run(v)

    def test_a_closed_session_runs_nothing(self):
        session = tf.Session()
        session.close()
        with pytest.raises(RuntimeError, match="closed Session"):
            session.run(tf.constant(1.0))

    def test_no_warning_escapes_a_kernel(self, recwarn):
        with tf.Session() as session:
            assert np.isnan(session.run(tf.log(tf.constant(-1.0))))
        assert not recwarn.list


def test_a_chain_of_a_hundred_thousand_ops_has_no_depth_to_exhaust():
    x = y = tf.placeholder(tf.float32, [])
    for _ in range(100_000):
        y = tf.sin(y)
    (gradient,) = tf.gradients(y, x)
    # The placeholder; a sine, a cosine and a product each; the seed's shape, value and fill.
    assert len(x.graph.get_operations()) == 1 + 3 * 100_000 + 3
    with tf.Session() as session:
        value, slope = session.run([y, gradient], {x: 0.5})
    assert 0 < value < 0.5
    assert 0 <= slope < 1
