"""Steps: calls of kernels, one after the other, on a list of values.

A step is (kernel, a, b, out). Nearly all take one value or two, of the slots a and b (None for
one value), and put their result into the slot out. For the others a is None, b a tuple of
slots, and out a slot or, for several results, a tuple of slots, in which DISCARD stands for a
result that nobody takes.
"""

from numpy_tf.framework import errors

DISCARD = -1


def step(kernel, inputs, outputs):
    """The step that calls a kernel with the values of some slots and keeps its results."""
    if len(outputs) != 1 or outputs[0] is DISCARD:
        return (_as_tuple(kernel, len(outputs)), None, tuple(inputs), tuple(outputs))
    if len(inputs) == 1:
        return (kernel, inputs[0], None, outputs[0])
    if len(inputs) == 2:
        return (kernel, inputs[0], inputs[1], outputs[0])
    return (kernel, None, tuple(inputs), outputs[0])


def _as_tuple(kernel, count):
    """A kernel whose results are always as many as the op's outputs."""
    if count == 1:
        return lambda *inputs: (kernel(*inputs),)
    if count == 0:

        def nothing(*inputs):
            kernel(*inputs)
            return ()

        return nothing
    return kernel


def run(steps, operations, values):
    """Runs steps.

    Args:
      steps: in order.
      operations: for each step the operation that it computes, for errors.
      values: slot -> value; what the steps compute is put there.

    Raises:
      errors.OpError: what a kernel raises, with its operation.
    """
    remaining = iter(steps)
    try:
        for kernel, a, b, out in remaining:
            if b is None:
                values[out] = kernel(values[a])
            elif a is not None:
                values[out] = kernel(values[a], values[b])
            else:
                results = kernel(*[values[slot] for slot in b])
                if out.__class__ is int:
                    values[out] = results
                else:
                    for slot, result in zip(out, results, strict=True):
                        if slot is not DISCARD:
                            values[slot] = result
    except Exception as error:
        op = operations[len(steps) - 1 - remaining.__length_hint__()]
        if isinstance(error, errors.OpError):
            if error.op is None:
                error.op = op
            raise
        raise _explained(op, error) from error


def _explained(op, error):
    """A kernel's NumPy error as the error class that TensorFlow raises there."""
    if isinstance(error, ValueError) and "broadcast" in str(error):
        return errors.InvalidArgumentError(None, op, f"Incompatible shapes in {op.type}: {error}")
    if isinstance(error, (ValueError, IndexError, TypeError)):
        return errors.InvalidArgumentError(None, op, f"{op.type}: {error}")
    if isinstance(error, MemoryError):
        return errors.ResourceExhaustedError(None, op, f"{op.type}: {error}")
    return error
