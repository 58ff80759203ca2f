"""Session: what programs run graphs with; fetches, feeds and the variables' values."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.composite import CompositeTensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import Operation, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices, IndexedSlicesValue
from numpy_tf.framework.tensor_shape import compatible, format_dims
from numpy_tf.ops.sparse.sparse_tensor import SparseTensor
from numpy_tf.plan import Plan
from numpy_tf.resources import State
from numpy_tf.subnormals import flushed

_default_sessions = []


@export("get_default_session")
def get_default_session():
    """The session whose `with` block this is in, or None."""
    return _default_sessions[-1] if _default_sessions else None


def require_default_session(what):
    """The default session.

    Raises:
      ValueError: when there is none.
    """
    if not _default_sessions:
        raise ValueError(
            f"Cannot evaluate tensor or run operation using `{what}`: No default session is "
            "registered. Use `with sess.as_default()` or pass an explicit session to "
            f"`{what.replace('()', '(session=sess)')}`"
        )
    return _default_sessions[-1]


@export("Session", "InteractiveSession")
class Session:
    """Runs operations of one graph and holds the values of its variables.

    Args:
      target: for TensorFlow's signature; only "" is possible.
      graph: the graph, by default the default one.
      config: for TensorFlow's signature; a plan has nothing to configure.
    """

    def __init__(self, target="", graph=None, config=None):
        self.graph = get_default_graph() if graph is None else graph
        self._state = State(self.graph)
        self._plans = {}
        self._known = 0  # how many operations the graph had in the last run
        self._closed = False
        self._contexts = []

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Computes the fetches.

        Args:
          fetches: a tensor, operation, variable, IndexedSlices or name, or a nest of those.
          feed_dict: tensor (or variable, or name) -> the value that it has in this run.

        Returns:
          Arrays (NumPy scalars for shape ()) in the structure of `fetches`; None for an
          operation.

        Raises:
          TypeError, ValueError: for something that cannot be fetched or fed.
          errors.OpError: what an operation raises.
          RuntimeError: when the session is closed.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if self._known != len(self.graph.operations):
            self._take_in_new_operations()
        leaves = []
        rebuild = _flatten_fetch(fetches, self.graph, leaves)
        fed, values = self._feeds(feed_dict) if feed_dict else ((), ())
        key = (tuple(map(id, leaves)), tuple(map(id, fed)))
        plan = self._plans.get(key)
        if plan is None:
            # The plan holds the leaves, so that their ids stay theirs.
            plan = self._plans[key] = flushed(Plan, leaves, fed, self._state)
        return rebuild(iter(flushed(plan.run, values)))

    def _take_in_new_operations(self):
        """Looks at what was added to the graph since the last run.

        In TensorFlow a control flow operation that a session has seen does not change any
        more for that session, so what is connected to outputs that it got later is refused.
        """
        for operation, count in self.graph.extended:
            if operation.index < self._known:
                raise errors.InvalidArgumentError(
                    None,
                    operation,
                    f"Connecting to invalid output {count} of source node {operation.name} "
                    f"which has {count} outputs.",
                )
        self._known = len(self.graph.operations)

    def _feeds(self, feed_dict):
        fed, values = [], []
        for key, value in feed_dict.items():
            for tensor, part in _feed_pairs(self.graph, key, value):
                fed.append(tensor)
                values.append(_feed_value(tensor, part))
        return fed, values

    def close(self):
        """Forbids further runs."""
        self._closed = True

    def as_default(self):
        """A context in which this is the default session."""
        return _AsDefault(self)

    def __enter__(self):
        graph_context = self.graph.as_default()
        graph_context.__enter__()
        self._contexts.append(graph_context)
        _default_sessions.append(self)
        return self

    def __exit__(self, *exception):
        _default_sessions.pop()
        self._contexts.pop().__exit__(*exception)
        self.close()


class _AsDefault:
    def __init__(self, session):
        self._session = session

    def __enter__(self):
        _default_sessions.append(self._session)
        return self._session

    def __exit__(self, *_):
        _default_sessions.pop()


# -- fetches and feeds -------------------------------------------------------------------


def _flatten_fetch(fetch, graph, leaves):
    """Appends what a fetch needs to `leaves`; returns what puts the results together."""
    if isinstance(fetch, (Tensor, Operation, str)):
        return _leaf(fetch, graph, leaves)
    if isinstance(fetch, (list, tuple)):
        rebuilds = [_flatten_fetch(item, graph, leaves) for item in fetch]
        kind = type(fetch)
        if hasattr(fetch, "_fields"):
            return lambda results: kind(*[rebuild(results) for rebuild in rebuilds])
        return lambda results: kind([rebuild(results) for rebuild in rebuilds])
    if isinstance(fetch, dict):
        kind = type(fetch)
        rebuilds = [(key, _flatten_fetch(item, graph, leaves)) for key, item in fetch.items()]
        return lambda results: kind((key, rebuild(results)) for key, rebuild in rebuilds)
    if isinstance(fetch, IndexedSlices):
        parts = [fetch.values, fetch.indices, fetch.dense_shape]
        rebuilds = [None if p is None else _leaf(p, graph, leaves) for p in parts]
        return lambda results: IndexedSlicesValue(
            *[None if rebuild is None else rebuild(results) for rebuild in rebuilds]
        )
    if isinstance(fetch, CompositeTensor):
        rebuilds = [_leaf(part, graph, leaves) for part in fetch.components]
        return lambda results: fetch.value_of([rebuild(results) for rebuild in rebuilds])
    if hasattr(fetch, "_as_graph_element"):
        return _leaf(fetch, graph, leaves)
    kind = type(fetch).__name__
    problem = f'Argument `fetch` = {fetch} has invalid type "{kind}"'
    if fetch is None:
        raise TypeError(f"{problem}. Cannot be None")
    raise TypeError(
        f"{problem} must be a string or Tensor. "
        f"(Can not convert a {kind} into a Tensor or Operation.)"
    )


def _leaf(fetch, graph, leaves):
    body = getattr(fetch, "graph", None)
    if body is not None and body.building_function and not behavior.control_flow_v2:
        raise errors.InaccessibleTensorError(
            f"Operation {getattr(fetch, 'op', fetch).name} has been marked as not fetchable. "
            "Typically this happens when it is defined in another function or code block. Use "
            "return values, explicit Python locals or TensorFlow collections to access it."
        )
    try:
        leaves.append(graph.as_graph_element(fetch))
    except KeyError as error:
        raise ValueError(
            f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. ({error.args[0]})"
        ) from None
    except ValueError as error:
        raise ValueError(
            f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. ({error})"
        ) from None
    return next


def _feed_pairs(graph, key, value):
    if isinstance(key, tuple):
        for item, part in zip(key, value, strict=True):
            yield from _feed_pairs(graph, item, part)
        return
    if isinstance(key, IndexedSlices):
        yield key.values, value[0]
        yield key.indices, value[1]
        if key.dense_shape is not None:
            yield key.dense_shape, value[2]
        return
    if isinstance(key, SparseTensor):
        yield from zip(key.components, value, strict=True)
        return
    try:
        yield graph.as_graph_element(key, allow_operation=False), value
    except Exception as error:
        raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error}") from None


def _feed_value(tensor, value):
    """The array that is fed for a tensor; ValueError when it cannot be."""
    dtype = tensor.dtype.base_dtype
    array = value if _is_array_of(dtype, value) else _as_array(tensor, dtype, value)
    if array.shape != tensor.dims and not compatible(tensor.dims, array.shape):
        raise ValueError(
            f"Cannot feed value of shape {array.shape} for Tensor {tensor.name}, "
            f"which has shape {format_dims(tensor.dims)}"
        )
    array = array.view()
    array.flags.writeable = False  # so that no fetch hands the caller's own array back
    return array


def _is_array_of(dtype, value):
    return (
        value.__class__ is np.ndarray
        and value.dtype.type is dtype.as_numpy_dtype
        and value.dtype.isnative
        and dtype.name != "string"
    )


def _as_array(tensor, dtype, value):
    if isinstance(value, Tensor):
        raise TypeError(
            "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include "
            "Python scalars, strings, lists, numpy ndarrays, or TensorHandles. "
            f"For reference, the tensor object was {value} which was passed to the "
            f"feed with key {tensor}."
        )
    if (
        type(value) is int
        and dtype.is_integer
        and np.array(value).astype(dtype.as_numpy_dtype) != value
    ):
        raise TypeError(
            f"Type of feed value {value} with type {type(value)} is not compatible with "
            f"Tensor type {dtype.as_numpy_dtype}. Try explicitly setting the type of the "
            "feed tensor to a larger type (e.g. int64)."
        )
    if dtype.name == "string":
        from numpy_tf.ops.array.constant import to_array

        return to_array(value, dtype)
    return np.asarray(value, dtype=dtype.as_numpy_dtype)
