"""State: what a session keeps between runs: variables' values and random streams."""

import numpy as np

from numpy_tf.framework import errors


class Cell:
    """The value of one variable in one session.

    Attributes:
      name: the variable's name, for messages.
      is_resource: whether it is a resource variable's; the message of an uninitialised
        read differs.
    """

    __slots__ = ("_value", "is_resource", "name")

    def __init__(self, name, is_resource):
        self.name = name
        self.is_resource = is_resource
        self._value = None

    @property
    def initialized(self):
        """Whether a value was assigned."""
        return self._value is not None

    def read(self):
        """The value.

        Raises:
          errors.FailedPreconditionError: before one was assigned.
        """
        if self._value is None:
            if self.is_resource:
                message = (
                    f"Could not find variable {self.name}. This could mean that the variable has "
                    "been deleted. In TF1, it can also mean the variable is uninitialized."
                )
            else:
                message = f"Attempting to use uninitialized value {self.name}"
            raise errors.FailedPreconditionError(None, None, message)
        return self._value

    def read_for_update(self):
        """The value, for an op that adds to it.

        Raises:
          errors.FailedPreconditionError: before one was assigned to a reference variable.
          errors.NotFoundError: before one was assigned to a resource variable.
        """
        if self._value is None and self.is_resource:
            raise errors.NotFoundError(
                None,
                None,
                "Container localhost does not exist. "
                f"(Could not find resource: localhost/{self.name})",
            )
        return self.read()

    def assign(self, value):
        """Replaces the value; it is never changed in place, so that readers keep theirs.

        An array that others may write to (a caller's, seen through a view) is copied; one
        that an op has just made is taken over and made read-only.
        """
        value = np.asarray(value)
        if not value.flags.owndata:
            value = value.copy()
        value.flags.writeable = False
        self._value = value
        return value


class State:
    """A session's cells, one for each variable, and its random streams, one for each op."""

    def __init__(self, graph):
        self._graph = graph
        self._cells = {}
        self._streams = {}

    def cell(self, op, name, is_resource):
        """The cell of a variable's operation."""
        key = (name, is_resource)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell(op.name, is_resource)
        return cell

    def random(self, op):
        """The random stream of an operation: seeded if the graph or the op is."""
        stream = self._streams.get(op)
        if stream is None:
            seeds = (op.attrs["seed"], op.attrs["seed2"])
            stream = self._streams[op] = np.random.default_rng(seeds if any(seeds) else None)
        return stream
