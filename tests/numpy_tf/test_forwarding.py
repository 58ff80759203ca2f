"""Which input an AddN sums first, operation by operation; the contract's cases ask TensorFlow."""

import pytest

import numpy_tf as tf
from numpy_tf.forwarding import Memory, started


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def _place(terms, fetched=(), fed=()):
    total = tf.add_n(terms)
    operations = [op for op in total.graph.get_operations() if op.type != "Placeholder"]
    memory = Memory(operations, {id(t) for t in fed}, {id(t) for t in (total, *fetched)})
    return memory.place_summed_into(total.op)


def _given():
    return tf.placeholder(tf.float32, [2])


def test_what_is_fed_or_constant_or_a_variables_stays_whole():
    fed, other = _given(), _given()
    terms = [fed, tf.constant([1.0, 2.0]), tf.Variable([1.0, 2.0]).read_value(), other * 2.0]
    assert _place(terms, fed=[fed, other]) == 3


def test_the_first_that_is_free_is_taken():
    fed = _given()
    assert _place([fed, fed, fed * 2.0, fed * 3.0], fed=[fed]) == 2


def test_what_is_fetched_is_not_free():
    fed = _given()
    product = fed * 2.0
    assert _place([fed, fed, product, fed * 3.0], fetched=[product], fed=[fed]) == 3


def test_what_is_taken_twice_is_not_free():
    fed = _given()
    product = fed * 2.0
    assert _place([fed, product, tf.identity(product), fed * 3.0], fed=[fed]) == 3


def test_what_passes_memory_on_is_what_it_passes():
    fed = _given()
    assert _place([fed, tf.identity(fed), tf.reshape(fed * 2.0, [2])], fed=[fed]) == 2


def test_without_a_free_one_the_order_stays():
    fed = _given()
    assert _place([fed, fed, fed], fed=[fed]) == 0


def test_operations_start_in_the_order_in_which_they_become_ready():
    fed = _given()
    left, right = fed * 2.0, fed * 3.0
    passed = tf.identity(left)
    total = passed + right
    operations = [op for op in fed.graph.get_operations() if op.type != "Placeholder"]
    order = started(operations, {id(fed)})
    assert order[left.op] < order[passed.op] < order[total.op]
    assert order[right.op] < order[total.op]
