"""tf.case: the first of several functions whose predicate is true."""

import functools

from numpy_tf.framework import dtypes
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.ops.array.stack import stack
from numpy_tf.ops.control.assertion import assert_that
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.reduction import reduce_sum


@export("case")
def case(pred_fn_pairs, default=None, exclusive=False, strict=False, name="case"):
    """What the function of the first true predicate gives, or `default()` when none is true.

    Args:
      pred_fn_pairs: a list of pairs of a scalar boolean tensor and a function without
        arguments, or a dictionary of those, taken in the order of the tensors' names.
      default: a function without arguments; without it, no true predicate is an error of
        the run.
      exclusive: whether more than one true predicate is an error of the run.
      strict: whether a list of one result stays one.
      name: the name scope.

    Raises:
      TypeError: for something else in these places.
      errors.InvalidArgumentError: when run, as said.
    """
    predicates, functions = _checked(pred_fn_pairs, default)
    with NameScope(name, "case", predicates):
        if default is None:
            default, predicates, functions = _last_as_default(predicates, functions)
        chosen = default
        for predicate, function in zip(reversed(predicates), reversed(functions), strict=True):
            chosen = functools.partial(
                cond, predicate, true_fn=function, false_fn=chosen, strict=strict
            )
        if not exclusive:
            return chosen()
        checks = [_at_most(predicates, 1, "Input error: exclusive=True")]
        with get_default_graph().control_dependencies(checks):
            return chosen()


def _checked(pairs, default):
    if isinstance(pairs, dict):
        pairs = sorted(pairs.items(), key=lambda pair: pair[0].name)
    if not isinstance(pairs, (list, tuple)):
        raise TypeError(
            "'pred_fn_pairs' must be a list, tuple, or dict. "
            f"Received 'pred_fn_pairs': {pairs} of type: {type(pairs)}."
        )
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(
                "Each entry in 'pred_fn_pairs' must be a 2-tuple. "
                f"Received 'pred_fn_pairs': {pairs}."
            )
        predicate, function = pair
        if not isinstance(predicate, Tensor):
            raise TypeError(f"pred must be a Tensor, got: {predicate}")
        if predicate.dtype is not dtypes.bool_:
            raise TypeError(f"pred must be Tensor of type bool: {predicate.name}")
        if not callable(function):
            raise TypeError(f"fn for pred {predicate.name} must be callable.")
    if default is not None and not callable(default):
        raise TypeError("default must be callable.")
    return [predicate for predicate, _ in pairs], [function for _, function in pairs]


def _last_as_default(predicates, functions):
    """The last function, which checks that it is meant; and what comes before it."""
    *others, last = predicates

    def default():
        checks = [
            _at_most(
                others,
                0,
                "Implementation error: selected default action was called, but "
                "some of other predicates are True: ",
            ),
            assert_that(
                last, ["Input error: None of conditions evaluated as True:", stack(predicates)]
            ),
        ]
        with get_default_graph().control_dependencies(checks):
            return functions[-1]()

    return default, others, functions[:-1]


def _at_most(predicates, count, message):
    """An operation that fails when more than `count` of the predicates are true."""
    if not predicates:
        return assert_that(True, [message])
    together = stack(predicates, name="preds_c")
    few = reduce_sum(cast(together, dtypes.int32)) <= count
    names = ", ".join(predicate.name for predicate in predicates)
    return assert_that(
        few, [f"{message}: more than {count} conditions ({names}) evaluated as True:", together]
    )
