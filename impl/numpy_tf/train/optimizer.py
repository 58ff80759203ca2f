"""tf.train.Optimizer: from a loss to operations that change variables, whatever the rule."""

from numpy_tf.backprop import gradients
from numpy_tf.extension.variables_used import variables_read_since
from numpy_tf.framework import dtypes, nest
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import GraphKeys, NameScope, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices, convert_to_tensor_or_indexed_slices
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.array.unique import unique
from numpy_tf.ops.control_flow import group, grouped_tuple
from numpy_tf.ops.math.segment import unsorted_segment_sum
from numpy_tf.ops.state.resource import AssignAddVariableOp, is_resource_variable
from numpy_tf.train.slots import create_slot
from numpy_tf.variable_store import get_variable, variable_scope
from numpy_tf.variables import Variable, assign_add, trainable_variables


@export("train.Optimizer")
class Optimizer:
    """The base of all optimizers.

    A subclass says how one variable changes: `_apply_dense(grad, var)` and
    `_apply_sparse(grad, var)` for reference variables, `_resource_apply_dense(grad, var)`
    and `_resource_apply_sparse(grad, var, indices)` for resource variables, each returning
    an operation; and, where it needs them, `_create_slots(var_list)`, `_prepare()` and
    `_finish(update_ops, name_scope)`.

    Args:
      use_locking: for TensorFlow's signature: nothing else writes while an update does.
      name: the name of what is built.
      use_own_namescope_for_non_slot_vars: whether variables that belong to no other
        variable get a scope of that name.

    Raises:
      ValueError: without a name.
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking, name, use_own_namescope_for_non_slot_vars=False):
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._non_slot_scope = None
        if use_own_namescope_for_non_slot_vars:
            with variable_scope(None, default_name=name) as scope:
                self._non_slot_scope = scope
        self._slots = {}  # slot name -> operation of a variable -> its slot
        self._non_slots = {}  # (name, graph) -> variable

    def get_name(self):
        """The optimizer's name."""
        return self._name

    def minimize(
        self,
        loss,
        global_step=None,
        var_list=None,
        gate_gradients=GATE_OP,
        aggregation_method=None,
        colocate_gradients_with_ops=False,
        name=None,
        grad_loss=None,
    ):
        """An operation that changes variables so that the loss becomes less.

        Args:
          loss: a tensor.
          global_step: a variable that counts the steps, or None.
          name: the operation's name, by default the optimizer's.
          var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops,
            grad_loss: as for `compute_gradients`.

        Raises:
          ValueError: when no variable has a gradient.
        """
        grads_and_vars = self.compute_gradients(
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        if all(grad is None for grad, _ in grads_and_vars):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not "
                f"support gradients, between variables {[str(v) for _, v in grads_and_vars]} "
                f"and loss {loss}."
            )
        return self.apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss,
        var_list=None,
        gate_gradients=GATE_OP,
        aggregation_method=None,
        colocate_gradients_with_ops=False,
        grad_loss=None,
    ):
        """The loss's gradient with respect to each variable.

        Args:
          loss: a tensor, or a function without arguments that makes it.
          var_list: variables, by default the trainable ones; for a function those of them
            that it reads.
          gate_gradients: GATE_NONE, GATE_OP (those of one operation wait for each other)
            or GATE_GRAPH (all do).
          aggregation_method, colocate_gradients_with_ops: as for `tf.gradients`.
          grad_loss: the loss's weight.

        Returns:
          A list of pairs of a gradient (a tensor, IndexedSlices or None) and a variable.

        Raises:
          ValueError: without variables, for another `gate_gradients`, or for a loss or
            variable that is not of a floating type.
        """
        if callable(loss):
            loss, read = _called(loss)
            var_list = read if var_list is None else var_list
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, "
                f"Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  Not {gate_gradients}"
            )
        self._assert_valid_dtypes([loss])
        if grad_loss is not None:
            self._assert_valid_dtypes([grad_loss])
        variables = trainable_variables() if var_list is None else nest.flatten(var_list)
        if not variables:
            raise ValueError("No variables to optimize.")
        for variable in variables:
            _check_can_be_optimized(variable)
        grads = gradients(
            loss,
            variables,
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == self.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gate_gradients == self.GATE_GRAPH:
            grads = grouped_tuple(grads)
        grads_and_vars = list(zip(grads, variables, strict=True))
        self._assert_valid_dtypes([variable for g, variable in grads_and_vars if g is not None])
        return grads_and_vars

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """An operation that changes the variables, each by its gradient.

        Args:
          grads_and_vars: pairs as `compute_gradients` gives them; those without a gradient
            are passed over.
          global_step: a variable that is incremented once the others are changed, or None.
          name: the operation's name, by default the optimizer's.

        Raises:
          ValueError: without pairs, or without any gradient.
          TypeError: for a gradient that cannot be converted.
        """
        grads_and_vars = [(_converted(grad), variable) for grad, variable in grads_and_vars]
        if not grads_and_vars:
            raise ValueError("No variables provided.")
        for _, variable in grads_and_vars:
            _check_can_be_optimized(variable)
        changed = [(grad, variable) for grad, variable in grads_and_vars if grad is not None]
        if not changed:
            raise ValueError(
                "No gradients provided for any variable: "
                f"{[str(variable) for _, variable in grads_and_vars]}."
            )
        graph = get_default_graph()
        with graph.control_dependencies(None):
            self._create_slots([variable for _, variable in changed])
        with NameScope(name, self._name) as scope:
            self._prepare()
            updates = []
            for grad, variable in changed:
                with NameScope("update_" + variable.op.name), graph.colocate_with(variable.op):
                    updates.append(self._update(grad, variable))
            if global_step is None:
                applied = self._finish(updates, scope)
            else:
                with graph.control_dependencies([self._finish(updates, "update")]):
                    applied = _incremented(graph, global_step, scope)
        applied = applied.op if isinstance(applied, Tensor) else applied
        train_ops = graph.get_collection_ref(GraphKeys.TRAIN_OP)
        if applied not in train_ops:
            train_ops.append(applied)
        return applied

    def _update(self, grad, variable):
        """The operation that changes one variable by its gradient."""
        sparse = isinstance(grad, IndexedSlices)
        if isinstance(variable, Tensor):
            raise NotImplementedError("Trying to update a Tensor ", variable)
        if sparse and variable.constraint is not None:
            raise RuntimeError("Cannot use a constraint function on a sparse variable.")
        if is_resource_variable(variable):
            if sparse:
                return self._resource_apply_sparse_duplicate_indices(
                    grad.values, variable, grad.indices
                )
            update = self._resource_apply_dense(grad, variable)
        elif sparse:
            return self._apply_sparse_duplicate_indices(grad, variable)
        else:
            update = self._apply_dense(grad, variable)
        if variable.constraint is None:
            return update
        with get_default_graph().control_dependencies([update]):
            return variable.assign(variable.constraint(variable))

    # -- the optimizer's own variables ---------------------------------------------------

    def get_slot(self, var, name):
        """The variable that the optimizer keeps for `var` under this name, or None."""
        return self._slots.get(name, {}).get(var.op)

    def get_slot_names(self):
        """The names of the slots, sorted."""
        return sorted(self._slots)

    def variables(self):
        """The optimizer's variables in the default graph, sorted by name."""
        graph = get_default_graph()
        own = [*self._non_slots.values()]
        for slots in self._slots.values():
            own += slots.values()
        return sorted((v for v in own if v.graph is graph), key=lambda variable: variable.name)

    def _slot(self, variable, name, initializer, op_name=None):
        """The slot `name` of a variable; made with its shape and dtype if there is none."""
        slots = self._slots.setdefault(name, {})
        if variable.op not in slots:
            slots[variable.op] = create_slot(variable, initializer, op_name or self._name)
        return slots[variable.op]

    def _zeros_slot(self, var, slot_name, op_name):
        """The slot `slot_name` of a variable; made of zeros if there is none."""
        return self._slot(var, slot_name, None, op_name)

    def _create_non_slot_variable(self, initial_value, name, colocate_with):
        """A variable that belongs to no other variable; made if there is none."""
        key = (name, colocate_with.graph)
        if key not in self._non_slots:
            resource = is_resource_variable(colocate_with)
            with colocate_with.graph.colocate_with(colocate_with.op):
                if self._non_slot_scope is None:
                    made = Variable(
                        initial_value, name=name, trainable=False, use_resource=resource
                    )
                else:
                    with NameScope(""), variable_scope(self._non_slot_scope):
                        made = get_variable(
                            name, initializer=initial_value, trainable=False, use_resource=resource
                        )
            self._non_slots[key] = made
        return self._non_slots[key]

    def _get_non_slot_variable(self, name, graph=None):
        return self._non_slots.get((name, graph))

    # -- what subclasses say -------------------------------------------------------------

    def _valid_dtypes(self):
        return {dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64}

    def _assert_valid_dtypes(self, tensors):
        valid = self._valid_dtypes()
        for tensor in tensors:
            if tensor.dtype.base_dtype not in valid:
                raise ValueError(
                    f"Invalid type {tensor.dtype.base_dtype!r} for {tensor.name}, "
                    f"expected: {list(valid)}."
                )

    def _create_slots(self, var_list):
        pass

    def _prepare(self):
        pass

    def _apply_dense(self, grad, var):
        raise NotImplementedError()

    def _resource_apply_dense(self, grad, handle):
        raise NotImplementedError()

    def _apply_sparse(self, grad, var):
        raise NotImplementedError()

    def _resource_apply_sparse(self, grad, handle, indices):
        raise NotImplementedError()

    def _apply_sparse_duplicate_indices(self, grad, var):
        """An update by rows of which some may come more than once: those are summed first."""
        values, indices = deduplicate(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices):
        values, indices = deduplicate(grad, indices)
        return self._resource_apply_sparse(values, handle, indices)

    def _finish(self, update_ops, name_scope):
        return group(*update_ops, name=name_scope)

    def _call_if_callable(self, param):
        return param() if callable(param) else param


def deduplicate(values, indices):
    """Rows and their indices, without an index that comes twice; its rows are summed."""
    unique_indices, positions = unique(indices)
    count = shape(unique_indices)[0]
    return unsorted_segment_sum(values, positions, count), unique_indices


def _called(loss):
    """What the function gives, and the trainable variables that it reads."""
    graph = get_default_graph()
    before = len(graph.operations)
    return loss(), variables_read_since(graph, before)


def _converted(grad):
    try:
        return convert_to_tensor_or_indexed_slices(grad)
    except TypeError:
        raise TypeError(
            f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {grad}"
        ) from None


def _check_can_be_optimized(variable):
    if not isinstance(variable, (Variable, Tensor)):
        raise NotImplementedError("Trying to optimize unsupported type ", variable)


def _incremented(graph, global_step, name):
    with graph.colocate_with(global_step.op):
        if is_resource_variable(global_step):
            one = convert_to_tensor(1, dtype=global_step.dtype)
            return AssignAddVariableOp(global_step.handle, one, name=name)
        return assign_add(global_step, 1, name=name)
