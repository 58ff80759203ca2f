"""The global step: the variable that counts a graph's training steps."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import GraphKeys, NameScope, Tensor, get_default_graph
from numpy_tf.initializers import Zeros
from numpy_tf.variable_store import get_variable
from numpy_tf.variables import Variable


@export("train.get_global_step")
def get_global_step(graph=None):
    """The global step of a graph (by default the default one), or None.

    Raises:
      TypeError: when what is called so is no scalar of an integer type.
    """
    graph = graph or get_default_graph()
    steps = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if not steps:
        try:
            steps = [graph.get_tensor_by_name("global_step:0")]
        except KeyError:
            return None
    if len(steps) > 1:
        return None
    assert_global_step(steps[0])
    return steps[0]


@export("train.create_global_step")
def create_global_step(graph=None):
    """A new global step: an int64 scalar that begins with zero.

    Raises:
      ValueError: when the graph has one.
    """
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), NameScope(""):
        return get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=Zeros(),
            trainable=False,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


@export("train.get_or_create_global_step")
def get_or_create_global_step(graph=None):
    """The global step of a graph, made if there is none."""
    step = get_global_step(graph)
    return create_global_step(graph) if step is None else step


@export("train.assert_global_step")
def assert_global_step(global_step_tensor):
    """TypeError unless it is a scalar variable or tensor of an integer type."""
    step = global_step_tensor
    if not isinstance(step, (Variable, Tensor)):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {step}.')
    if not step.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {step.dtype}')
    if step.shape.ndims != 0 and step.shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {step.shape}')


@export("train.global_step")
def global_step(sess, global_step_tensor):
    """The step that a session has come to, an int."""
    return int(sess.run(global_step_tensor))
