"""What TensorFlow 2.21 was seen to do where a case cannot look: devices, warnings, runs."""

import logging
import warnings

import numpy as np
import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.disable_v2_behavior()
    with tf.Graph().as_default():
        yield
    tf.disable_v2_behavior()


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def variable(request):
    """Makes a variable, of either kind."""
    return lambda value, **kwargs: tf.Variable(value, use_resource=request.param, **kwargs)


def operations_below(scope):
    graph = tf.get_default_graph()
    return [op for op in graph.get_operations() if op.name.startswith(f"{scope}/")]


class TestColocation:
    def gradients_of_a_square(self, **kwargs):
        x = tf.placeholder(tf.float32, [3])
        with tf.device("/cpu:0"):
            a = tf.multiply(x, 2.0, name="a")
            b = tf.multiply(a, a, name="b")
        tf.gradients(b, x, **kwargs)
        return {op.name.removeprefix("gradients/"): op for op in operations_below("gradients")}

    def test_gradients_stay_with_their_operations_and_on_their_device_when_asked(self):
        built = self.gradients_of_a_square(colocate_gradients_with_ops=True)
        groups = {name: op.colocation_groups() for name, op in built.items()}
        assert groups["grad_ys_0"] == [b"loc:@b"]
        assert groups["b_grad/Mul"] == groups["b_grad/Mul_1"] == groups["AddN"] == [b"loc:@b"]
        assert groups["a_grad/Mul"] == [b"loc:@a"]
        assert {op.device for op in built.values()} == {"/device:CPU:0"}

    def test_by_default_a_sum_alone_stays_with_its_first_term(self):
        built = self.gradients_of_a_square()
        for name, op in built.items():
            own = "gradients/b_grad/Mul" if name == "AddN" else op.name
            assert op.colocation_groups() == [f"loc:@{own}".encode()]
        assert {op.device for op in built.values()} == {""}

    def test_terms_are_added_device_by_device_in_the_order_of_their_names(self):
        x = tf.placeholder(tf.float32, [1])
        h = tf.identity(x)
        terms = []
        for i in range(4):
            with tf.device(f"/cpu:{1 - i % 2}"):
                terms.append(tf.multiply(h, float(i + 1), name=f"term{i}"))
        (gradient,) = tf.gradients(terms, h, colocate_gradients_with_ops=True)
        assert [t.op.type for t in gradient.op.inputs] == ["AddN", "AddN"]
        assert [t.device for t in gradient.op.inputs] == ["/device:CPU:0", "/device:CPU:1"]
        first, second = ([t.op.name for t in part.op.inputs] for part in gradient.op.inputs)
        assert [name.split("/")[1] for name in first] == ["term1_grad", "term3_grad"]
        assert [name.split("/")[1] for name in second] == ["term0_grad", "term2_grad"]

    def test_a_gate_is_on_the_device_of_what_it_waits_for(self):
        with tf.device("/cpu:0"):
            x, w = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
            y = tf.multiply(x, w)
        for colocate, device in ((True, "/device:CPU:0"), (False, "")):
            gated, _ = tf.gradients(
                y, [x, w], gate_gradients=True, colocate_gradients_with_ops=colocate
            )
            (gate,) = gated.op.control_inputs
            assert gate.device == device

    def test_a_group_waits_device_by_device(self):
        parts = []
        for name in ("/cpu:1", "/cpu:0", "/cpu:1"):
            with tf.device(name):
                parts.append(tf.constant(1.0))
        both = tf.group(*parts, name="both")
        assert [op.name for op in both.control_inputs] == ["both/NoOp", "both/NoOp_1"]
        assert [op.device for op in both.control_inputs] == ["/device:CPU:0", "/device:CPU:1"]
        assert both.device == ""


@pytest.mark.parametrize(
    ("outer", "inner", "device"),
    [
        (None, "/cpu:0", "/device:CPU:0"),
        (None, "gpu:1", "/device:GPU:1"),
        ("/job:worker/task:2", "/device:CPU:0", "/job:worker/task:2/device:CPU:0"),
        ("/cpu:0", "/cpu:1", "/device:CPU:1"),
        ("/cpu:0", None, ""),
    ],
)
def test_an_inner_device_is_merged_into_the_outer_one(outer, inner, device):
    with tf.device(outer), tf.device(inner):
        assert tf.constant(1.0).device == device


class TestIndexedSlices:
    def test_a_run_gives_values_indices_and_shape(self):
        x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        (gradient,) = tf.gradients(tf.gather(x, [2, 2]), x, grad_ys=[[[1.0, 2.0], [3.0, 4.0]]])
        with tf.Session() as session:
            value = session.run(gradient)
        assert type(value).__name__ == "IndexedSlicesValue"
        np.testing.assert_array_equal(value.values, [[1, 2], [3, 4]])
        np.testing.assert_array_equal(value.indices, [2, 2])
        np.testing.assert_array_equal(value.dense_shape, [3, 2])
        assert value.dense_shape.dtype == np.int32

    def test_without_a_shape_a_run_gives_none_for_it(self):
        slices = tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([0]))
        with tf.Session() as session:
            assert session.run(slices).dense_shape is None

    @pytest.mark.parametrize(("rows", "times"), [(10**8, 1), (10**8 - 1, 0)])
    def test_making_a_hundred_million_elements_dense_warns(self, rows, times):
        slices = tf.IndexedSlices(tf.ones([1, 1]), tf.constant([0]), tf.constant([rows, 1]))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            tf.convert_to_tensor(slices)
        assert len(caught) == times
        assert all(f"with {rows} elements" in str(warning.message) for warning in caught)

    def test_a_shape_that_is_not_known_does_not_warn(self):
        shape = tf.placeholder(tf.int32, [2])
        slices = tf.IndexedSlices(tf.ones([1, 1]), tf.constant([0]), shape)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tf.convert_to_tensor(slices)


