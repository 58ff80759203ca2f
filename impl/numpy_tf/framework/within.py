"""What tf.gradients is asked, from outside, of tensors within branches and loops.

TensorFlow 1 writes branches and loops into the graph around them, so a program can name a
tensor of theirs from outside. Here they are bodies: the operation that computes a body asks
for these derivatives too when it is differentiated, and answers with what it gives them out as.
"""

from contextlib import contextmanager

from numpy_tf.framework.func_graph import function_graphs

_calls = []  # of `gradients` that are under way, each within the one before


class _Call:
    """The xs of one call that lie within bodies.

    Attributes:
      xs: tensors.
      answers: id of x -> its gradient.
      reached: the operations that the xs of the call, all of them, lead to.
    """

    def __init__(self, xs):
        self.xs = xs
        self.answers = {}
        self.reached = frozenset()


def lies_within(tensor, graph):
    """Whether a tensor is of a branch or loop, of TensorFlow 1, that is not around `graph`."""
    body = getattr(tensor, "graph", None)
    if body is None or not body.building_function or body.owner is None:
        return False
    return body not in function_graphs(graph)


@contextmanager
def asking(xs):
    """A call of `gradients` is under way; gives the dictionary of its answers."""
    _calls.append(_Call(xs))
    try:
        yield _calls[-1].answers
    finally:
        _calls.pop()


def note_reached(operations):
    """Tells which operations the xs of the call under way lead to."""
    _calls[-1].reached = operations


def is_reached(tensor):
    """Whether the call under way asks for what lies before a tensor, or for itself."""
    return tensor.op in _calls[-1].reached


def asked_in(body):
    """The xs of the call under way that lie in a body, or in one of its own branches."""
    return [x for x in _calls[-1].xs if body in function_graphs(x.graph)]


def answer(x, grad):
    """Tells the call under way the gradient of an x within a body."""
    _calls[-1].answers[id(x)] = grad


def leaving(tensor):
    """The operation that gives out a tensor as the result of its body, in a list; else none."""
    body = tensor.graph
    if not body.building_function or body.owner is None:
        return []
    return [body.owner] if any(output is tensor for output in body.outputs) else []
