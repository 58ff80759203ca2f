"""tf.custom_gradient and what is made with it: recompute_grad, grad_pass_through.

In graph mode the outputs of the decorated function go, together with its inputs and the
variables that it reads, through one IdentityN whose gradient is the function given. All
that a program observes follows from that: what the function computes in between is not
on any path, and what it closes over gets no gradient.
"""

import functools
import inspect
import itertools

from numpy_tf.backprop import UnconnectedGradients, gradients
from numpy_tf.extension.variables_used import variables_between, variables_read_since
from numpy_tf.framework import dtypes, nest
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import get_default_graph
from numpy_tf.framework.indexed_slices import convert_to_tensor_or_indexed_slices
from numpy_tf.ops.array.basic import Identity, IdentityN
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.state.resource import is_resource_variable
from numpy_tf.variable_store import get_variable_scope, variable_scope

_numbers = itertools.count(1)


@export("custom_gradient")
def custom_gradient(f=None):
    """Decorator: gives a function the gradient that it says itself.

    Args:
      f: a function of tensors (or nests of them) that returns `(outputs, grad_fn)`.
        `grad_fn(*grad_outputs)` returns the gradient of each input; where `f` reads
        variables, `grad_fn(*grad_outputs, variables=…)` returns two lists, those of the
        inputs and those of the variables.

    Returns:
      A function of the same arguments, positional only, that returns the outputs.

    Raises:
      ValueError: when the function is called with keyword arguments.
      TypeError: when `f` reads variables of which `grad_fn` takes no notice, or makes a
        reference variable.
    """
    return custom_gradient if f is None else _CustomGradient(f)


class _CustomGradient:
    """A function with its own gradient; as a method it is bound as functions are."""

    def __init__(self, function):
        self._function = function
        functools.update_wrapper(self, function, updated=())

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return _CustomGradient(self._function.__get__(instance, owner))

    def __call__(self, *args, **kwargs):
        if kwargs:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords "
                "arguments only when eager execution is enabled."
            )
        name = f"CustomGradient-{next(_numbers)}"
        args = nest.map_structure(convert_to_tensor, args)
        flat_args = nest.flatten(args)
        result, grad_fn, read = _call(self._function, args)
        flat_result = nest.flatten(result)
        variables = variables_between(flat_args, flat_result) | set(read)
        variables = sorted(variables, key=lambda variable: variable.name)
        _check_takes_variables(grad_fn, variables)

        def gradient(op, *grads):
            grad_results = nest.flatten(nest.pack_sequence_as(result, grads[: len(flat_result)]))
            grad_variables = []
            if variables:
                grad_inputs, grad_variables = grad_fn(*grad_results, variables=variables)
                if len(grad_variables) != len(variables):
                    raise ValueError(
                        "Must return gradient for each variable from @custom_gradient grad_fn."
                    )
            else:
                grad_inputs = grad_fn(*grad_results)
            # IdentityN takes the outputs, too: nothing goes back to what computes them.
            return [None] * len(flat_result) + nest.flatten(grad_inputs) + list(grad_variables)

        graph = get_default_graph()
        tensors = [convert_to_tensor(item) for item in (*flat_result, *flat_args, *variables)]
        with (
            graph.gradient_override_map({"IdentityN": name}),
            graph.extra_attrs({"_gradient_function": gradient}),
        ):
            outputs = IdentityN(tensors)
        return nest.pack_sequence_as(result, outputs[: len(flat_result)])


def _call(function, args):
    """What the decorated function returns, and the variables that it reads."""
    scope = get_variable_scope()
    graph = get_default_graph()
    before = len(graph.operations)
    had = {id(v) for v in (*scope.global_variables(), *scope.local_variables())}
    result, grad_fn = function(*args)
    for variable in (*scope.global_variables(), *scope.local_variables()):
        if id(variable) not in had and not is_resource_variable(variable):
            raise TypeError(
                "All variables used by a function wrapped with @custom_gradient must "
                "be `ResourceVariable`s. Ensure that no `variable_scope` is created "
                "with `use_resource=False`."
            )
    return result, grad_fn, variables_read_since(graph, before)


def _check_takes_variables(grad_fn, variables):
    signature = inspect.getfullargspec(grad_fn)
    takes_them = "variables" in (*signature.args, *signature.kwonlyargs) or signature.varkw
    if variables and not takes_them:
        raise TypeError(
            "@tf.custom_gradient grad_fn must accept keyword argument 'variables', "
            f"since function uses variables: {variables}"
        )


@export("grad_pass_through")
def grad_pass_through(f):
    """The function `f`, with the identity's gradient: that of each output goes to an input.

    Args:
      f: a function of as many tensors as it returns; variables that it reads get None.
    """

    @custom_gradient
    def passing(*args):
        def grad(*grads, variables=None):
            return grads if variables is None else (grads, [None] * len(variables))

        return f(*args), grad

    return functools.update_wrapper(passing, f, updated=())


@export("recompute_grad")
def recompute_grad(f):
    """The function `f`, which its gradient computes once more in place of keeping values.

    Args:
      f: a function of tensors that returns a tensor or a list of them.

    Raises:
      NotImplementedError: when a second derivative is asked for.
    """

    @custom_gradient
    def recomputing(*args):
        scope = get_variable_scope()

        def grad_fn(*grads, variables=None):
            @custom_gradient
            def again(*grads):
                inputs = nest.map_structure(lambda x: _computed_after(grads[0], x), list(args))
                with variable_scope(scope):
                    outputs = f(*inputs)
                grads = gradients(
                    nest.flatten(outputs),
                    inputs + list(variables or ()),
                    grad_ys=list(grads),
                    unconnected_gradients=UnconnectedGradients.ZERO,
                )

                def transpose(*_, **__):
                    name = getattr(f, "__name__", repr(f))
                    raise NotImplementedError(
                        f"recompute_grad tried to transpose grad of {name}. "
                        "Consider not using recompute_grad in forward modeautodiff"
                    )

                return (grads[: len(inputs)], grads[len(inputs) :]), transpose

            return again(*grads)

        return f(*args), grad_fn

    return functools.update_wrapper(recomputing, f, updated=())


def _computed_after(grad, x):
    """`x`, not to be had before `grad` is; TensorFlow adds a zero, so -0.0 becomes 0.0."""
    grad = convert_to_tensor_or_indexed_slices(grad)
    with grad.graph.control_dependencies([grad.op]):
        zero = constant(0.0, dtypes.float32)
    return Identity(x) + cast(zero, x.dtype)
