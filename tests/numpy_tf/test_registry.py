"""The op blocks say of themselves what TensorFlow's registries say of the ops."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from numpy_tf.framework import dtypes
from numpy_tf.framework.op_def import GRADIENTS, OPS
from numpy_tf.ops import catalog  # noqa: F401

SCRIPT = Path(__file__).with_name("registry_of_tensorflow.py")

OUR_OWN = {"InitializedValue": "stands for the five operations of a conditional"}
BY_ANOTHER_ROAD = {
    "PartitionedCall": "tf.gradients differentiates the function that it calls",
    "StatefulPartitionedCall": "the same",
}
RENAMED = {"Squeeze": {"squeeze_dims": "axis"}}  # as tf.raw_ops does
NO_SUCH_DTYPE_HERE = ("q", "int2", "int4", "uint2", "uint4", "float4", "float8")


@pytest.fixture(scope="module")
def registry():
    names = sorted(set(OPS) - set(OUR_OWN))
    done = subprocess.run(
        [sys.executable, SCRIPT, *names], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _arguments(arguments):
    return [
        {
            "name": argument.name,
            "dtype": argument.fixed and argument.fixed.name,
            "type_attr": argument.type_attr,
            "number_attr": argument.number_attr,
            "is_ref": argument.is_ref,
        }
        for argument in arguments
    ]


def _differing(registry, theirs, ours):
    pairs = ((name, theirs(entry), ours(name, OPS[name])) for name, entry in registry.items())
    return {name: (wanted, found) for name, wanted, found in pairs if wanted != found}


def test_each_op_is_one_of_tensorflow(registry):
    assert set(OPS) - set(OUR_OWN) == set(registry)


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_signatures_are_tensorflows(registry, side):
    assert not _differing(
        registry, lambda entry: entry[side], lambda name, op: _arguments(getattr(op, side))
    )


def test_type_attributes_allow_what_tensorflow_allows(registry):
    def theirs(entry):
        return {
            attribute: sorted({d for d in said["allowed"] if not d.startswith(NO_SUCH_DTYPE_HERE)})
            for attribute, said in entry["type_attrs"].items()
            if said["allowed"]
        }

    def ours(name, op):
        restricted = theirs(registry[name])
        return {a: sorted(d.name for d in op.allowed[a]) for a in op.allowed if a in restricted}

    assert not _differing(registry, theirs, ours)


def test_type_attributes_have_tensorflows_defaults(registry):
    def theirs(entry):
        return {a: s["default"] for a, s in entry["type_attrs"].items() if s["default"]}

    def ours(name, op):
        of_inputs = {
            a: types.default.name for a, types in op.allowed.items() if hasattr(types, "default")
        }
        of_outputs = {
            a: value.name for a, value in op.defaults.items() if isinstance(value, dtypes.DType)
        }
        return of_inputs | of_outputs

    assert not _differing(registry, theirs, ours)


def test_ops_that_run_in_fewer_dtypes_run_in_those_of_tensorflows_kernels(registry):
    limited = {name: op.runs_in for name, op in OPS.items() if op.runs_in is not None}
    found = {name: sorted(dtype.name for dtype in types) for name, types in limited.items()}
    assert found
    assert found == {name: registry[name]["runs_in"] for name in limited}


def test_attributes_are_among_tensorflows(registry):
    def unknown(name, attrs):
        renamed = RENAMED.get(name, {})
        ours = set(OPS[name].allowed) | set(OPS[name].defaults)
        return ours - {renamed.get(attribute, attribute) for attribute in attrs}

    extra = {name: unknown(name, entry["attrs"]) for name, entry in registry.items()}
    assert not {name: attributes for name, attributes in extra.items() if attributes}


def test_gradients_are_registered_where_tensorflow_registers_them(registry):
    def ours(name, op):
        if name not in GRADIENTS or name in BY_ANOTHER_ROAD:
            return "no gradient"
        return "not differentiable" if GRADIENTS[name] is None else "function"

    assert not _differing(registry, lambda entry: entry["gradient"], ours)
