"""The rules that an explanation states are those by which the numbers beside them came about."""

import re

import numpy as np
import pytest

import numpy_tf as tf
from gradparity.explain import rules

X = np.array([0.5, 1.25, 2.0, 3.0])
Y = np.array([1.5, 1.25, 0.75, -2.0])
COMING_IN = np.array([1.0, -2.0, 0.5, 3.0])

UNARY = {
    "Neg": tf.negative,
    "Square": tf.square,
    "Sqrt": tf.sqrt,
    "Rsqrt": tf.math.rsqrt,
    "Exp": tf.exp,
    "Log": tf.math.log,
    "Log1p": tf.math.log1p,
    "Sin": tf.sin,
    "Cos": tf.cos,
    "Tanh": tf.tanh,
    "Sigmoid": tf.sigmoid,
    "Relu": tf.nn.relu,
    "Abs": tf.abs,
    "Reciprocal": tf.math.reciprocal,
    "Softplus": tf.nn.softplus,
    "Identity": tf.identity,
    "Softmax": tf.nn.softmax,
}
BINARY = {
    "AddV2": tf.add,
    "Sub": tf.subtract,
    "Mul": tf.multiply,
    "RealDiv": tf.divide,
    "Pow": tf.pow,
    "Maximum": tf.maximum,
    "Minimum": tf.minimum,
    "SquaredDifference": tf.math.squared_difference,
}
CASES = [(type, make, 1) for type, make in UNARY.items()]
CASES += [(type, make, 2) for type, make in BINARY.items()]
MEANING = {
    "cos": np.cos,
    "sin": np.sin,
    "sign": np.sign,
    "log": np.log,
    "sum": np.sum,
    "sigmoid": lambda value: 1 / (1 + np.exp(-value)),
    "where": np.where,
}


def computed(formula, names):
    """The value of a formula as it is printed."""
    code = re.sub(r"\bin\b", "coming", formula)
    for sign, operator in (("·", "*"), ("²", "**2"), ("³", "**3"), ("^", "**")):
        code = code.replace(sign, operator)
    code = re.sub(r"^(.*) where (.*), else 0$", r"where(\2, \1, 0)", code)
    return eval(code, {**MEANING, **names})


@pytest.mark.parametrize(("type", "make", "count"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_is_the_ops_gradient(type, make, count):
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = [tf.constant(value) for value in (X, Y)[:count]]
        y = make(*inputs)
        assert y.op.type == type
        gradients = tf.gradients(y, inputs, grad_ys=[tf.constant(COMING_IN)])
        out, found = session.run([y, gradients])
    names = {"x": X, "y": Y, "out": out, "coming": COMING_IN}
    for index, gradient in enumerate(found):
        formula = rules.formula(type, index, ["x", "y"][:count], "out")
        assert np.allclose(computed(formula, names), gradient), formula


def test_an_op_without_a_rule_has_none():
    assert rules.formula("Svd", 0, ["a"], "s") == ""
