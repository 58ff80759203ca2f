"""The op block: what it must say, what it may leave out, and what it refuses."""

import numpy as np
import pytest

import numpy_tf as tf
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.op_def import GRADIENTS, NO_GRADIENT, NOT_DIFFERENTIABLE, OPS, op


@pytest.fixture
def defined():
    """Forgets the ops that a test defines."""
    before = set(OPS)
    yield
    for name in set(OPS) - before:
        del OPS[name]
        GRADIENTS.pop(name, None)


def run(tensor, feeds=None):
    with tf.Session(graph=tensor.graph) as session:
        return session.run(tensor, feeds)


@pytest.mark.usefixtures("defined")
class TestABlock:
    def test_makes_an_op_that_runs_and_differentiates(self):
        @op("x: T -> y: T", T=FLOATING)
        class Cubed:
            """x³."""

            def kernel(x):
                return x * x * x

            def gradient(op, grad):
                return grad * 3.0 * tf.square(op.inputs[0])

        with tf.Graph().as_default():
            x = tf.constant([1.0, 2.0])
            y = Cubed(x)
            (gradient,) = tf.gradients(y, x)
            assert y.op.type == "Cubed"
            assert y.shape.as_list() == [2]
            np.testing.assert_array_equal(run(y), [1, 8])
            np.testing.assert_array_equal(run(gradient), [3, 12])

    def test_is_reached_by_its_name_with_keywords(self):
        @op("x: T -> y: T", T=FLOATING, factor=2.0)
        class Scaled:
            def kernel(x, *, factor):
                return x * x.dtype.type(factor)

            gradient = NO_GRADIENT

        with tf.Graph().as_default():
            assert run(tf.raw_ops.Scaled(x=tf.constant(3.0))) == 6
            assert run(tf.raw_ops.Scaled(x=tf.constant(3.0), factor=5.0)) == 15
            with pytest.raises(TypeError, match=r"missing required keyword arguments: \['x'\]"):
                tf.raw_ops.Scaled(factor=5.0)
            with pytest.raises(TypeError, match="unexpected keyword argument 'fator'"):
                tf.raw_ops.Scaled(x=tf.constant(3.0), fator=5.0)

    def test_without_a_word_on_its_gradient_is_refused(self):
        with pytest.raises(ValueError, match="must say whether it has a gradient"):

            @op("x: T -> y: T", T=FLOATING)
            class Mute:
                kernel = np.sqrt

    def test_not_differentiable_is_none_and_no_gradient_is_an_error(self):
        @op("x: T -> y: T", T=FLOATING)
        class Cut:
            kernel = np.sqrt
            gradient = NOT_DIFFERENTIABLE

        @op("x: T -> y: T", T=FLOATING)
        class Unknown:
            kernel = np.sqrt
            gradient = NO_GRADIENT

        with tf.Graph().as_default():
            x = tf.constant(4.0)
            assert tf.gradients(Cut(x), x) == [None]
            with pytest.raises(LookupError, match=r"No gradient defined for operation'Unknown'"):
                tf.gradients(Unknown(x), x)

    def test_cannot_be_defined_twice(self):
        with pytest.raises(ValueError, match="op Tanh is defined twice"):

            @op("x: T -> y: T", T=FLOATING)
            class Tanh:
                kernel = np.tanh
                gradient = NOT_DIFFERENTIABLE


class TestInputs:
    def test_of_another_dtype_are_refused_by_name(self):
        with tf.Graph().as_default():
            x, y = tf.constant(1.0), tf.constant(1.0, tf.float64)
            with pytest.raises(
                TypeError,
                match="Input 'y' of 'Mul' Op has type float64 that does not match type float32 "
                "of argument 'x'",
            ):
                tf.multiply(x, y)

    def test_of_a_dtype_that_the_op_does_not_take_are_refused(self):
        with tf.Graph().as_default(), pytest.raises(TypeError, match="DataType int32 not in list"):
            tf.exp(tf.constant([1, 2]))

    def test_of_different_graphs_are_refused(self):
        with tf.Graph().as_default():
            x = tf.constant(1.0)
        with (
            tf.Graph().as_default(),
            pytest.raises(ValueError, match="must be from the same graph"),
        ):
            tf.add(x, tf.constant(1.0))

    def test_of_unfit_shapes_are_refused_with_the_node_and_the_shapes(self):
        with (
            tf.Graph().as_default(),
            pytest.raises(
                ValueError, match=r"Dimensions must be equal, but are 2 and 3 for .*\[2\], \[3\]"
            ),
        ):
            tf.add(tf.constant([1.0, 2.0]), tf.constant([1.0, 2.0, 3.0]))


def test_every_op_says_whether_it_has_a_gradient_and_how_it_is_run():
    for name, definition in OPS.items():
        assert definition.kernel is not None or definition.bind is not None, name
        assert definition.__doc__, name
