"""What a program may say itself about gradients, as far as no case can say it."""

import functools

import numpy as np
import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.disable_v2_behavior()
    registered = set(tf.__gradient_registry__)
    with tf.Graph().as_default():
        yield
    for name in set(tf.__gradient_registry__) - registered:
        del tf.__gradient_registry__[name]


@pytest.fixture
def x():
    return tf.constant([1.0, 2.0])


def run(fetches):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches)


def types():
    return [op.type for op in tf.get_default_graph().get_operations()]


def values(fetches):
    return [np.asarray(value).tolist() for value in run(fetches)]


class TestCustomGradient:
    def test_is_an_identity_of_outputs_inputs_and_variables(self, x):
        v = tf.Variable([3.0, 4.0], use_resource=True, name="v")

        @tf.custom_gradient
        def f(x):
            return x * v, lambda dy, variables=None: (dy, [dy])

        y = f(x)
        assert y.op.type == "IdentityN"
        assert [tensor.op.type for tensor in y.op.inputs] == ["Mul", "Const", "ReadVariableOp"]
        assert y.op.get_attr("_gradient_op_type").startswith(b"CustomGradient-")

    def test_decorates_methods_and_keeps_names(self, x):
        class Scaler:
            factor = 7.0

            @tf.custom_gradient
            def scale(self, x):
                """Scales."""
                return x * 2.0, lambda dy: dy * self.factor

        y = Scaler().scale(x)
        assert values(tf.gradients(y, x)) == [[7.0, 7.0]]
        assert (Scaler.scale.__name__, Scaler.scale.__doc__) == ("scale", "Scales.")

    def test_leaves_nothing_behind_in_the_registry(self, x):
        before = set(tf.__gradient_registry__)
        tf.custom_gradient(lambda x: (x, lambda dy: dy))(x)
        assert set(tf.__gradient_registry__) == before

    def test_an_outer_override_of_identity_n_does_not_reach_it(self, x):
        @tf.custom_gradient
        def f(x):
            return x * 2.0, lambda dy: dy * 5.0

        with tf.get_default_graph().gradient_override_map({"IdentityN": "Nobody"}):
            y = f(x)
        assert values(tf.gradients(y, x)) == [[5.0, 5.0]]

    def test_a_local_variable_cannot_be_found(self, x):
        with pytest.raises(ValueError, match="Unsuccessful at finding variable v"):
            local = tf.Variable([1.0, 2.0], collections=["local_variables"], name="v")
            tf.custom_gradient(lambda x: (x * local, lambda dy: dy))(x)

    def test_takes_any_callable(self, x):
        power = functools.partial(lambda n, x: (x**n, lambda dy: dy * n), 3.0)
        assert values(tf.gradients(tf.custom_gradient(power)(x), x)) == [[3.0, 3.0]]


class TestRecomputeGrad:
    def test_computes_once_more_after_the_gradient_has_come(self, x):
        calls = []

        @tf.recompute_grad
        def f(x):
            calls.append(x)
            return tf.exp(x)

        y = f(x)
        assert len(calls) == 1
        (grad,) = tf.gradients(y, x)
        assert len(calls) == 2
        assert types().count("Exp") == 2
        np.testing.assert_allclose(run(grad), np.exp([1.0, 2.0]), rtol=1e-6)

    def test_also_with_a_reference_variable(self, x):
        # TensorFlow ends with a SystemError here: its tape cannot watch one.
        v = tf.Variable([3.0, 4.0], use_resource=False)
        y = tf.recompute_grad(lambda x: x * v)(x)
        assert values(tf.gradients(y, [x, v])) == [[3.0, 4.0], [1.0, 2.0]]


