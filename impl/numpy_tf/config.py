"""ConfigProto and its kind: accepted as scripts write them, without effect on a NumPy plan."""

from numpy_tf.framework.export import export


class _Options:
    """A record that takes any field; fields not set before are records themselves."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = self.__dict__[name] = _Options()
        return value


@export("ConfigProto")
class ConfigProto(_Options):
    """Session configuration."""


@export("GPUOptions")
class GPUOptions(_Options):
    """GPU configuration."""


@export("GraphOptions")
class GraphOptions(_Options):
    """Graph configuration."""


@export("OptimizerOptions")
class OptimizerOptions(_Options):
    """Optimizer configuration."""

    L0 = -1
    L1 = 0


@export("RunOptions")
class RunOptions(_Options):
    """Options of one run."""


@export("RunMetadata")
class RunMetadata(_Options):
    """What a run reports of itself."""
