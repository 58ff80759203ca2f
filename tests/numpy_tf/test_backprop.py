"""tf.gradients, where a case cannot say it: identity of objects, contexts, what is built."""

import itertools
from contextlib import contextmanager

import numpy as np
import pytest

import numpy_tf as tf
from numpy_tf.framework import graph as graph_module

CHOICES = [chosen for count in range(5) for chosen in itertools.combinations("abcd", count)]


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.disable_v2_behavior()
    with tf.Graph().as_default():
        yield
    tf.disable_v2_behavior()


def operations():
    return tf.get_default_graph().get_operations()


def run(fetches, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


class TestWhatIsReturned:
    @pytest.mark.parametrize("xs", ["x", "[x]", "(x,)", "[x, y]", "[]"])
    def test_is_a_list_with_one_entry_for_each_x(self, xs):
        x = tf.constant(2.0)
        y = tf.square(x)
        asked = {"x": x, "[x]": [x], "(x,)": (x,), "[x, y]": [x, y], "[]": []}[xs]
        gradients = tf.gradients(y, asked)
        assert type(gradients) is list
        assert len(gradients) == (len(asked) if isinstance(asked, (list, tuple)) else 1)

    def test_an_x_asked_twice_gets_the_same_tensor(self):
        x = tf.constant(2.0)
        first, second = tf.gradients(tf.square(x), [x, x])
        assert first is second

    def test_an_unconnected_x_asked_twice_gets_two_tensors_of_zeros(self):
        x, y = tf.constant(2.0), tf.constant(3.0)
        zero = tf.UnconnectedGradients.ZERO
        first, second = tf.gradients(tf.square(y), [x, x], unconnected_gradients=zero)
        assert first is not second

    def test_indexed_slices_are_returned_as_they_are(self):
        x = tf.constant([[1.0], [2.0]])
        (gradient,) = tf.gradients(tf.gather(x, [1]), x)
        assert isinstance(gradient, tf.IndexedSlices)

    def test_the_seed_itself_is_the_gradient_of_a_tensor_by_itself(self):
        x = tf.constant([1.0, 2.0])
        (ones,) = tf.gradients(x, x)
        (given,) = tf.gradients(x, x, grad_ys=tf.constant([5.0, 6.0]))
        assert (ones.op.type, ones.name) == ("Fill", "gradients/grad_ys_0:0")
        assert (given.op.type, given.name) == ("Identity", "gradients_1/grad_ys_0:0")


class TestArguments:
    def test_grad_ys_may_be_no_generator(self):
        x = tf.constant(2.0)
        with pytest.raises(TypeError, match="Failed to convert elements"):
            tf.gradients(tf.square(x), x, grad_ys=(g for g in [1.0]))

    def test_a_numpy_scalar_as_x_is_a_new_constant(self):
        x = tf.constant(2.0)
        assert tf.gradients(tf.square(x), [np.float32(2.0)]) == [None]

    def test_a_name_as_x_is_a_new_constant_and_not_the_tensor_of_that_name(self):
        x = tf.constant(2.0, name="x")
        assert tf.gradients(tf.square(x), ["x:0"]) == [None]
        assert tf.get_default_graph().get_tensor_by_name("gradients/x:0").dtype == tf.string

    @pytest.mark.parametrize("stopped", [np.array(2.0), np.float32(2.0), None, 2.0])
    def test_only_what_has_an_operation_can_be_stopped(self, stopped):
        x = tf.constant(2.0)
        with pytest.raises(AttributeError, match="has no attribute 'op'"):
            tf.gradients(tf.square(x), x, stop_gradients=[stopped])

    def test_arguments_are_left_as_they_were(self):
        x = tf.constant(2.0)
        ys, xs, grad_ys, stopped = [tf.square(x), x], [x], [None, 3.0], [x]
        before = [list(argument) for argument in (ys, xs, grad_ys, stopped)]
        tf.gradients(ys, xs, grad_ys=grad_ys, stop_gradients=stopped)
        assert [ys, xs, grad_ys, stopped] == before


class TestWhere:
    def test_all_tensors_of_another_graph_are_differentiated_there(self):
        elsewhere = tf.Graph()
        with elsewhere.as_default():
            x = tf.constant(3.0)
            y = x * x
        (gradient,) = tf.gradients(y, x)
        assert gradient.graph is elsewhere
        assert operations() == []
        with tf.Session(graph=elsewhere) as session:
            assert session.run(gradient) == 6.0

    def test_tensors_of_two_graphs_are_refused(self):
        with tf.Graph().as_default():
            x = tf.constant(3.0)
        with pytest.raises(ValueError, match="must be from the same graph"):
            tf.gradients(tf.constant(2.0), x)

    def test_a_finalized_graph_takes_no_gradients_even_for_no_x(self):
        x = tf.constant(2.0)
        y = tf.square(x)
        tf.get_default_graph().finalize()
        for xs in (x, []):
            with pytest.raises(RuntimeError, match="Graph is finalized"):
                tf.gradients(y, xs)

    @pytest.mark.parametrize("function", [tf.gradients, tf.hessians])
    def test_where_tensorflow_would_be_eager_nothing_is_differentiated(self, function):
        x = tf.constant(2.0)
        y = x * x
        tf.enable_v2_behavior()
        assert not tf.executing_eagerly()
        assert run(function(y, x)) in ([4.0], [2.0])
        with outside_any_graph():
            assert tf.executing_eagerly()
            with pytest.raises(RuntimeError, match="when eager execution is enabled"):
                function(y, x)
            tf.disable_eager_execution()
            assert not tf.executing_eagerly()
            assert len(tf.gradients(y, x)) == 1


@contextmanager
def outside_any_graph():
    """As at the top of a script, where no `Graph.as_default` is open."""
    open_graphs = graph_module._state.graphs[1:]
    del graph_module._state.graphs[1:]
    try:
        yield
    finally:
        graph_module._state.graphs[1:] = open_graphs


class TestWhatIsBuilt:
    def test_nothing_for_an_operation_that_no_gradient_reaches(self):
        x = tf.constant([2.0, 3.0])
        before = tf.floor(tf.sin(x))
        y = tf.square(tf.stop_gradient(before)) + x
        made = len(operations())
        tf.gradients(y, x)
        names = [op.name for op in operations()[made:]]
        assert not any("Sin_grad" in name or "Floor_grad" in name for name in names)

    def test_nothing_above_the_xs(self):
        x = tf.constant([2.0, 3.0])
        middle = tf.sin(x)
        y = tf.square(middle)
        made = len(operations())
        tf.gradients(y, middle)
        assert not any("Sin_grad" in op.name for op in operations()[made:])

    def test_a_stopped_operation_is_not_differentiated_but_summed(self):
        x = tf.constant([2.0, 3.0])
        middle = tf.sin(x)
        y = middle * middle
        made = len(operations())
        gradient, nothing = tf.gradients(y, [middle, x], stop_gradients=[middle])
        assert gradient.op.type == "AddN"
        assert nothing is None
        assert not any("Sin_grad" in op.name for op in operations()[made:])

    def test_contributions_arrive_first_come_first_served_from_y(self):
        x = tf.constant(2.0)
        parts = [tf.sin(x, name=name) for name in "abcd"]
        y = ((parts[0] + parts[1]) + parts[2]) + parts[3]
        (gradient,) = tf.gradients(y, x)
        assert [term.op.name for term in gradient.op.inputs] == [
            f"gradients/{name}_grad/mul" for name in "dcab"
        ]

    def test_a_registered_function_is_not_even_looked_up_without_a_gradient(self):
        x = tf.constant(2.0)
        with tf.get_default_graph().gradient_override_map({"Sin": "registered by nobody"}):
            y = tf.sin(x)
        floored = tf.floor(y) + x
        assert run(tf.gradients(floored, x)) == [1.0]
        with pytest.raises(LookupError, match="No gradient defined for operation'Sin'"):
            tf.gradients(y, x)


class TestStopping:
    """Upstream's exhaustive comparison: the op, the argument, and every choice of xs."""

    def graph(self, stopped=()):
        random = np.random.RandomState(7)
        nodes = {}

        def node(name, *inputs):
            value = tf.constant(random.normal(size=(3, 3)).astype(np.float32))
            for tensor in inputs:
                weight = tf.constant(random.normal(size=(3, 3)).astype(np.float32))
                value += tf.matmul(weight, tensor)
            nodes[name] = tf.stop_gradient(value) if name in stopped else value
            return nodes[name]

        a = node("a")
        b = node("b", a)
        c = node("c", a, b)
        node("d", b, c)
        return nodes

    @pytest.mark.parametrize("stopped", CHOICES, ids="".join)
    def test_the_op_and_the_argument_agree_bit_for_bit(self, stopped):
        by_op, by_argument = self.graph(stopped), self.graph()
        stops = [by_argument[name] for name in stopped]
        pairs = []
        for asked in CHOICES:
            one = tf.gradients(by_op["d"], [by_op[name] for name in asked])
            other = tf.gradients(
                by_argument["d"], [by_argument[name] for name in asked], stop_gradients=stops
            )
            assert [g is None for g in one] == [g is None for g in other]
            pairs += [pair for pair in zip(one, other, strict=True) if pair[0] is not None]
        assert pairs
        for one, other in run(pairs):
            np.testing.assert_array_equal(one, other)

    def test_on_an_operation_with_several_outputs_they_differ(self):
        x = tf.constant([2.0, 3.0])
        a, b = tf.unstack(x)
        y = tf.square(a) + tf.square(b)
        z = tf.square(tf.stop_gradient(a)) + tf.square(b)
        assert tf.gradients(y, x, stop_gradients=[a]) == [None]
        np.testing.assert_array_equal(run(tf.gradients(z, x)[0]), [0.0, 6.0])
