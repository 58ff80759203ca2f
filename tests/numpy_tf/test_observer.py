"""An observer is told what `tf.gradients` does, in its order, and only where it was asked for."""

import pytest

import numpy_tf as tf
from numpy_tf.observer import Ending, Observer, observed_by


class Listener(Observer):
    """Writes down what it is told."""

    def __init__(self):
        self.told = []

    def started(self, ys, xs, grad_ys, seeds):
        self.told.append(("started", [y.op.name for y in ys], [x.op.name for x in xs], grad_ys))
        self.seeds = seeds

    def found_between(self, reached, between, stops, ends):
        self.reached, self.between = _names(reached), _names(between)
        self.stops, self.ends = _names(stops), _names(ends)

    def processing(self, op, out_grads):
        self.told.append(("processing", op.name))

    def ended(self, op, ending):
        self.told.append((ending, op.name))

    def differentiated(self, op, out_grads, inputs, in_grads):
        assert len(out_grads) == len(op.outputs)
        assert len(inputs) == len(in_grads)
        self.told.append(("differentiated", op.name))

    def finished(self, grads):
        self.grads = grads


def _names(ops):
    return {op.name for op in ops}


@pytest.fixture(autouse=True)
def graph():
    tf.disable_v2_behavior()
    with tf.Graph().as_default():
        yield


@pytest.fixture
def chain():
    x = tf.constant(2.0, name="x")
    beside = tf.exp(x, name="beside")
    assert beside.op.name == "beside"
    z = tf.square(x, name="z")
    return x, z, tf.sin(tf.stop_gradient(z, name="stop") * z, name="y")


def test_an_observer_is_told_each_operation_and_what_became_of_it(chain):
    x, _, y = chain
    with observed_by(Listener()) as listener:
        gradients = tf.gradients(y, x)
    assert listener.told == [
        ("started", ["y"], ["x"], [None]),
        ("processing", "y"),
        ("differentiated", "y"),
        ("processing", "mul"),
        ("differentiated", "mul"),
        ("processing", "stop"),
        (Ending.NOT_DIFFERENTIABLE, "stop"),
        ("processing", "z"),
        ("differentiated", "z"),
        ("processing", "x"),
        (Ending.STOPPED, "x"),
    ]
    assert listener.grads == gradients
    assert listener.reached - listener.between == {"beside"}
    assert (listener.stops, listener.ends) == (set(), {"x"})


def test_what_stop_gradients_names_is_told_apart_from_the_ends(chain):
    x, z, y = chain
    with observed_by(Listener()) as listener:
        tf.gradients(y, x, stop_gradients=[z])
    assert (listener.stops, listener.ends) == ({"z"}, {"x"})
    assert (Ending.STOPPED, "z") in listener.told
    assert (Ending.NO_GRADIENT, "x") not in listener.told  # an x ends it, whatever has come


def test_the_weights_that_were_given_are_told(chain):
    x, _, y = chain
    with observed_by(Listener()) as listener:
        tf.gradients(y, x, grad_ys=[0.5])
    assert listener.told[0][-1] == [0.5]
    assert [seed.op.type for seed in listener.seeds] == ["Identity"]


def test_an_observer_is_told_nothing_outside_its_context(chain):
    x, _, y = chain
    with observed_by(Listener()) as listener:
        pass
    tf.gradients(y, x)
    assert listener.told == []


def test_being_observed_builds_no_operation(chain):
    x, _, y = chain
    before = len(tf.get_default_graph().get_operations())
    tf.gradients(y, x)
    alone = len(tf.get_default_graph().get_operations()) - before
    with observed_by(Observer()):
        tf.gradients(y, x)
    assert len(tf.get_default_graph().get_operations()) == before + 2 * alone