class TestPythonFunctions:
    def test_py_function_differentiates(self, x):
        y = tf.py_function(lambda t: t * t * t, [x], tf.float32)
        assert (y.op.type, y.shape.ndims) == ("EagerPyFunc", None)
        assert values([y, tf.gradients(y, x)[0]]) == [[1.0, 8.0], [3.0, 12.0]]

    @pytest.mark.parametrize("function", [tf.py_func, tf.numpy_function])
    def test_functions_of_arrays_cut_the_path(self, x, function):
        y = function(lambda array: array * array, [x], tf.float32)
        assert y.op.type == "PyFunc"
        assert values([y]) == [[1.0, 4.0]]
        assert tf.gradients(y, x) == [None]
        assert tf.gradients(x + tf.reshape(y, [2]), x)[0] is not None

    def test_a_stateless_one_has_a_type_of_its_own(self, x):
        y = tf.py_func(lambda array: array, [x], tf.float32, stateful=False)
        assert y.op.type == "PyFuncStateless"

    def test_several_outputs_of_which_one_does_not_depend_on_x(self, x):
        def f(t):
            return t * t, t.numpy().sum()

        y, total = tf.py_function(f, [x], [tf.float32, tf.float32])
        assert values([y, total]) == [[1.0, 4.0], 3.0]
        assert values(tf.gradients(y, x)) == [[2.0, 4.0]]
        assert values(tf.gradients(total, x)) == [[0.0, 0.0]]

    def test_no_output_that_depends_on_x(self, x):
        total = tf.py_function(lambda t: t.numpy().sum(), [x], tf.float32)
        # A scalar zero, as TensorFlow has it, whatever the shape of x.
        assert values(tf.gradients(total, x)) == [0.0]

    def test_with_an_integer_it_cannot_be_differentiated(self, x):
        y = tf.py_function(lambda t, i: t * i.numpy(), [x, tf.constant(3)], tf.float32)
        assert values([y]) == [[3.0, 6.0]]
        with pytest.raises(tf.errors.InvalidArgumentError, match="dtype int32"):
            run(tf.gradients(y, x))

    def test_the_function_may_look_at_values(self, x):
        def f(t):
            if t[0] > 0 and float(t[1]) == 2.0 and len(t) == 2:
                return tf.add_n([row * int(row) for row in t])
            return t[0]

        y = tf.py_function(f, [x], tf.float32)
        assert values([y, tf.gradients(y, x)[0]]) == [5.0, [1.0, 2.0]]

    def test_it_runs_in_every_run(self, x):
        seen = []
        y = tf.py_func(lambda array: seen.append(array.tolist()), [x], [])
        assert y.type == "PyFunc"
        run(y)
        run(y)
        assert seen == [[1.0, 2.0]] * 2

    def test_gradients_of_the_gradient_do_not_reach_x(self, x):
        y = tf.py_function(lambda t: t * t * t, [x], tf.float32)
        assert tf.gradients(tf.gradients(y, x), x) == [None]

    def test_one_run_can_differentiate_one_call_once(self, x):
        y = tf.py_function(lambda t: t * t, [x], tf.float32)
        with pytest.raises(tf.errors.UnknownError):
            run([tf.gradients(y, x), tf.gradients(y, x)])

    @pytest.mark.parametrize(
        ("function", "dtype", "error", "message"),
        [
            (lambda a: a, tf.float64, tf.errors.InvalidArgumentError, "is float, but expects doub"),
            (lambda a: (a, a), tf.float32, tf.errors.InvalidArgumentError, "returns 2 values"),
            (lambda a: {}["k"], tf.float32, tf.errors.UnknownError, "KeyError: 'k'"),
            (lambda a: int("k"), tf.float32, tf.errors.InvalidArgumentError, "ValueError"),
        ],
    )
    def test_what_a_function_does_wrong_is_an_error_of_the_run(
        self, x, function, dtype, error, message
    ):
        with pytest.raises(error, match=message):
            run(tf.py_func(function, [x], dtype))

    def test_a_tensor_of_another_dtype_is_refused(self, x):
        with pytest.raises(tf.errors.InvalidArgumentError, match="float64"):
            run(tf.py_function(lambda t: t, [x], tf.float64))


class TestRegisterGradient:
    def test_as_a_function_of_a_lambda(self, x):
        tf.RegisterGradient("Sevenfold")(lambda op, grad: grad * 7.0)
        with tf.get_default_graph().gradient_override_map({"Identity": "Sevenfold"}):
            y = tf.identity(x)
        assert y.op.get_attr("_gradient_op_type") == b"Sevenfold"
        assert values(tf.gradients(y, x)) == [[7.0, 7.0]]

    def test_the_map_is_left_when_its_block_fails(self, x):
        graph = tf.get_default_graph()
        with pytest.raises(ZeroDivisionError), graph.gradient_override_map({"Identity": "Nobody"}):
            _ = 1 / 0
        assert values(tf.gradients(tf.identity(x), x)) == [[1.0, 1.0]]

    def test_the_map_is_copied(self, x):
        overrides = {"Identity": "Nobody"}
        with tf.get_default_graph().gradient_override_map(overrides):
            overrides.clear()
            assert "_gradient_op_type" in tf.identity(x).op.attrs
