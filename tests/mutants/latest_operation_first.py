"""Operations are differentiated last come, first served: sums take another order."""

import collections
import sys

import numpy_tf
from numpy_tf import backprop


class Stack(collections.deque):
    """A queue that serves the latest first."""

    popleft = collections.deque.pop


backprop.deque = Stack

sys.modules[__name__] = numpy_tf
