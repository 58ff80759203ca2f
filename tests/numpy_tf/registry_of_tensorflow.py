"""Prints, as JSON, what TensorFlow's registries say of the op types named in the arguments."""

import json
import sys

from tensorflow.python.framework import dtypes, kernels, op_def_registry, ops


def argument(item):
    """An input or output as a signature has it."""
    fixed = dtypes.as_dtype(item.type).name if item.type else None
    return {
        "name": item.name,
        "dtype": fixed,
        "type_attr": item.type_attr or item.type_list_attr or None,
        "number_attr": item.number_attr or None,
        "is_ref": item.is_ref,
    }


def type_attr(item):
    """The allowed dtypes of a type attribute (empty: any), and its default."""
    default = item.default_value.type
    return {
        "allowed": [dtypes.as_dtype(allowed).name for allowed in item.allowed_values.list.type],
        "default": dtypes.as_dtype(default).name if default else None,
    }


def gradient(name):
    """Whether a gradient function is registered, "not differentiable", or nothing."""
    try:
        function = ops._gradient_registry.lookup(name)
    except LookupError:
        return "no gradient"
    return "not differentiable" if function is None else "function"


def runs_in(definition):
    """The dtypes of the first input for which the CPU has a kernel, where kernels say so."""
    if not definition.input_arg or not definition.input_arg[0].type_attr:
        return []
    found = {
        dtypes.as_dtype(allowed).name
        for kernel in kernels.get_registered_kernels_for_op(definition.name).kernel
        if kernel.device_type == "CPU"
        for constraint in kernel.constraint
        if constraint.name == definition.input_arg[0].type_attr
        for allowed in constraint.allowed_values.list.type
    }
    return sorted(found)


def described(definition):
    """One op."""
    return {
        "inputs": [argument(item) for item in definition.input_arg],
        "outputs": [argument(item) for item in definition.output_arg],
        "type_attrs": {a.name: type_attr(a) for a in definition.attr if a.type == "type"},
        "attrs": [a.name for a in definition.attr],
        "gradient": gradient(definition.name),
        "runs_in": runs_in(definition),
    }


if __name__ == "__main__":
    found = {name: op_def_registry.get(name) for name in sys.argv[1:]}
    print(json.dumps({name: described(item) for name, item in found.items() if item is not None}))
