"""Observer: what one can be told of calls of `tf.gradients` while they are under way."""

from contextlib import contextmanager
from enum import Enum

_observers = []


class Ending(Enum):
    """Why an operation between the xs and the ys passes nothing on."""

    STOPPED = "stopped"  # it is one of the operations to stop at
    NO_GRADIENT = "no gradient"  # nothing has reached any of its outputs
    NOT_DIFFERENTIABLE = "not differentiable"  # `tf.NotDifferentiable`, or `NoGradient`


class Observer:
    """Told of each call of `tf.gradients`, in the order of what happens; does nothing by itself.

    Gradients are tensors, IndexedSlices or None. A call within a body (of a branch, a loop or a
    function) begins and ends while the operation that owns the body is differentiated.
    """

    def started(self, ys, xs, grad_ys, seeds):
        """A call begins.

        Args:
          ys, xs: tensors.
          grad_ys: the weights that were given, None for each y that has none.
          seeds: for each y the gradient that it starts with: its weight, or ones.
        """

    def found_between(self, reached, between, stops, ends):
        """It is known which operations are to be processed.

        Args:
          reached: those that the xs lead to, through trainable tensors.
          between: those of them that lead to the ys.
          stops: those to stop at because `stop_gradients` names an output of theirs.
          ends: those of xs that nothing between lies before.
        """

    def processing(self, op, out_grads):
        """An operation is about to be processed.

        It is `ended` or `differentiated` then, unless it raises.

        Args:
          op: the operation.
          out_grads: for each output the sum of what has reached it.
        """

    def ended(self, op, ending):
        """The operation passes nothing on, for the reason `ending`."""

    def differentiated(self, op, out_grads, inputs, in_grads):
        """The operation's gradient function was called.

        Args:
          op: the operation.
          out_grads: what it was given: zeros for an output that nothing has reached, beside one
            that something has.
          inputs: the operation's, across borders of bodies.
          in_grads: for each of them what the function gave.
        """

    def finished(self, grads):
        """The call ends; for each x its gradient."""


@contextmanager
def observed_by(observer):
    """Within this context, `observer` is told of all calls of `tf.gradients`."""
    _observers.append(observer)
    try:
        yield observer
    finally:
        _observers.pop()


def current_observer():
    """Who is to be told, or None."""
    return _observers[-1] if _observers else None
