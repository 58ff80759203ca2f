"""What tests of explanations share: the story of a few lines of TensorFlow code."""

import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def as_numpy_tf_starts():
    """What one story asks of numpy_tf's flags is not left to the next test."""
    yield
    tf.disable_v2_behavior()
