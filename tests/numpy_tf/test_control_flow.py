"""Branches, loops and functions: what a case cannot say, because it runs a graph only once."""

import numpy as np
import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.disable_v2_behavior()
    with tf.Graph().as_default():
        yield
    tf.disable_v2_behavior()


@pytest.fixture
def v2():
    tf.enable_v2_behavior()


@pytest.fixture(params=["tf1", "v2"])
def profile(request):
    """The test runs with TensorFlow 1's control flow, then with TensorFlow 2's."""
    if request.param == "v2":
        tf.enable_v2_behavior()
    return request.param


def power(x, count):
    """x ** (count + 1), by a loop."""
    return tf.while_loop(lambda i, a: i < count, lambda i, a: (i + 1, a * x), [0, x])[1]


class TestGradientsAfterARun:
    def test_the_session_that_ran_the_loop_refuses_what_it_got_since(self, v2):
        x = tf.constant(2.0)
        y = power(x, 2)
        with tf.Session() as session:
            assert session.run(y) == 8
            gradient = tf.gradients(y, x)[0]
            with pytest.raises(
                tf.errors.InvalidArgumentError, match="Connecting to invalid output"
            ):
                session.run(gradient)

    def test_another_session_takes_it(self, v2):
        x = tf.constant(2.0)
        y = power(x, 2)
        with tf.Session() as session:
            session.run(y)
        gradient = tf.gradients(y, x)[0]
        with tf.Session() as session:
            assert session.run(gradient) == 12

    def test_tensorflow_1_does_not_mind(self):
        x = tf.constant(2.0)
        y = power(x, 2)
        with tf.Session() as session:
            assert session.run(y) == 8
            gradient = tf.gradients(y, x)[0]
            assert session.run(gradient) == 12
            assert session.run(y) == 8

    def test_a_branch_is_like_a_loop(self, v2):
        x = tf.constant(2.0)
        y = tf.cond(x > 1.0, lambda: tf.exp(x) * x, lambda: x)
        with tf.Session() as session:
            session.run(y)
            gradient = tf.gradients(y, x)[0]
            with pytest.raises(
                tf.errors.InvalidArgumentError, match="Connecting to invalid output"
            ):
                session.run(gradient)


class TestTensorsOfABody:
    def build(self):
        kept = []

        def branch():
            kept.append(x * x)
            return kept[0] * x

        x = tf.placeholder(tf.float32, [])
        return x, tf.cond(x > 0.0, branch, lambda: x), kept[0]

    def test_are_of_another_graph_in_tensorflow_2(self, v2):
        x, y, square = self.build()
        with pytest.raises(ValueError, match="must be from the same graph"):
            tf.gradients(y, x, stop_gradients=[square])
        with pytest.raises(ValueError, match="must be from the same graph"):
            tf.gradients(y, [x, square])

    def test_stop_gradients_may_name_them_in_tensorflow_1(self):
        x, y, square = self.build()
        gradients = tf.gradients(y, x) + tf.gradients(y, x, stop_gradients=[square])
        with tf.Session() as session:
            assert session.run(gradients, {x: 3.0}) == [27, 9]

    def test_cannot_be_taken_by_the_other_branch(self, v2):
        kept = []

        def branch():
            kept.append(tf.constant(1.0) * 2.0)
            return kept[0]

        with pytest.raises(ValueError, match="is accessed from false_fn"):
            tf.cond(tf.constant(True), branch, lambda: kept[0] * 3.0)


class TestWhatIsRun:
    def test_only_the_branch_taken(self, profile):
        x = tf.placeholder(tf.float32, [])
        array = tf.TensorArray(tf.float32, 1, element_shape=[])
        y = tf.cond(x > 0.0, lambda: x, lambda: array.read(5))
        with tf.Session() as session:
            assert session.run(y, {x: 1.0}) == 1
            with pytest.raises(tf.errors.InvalidArgumentError):
                session.run(y, {x: -1.0})

    def test_loop_variables_that_nobody_asks_for_are_left_out(self, profile):
        array = tf.TensorArray(tf.float32, 1, element_shape=[])
        failing = tf.while_loop(
            lambda i, a, b: i < 2, lambda i, a, b: (i + 1, a * 2.0, array.read(5)), [0, 1.0, 1.0]
        )
        with tf.Session() as session:
            assert session.run(failing[1]) == 4
            with pytest.raises(tf.errors.InvalidArgumentError):
                session.run(failing[2])

    def test_variables_are_changed_in_a_branch(self, profile):
        count = tf.Variable(1.0)
        x = tf.placeholder(tf.float32, [])
        y = tf.cond(x > 0.0, lambda: tf.identity(tf.assign_add(count, x)), lambda: x)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(y, {x: 2.0}) == 3
            session.run(y, {x: -2.0})
            assert session.run(count) == 3

    def test_variables_are_changed_in_a_loop(self, profile):
        count = tf.Variable(1.0)

        def body(i):
            with tf.control_dependencies([tf.assign_add(count, 10.0)]):
                return i + 1

        loop = tf.while_loop(lambda i: i < 3, body, [0])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(loop)
            assert session.run(count) == 31

    def test_operations_outside_are_waited_for(self, profile):
        count = tf.Variable(1.0, use_resource=True)
        update = count.assign_add(5.0, read_value=False)
        x = tf.placeholder(tf.bool, [])

        def branch():
            with tf.control_dependencies([update]):
                return count.read_value() * 1.0

        y = tf.cond(x, branch, lambda: tf.constant(0.0))
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(y, {x: True}) == 6

    def test_feeds_reach_into_bodies(self, profile):
        x = tf.constant([1.0, 2.0])
        y = power(x, 2)
        with tf.Session() as session:
            np.testing.assert_array_equal(session.run(y, {x: [3.0, 4.0]}), [27, 64])

    def test_the_values_fetched_belong_to_the_caller(self, profile):
        x = tf.placeholder(tf.float32, [2])
        y = tf.cond(tf.reduce_sum(x) > 0.0, lambda: x, lambda: -x)
        given = np.array([1.0, 2.0], np.float32)
        with tf.Session() as session:
            session.run(y, {x: given})[0] = 7
        assert given[0] == 1


