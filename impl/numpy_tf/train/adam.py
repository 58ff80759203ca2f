"""Adam: the mean gradient divided by the root of its mean square, both freed of bias."""

from numpy_tf.framework.export import export
from numpy_tf.framework.graph import get_default_graph
from numpy_tf.ops.control_flow import group
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Sqrt
from numpy_tf.ops.state.resource import ResourceScatterAdd, is_resource_variable
from numpy_tf.train.update_rule import UpdateRule
from numpy_tf.variables import assign, assign_sub, scatter_add


@export("train.AdamOptimizer")
class AdamOptimizer(UpdateRule):
    """Adam (Kingma and Ba, 2015).

    Slots: "m" and "v". Besides these it has two variables, "beta1_power" and "beta2_power".

    Args:
      learning_rate, beta1, beta2, epsilon: numbers, tensors, or functions that make one.
      use_locking, name, use_own_namescope_for_non_slot_vars: as for `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        use_locking=False,
        name="Adam",
        use_own_namescope_for_non_slot_vars=False,
    ):
        super().__init__(
            use_locking,
            name,
            use_own_namescope_for_non_slot_vars,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
        )
        self._beta1 = beta1
        self._beta2 = beta2

    def _create_slots(self, var_list):
        first = min(var_list, key=lambda variable: variable.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", first)
        self._create_non_slot_variable(self._beta2, "beta2_power", first)
        for variable in var_list:
            self._zeros_slot(variable, "m", self._name)
            self._zeros_slot(variable, "v", self._name)

    def _get_beta_accumulators(self):
        graph = get_default_graph()
        return [self._get_non_slot_variable(name, graph) for name in ("beta1_power", "beta2_power")]

    def _powers(self, var, grad):
        dtype = (grad if is_resource_variable(var) else var).dtype.base_dtype
        return [cast(power, dtype) for power in self._get_beta_accumulators()]

    def _dense(self, grad, var):
        moments = [self.get_slot(var, "m"), self.get_slot(var, "v")]
        return self._change(
            "ApplyAdam",
            [var, *moments],
            *self._powers(var, grad),
            *self._hyperparameters(var, grad),
            grad,
        )

    def _sparse(self, values, indices, var):
        """All rows decay and move, also those without a gradient: only the additions are sparse."""
        beta1_power, beta2_power = self._powers(var, var)
        rate, beta1, beta2, epsilon = self._hyperparameters(var, var)
        rate = rate * Sqrt(1 - beta2_power) / (1 - beta1_power)
        m = self._decayed(self.get_slot(var, "m"), beta1, indices, values * (1 - beta1))
        v = self._decayed(self.get_slot(var, "v"), beta2, indices, (values * values) * (1 - beta2))
        update = assign_sub(var, rate * m / (Sqrt(v) + epsilon), use_locking=self._use_locking)
        return group(update, m, v)

    def _decayed(self, slot, beta, indices, rows):
        """The slot, once it has been multiplied by beta and rows have been added to it."""
        graph = slot.graph
        with graph.control_dependencies([assign(slot, slot * beta, use_locking=self._use_locking)]):
            if not is_resource_variable(slot):
                return scatter_add(slot, indices, rows, use_locking=self._use_locking)
            added = ResourceScatterAdd(slot.handle, indices, rows)
            with graph.control_dependencies([added]):
                return slot.value()

    def _finish(self, update_ops, name_scope):
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            beta1_power, beta2_power = self._get_beta_accumulators()
            with graph.colocate_with(beta1_power.op):
                updates = [
                    power.assign(power * self._tensors[beta], use_locking=self._use_locking)
                    for power, beta in ((beta1_power, "beta1"), (beta2_power, "beta2"))
                ]
        return group(*update_ops, *updates, name=name_scope)
