"""Adagrad: gradients divided by the root of the sum of their squares."""

from numpy_tf.framework.export import export
from numpy_tf.initializers import Constant
from numpy_tf.ops.array.fill import fill
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.math.cast import cast
from numpy_tf.train.update_rule import UpdateRule


@export("train.AdagradOptimizer")
class AdagradOptimizer(UpdateRule):
    """Adagrad (Duchi, Hazan and Singer, 2011).

    Slots: "accumulator".

    Args:
      learning_rate: a number, a tensor, or a function that makes one.
      initial_accumulator_value: a positive number.
      use_locking, name: as for `Optimizer`.

    Raises:
      ValueError: for an initial value that is not positive.
    """

    def __init__(
        self, learning_rate, initial_accumulator_value=0.1, use_locking=False, name="Adagrad"
    ):
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_accumulator_value must be positive: {initial_accumulator_value}"
            )
        super().__init__(use_locking, name, learning_rate=learning_rate)
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list):
        for variable in var_list:
            self._slot(variable, "accumulator", self._initial(variable))

    def _initial(self, variable):
        value, dtype = self._initial_accumulator_value, variable.dtype.base_dtype
        if variable.shape.is_fully_defined():
            return Constant(value, dtype=dtype)
        return lambda: cast(fill(shape(variable), value), dtype)

    def _dense(self, grad, var):
        return self._step("ApplyAdagrad", var, grad)

    def _sparse(self, values, indices, var):
        return self._step("SparseApplyAdagrad", var, values, indices)

    def _step(self, op_type, var, *gradient):
        (rate,) = self._hyperparameters(var, gradient[0])
        return self._change(op_type, [var, self.get_slot(var, "accumulator")], rate, *gradient)
