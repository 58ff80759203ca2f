"""The switches that `disable_v2_behavior` and `enable_v2_behavior` turn."""

from numpy_tf.framework.export import export


class _Behavior:
    """TensorFlow's global flags, as far as a graph-mode program can observe them.

    Attributes:
      resource_variables: `tf.Variable` makes a resource variable, not a reference variable.
      tensor_equality: `==` on tensors compares elements, not identity.
      tensor_shape_v2: `shape[i]` is an int or None, not a `Dimension`.
      control_flow_v2: `cond` and `while_loop` are functional.
      eager: outside a graph, operations are meant to be computed at once.
    """

    __slots__ = (
        "control_flow_v2",
        "eager",
        "resource_variables",
        "tensor_equality",
        "tensor_shape_v2",
    )

    def __init__(self):
        self.set_all(False)

    def set_all(self, v2):
        self.resource_variables = v2
        self.tensor_equality = v2
        self.tensor_shape_v2 = v2
        self.control_flow_v2 = v2
        self.eager = v2


behavior = _Behavior()


@export("disable_v2_behavior")
def disable_v2_behavior():
    """Behaves as TensorFlow 1 did; numpy_tf starts so."""
    behavior.set_all(False)


@export("enable_v2_behavior")
def enable_v2_behavior():
    """Keeps TensorFlow 2's flags in graph mode, as importing `tensorflow.compat.v1` does."""
    behavior.set_all(True)


@export("enable_eager_execution")
def enable_eager_execution():
    """Outside a graph, refuses what TensorFlow refuses when it computes at once."""
    behavior.eager = True


@export("disable_eager_execution")
def disable_eager_execution():
    """Builds into the default graph outside any other."""
    behavior.eager = False


@export("enable_resource_variables")
def enable_resource_variables():
    """Makes `tf.Variable` a resource variable."""
    behavior.resource_variables = True


@export("disable_resource_variables")
def disable_resource_variables():
    """Makes `tf.Variable` a reference variable."""
    behavior.resource_variables = False


@export("resource_variables_enabled")
def resource_variables_enabled():
    """Whether `tf.Variable` makes a resource variable."""
    return behavior.resource_variables
