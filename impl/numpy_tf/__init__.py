"""numpy_tf: TensorFlow 1's graph mode and its gradients, on NumPy.

    import numpy_tf as tf

in place of `import tensorflow as tf` (1.x) or `import tensorflow.compat.v1 as tf`.
"""

from types import SimpleNamespace as _SimpleNamespace

from numpy_tf import (  # noqa: F401  (imported for what they define and export)
    backprop,
    config,
    hessian,
    initializers,
    operators,
    session,
    variable_store,
    variables,
)
from numpy_tf.extension import custom_gradient as _custom_gradient  # noqa: F401
from numpy_tf.extension import registration as _registration  # noqa: F401
from numpy_tf.framework import raw_ops  # noqa: F401
from numpy_tf.framework.export import EXPORTS as _EXPORTS
from numpy_tf.framework.op_def import GRADIENTS as __gradient_registry__  # noqa: F401
from numpy_tf.losses import collected, functions, weighting  # noqa: F401
from numpy_tf.ops import catalog  # noqa: F401
from numpy_tf.train import (  # noqa: F401
    adagrad,
    adam,
    global_step,
    gradient_descent,
    learning_rate,
    momentum,
    rmsprop,
)

__version__ = "0.1.0"


class _Namespace(_SimpleNamespace):
    """A part of the public API, such as `tf.math`."""

    def __init__(self, path):
        super().__init__()
        self.__dict__["__name__"] = path

    def __getattr__(self, name):
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")


def _publish(root):
    """Puts every exported object at its dotted name below `root`, a dictionary."""
    for dotted, item in _EXPORTS.items():
        *parts, name = dotted.split(".")
        space, path = root, __name__
        for part in parts:
            path = f"{path}.{part}"
            inner = space.get(part)
            if not isinstance(inner, _Namespace):
                inner = space[part] = _Namespace(path)
            space = inner.__dict__
        space[name] = item


_publish(globals())
