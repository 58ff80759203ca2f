"""Gradient descent: each variable less the learning rate times its gradient."""

from numpy_tf.framework.export import export
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.ops.state.resource import ResourceScatterAdd
from numpy_tf.train.update_rule import UpdateRule


@export("train.GradientDescentOptimizer")
class GradientDescentOptimizer(UpdateRule):
    """Gradient descent.

    Args:
      learning_rate: a number, a tensor, or a function that makes one.
      use_locking, name: as for `Optimizer`.
    """

    def __init__(self, learning_rate, use_locking=False, name="GradientDescent"):
        super().__init__(use_locking, name, learning_rate=learning_rate)

    def _dense(self, grad, var):
        (rate,) = self._hyperparameters(var, grad)
        return self._change("ApplyGradientDescent", [var], rate, grad)

    # Rows that come more than once are not summed first: the scatter takes each in turn.

    def _apply_sparse_duplicate_indices(self, grad, var):
        (rate,) = self._hyperparameters(var, grad)
        delta = IndexedSlices(grad.values * rate, grad.indices, grad.dense_shape)
        return var.scatter_sub(delta, use_locking=self._use_locking)

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices):
        (rate,) = self._hyperparameters(handle, grad)
        return ResourceScatterAdd(handle.handle, indices, -grad * rate)
