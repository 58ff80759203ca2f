"""What the optimizers of this package have in common: one rule for both kinds of variable."""

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.op_def import OPS
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.state.resource import is_resource_variable
from numpy_tf.train.optimizer import Optimizer


class UpdateRule(Optimizer):
    """An optimizer that changes a variable by one op, or rows of it by another.

    A subclass says `_dense(grad, var)` and `_sparse(values, indices, var)`.

    Args:
      use_locking, name, use_own_namescope_for_non_slot_vars: as for `Optimizer`.
      **hyperparameters: numbers, tensors, or functions that make one, in the order in which
        `_hyperparameters` gives them.
    """

    def __init__(
        self, use_locking, name, use_own_namescope_for_non_slot_vars=False, **hyperparameters
    ):
        super().__init__(use_locking, name, use_own_namescope_for_non_slot_vars)
        self._given = hyperparameters
        self._tensors = {}

    def _prepare(self):
        values = {name: self._call_if_callable(value) for name, value in self._given.items()}
        self._tensors = {name: convert_to_tensor(v, name=name) for name, v in values.items()}

    def _hyperparameters(self, var, grad):
        """The hyperparameters as tensors of the dtype that the update is to have."""
        dtype = (grad if is_resource_variable(var) else var).dtype.base_dtype
        return [cast(tensor, dtype) for tensor in self._tensors.values()]

    def _change(self, op_type, variables, *arguments, **attrs):
        """The operation that changes variables: `op_type`, or its form for resources."""
        if is_resource_variable(variables[0]):
            handles = [variable.handle for variable in variables]
            return OPS["Resource" + op_type](
                *handles, *arguments, use_locking=self._use_locking, **attrs
            )
        return OPS[op_type](*variables, *arguments, use_locking=self._use_locking, **attrs).op

    def _apply_dense(self, grad, var):
        return self._dense(grad, var)

    def _resource_apply_dense(self, grad, handle):
        return self._dense(grad, handle)

    def _apply_sparse(self, grad, var):
        return self._sparse(grad.values, grad.indices, var)

    def _resource_apply_sparse(self, grad, handle, indices):
        return self._sparse(grad, indices, handle)
