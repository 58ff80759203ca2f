"""tf.Assert: an operation that fails unless a condition holds."""

from numpy_tf.framework import errors
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op


@op("condition: bool, data: [T] ->", summarize=3)
class Assert:
    """Nothing, or an error that shows the data."""

    stateful = True

    def shape(op):
        return []

    def kernel(condition, *data, summarize):
        if not condition:
            shown = " ".join(f"[{_summary(item, summarize)}]" for item in data)
            raise errors.invalid_argument(f"assertion failed: {shown}")

    gradient = NOT_DIFFERENTIABLE


def _summary(array, count):
    items = array.ravel().tolist()
    texts = [item.decode() if isinstance(item, bytes) else str(item) for item in items[:count]]
    return " ".join(texts) + ("..." if len(items) > count else "")


@export("Assert", "debugging.Assert")
def assert_that(condition, data, summarize=None, name=None):
    """An operation that fails unless `condition` holds.

    Args:
      condition: a boolean scalar.
      data: a list of tensors to show.
      summarize: how many elements of each to show.
      name: its name.

    Raises:
      errors.InvalidArgumentError: when run and the condition does not hold.
    """
    return Assert(condition, list(data), summarize=3 if summarize is None else summarize, name=name)
