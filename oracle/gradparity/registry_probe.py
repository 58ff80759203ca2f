"""What TensorFlow can differentiate: its gradient registry and kernels, printed as JSON.

Like `worker.py` this file is all that another environment needs: Python 3.7 or later, and
that environment's TensorFlow. It imports nothing from gradparity.
"""

import json
import os
import sys

FLOATING = {
    "DT_HALF",
    "DT_BFLOAT16",
    "DT_FLOAT",
    "DT_DOUBLE",
    "DT_COMPLEX64",
    "DT_COMPLEX128",
}
ANYWHERE = "DEFAULT"  # TensorFlow's word for a kernel that every device can use


def probe():
    """Every op that is registered for differentiation, and every float op that is not.

    Returns:
      A JSON-able dictionary: "tensorflow", its version; then op type -> the devices for which
      it has kernels, in one text, in each of "gradient functions" (registered with a
      function), "not differentiable" (registered without one) and "unregistered" (not
      registered, though floating-point tensors can go in and come out, and it runs on a CPU);
      null in place of devices for names that are no ops. "removed" is op type -> what
      TensorFlow says of ops that it refuses to make. "families" is the module of TensorFlow
      that registers gradient functions, by its short name -> their op types, in one text.
    """
    import tensorflow as tf
    from tensorflow.core.framework import op_def_pb2, types_pb2
    from tensorflow.python.framework import kernels, ops

    devices = {}
    for kernel in kernels.get_all_registered_kernels().kernel:
        devices.setdefault(kernel.op, set()).add(kernel.device_type)
    definitions = {op.name: op for op in _op_list(op_def_pb2).op}
    floating = {types_pb2.DataType.Value(name) for name in FLOATING}
    functions = {name: entry["type"] for name, entry in ops._gradient_registry._registry.items()}
    registry = {name: function is not None for name, function in functions.items()}
    families = {}
    for name, function in sorted(functions.items()):
        if function is not None:
            families.setdefault(_family(function.__module__), []).append(name)

    def described(names):
        return {
            name: " ".join(sorted(devices.get(name, ()))) if name in definitions else None
            for name in sorted(names)
        }

    unregistered = [
        name
        for name, op in definitions.items()
        if name not in registry
        and devices.get(name, set()) & {"CPU", ANYWHERE}
        and _may_be(op, op.input_arg, floating)
        and _may_be(op, op.output_arg, floating)
    ]
    newest = tf.compat.v1.GRAPH_DEF_VERSION if hasattr(tf, "compat") else tf.GRAPH_DEF_VERSION
    return {
        "tensorflow": tf.__version__,
        "gradient functions": described(name for name, known in registry.items() if known),
        "not differentiable": described(name for name, known in registry.items() if not known),
        "unregistered": described(unregistered),
        "removed": {
            name: op.deprecation.explanation
            for name, op in sorted(definitions.items())
            if op.HasField("deprecation") and op.deprecation.version <= newest
            if name in registry or name in unregistered
        },
        "families": {family: " ".join(families[family]) for family in sorted(families)},
    }


def _family(module):
    """The short name of a module: "math" of tensorflow.python.ops.math_grad."""
    name = module.rpartition(".")[2]
    return name[: -len("_grad")] if name.endswith("_grad") else name


def _op_list(op_def_pb2):
    """All ops that TensorFlow knows; the module of its C API moved after 1.15."""
    try:
        from tensorflow.python.client import pywrap_tf_session as c_api
    except ImportError:
        from tensorflow.python import pywrap_tensorflow as c_api
    buffer = c_api.TF_GetAllOpList()
    listed = op_def_pb2.OpList()
    listed.ParseFromString(bytes(c_api.TF_GetBuffer(buffer)))
    return listed


def _may_be(op, arguments, dtypes):
    """Whether one of an op's inputs (or outputs) can be of one of the dtypes."""
    attributes = {attribute.name: attribute for attribute in op.attr}
    for argument in arguments:
        if argument.type:
            allowed = {argument.type}
        else:
            attribute = attributes[argument.type_attr or argument.type_list_attr]
            allowed = set(attribute.allowed_values.list.type) or dtypes
        if allowed & dtypes:
            return True
    return False


def main():
    """Prints the JSON on stdout, and whatever TensorFlow has to say on stderr."""
    # The script's own folder would let gradparity's modules shadow the environment's.
    if os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(probe(), answer)
    answer.close()


if __name__ == "__main__":
    main()
