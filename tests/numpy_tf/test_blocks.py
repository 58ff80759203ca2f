"""Rows of elementwise operations: by blocks they give the bits that whole arrays give."""

import numpy as np
import pytest

import numpy_tf as tf
from numpy_tf.blocks import Row
from numpy_tf.framework.op_def import OPS

_SIZE = 100_003  # some blocks and a rest
_OF_ARRAYS = sorted(
    name
    for name, definition in OPS.items()
    if definition.elementwise
    and not any(argument.is_list for argument in definition.inputs)
    and {argument.type_attr for argument in definition.inputs} == {"T"}
    and tf.float32 in definition.allowed["T"]
)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def _rows(session):
    (plan,) = session._plans.values()
    return [kernel for kernel, *_ in plan._steps if isinstance(kernel, Row)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", _OF_ARRAYS)
def test_an_elementwise_kernel_gives_the_same_bits_by_blocks(name, dtype):
    definition = OPS[name]
    numbers = np.random.RandomState(1).normal(size=(len(definition.inputs), _SIZE)).astype(dtype)
    numbers[:, 17] = 0
    inputs = [tf.placeholder(dtype, [_SIZE]) for _ in definition.inputs]
    signs = [-x for x in inputs]
    result = definition(*signs)
    with tf.Session() as session:
        got = session.run(result, dict(zip(inputs, numbers, strict=True)))
        (row,) = _rows(session)
    assert row.outputs == [result]
    with np.errstate(all="ignore"):
        expected = definition.bound_kernel(result.op, None)(*[-x for x in numbers])
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(expected))


def test_what_is_needed_outside_a_row_is_kept_whole():
    x = tf.placeholder(tf.float32, [_SIZE])
    doubled = x + x
    square = doubled * doubled
    total = tf.reduce_sum(square - doubled)
    fed = np.arange(_SIZE, dtype=np.float32) % 7
    with tf.Session() as session:
        got = session.run([total, doubled], {x: fed})
        assert len(_rows(session)) == 1
    np.testing.assert_array_equal(got[1], fed * 2)
    assert got[0] == (fed * fed * 4 - fed * 2).sum()


def test_shapes_that_only_the_run_knows_may_be_small_or_broadcast():
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 4])
    z = x * y + y
    one = np.full([1, 4], 3, np.float32)
    with tf.Session() as session:
        for rows in (2, 1, 50_000):
            many = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
            expected = many * 3 + 3
            np.testing.assert_array_equal(session.run(z, {x: many, y: one}), expected)
        assert _rows(session)


def test_arrays_that_do_not_lie_in_one_piece_are_taken_too():
    x = tf.placeholder(tf.float32, [300, 200])
    y = -(tf.transpose(x) + 1.0)
    fed = np.random.RandomState(1).normal(size=(300, 200)).astype(np.float32)
    with tf.Session() as session:
        np.testing.assert_array_equal(session.run(y, {x: fed}), -(fed.T + 1))


def test_an_error_in_a_row_names_its_operation():
    x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
    z = -x
    product = tf.multiply(z, y, name="of_two_sizes")
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(product, {x: [1, 2, 3], y: [1, 2]})
    assert caught.value.op.name == "of_two_sizes"
