"""Subnormal numbers are zeros inside a run, as in TensorFlow, and numbers outside of it."""

import platform
import sys

import numpy as np
import pytest

import numpy_tf as tf
from numpy_tf.subnormals import flushed

# Elsewhere the processor is left as it is, and they stay numbers.
FLUSHES = sys.platform == "linux" and platform.machine() == "x86_64"
SUBNORMAL = np.float32(1e-40)


def test_a_result_that_is_subnormal_is_zero_in_a_run():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [3])
        result = session.run(x * 1e-15, {x: [1e-25, -1e-25, 2e-25]})
    assert np.all((result == 0) == FLUSHES)


def test_constants_that_the_plan_folds_are_flushed_too():
    with tf.Graph().as_default(), tf.Session() as session:
        result = session.run(tf.constant([1e-25, 2e-25]) * 1e-15)
    assert np.all((result == 0) == FLUSHES)


def test_an_operand_that_is_subnormal_counts_as_zero_in_a_run():
    assert (flushed(np.multiply, SUBNORMAL, np.float32(1e10)) == 0) == FLUSHES


def test_after_a_run_subnormal_numbers_are_numbers_again():
    flushed(np.multiply, SUBNORMAL, SUBNORMAL)
    assert SUBNORMAL * np.float32(1) == SUBNORMAL


def test_after_an_error_subnormal_numbers_are_numbers_again():
    with pytest.raises(ZeroDivisionError):
        flushed(divmod, 1, 0)
    assert SUBNORMAL * np.float32(1) == SUBNORMAL


def test_a_run_inside_a_run_leaves_the_outer_one_flushing():
    def outer():
        flushed(np.multiply, SUBNORMAL, SUBNORMAL)
        return SUBNORMAL * np.float32(1)

    assert (flushed(outer) == 0) == FLUSHES
