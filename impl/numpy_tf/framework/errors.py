"""TensorFlow's run-time error classes."""

from numpy_tf.framework.export import export, export_as


class OpError(Exception):
    """An error that an op raises when it runs.

    Args:
      node_def: kept for TensorFlow's signature; may be None.
      op: the operation, or None.
      message: what went wrong.
    """

    def __init__(self, node_def, op, message, *_):
        super().__init__(message)
        self.node_def = node_def
        self.op = op
        self.message = message

    def __str__(self):
        if self.op is None:
            return self.message
        return f"{self.message}\n\t [[node {self.op.name} (op type: {self.op.type})]]"


class UnsupportedOpError(NotImplementedError):
    """Something that TensorFlow has and numpy_tf does not have yet."""


@export("errors.OperatorNotAllowedInGraphError")
class OperatorNotAllowedInGraphError(TypeError):
    """A Python construct asks a symbolic tensor for its value."""


_CODES = {
    "CancelledError": 1,
    "UnknownError": 2,
    "InvalidArgumentError": 3,
    "DeadlineExceededError": 4,
    "NotFoundError": 5,
    "AlreadyExistsError": 6,
    "PermissionDeniedError": 7,
    "ResourceExhaustedError": 8,
    "FailedPreconditionError": 9,
    "AbortedError": 10,
    "OutOfRangeError": 11,
    "UnimplementedError": 12,
    "InternalError": 13,
    "UnavailableError": 14,
    "DataLossError": 15,
}
export_as(OpError, "OpError", "errors.OpError")
for _name, _code in _CODES.items():
    globals()[_name] = export_as(
        type(_name, (OpError,), {"error_code": _code, "__module__": __name__}), f"errors.{_name}"
    )


class InaccessibleTensorError(ValueError):
    """A tensor of a function's body is used outside of it."""


export_as(InaccessibleTensorError, "errors.InaccessibleTensorError")

InvalidArgumentError = globals()["InvalidArgumentError"]
FailedPreconditionError = globals()["FailedPreconditionError"]
ResourceExhaustedError = globals()["ResourceExhaustedError"]
UnimplementedError = globals()["UnimplementedError"]
InternalError = globals()["InternalError"]
OutOfRangeError = globals()["OutOfRangeError"]


def invalid_argument(message):
    """The error that a kernel raises when what it is given does not fit; the plan names the op."""
    return InvalidArgumentError(None, None, message)


def unimplemented(message):
    """The error of a run that asks for what TensorFlow's CPU does not do."""
    return UnimplementedError(None, None, message)


def no_kernel(op):
    """The error of a run that meets an op of dtypes which TensorFlow's CPU has no kernel for."""
    dtypes = ", ".join(tensor.dtype.name for tensor in op.inputs)
    return invalid_argument(
        f"No OpKernel was registered to support Op '{op.type}' used by {op.name} with inputs of "
        f"type {dtypes}"
    )
