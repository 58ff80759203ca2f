"""numpy_tf, but for four functions that do to the worker what no program should."""

import wild_tf

from numpy_tf import *  # noqa: F403


def sin(x):
    wild_tf.misbehave("abort")


def cos(x):
    wild_tf.misbehave("garbage")


def tan(x):
    wild_tf.misbehave("exit")


def tanh(x):
    wild_tf.misbehave("hang")
