"""RMSProp: gradients divided by the root of their mean square."""

from numpy_tf.framework.export import export
from numpy_tf.initializers import Ones
from numpy_tf.ops.array.fill import ones_like
from numpy_tf.train.update_rule import UpdateRule


@export("train.RMSPropOptimizer")
class RMSPropOptimizer(UpdateRule):
    """RMSProp (Hinton's lecture 6e), with TensorFlow's momentum; centered: by the variance.

    Slots: "rms", which begins with ones; "mg" when centered; "momentum".

    Args:
      learning_rate, decay, momentum, epsilon: numbers, tensors, or functions that make one.
      use_locking, name: as for `Optimizer`.
      centered: whether the square of the mean is taken from the mean square.
    """

    def __init__(
        self,
        learning_rate,
        decay=0.9,
        momentum=0.0,
        epsilon=1e-10,
        use_locking=False,
        centered=False,
        name="RMSProp",
    ):
        super().__init__(
            use_locking,
            name,
            learning_rate=learning_rate,
            decay=decay,
            momentum=momentum,
            epsilon=epsilon,
        )
        self._centered = centered

    def _create_slots(self, var_list):
        for variable in var_list:
            known = variable.shape.is_fully_defined()
            self._slot(variable, "rms", Ones() if known else ones_like(variable))
            if self._centered:
                self._zeros_slot(variable, "mg", self._name)
            self._zeros_slot(variable, "momentum", self._name)

    def _dense(self, grad, var):
        return self._step("Apply", var, grad)

    def _sparse(self, values, indices, var):
        return self._step("SparseApply", var, values, indices)

    def _step(self, how, var, *gradient):
        slots = ["mg", "rms", "momentum"] if self._centered else ["rms", "momentum"]
        return self._change(
            how + ("CenteredRMSProp" if self._centered else "RMSProp"),
            [var, *(self.get_slot(var, slot) for slot in slots)],
            *self._hyperparameters(var, gradient[0]),
            *gradient,
        )
