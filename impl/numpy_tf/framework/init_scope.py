"""tf.init_scope: building in the graph around all branches, loops and functions."""

from contextlib import contextmanager

from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import control_flow_v2, function_graphs
from numpy_tf.framework.graph import Tensor, ancestors, get_default_graph


@export("init_scope")
@contextmanager
def init_scope():
    """A block whose operations belong to the outermost graph and wait for nothing."""
    inner = get_default_graph()
    outer = _outermost(inner)
    with outer.as_default(), outer.control_dependencies(None):
        scope, outer.scope = outer.scope, inner.scope
        try:
            yield
        finally:
            outer.scope = scope


def _outermost(graph):
    bodies = function_graphs(graph)
    return bodies[-1].outer_graph if bodies else graph


def refuse_second_creation(graph):
    """Notes that a variable is made in a function's graph.

    Raises:
      ValueError: when that is the second trace of a function, which must find all variables.
    """
    for body in function_graphs(graph):
        body.creates_variables = True
        if body.variables_exist:
            raise ValueError(
                "tf.function only supports singleton tf.Variables created on the first call. "
                "Make sure the tf.Variable is only created once or created outside tf.function."
            )


class UnliftableError(Exception):
    """What a function computes from its inputs is wanted outside of it."""


def check_initial_value(value, variable_scope):
    """Refuses an initial value that is of a body, which the variable would outlive.

    Raises:
      UnliftableError: when the body is a function's and the value depends on what that takes.
      ValueError: for any other tensor of a body.
    """
    if not isinstance(value, Tensor) or not value.graph.building_function:
        return
    if value.graph.is_called and any(op.type == "Placeholder" for op in ancestors(value.op)):
        raise UnliftableError(
            f"Unable to lift tensor {value!r} because it depends transitively on a placeholder."
        )
    if control_flow_v2():
        raise ValueError(
            f"Argument `initial_value` ({value}) could not be lifted out of a `tf.function`. "
            "To avoid this error, when constructing `tf.Variable`s inside of `tf.function` "
            "you can create the `initial_value` tensor in a `tf.init_scope` or pass a "
            "callable `initial_value`."
        )
    raise ValueError(
        f"Initializer for variable {variable_scope} is from inside a control-flow construct, "
        "such as a loop or conditional. When creating a variable inside a loop or "
        "conditional, use a lambda as the initializer."
    )
