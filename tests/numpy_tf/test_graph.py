"""Graphs, names, scopes and collections, as TensorFlow has them."""

import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


class TestNames:
    def test_are_made_unique_by_numbers(self):
        names = [tf.constant(1.0, name="c").name for _ in range(3)]
        assert names == ["c:0", "c_1:0", "c_2:0"]

    def test_do_not_collide_with_a_name_that_looks_numbered(self):
        tf.constant(1.0, name="c_1")
        assert tf.constant(1.0, name="c").name == "c:0"
        assert tf.constant(1.0, name="c").name == "c_2:0"

    def test_are_compared_without_case(self):
        tf.constant(1.0, name="Value")
        assert tf.constant(1.0, name="value").name == "value_1:0"

    def test_stand_below_their_scope(self):
        with tf.name_scope("outer"), tf.name_scope("inner") as scope:
            assert scope == "outer/inner/"
            assert tf.constant(1.0, name="c").name == "outer/inner/c:0"
        with tf.name_scope("outer"):
            assert tf.constant(1.0, name="c").name == "outer_1/c:0"
        with tf.name_scope("outer/"):
            assert tf.constant(1.0, name="d").name == "outer/d:0"

    def test_of_operators_and_their_constants(self):
        x = tf.placeholder(tf.float32, [], name="x")
        y = x * 2.0 + 1.0
        assert [op.name for op in y.graph.get_operations()] == ["x", "mul/y", "mul", "add/y", "add"]

    def test_find_operations_and_tensors(self, graph):
        x = tf.placeholder(tf.float32, [], name="x")
        assert graph.get_tensor_by_name("x:0") is x
        assert graph.get_operation_by_name("x") is x.op
        with pytest.raises(KeyError, match="does not exist"):
            graph.get_tensor_by_name("y:0")
        with pytest.raises(ValueError, match=r"looks like an \(invalid\) Operation name"):
            graph.get_tensor_by_name("x")


class TestTensors:
    def test_are_no_python_values(self):
        x = tf.placeholder(tf.float32, [2])
        with pytest.raises(TypeError, match="as a Python `bool` is not allowed"):
            bool(x)
        with pytest.raises(TypeError, match="len is not well defined"):
            len(x)
        assert x == x
        assert len({x: 1, tf.identity(x): 2}) == 2

    def test_equal_constants_stay_two_nodes(self):
        a, b = tf.constant(1.0), tf.constant(1.0)
        assert a is not b
        assert a.op is not b.op

    def test_set_shape_merges_and_contradicts(self):
        x = tf.placeholder(tf.float32, [None, 3])
        x.set_shape([2, None])
        assert x.shape.as_list() == [2, 3]
        with pytest.raises(ValueError, match="not compatible"):
            x.set_shape([4, 3])

    def test_list_their_consumers_once_for_each_use(self):
        x = tf.placeholder(tf.float32, [])
        y = x + x
        z = tf.exp(x)
        assert x.consumers() == [y.op, y.op, z.op]


class TestContexts:
    def test_control_dependencies_hold_for_what_is_made_inside(self):
        x = tf.constant(1.0)
        with tf.control_dependencies([x]):
            y = tf.constant(2.0)
            with tf.control_dependencies(None):
                z = tf.constant(3.0)
        assert y.op.control_inputs == (x.op,)
        assert z.op.control_inputs == ()

    def test_a_finalized_graph_takes_nothing_more(self, graph):
        graph.finalize()
        with pytest.raises(RuntimeError, match="Graph is finalized"):
            tf.constant(1.0)

    def test_collections_filter_by_scope(self, graph):
        a, b = tf.constant(1.0, name="left/a"), tf.constant(1.0, name="right/b")
        for tensor in (a, b):
            graph.add_to_collection("things", tensor)
        assert tf.get_collection("things") == [a, b]
        assert tf.get_collection("things", scope="left") == [a]

    def test_a_nested_graph_cannot_be_reset(self):
        with pytest.raises(AssertionError, match="nested graphs"):
            tf.reset_default_graph()
