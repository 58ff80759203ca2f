"""RegisterGradient and NotDifferentiable: gradient functions by op type or by a name."""

from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import GRADIENTS


@export("RegisterGradient")
class RegisterGradient:
    """Decorator: `f(op, *grads)` differentiates operations of this type (or override name).

    Raises:
      TypeError: when the type is no text.
      KeyError: when it has a gradient already.
    """

    def __init__(self, op_type):
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, function):
        _register(self._op_type, function)
        return function


@export("NotDifferentiable", "NoGradient", "no_gradient")
def NotDifferentiable(op_type):
    """Declares that operations of this type have no gradient: None for all inputs.

    Raises:
      TypeError: when the type is no text.
      KeyError: when it has a gradient already.
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, None)


def _register(op_type, function):
    if op_type in GRADIENTS:
        raise KeyError(f"Registering two gradient with name '{op_type}'!")
    GRADIENTS[op_type] = function