def test_integers_are_differentiated_without_a_word(caplog, capfd):
    i = tf.constant([1, 2])
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tf.gradients(tf.cast(i, tf.float32), i) == [None]
        (itself,) = tf.gradients(i, i)
    assert itself.dtype is tf.int32
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


class TestFeeding:
    def test_a_fed_tensor_counts_in_the_forward_and_in_the_backward_pass(self):
        x = tf.constant(3.0)
        h = tf.square(x)
        (gradient,) = tf.gradients(h * h, x)
        with tf.Session() as session:
            assert session.run(gradient) == 4 * 3.0**3
            assert session.run([h * h, gradient], {h: 10.0}) == [100.0, 2 * 10.0 * 2 * 3.0]

    def test_a_gradient_can_be_fed_on_the_way_down(self):
        x = tf.constant(3.0)
        h = tf.square(x)
        of_h, of_x = tf.gradients(tf.exp(h), [h, x])
        with tf.Session() as session:
            assert session.run(of_x, {of_h: 0.5}) == 0.5 * 2 * 3.0

    def test_a_variable_can_be_fed(self, variable):
        v = variable([1.0, 2.0])
        read = v.read_value()
        (gradient,) = tf.gradients(tf.square(read), v)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            np.testing.assert_array_equal(session.run(gradient, {read: [5.0, 6.0]}), [10, 12])
            np.testing.assert_array_equal(session.run(gradient), [2, 4])

    def test_a_fed_operation_needs_nothing_of_what_it_comes_from(self, variable):
        h = tf.identity(variable(1.0) * 2.0)
        (gradient,) = tf.gradients(tf.square(h), h)
        with tf.Session() as session:
            assert session.run(gradient, {h: 4.0}) == 8.0


class TestSessions:
    def test_each_has_its_own_values_of_the_variables(self, variable):
        v = variable(1.0)
        (gradient,) = tf.gradients(v * v, v)
        add = tf.assign_add(v, 4.0)
        initialize = tf.global_variables_initializer()
        first, second = tf.Session(), tf.Session()
        first.run(initialize)
        first.run(tf.group(add))
        second.run(initialize)
        assert [first.run(gradient), second.run(gradient)] == [10.0, 2.0]

    def test_one_that_did_not_initialize_has_no_values(self, variable):
        v = variable(1.0)
        (gradient,) = tf.gradients(v * v, v)
        first, second = tf.Session(), tf.Session()
        first.run(tf.global_variables_initializer())
        assert first.run(gradient) == 2.0
        with pytest.raises(tf.errors.FailedPreconditionError):
            second.run(gradient)

    def test_gradients_built_after_a_run_are_found(self, variable):
        v = variable(3.0)
        y = v * v
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(y) == 9.0
            (gradient,) = tf.gradients(y, v)
            (second,) = tf.gradients(gradient, v)
            assert session.run([gradient, second]) == [6.0, 2.0]

    def test_an_update_and_a_gradient_fetched_with_it_are_ordered_by_dependencies(self, variable):
        v = variable(3.0)
        with tf.control_dependencies([tf.assign(v, 5.0)]):
            (after,) = tf.gradients(tf.square(v.read_value()), v)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(after) == 10.0

    def test_a_seeded_dropout_gives_the_mask_of_its_own_run(self):
        x = tf.constant(np.arange(1.0, 41.0, dtype=np.float32))
        dropped = tf.nn.dropout(x, rate=0.5, seed=3)
        (gradient,) = tf.gradients(dropped, x)
        with tf.Session() as session:
            for _ in range(3):
                values, mask = session.run([dropped, gradient])
                np.testing.assert_array_equal(values, mask * np.arange(1.0, 41.0))
                assert set(mask.tolist()) == {0.0, 2.0}


class TestRandomGamma:
    def test_its_gradient_is_the_derivative_of_the_quantile(self):
        from scipy.special import gammaincinv

        alpha = tf.constant([0.5, 1.0, 3.0], tf.float64)
        sample = tf.random_gamma([2], alpha, dtype=tf.float64, seed=1)
        (gradient,) = tf.gradients(sample, alpha)
        with tf.Session() as session:
            drawn, found = session.run([sample, gradient])
        from scipy.special import gammainc

        a, step = np.array([0.5, 1.0, 3.0]), 1e-6
        level = gammainc(a, drawn)
        wanted = (gammaincinv(a + step, level) - gammaincinv(a - step, level)) / (2 * step)
        np.testing.assert_allclose(found, wanted.sum(0), rtol=1e-6)


class TestScale:
    def test_a_chain_of_twenty_thousand_is_built_and_run(self):
        x = tf.placeholder(tf.float32, [])
        y = x
        for _ in range(20_000):
            y = tf.negative(y)
        (gradient,) = tf.gradients(y, x)
        with tf.Session() as session:
            assert session.run([y, gradient], {x: 2.0}) == [2.0, 1.0]

    def test_two_hundred_contributions_are_one_sum(self):
        x = tf.placeholder(tf.float32, [])
        (gradient,) = tf.gradients([x * float(i) for i in range(200)], x)
        assert (gradient.op.type, len(gradient.op.inputs)) == ("AddN", 200)

    def test_the_graph_of_sixty_doublings_grows_by_a_few_operations_for_each(self):
        x = tf.placeholder(tf.float32, [])
        y = x
        for _ in range(60):
            y = y + y
        tf.gradients(y, x)
        assert len(operations_below("gradients")) < 3 * 60
