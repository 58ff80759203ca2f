"""`tf.raw_ops`: every op by its registered name, with keyword arguments only."""

from numpy_tf.framework.export import export_as
from numpy_tf.framework.op_def import OPS


class RawOps:
    """Namespace of op constructors; `raw_ops.MatMul(a=…, b=…, transpose_a=True)`."""

    def __getattr__(self, name):
        try:
            definition = OPS[name]
        except KeyError:
            raise AttributeError(f"module 'numpy_tf.raw_ops' has no attribute '{name}'") from None
        function = _keyword_only(definition)
        setattr(self, name, function)
        return function

    def __dir__(self):
        return sorted(OPS)


def _keyword_only(definition):
    def raw_op(**arguments):
        name = arguments.pop("name", None)
        missing = [a.keyword for a in definition.inputs if a.keyword not in arguments]
        if missing:
            raise TypeError(f"{definition.name}() missing required keyword arguments: {missing}")
        inputs = [arguments.pop(argument.keyword) for argument in definition.inputs]
        return definition(*inputs, name=name, **arguments)

    raw_op.__name__ = definition.name
    raw_op.__doc__ = definition.__doc__
    return raw_op


raw_ops = export_as(RawOps(), "raw_ops")
