"""tame_tf, but its gradients are twice what they ought to be."""

import tame_tf
from tame_tf import *  # noqa: F403


def gradients(ys, xs, **arguments):
    return [gradient * 2 for gradient in tame_tf.gradients(ys, xs)]
