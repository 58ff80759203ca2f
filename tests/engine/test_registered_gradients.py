"""What programs register is forgotten; what TensorFlow's own modules register late is kept."""

from types import SimpleNamespace

import pytest

from gradparity.worker import RegisteredGradients


def function(module, name):
    def gradient(op, grad):
        return grad

    gradient.__module__, gradient.__qualname__ = module, name
    return gradient


@pytest.fixture
def registry():
    return {"Mul": function("tensorflow.python.ops.math_grad", "_MulGrad")}


@pytest.fixture
def registered(registry):
    return RegisteredGradients(SimpleNamespace(__name__="tame", __gradient_registry__=registry))


@pytest.mark.parametrize("wrapped", [lambda f: f, lambda f: {"type": f, "location": ()}])
def test_what_a_module_of_tensorflows_registers_late_stays(registry, registered, wrapped):
    # TensorFlow 1.15 imports while_v2 with the first loop of a process, and never again.
    registry["While"] = wrapped(function("tensorflow_core.python.ops.while_v2", "_WhileGrad"))
    registered.forget()
    registered.forget()
    assert set(registry) == {"Mul", "While"}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "seven_times"),
        ("tensorflow.python.ops.custom_gradient", "_graph_mode_decorator.<locals>.internal"),
    ],
)
def test_what_a_program_registers_goes_whoever_does_it_on_its_behalf(
    registry, registered, module, name
):
    registry["CustomGradient-1"] = {"type": function(module, name), "location": ()}
    registry["NotDifferentiable"] = {"type": None, "location": ()}
    registered.forget()
    assert set(registry) == {"Mul"}
