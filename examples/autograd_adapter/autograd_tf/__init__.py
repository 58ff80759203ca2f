"""HIPS autograd in the clothes of tf.compat.v1, so that gradparity can put it under test."""

from importlib.metadata import version

from autograd_tf import graph, math, nn  # noqa: F401
from autograd_tf.graph import *  # noqa: F403
from autograd_tf.ops import *  # noqa: F403

__version__ = version("autograd")
globals().update(graph.DTYPES)
