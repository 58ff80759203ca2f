"""Operations that compute one of several bodies: what a branch and a function call share.

The derivatives of the bodies are bodies again. What they need of the forward ones'
intermediates they take from outputs that are added to the forward operation, each an
optional: what a body that was not chosen would have computed is not there.
"""

from numpy_tf.backprop import gradients_in, zeros_for
from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.func_graph import (
    FuncGraph,
    build,
    components,
    control_flow_v2,
    with_components,
)
from numpy_tf.framework.graph import get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.nest import flatten
from numpy_tf.framework.within import answer, asked_in, is_reached
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.control.intermediates import (
    bodies_of,
    give_out,
    keep_optional,
    kept_optional,
    value_given_out,
)
from numpy_tf.ops.control.optional import optional_get_value
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.sequence import range as range_of


def inputs_of(op):
    """What an operation hands to its bodies: its inputs but for what chooses among them."""
    return op.inputs if "f" in op.attrs else op.inputs[1:]


def derivatives_of(op, grads):
    """The derivatives of an operation's bodies with respect to their inputs, as bodies.

    Args:
      op: the operation.
      grads: the gradients of its outputs, or Nones.
    """
    bodies = bodies_of(op)
    derivatives = [_BodyDerivative(op, graph) for graph in bodies]
    for derivative in derivatives:
        derivative.differentiate(grads)
    _fill_with_zeros(bodies, derivatives)
    _match_kinds(derivatives)
    for derivative in derivatives:
        for _, grad in derivative.within:
            for tensor in components(grad):
                held = give_out(tensor, derivatives)
                for graph, output in zip(derivatives, held, strict=True):
                    graph.structured_outputs.append(output)
    return derivatives


def answer_within(derivatives, results):
    """Answers what was asked of tensors within the bodies.

    Args:
      derivatives: as `derivatives_of` returned them.
      results: what the operation that computes one of them gives.

    Returns:
      The results without those answers: the derivatives with respect to the inputs.
    """
    asked = [pair for derivative in derivatives for pair in derivative.within]
    count = len(results) - sum(len(components(grad)) for _, grad in asked)
    held = iter(results[count:])
    for x, grad in asked:
        values = [value_given_out(next(held), tensor) for tensor in components(grad)]
        answer(x, with_components(grad, values))
    return results[:count]


class _BodyDerivative(FuncGraph):
    """The derivative of one body, which takes what it needs of the body from its owner.

    Args:
      owner: the operation that computes the branch.
      forward: the branch.
    """

    def __init__(self, owner, forward):
        super().__init__(forward.name + "_grad", get_default_graph())
        self._owner = owner
        self._forward = self.differentiates = forward
        self.is_called = forward.is_called
        self._intermediates = {}  # id of a tensor of the branch -> what stands for it here
        self.within = []  # pairs of a tensor of the branch and its derivative, not None

    def differentiate(self, grads):
        """Makes the derivatives with respect to the branch's inputs the outputs."""
        forward = self._forward
        asked = asked_in(forward)
        # In TensorFlow 1, whose branches are part of the graph, nothing else is differentiated.
        pairs = zip(forward.inputs, inputs_of(self._owner), strict=True)
        everything = control_flow_v2() or forward.is_called
        wanted = [x for x, outer in pairs if everything or is_reached(outer)]
        outputs = [
            (y, grad)
            for y, grad in zip(forward.outputs, grads, strict=False)
            if y.dtype.is_trainable and grad is not None
        ]

        def derivatives():
            if not outputs:
                return [None] * len(forward.inputs)
            ys, grad_ys = zip(*outputs, strict=True)
            found = gradients_in(forward, ys, [*wanted, *asked], grad_ys)
            pairs = zip(asked, found[len(wanted) :], strict=True)
            self.within = [(x, grad) for x, grad in pairs if grad is not None]
            grads = {id(x): grad for x, grad in zip(wanted, found, strict=False)}
            return [grads.get(id(x)) for x in forward.inputs]

        build(self, derivatives)

    def capture(self, tensor):
        """As of any body; a tensor of the branch, the owner hands out."""
        forward = self._forward
        if tensor.graph is not forward:
            return super().capture(tensor)
        found = self._intermediates.get(id(tensor))
        if found is None:
            found = self._intermediates[id(tensor)] = self._handed_out(tensor)
        return found

    def _handed_out(self, tensor):
        owner, forward = self._owner, self._forward
        for placeholder, outer in zip(forward.inputs, inputs_of(owner), strict=True):
            if tensor is placeholder:
                return super().capture(outer)
        for inner, output in zip(forward.outputs, owner.outputs, strict=True):
            if tensor is inner:
                return super().capture(output)
        if tensor.op.type == "Const" and not forward.is_called:
            return convert_to_tensor(tensor.op.attrs["value"])
        if tensor.dtype is dtypes.resource:
            return self.capture(_resource_source(tensor))
        output = kept_optional(tensor, owner, forward)
        if output is None:
            output = keep_optional(tensor, owner)
        return optional_get_value(super().capture(output), [tensor])[0]


def _resource_source(tensor):
    """The input of a body that a resource within it comes from unchanged."""
    while tensor.op.type != "Placeholder":
        if tensor.op.type not in ("Identity", "While", "StatelessWhile"):
            raise ValueError(
                "Taking gradient of a while loop which creates a resource in its body is not "
                f"supported: {tensor.op.name} ({tensor.op.type})"
            )
        tensor = tensor.op.inputs[tensor.value_index]
    return tensor


def _fill_with_zeros(branches, gradients):
    """Where some branch has a derivative, the others have zeros."""
    for index in range(len(branches[0].inputs)):
        if all(graph.structured_outputs[index] is None for graph in gradients):
            continue
        for branch, graph in zip(branches, gradients, strict=True):
            if graph.structured_outputs[index] is None:
                with graph.as_default():
                    graph.structured_outputs[index] = zeros_for(branch.inputs[index])


def _match_kinds(gradients):
    """Makes a derivative IndexedSlices, of indices of one dtype, if it is so in any branch."""
    for index in range(len(gradients[0].structured_outputs)):
        found = [graph.structured_outputs[index] for graph in gradients]
        if not any(isinstance(item, IndexedSlices) for item in found):
            continue
        for graph in gradients:
            item = graph.structured_outputs[index]
            if not isinstance(item, IndexedSlices):
                with graph.as_default():
                    graph.structured_outputs[index] = as_indexed_slices(item)
    for graph in gradients:
        with graph.as_default():
            graph.outputs = [
                graph.capture(t) for item in graph.structured_outputs for t in components(item)
            ]
    match_index_dtypes(gradients)


def as_indexed_slices(tensor):
    """A tensor as IndexedSlices of all its rows."""
    shape = shape_of(tensor)
    return IndexedSlices(tensor, range_of(0, shape[0]), shape)


def match_index_dtypes(branches):
    """Casts the indices of IndexedSlices to int64 where bodies differ in them."""
    leaves = [flatten(graph.structured_outputs) for graph in branches]
    position = 0
    for items in zip(*leaves, strict=True):
        if isinstance(items[0], IndexedSlices):
            found = {graph.outputs[position + 1].dtype for graph in branches}
            for graph in branches if len(found) > 1 else ():
                with graph.as_default():
                    graph.outputs[position + 1] = cast(graph.outputs[position + 1], dtypes.int64)
        position += len(components(items[0]))