class TestLength:
    def test_a_loop_may_go_round_ten_thousand_times(self, profile):
        x = tf.placeholder(tf.float64, [])
        y = tf.while_loop(lambda i, a: i < 10_000, lambda i, a: (i + 1, a * x), [0, x])[1]
        gradient = tf.gradients(y, x)[0]
        with tf.Session() as session:
            value = session.run(gradient, {x: 1.0001})
        assert value == pytest.approx(10_001 * 1.0001**10_000)

    def test_a_body_may_be_a_long_chain(self, profile):
        x = tf.placeholder(tf.float64, [])

        def branch():
            y = x
            for _ in range(3_000):
                y = tf.sin(y)
            return y

        y = tf.cond(x > 0.0, branch, lambda: x)
        gradient = tf.gradients(y, x)[0]
        with tf.Session() as session:
            assert 0 < session.run(gradient, {x: 0.001}) <= 1


class TestTensorLists:
    def test_a_push_leaves_the_list_as_it_was(self):
        empty = tf.raw_ops.EmptyTensorList(
            element_shape=tf.constant([], tf.int32), max_num_elements=-1, element_dtype=tf.float32
        )

        def pushed(items, value):
            return tf.raw_ops.TensorListPushBack(input_handle=items, tensor=value)

        def stacked(items):
            return tf.raw_ops.TensorListStack(
                input_handle=items, element_shape=[], element_dtype=tf.float32
            )

        one = pushed(empty, 1.0)
        left, right = pushed(one, 2.0), pushed(one, 3.0)
        rest, last = tf.raw_ops.TensorListPopBack(
            input_handle=left, element_shape=[], element_dtype=tf.float32
        )
        again = pushed(rest, 4.0)
        with tf.Session() as session:
            values = session.run([stacked(items) for items in (one, left, right, rest, again)])
            assert session.run(last) == 2
        assert [value.tolist() for value in values] == [[1], [1, 2], [1, 3], [1], [1, 4]]

    def test_an_array_grows_where_it_may(self, profile):
        array = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        x = tf.constant(2.0)
        filled = array.write(0, x).write(2, x * x)
        with tf.Session() as session:
            assert session.run([filled.stack(), filled.size()])[0].tolist() == [2, 0, 4]


class TestFunctions:
    def test_a_call_is_one_operation(self, profile):
        square = tf.function(lambda x: x * x + 1.0)
        y = square(tf.constant(3.0))
        assert y.op.type == "PartitionedCall"
        with tf.Session() as session:
            assert session.run(y) == 10

    def test_nests_go_in_and_out(self, profile):
        swap = tf.function(lambda pair, scale=1.0: {"first": pair[1] * scale, "rest": [pair[0]]})
        result = swap((tf.constant(1.0), tf.constant(2.0)), scale=3.0)
        with tf.Session() as session:
            assert session.run(result) == {"first": 6, "rest": [1]}

    def test_loops_in_them_have_a_second_order_in_tensorflow_1_too(self):
        x = tf.constant(3.0)
        y = tf.function(lambda a: power(a, 2))(x)
        second = tf.gradients(tf.gradients(y, x), x)[0]
        with tf.Session() as session:
            assert session.run(second) == 18


def test_a_wrapped_function_makes_its_variables_once_and_has_a_gradient():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.placeholder(tf.float32, [2])
        wrapped = tf.wrap_function(
            lambda a: a * a * tf.get_variable("v", initializer=[2.0, 3.0]),
            [tf.TensorSpec([2], tf.float32)],
        )
        y = wrapped(x) + wrapped(x)
        (variable,) = wrapped.variables
        gradients = tf.gradients(y, [x, variable])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            of_x, of_variable = session.run(gradients, {x: [1.0, 4.0]})
    assert of_x.tolist() == [8.0, 48.0]
    assert of_variable.tolist() == [2.0, 32.0]
