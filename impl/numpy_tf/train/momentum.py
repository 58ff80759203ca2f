"""Momentum: each variable moves along a decaying sum of its gradients."""

from numpy_tf.framework.export import export
from numpy_tf.train.update_rule import UpdateRule


@export("train.MomentumOptimizer")
class MomentumOptimizer(UpdateRule):
    """Gradient descent with momentum, plain or as Nesterov has it.

    Slots: "momentum".

    Args:
      learning_rate, momentum: numbers, tensors, or functions that make one.
      use_locking, name: as for `Optimizer`.
      use_nesterov: whether the gradient counts as if it were taken after the step.
    """

    def __init__(
        self, learning_rate, momentum, use_locking=False, name="Momentum", use_nesterov=False
    ):
        super().__init__(use_locking, name, learning_rate=learning_rate, momentum=momentum)
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list):
        for variable in var_list:
            self._zeros_slot(variable, "momentum", self._name)

    def _dense(self, grad, var):
        return self._step("ApplyMomentum", var, grad)

    def _sparse(self, values, indices, var):
        return self._step("SparseApplyMomentum", var, values, indices)

    def _step(self, op_type, var, *gradient):
        rate, momentum = self._hyperparameters(var, gradient[0])
        changed = [var, self.get_slot(var, "momentum")]
        return self._change(
            op_type, changed, rate, *gradient, momentum, use_nesterov=self._use_nesterov
        )
