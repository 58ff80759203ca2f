"""`tf.math`: the ops once more."""

from autograd_tf.ops import *  # noqa: F403
