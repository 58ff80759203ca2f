"""Variables, random numbers and initializers: what a TensorFlow 1 program sees of them."""

import numpy as np
import pytest

import numpy_tf as tf


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.disable_v2_behavior()
    with tf.Graph().as_default():
        yield
    tf.disable_v2_behavior()


@pytest.fixture(params=["tf1", "v2"])
def profile(request):
    """The test runs with reference variables, then with resource variables."""
    if request.param == "v2":
        tf.enable_v2_behavior()
    return request.param


def operations():
    return [(op.name, op.type) for op in tf.get_default_graph().get_operations()]


def types():
    return [op.type for op in tf.get_default_graph().get_operations()]


def run(fetches, feeds=None, initialize=True):
    with tf.Session() as session:
        if initialize:
            session.run(tf.global_variables_initializer(), feeds)
        return session.run(fetches, feeds)


class TestMakingAVariable:
    def test_reference_variable_builds_the_operations_that_tensorflow_builds(self):
        v = tf.Variable(1.0, name="a")
        assert operations() == [
            ("a/initial_value", "Const"),
            ("a", "VariableV2"),
            ("a/Assign", "Assign"),
            ("a/read", "Identity"),
        ]
        assert (v.name, v.dtype.name, v.op.type) == ("a:0", "float32_ref", "VariableV2")
        assert v.initializer.name == "a/Assign"
        assert repr(v) == "<tf.Variable 'a:0' shape=() dtype=float32_ref>"

    def test_resource_variable_builds_the_operations_that_tensorflow_builds(self):
        v = tf.Variable(1.0, name="a", use_resource=True)
        assert operations() == [
            ("a/Initializer/initial_value", "Const"),
            ("a", "VarHandleOp"),
            ("a/IsInitialized/VarIsInitializedOp", "VarIsInitializedOp"),
            ("a/Assign", "AssignVariableOp"),
            ("a/Read/ReadVariableOp", "ReadVariableOp"),
        ]
        assert (v.name, v.dtype.name, v.handle.dtype.name) == ("a:0", "float32", "resource")
        assert repr(v) == "<tf.Variable 'a:0' shape=() dtype=float32>"

    def test_the_profile_decides_the_kind_and_use_resource_overrides_it(self, profile):
        by_default = tf.Variable(1.0)
        assert by_default.op.type == ("VariableV2" if profile == "tf1" else "VarHandleOp")
        assert tf.Variable(1.0, use_resource=True).op.type == "VarHandleOp"
        assert tf.Variable(1.0, use_resource=False).op.type == "VariableV2"

    def test_both_kinds_are_variables(self):
        assert isinstance(tf.Variable(1.0, use_resource=True), tf.Variable)
        assert isinstance(tf.Variable(1.0, use_resource=False), tf.Variable)

    @pytest.mark.parametrize(
        ("value", "dtype", "expected"),
        [
            (1.0, None, "float32"),
            (5, None, "int32"),
            (True, None, "bool"),
            ("text", None, "string"),
            (np.array([[1.0]]), None, "float64"),
            (np.float32(3), None, "float32"),
            ([1, 2], tf.float64, "float64"),
        ],
    )
    def test_dtype_is_that_of_the_initial_value_unless_given(self, profile, value, dtype, expected):
        assert tf.Variable(value, dtype=dtype).dtype.base_dtype.name == expected

    def test_a_function_is_called_for_the_initial_value_in_a_scope_of_its_own(self, profile):
        v = tf.Variable(lambda: tf.ones([2, 3]) * 2.0, name="a")
        assert v.initial_value.name == "a/Initializer/mul:0"
        np.testing.assert_array_equal(run(v), np.full((2, 3), 2, np.float32))

    def test_unnamed_variables_are_numbered(self, profile):
        names = [tf.Variable(1.0).name for _ in range(2)]
        names += [tf.Variable(1.0, name="x").name for _ in range(2)]
        assert names == ["Variable:0", "Variable_1:0", "x:0", "x_1:0"]

    def test_it_waits_for_no_control_dependency_around_it(self, profile):
        with tf.control_dependencies([tf.placeholder(tf.float32)]):
            v = tf.Variable(lambda: tf.ones([2]))
        np.testing.assert_array_equal(run(v), [1, 1])

    def test_an_initial_value_must_be_given(self, profile):
        with pytest.raises(ValueError, match="initial_value"):
            tf.Variable()

    def test_a_reference_variable_needs_a_known_shape(self):
        with pytest.raises(ValueError, match="initial_value must have a shape specified"):
            tf.Variable(tf.placeholder(tf.float32))

    def test_validate_shape_false_allows_any_shape(self, profile):
        p = tf.placeholder(tf.float32)
        v = tf.Variable(p, validate_shape=False)
        assert v.shape.ndims is None
        np.testing.assert_array_equal(run(v, {p: [1.0, 2.0]}), [1, 2])

    def test_a_resource_variable_may_have_a_vaguer_shape_than_its_initial_value(self):
        v = tf.Variable([1.0, 2.0], shape=tf.TensorShape(None), use_resource=True)
        np.testing.assert_array_equal(run(v.assign([1.0, 2.0, 3.0])), [1, 2, 3])

    def test_collections_must_be_a_list(self, profile):
        with pytest.raises(ValueError, match="must be a list, tuple, or set"):
            tf.Variable(1.0, collections="variables")

    def test_nothing_is_added_to_a_finalized_graph(self, profile):
        tf.get_default_graph().finalize()
        with pytest.raises(RuntimeError, match="finalized"):
            tf.Variable(1.0)


class TestInitialValuesThatComeFromOtherVariables:
    def test_all_are_initialised_together(self, profile):
        v = tf.Variable([1.0, 2.0])
        w = tf.Variable(v * 2.0 + 1.0)
        np.testing.assert_array_equal(run(w), [3, 5])

    def test_a_reference_variable_can_be_initialised_before_what_it_is_computed_from(self):
        v = tf.Variable([1.0, 2.0])
        w = tf.Variable(v * 2.0 + 1.0)
        with tf.Session() as session:
            session.run(w.initializer)
            np.testing.assert_array_equal(session.run(w), [3, 5])
            session.run(v.initializer)
            session.run(v.assign([5.0, 5.0]))
            session.run(w.initializer)
            np.testing.assert_array_equal(session.run(w), [11, 11])

    def test_initialized_value_is_the_value_once_there_is_one(self):
        v = tf.Variable(3.0)
        y = v.initialized_value() * 2.0
        with tf.Session() as session:
            assert session.run(y) == 6
            session.run(v.initializer)
            session.run(v.assign(5.0))
            assert session.run(y) == 10
            assert session.run(tf.gradients(y, [v])) == [2]

    def test_resource_variables_have_no_initialized_value(self):
        with pytest.raises(NotImplementedError):
            tf.Variable(3.0, use_resource=True).initialized_value()


class TestReading:
    def test_all_uses_of_a_reference_variable_share_one_read(self):
        v = tf.Variable([1.0, 2.0], name="a")
        y = v * v
        assert [t.name for t in y.op.inputs] == ["a/read:0", "a/read:0"]
        assert v.value().name == "a/read:0"
        assert v.read_value().op.type == "Identity"

    def test_each_use_of_a_resource_variable_reads_anew(self):
        v = tf.Variable([1.0, 2.0], name="a", use_resource=True)
        y = tf.add(v, v)
        first, second = y.op.inputs
        assert first is not second
        assert {first.op.type, second.op.type} == {"ReadVariableOp"}
        assert v.value() is not v.value()

    def test_fetching_a_variable_gives_its_value(self, profile):
        v = tf.Variable([1.0, 2.0], name="a")
        fetched = run({"by object": v, "by list": [v], "computed": v * 2.0})
        np.testing.assert_array_equal(fetched["by object"], [1, 2])
        np.testing.assert_array_equal(fetched["by list"][0], [1, 2])
        np.testing.assert_array_equal(fetched["computed"], [2, 4])

    def test_a_fetched_value_is_the_callers_to_change(self, profile):
        v = tf.Variable([1.0, 2.0])
        with tf.Session() as session:
            session.run(v.initializer)
            session.run(v)[0] = 100
            np.testing.assert_array_equal(session.run(v), [1, 2])

    def test_slicing_and_arithmetic_apply_to_the_value(self, profile):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        row, power, reflected, product = run([v[1], v**2.0, 1.0 - v, v @ v])
        np.testing.assert_array_equal(row, [3, 4])
        np.testing.assert_array_equal(power, [[1, 4], [9, 16]])
        np.testing.assert_array_equal(reflected, [[0, -1], [-2, -3]])
        np.testing.assert_array_equal(product, [[7, 10], [15, 22]])

    def test_an_array_on_the_left_leaves_the_arithmetic_to_the_variable(self, profile):
        v = tf.Variable([3.0, 4.0])
        np.testing.assert_array_equal(run(np.array([1, 2], np.float32) * v), [3, 8])

    def test_the_left_operand_is_read_outside_the_scope_of_the_operator(self):
        v = tf.Variable([1.0], name="a", use_resource=True)
        y = v * v
        assert [t.name for t in y.op.inputs] == ["ReadVariableOp:0", "mul/ReadVariableOp:0"]

    def test_variables_are_equal_to_themselves_alone_in_both_profiles(self, profile):
        v, w = tf.Variable(1.0), tf.Variable(1.0)
        assert (v == v, v == w, v != w) == (True, False, True)
        assert {v: "v", w: "w"}[w] == "w"

    def test_a_variable_cannot_be_iterated_over(self, profile):
        v = tf.Variable([1.0, 2.0])
        with pytest.raises(TypeError, match="Iterating over"):
            list(v)

    def test_conversion_to_another_dtype_is_refused(self, profile):
        v = tf.Variable([1.0])
        with pytest.raises(ValueError, match="Incompatible type conversion requested"):
            tf.convert_to_tensor(v, dtype=tf.int32)

    def test_a_variable_belongs_to_its_graph(self, profile):
        other = tf.Graph()
        with other.as_default():
            v = tf.Variable(1.0)
        assert (v + 1.0).graph is other
        with pytest.raises(ValueError, match="must be from the same graph"):
            v + tf.constant(1.0)


class TestUninitialised:
    def test_reading_a_reference_variable(self):
        v = tf.Variable(1.0, name="a")
        for fetch in (v, v * 2.0, v.assign_add(1.0)):
            with pytest.raises(
                tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value a"
            ):
                run(fetch, initialize=False)

    def test_reading_a_resource_variable(self):
        v = tf.Variable(1.0, name="a", use_resource=True)
        for fetch in (v, v * 2.0):
            with pytest.raises(
                tf.errors.FailedPreconditionError, match="Could not find variable a"
            ):
                run(fetch, initialize=False)

    def test_adding_to_a_resource_variable(self):
        v = tf.Variable(1.0, name="a", use_resource=True)
        with pytest.raises(tf.errors.NotFoundError, match="localhost/a"):
            run(v.assign_add(1.0), initialize=False)

    def test_each_session_has_values_of_its_own(self, profile):
        v = tf.Variable(1.0)
        run(v)
        with pytest.raises(tf.errors.FailedPreconditionError):
            run(v, initialize=False)

    def test_programs_can_ask(self, profile):
        v, w = tf.Variable(1.0, name="a"), tf.Variable(1.0, name="b")
        asked = [tf.is_variable_initialized(v), tf.report_uninitialized_variables()]
        with tf.Session() as session:
            before, missing = session.run(asked)
            assert (before, missing.tolist()) == (False, [b"a", b"b"])
            session.run([v.initializer, w.initializer])
            after, missing = session.run(asked)
            assert (after, missing.tolist()) == (True, [])


class TestAssigning:
    def test_values_are_kept_between_runs(self, profile):
        v = tf.Variable([1.0, 2.0])
        step = v.assign_sub([0.5, 0.5])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            np.testing.assert_array_equal(session.run(step), [0.5, 1.5])
            np.testing.assert_array_equal(session.run(step), [0, 1])
            np.testing.assert_array_equal(session.run(v), [0, 1])

    @pytest.mark.parametrize(
        ("function", "expected"),
        [(tf.assign, [5, 6]), (tf.assign_add, [6, 8]), (tf.assign_sub, [-4, -4])],
    )
    def test_functions_do_what_methods_do(self, profile, function, expected):
        v = tf.Variable([1.0, 2.0])
        np.testing.assert_array_equal(run(function(v, [5.0, 6.0])), expected)

    def test_a_reference_variable_gives_its_own_tensor_after_the_assignment(self):
        v = tf.Variable([1.0, 2.0], name="a")
        assigned = v.assign([3.0, 4.0])
        assert (assigned.name, assigned.dtype.name) == ("Assign:0", "float32_ref")
        assert assigned.op.inputs[1].name == "Assign/value:0"
        assert v.assign([3.0, 4.0], read_value=False).type == "Assign"

    def test_a_resource_variable_is_read_after_the_assignment(self):
        v = tf.Variable([1.0, 2.0], name="a", use_resource=True)
        assigned = v.assign([3.0, 4.0])
        assert assigned.op.type == "AssignVariableOp"
        read = tf.identity(assigned).op.inputs[0].op
        assert read.type == "ReadVariableOp"
        assert read.control_inputs == (assigned.op,)
        assert v.assign([3.0, 4.0], read_value=False).type == "AssignVariableOp"

    def test_assignments_of_a_resource_variable_can_be_chained(self):
        v = tf.Variable(3.0, use_resource=True)
        assert run(v.assign(5.0).assign_add(1.0)) == 6

    def test_a_read_that_depends_on_an_assignment_sees_it(self, profile):
        v = tf.Variable(1.0)
        with tf.control_dependencies([v.assign(5.0)]):
            read = v.read_value()
        assert run(read) == 5

    def test_what_a_caller_feeds_and_then_changes_does_not_change_the_variable(self, profile):
        p = tf.placeholder(tf.float32, [2])
        v = tf.Variable([1.0, 2.0])
        assigned = v.assign(p)
        mine = np.array([7, 8], np.float32)
        with tf.Session() as session:
            session.run(v.initializer)
            session.run(assigned, {p: mine})
            mine[:] = 0
            np.testing.assert_array_equal(session.run(v), [7, 8])

    def test_load_gives_a_value_from_outside_the_graph(self, profile):
        v = tf.Variable([1.0, 2.0])
        with tf.Session() as session:
            v.load([5.0, 6.0], session)
            np.testing.assert_array_equal(v.eval(session), [5, 6])

    def test_a_value_of_another_shape_is_refused_when_it_is_known(self, profile):
        v = tf.Variable([1.0, 2.0])
        wanted = (
            "Dimension 0 in both shapes must be equal, but are 2 and 3"
            if profile == "tf1"
            else "Shape mismatch.The variable shape .2,., and the assigned value shape .3,."
        )
        with pytest.raises(ValueError, match=wanted):
            v.assign([1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="must be equal"):
            v.assign_add([1.0, 2.0, 3.0])

    def test_a_value_of_another_shape_is_refused_when_the_run_finds_it(self, profile):
        v = tf.Variable([1.0, 2.0])
        p = tf.placeholder(tf.float32)
        assigned, added = {
            "tf1": (
                r"lhs shape= \[2\] rhs shape= \[3\]",
                "Parameters and update must be the same size",
            ),
            "v2": (
                r"Expected \[2\] got \[3\]",
                r"shape \[2\] using a Tensor with shape \[3\], shapes must be equal",
            ),
        }[profile]
        with pytest.raises(tf.errors.InvalidArgumentError, match=assigned):
            run(v.assign(p), {p: [1.0, 2.0, 3.0]})
        with pytest.raises(tf.errors.InvalidArgumentError, match=added):
            run(v.assign_add(p), {p: [1.0, 2.0, 3.0]})

    def test_a_reference_variable_takes_another_shape_if_told_so(self):
        v = tf.Variable([1.0, 2.0])
        changed = tf.assign(v, [1.0, 2.0, 3.0], validate_shape=False)
        np.testing.assert_array_equal(run(changed), [1, 2, 3])

    def test_a_value_of_another_dtype_is_refused(self, profile):
        v = tf.Variable([1.0, 2.0])
        with pytest.raises((TypeError, ValueError), match="int32"):
            v.assign(tf.constant([1, 2]))

    def test_a_tensor_is_no_variable(self):
        with pytest.raises(AttributeError, match="assign"):
            tf.assign(tf.constant(1.0), 2.0)


class TestScattering:
    @pytest.mark.parametrize(
        ("function", "expected"),
        [
            (tf.scatter_add, [[4, 5], [3, 4], [5, 6]]),
            (tf.scatter_sub, [[-2, -1], [3, 4], [5, 6]]),
            (tf.scatter_update, [[2, 2], [3, 4], [5, 6]]),
        ],
    )
    def test_an_index_that_comes_twice_counts_twice(self, profile, function, expected):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        changed = function(v, [0, 0], [[1.0, 1.0], [2.0, 2.0]])
        np.testing.assert_array_equal(run(changed), expected)

    def test_methods_take_indexed_slices(self, profile):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        rows = tf.IndexedSlices(tf.constant([[1.0, 1.0]]), tf.constant([1]))
        np.testing.assert_array_equal(run(v.scatter_add(rows)), [[1, 2], [4, 5]])
        np.testing.assert_array_equal(run(v.scatter_sub(rows)), [[1, 2], [2, 3]])
        np.testing.assert_array_equal(run(v.scatter_update(rows)), [[1, 2], [1, 1]])
        with pytest.raises(TypeError, match="IndexedSlices"):
            v.scatter_add([1.0, 1.0])

    def test_a_number_is_added_to_each_row(self, profile):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        np.testing.assert_array_equal(run(tf.scatter_add(v, [0, 2], 1.0)), [[2, 3], [3, 4], [6, 7]])

    def test_an_index_out_of_range_is_named(self, profile):
        v = tf.Variable([1.0, 2.0, 3.0])
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"indices\[0\] = 5 is not in \[0, 3\)"
        ):
            run(tf.scatter_add(v, [5], [1.0]))

    def test_rows_must_fit(self, profile):
        v = tf.Variable([1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="must be equal"):
            tf.scatter_update(v, [0, 2], [7.0, 8.0, 9.0])

    def test_an_earlier_read_of_a_reference_shares_its_memory(self, profile):
        v = tf.Variable([1.0, 2.0])
        before = tf.identity(v)
        with tf.control_dependencies([before]):
            changed = tf.scatter_update(v, [0], [9.0])
        old, new = run([before, tf.identity(changed)])
        np.testing.assert_array_equal(old, [9, 2] if profile == "tf1" else [1, 2])
        np.testing.assert_array_equal(new, [9, 2])


class TestGradients:
    def test_all_reads_of_a_variable_count(self, profile):
        v = tf.Variable(3.0)
        assert run(tf.gradients(v * v * v, v)) == [27]

    def test_a_variable_with_respect_to_itself_is_one(self, profile):
        v = tf.Variable([1.0, 2.0])
        np.testing.assert_array_equal(run(tf.gradients(v, v))[0], [1, 1])

    def test_the_handle_stands_for_the_variable(self):
        v = tf.Variable([1.0, 2.0], use_resource=True)
        np.testing.assert_array_equal(run(tf.gradients(v * v, [v.handle]))[0], [2, 4])

    def test_a_read_that_nothing_uses_has_no_gradient(self, profile):
        v = tf.Variable([1.0, 2.0])
        assert tf.gradients(v * 2.0, [v.read_value()]) == [None]

    def test_a_read_has_its_own_share(self, profile):
        v = tf.Variable(3.0)
        r = v.read_value()
        y = r * r + v
        assert run(tf.gradients(y, [v])) == [7]
        assert run(tf.gradients(y, [r])) == [6]

    def test_an_unconnected_variable_has_zeros_of_its_dtype_when_asked(self, profile):
        v, w = tf.Variable([1.0, 2.0]), tf.Variable([1, 2])
        (gradient,) = tf.gradients(v * 1.0, [w], unconnected_gradients="zero")
        assert gradient.dtype.name == "int32"
        np.testing.assert_array_equal(run(gradient), [0, 0])

    def test_an_assigned_value_has_no_gradient(self, profile):
        x, v = tf.constant(2.0), tf.Variable(3.0)
        assigned = v.assign(x)
        assert tf.gradients(assigned * assigned, [x]) == [None]

    def test_a_reference_variable_has_none_through_an_assignment(self):
        v = tf.Variable(3.0)
        assigned = v.assign(9.0)
        y = assigned * assigned
        assert tf.gradients(y, [v]) == [None]
        assert run(tf.gradients(y, [assigned])) == [18]

    def test_a_resource_variable_has_that_at_the_assigned_value(self):
        v = tf.Variable(3.0, use_resource=True)
        assigned = v.assign(9.0)
        assert run(tf.gradients(assigned * assigned, [v])) == [18]

    def test_scattered_reference_updates_differ_in_whether_they_are_not_differentiable(self):
        v = tf.Variable([1.0, 2.0])
        assert tf.gradients(tf.scatter_add(v, [0], [1.0]) * 2.0, [v]) == [None]
        with pytest.raises(LookupError, match="No gradient defined for operation"):
            tf.gradients(tf.scatter_update(v, [0], [1.0]) * 2.0, [v])

    def test_stop_gradient_makes_one_use_a_constant(self, profile):
        v = tf.Variable([1.0, 2.0])
        (gradient,) = tf.gradients(v * tf.stop_gradient(v), [v])
        np.testing.assert_array_equal(run(gradient), [1, 2])

    def test_stopping_at_a_variable_stops_nothing_before_it(self, profile):
        v = tf.Variable([1.0, 2.0])
        (gradient,) = tf.gradients(v * v, [v], stop_gradients=[v])
        np.testing.assert_array_equal(run(gradient), [2, 4])

    def test_gathered_rows_have_indexed_slices(self, profile):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        (gradient,) = tf.gradients(tf.gather(v, [0, 2, 0]) * 2.0, [v])
        values, indices, dense_shape = run(gradient)
        np.testing.assert_array_equal(values, np.full((3, 2), 2))
        assert (indices.tolist(), dense_shape.tolist()) == ([0, 2, 0], [3, 2])
        assert ("ResourceGather" in types()) == (profile == "v2")

    def test_gathered_points_have_dense_gradients(self, profile):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        (gradient,) = tf.gradients(tf.gather_nd(v, [[0, 1], [1, 1]]) * 2.0, [v])
        np.testing.assert_array_equal(run(gradient), [[0, 2], [0, 2]])

    def test_a_gather_out_of_range_is_an_error_of_the_run(self, profile):
        v = tf.Variable([1.0, 2.0])
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"= 5 is not in \[0, 2\)"):
            run(tf.gather(v, [5]))

    def test_a_training_step_descends(self, profile):
        v = tf.Variable([3.0, 4.0])
        loss = tf.reduce_sum(v * v)
        step = v.assign_sub(0.25 * tf.gradients(loss, v)[0])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(step)
            session.run(step)
            np.testing.assert_array_equal(session.run(v), [0.75, 1])


class TestCollections:
    def test_variables_are_listed_in_the_order_of_their_making(self, profile):
        v = tf.Variable(1.0, trainable=False)
        w = tf.Variable(2.0)
        local = tf.Variable(3.0, collections=[tf.GraphKeys.LOCAL_VARIABLES])
        assert tf.global_variables() == [v, w]
        assert tf.trainable_variables() == [w, local]
        assert tf.local_variables() == [local]
        assert (v.trainable, w.trainable) == (False, True)

    def test_initializers_are_named_init_and_wait_for_each_assignment(self, profile):
        v, w = tf.Variable(1.0, name="a"), tf.Variable(2.0, name="b")
        everything = tf.global_variables_initializer()
        one = tf.variables_initializer([v])
        nothing = tf.local_variables_initializer()
        assert [op.name for op in (everything, one, nothing)] == ["init", "init_1", "init_2"]
        assert everything.control_inputs == (v.initializer, w.initializer)
        assert one.control_inputs == (v.initializer,)
        assert nothing.type == "NoOp"


class TestGetVariable:
    def test_floats_begin_with_glorot_and_others_with_zeros(self, profile):
        tf.get_variable("w", [3, 2])
        assert ("w/Initializer/random_uniform/RandomUniform", "RandomUniform") in operations()
        number = tf.get_variable("n", [2], dtype=tf.int32)
        flag = tf.get_variable("b", [], dtype=tf.bool)
        fetched = run([number, flag])
        assert (fetched[0].tolist(), bool(fetched[1])) == ([0, 0], False)

    def test_an_initializer_is_a_function_a_class_or_a_value(self, profile):
        made = [
            tf.get_variable("a", [2], initializer=tf.constant_initializer(3.0)),
            tf.get_variable("b", [2], initializer=tf.ones_initializer),
            tf.get_variable("c", initializer=lambda: tf.ones([2]) * 4.0),
            tf.get_variable("d", initializer=[5.0, 5.0]),
        ]
        assert [value.tolist() for value in run(made)] == [[3, 3], [1, 1], [4, 4], [5, 5]]

    def test_a_scope_prefixes_names_and_hands_down_defaults(self, profile):
        with tf.variable_scope("s", initializer=tf.constant_initializer(3.0), dtype=tf.float64):
            w = tf.get_variable("w", [2])
            with tf.variable_scope("t"):
                b = tf.get_variable("b", [1])
                c = tf.constant(1.0)
        assert (w.name, b.name, c.name) == ("s/w:0", "s/t/b:0", "s/t/Const:0")
        assert b.dtype.base_dtype is tf.float64
        assert run(b).tolist() == [3]

    def test_a_name_scope_is_no_part_of_the_name(self, profile):
        with tf.name_scope("ns"):
            w = tf.get_variable("w", [2])
            y = w * 2.0
        assert (w.name, y.name) == ("w:0", "ns/mul:0")

    def test_reuse_gives_the_variable_again(self, profile):
        with tf.variable_scope("s") as s:
            w = tf.get_variable("w", [2])
        with tf.variable_scope("s", reuse=True):
            assert tf.get_variable("w") is w
        with tf.variable_scope(s, reuse=True):
            assert tf.get_variable("w", [2]) is w
        with tf.variable_scope("s", reuse=tf.AUTO_REUSE):
            assert tf.get_variable("w", [2]) is w
            assert tf.get_variable("new", [2]) is tf.get_variable("new", [2])
        with tf.variable_scope("s"):
            tf.get_variable_scope().reuse_variables()
            assert tf.get_variable("w", [2]) is w

    def test_reuse_is_inherited_and_cannot_be_undone(self, profile):
        with tf.variable_scope("s", reuse=True), tf.variable_scope("t", reuse=False) as t:
            assert t.reuse is True

    def test_a_scope_opened_again_has_a_name_scope_of_its_own(self, profile):
        names = []
        for _ in range(2):
            with tf.variable_scope("s") as s:
                names.append(tf.constant(1.0).name)
        assert names == ["s/Const:0", "s_1/Const:0"]
        with tf.variable_scope("other"), tf.variable_scope(s) as again:
            assert tf.get_variable("w", [1]).name == "s/w:0"
            assert again.original_name_scope == "s_1/"
            assert tf.constant(1.0).name == "other/s/Const:0"

    def test_the_open_scope_can_be_opened_for_reuse(self, profile):
        w = tf.get_variable("w", [2])
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            assert tf.get_variable("w") is w
            assert tf.constant(1.0).name == "Const:0"

    def test_a_default_name_is_made_unique(self, profile):
        names = []
        with tf.variable_scope("o"):
            for _ in range(2):
                with tf.variable_scope(None, "layer") as layer:
                    names.append(layer.name)
                    with tf.variable_scope(None, "in") as inner:
                        names.append(inner.name)
        assert names == ["o/layer", "o/layer/in", "o/layer_1", "o/layer_1/in"]

    def test_a_closed_scope_forgets_the_default_names_within_it(self, profile):
        for _ in range(2):
            with tf.variable_scope("o"), tf.variable_scope(None, "layer") as layer:
                assert layer.name == "o/layer"

    def test_without_auxiliary_name_scope_operations_stay_where_they_are(self, profile):
        with tf.variable_scope("s", auxiliary_name_scope=False):
            assert tf.constant(1.0).name == "Const:0"
            assert tf.get_variable("w", [1]).name == "s/w:0"

    def test_a_custom_getter_is_asked(self, profile):
        asked = []

        def getter(get, name, *args, **kwargs):
            asked.append(name)
            return get(name, *args, **kwargs)

        with tf.variable_scope("s", custom_getter=getter), tf.variable_scope("t"):
            tf.get_variable("w", [1])
        assert asked == ["s/t/w"]

    def test_a_regularizer_makes_a_loss(self, profile):
        with tf.variable_scope("s", regularizer=lambda w: w * 2.0):
            tf.get_variable("w", [2], initializer=tf.ones_initializer())
        (loss,) = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
        assert loss.name == "s/w/Regularizer/mul:0"
        assert run(loss).tolist() == [2, 2]

    def test_a_local_variable_is_not_trainable(self, profile):
        v = tf.get_local_variable("l", [2])
        assert (v.trainable, tf.local_variables(), tf.global_variables()) == (False, [v], [])

    @pytest.mark.parametrize(
        ("again", "message"),
        [
            (lambda: tf.get_variable("w", [2]), "Variable w already exists, disallowed"),
            (lambda: reusing("x", [2]), "Variable x does not exist, or was not created"),
            (
                lambda: reusing("w", [3]),
                r"Trying to share variable w, but specified shape \(3,\) and found shape \(2,\)",
            ),
            (
                lambda: reusing("w", [2], tf.int32),
                "Trying to share variable w, but specified dtype int32 and found dtype float32",
            ),
            (lambda: tf.get_variable("y"), "its `shape` argument must be specified"),
            (lambda: tf.get_variable("y", [None]), "The initializer passed is not valid"),
            (
                lambda: tf.get_variable("y", [1], initializer=tf.constant([1.0])),
                "If initializer is a constant, do not specify shape",
            ),
            (
                lambda: tf.get_variable("y", initializer=tf.constant([1.0]), dtype=tf.int32),
                "Initializer type '.*float32.*' and explicit dtype '.*int32.*' don't match",
            ),
            (lambda: tf.get_variable("y", [1], dtype=tf.complex64), "initializer for variable y"),
            (lambda: tf.variable_scope("s", reuse="yes"), "reuse parameter must be"),
            (
                lambda: tf.variable_scope(None, "s", reuse=True),
                "reuse=True cannot be used without a name_or_scope",
            ),
        ],
    )
    def test_what_does_not_fit_is_refused(self, profile, again, message):
        tf.get_variable("w", [2])
        with pytest.raises(ValueError, match=message):
            again()

    def test_a_scope_needs_a_name(self, profile):
        with pytest.raises(TypeError, match="If default_name is None then name_or_scope"):
            tf.variable_scope(None)
        with pytest.raises(TypeError, match="must be a string or VariableScope"):
            tf.variable_scope(3)


def reusing(name, shape, dtype=None):
    with tf.variable_scope("", reuse=True):
        return tf.get_variable(name, shape, dtype)


class TestRandomNumbers:
    def test_normal_numbers_are_scaled_and_shifted_by_operations_of_the_graph(self):
        tf.random_normal([2], mean=1.0, stddev=2.0)
        assert operations() == [
            ("random_normal/shape", "Const"),
            ("random_normal/mean", "Const"),
            ("random_normal/stddev", "Const"),
            ("random_normal/RandomStandardNormal", "RandomStandardNormal"),
            ("random_normal/mul", "Mul"),
            ("random_normal", "AddV2"),
        ]

    def test_gradients_flow_to_mean_and_stddev_and_bounds(self):
        mean, stddev = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
        y = tf.random_normal([2], mean, stddev)
        by_mean, by_stddev = tf.gradients(y, [mean, stddev])
        value, numbers, by_mean, by_stddev = run([y, y.op.inputs[0], by_mean, by_stddev])
        np.testing.assert_array_equal(by_mean, [1, 1])
        np.testing.assert_allclose(by_stddev * [3, 4], numbers, rtol=1e-6)
        low, high = tf.constant(0.0), tf.constant(2.0)
        u = tf.random_uniform([3], low, high)
        value, by_low, by_high = run([tf.reduce_sum(u), *tf.gradients(u, [low, high])])
        np.testing.assert_allclose(by_high * 2.0, value, rtol=1e-6)
        np.testing.assert_allclose(by_low + by_high, 3, rtol=1e-6)

    def test_ranges_and_dtypes(self):
        fetched = run(
            [
                tf.random_uniform([1000]),
                tf.random_uniform([1000], 5, 8, dtype=tf.int64),
                tf.truncated_normal([1000], mean=1.0, stddev=0.5),
                tf.random_uniform([1000], dtype=tf.float16),
                tf.random_normal([2], dtype=tf.float64),
            ]
        )
        unit, integers, truncated, half, double = fetched
        assert unit.dtype == np.float32
        assert 0 <= unit.min() < 0.1 and 0.9 < unit.max() < 1
        assert integers.dtype == np.int64 and set(integers) == {5, 6, 7}
        assert 0 <= truncated.min() < 0.3 and 1.7 < truncated.max() <= 2
        assert half.dtype == np.float16 and half.max() < 1
        assert double.dtype == np.float64

    def test_shuffling_keeps_the_rows(self):
        x = tf.constant(np.arange(20).reshape(10, 2))
        rows = run(tf.random_shuffle(x, seed=1))
        assert sorted(rows.tolist()) == np.arange(20).reshape(10, 2).tolist()
        assert tf.gradients(tf.random_shuffle(tf.constant([1.0])), [x]) == [None]

    def test_numbers_differ_between_runs_and_repeat_with_a_seed_in_a_new_session(self):
        x = tf.random_uniform([4], seed=7)
        with tf.Session() as session:
            first, second = session.run(x), session.run(x)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(run(x), first)

    def test_without_a_seed_numbers_are_new_in_each_session(self):
        x = tf.random_uniform([4])
        assert not np.array_equal(run(x), run(x))

    @pytest.mark.parametrize(
        ("graph_seed", "op_seed", "expected"),
        [
            (None, None, (None, None)),
            (None, 4, (87654321, 4)),
            (None, 0, (87654321, 0)),
            (3, 4, (3, 4)),
            (3, None, (3, 0)),
            (0, 0, (0, 2**31 - 1)),
            (2**31, 5, (1, 5)),
        ],
    )
    def test_an_ops_seeds_come_from_the_graphs_and_its_own(self, graph_seed, op_seed, expected):
        if graph_seed is not None:
            tf.set_random_seed(graph_seed)
        assert tf.get_seed(op_seed) == expected

    def test_ops_without_a_seed_of_their_own_are_counted(self):
        tf.set_random_seed(3)
        assert [tf.get_seed(None) for _ in range(3)] == [(3, 0), (3, 1), (3, 2)]

    def test_integers_need_an_upper_bound(self):
        with pytest.raises(ValueError, match="Must specify maxval for integer dtype"):
            tf.random_uniform([3], dtype=tf.int32)
        with pytest.raises(ValueError, match="Argument `dtype` got invalid value"):
            tf.random_uniform([3], dtype=tf.uint8)


class TestInitializers:
    @pytest.mark.parametrize(
        ("initializer", "shape", "constants"),
        [
            (tf.glorot_uniform_initializer(), [2, 4], {"min": -1.0, "max": 1.0}),
            (tf.glorot_uniform_initializer(), [3], {"min": -1.0, "max": 1.0}),
            (
                tf.variance_scaling_initializer(2.0, "fan_out", "untruncated_normal"),
                [3, 8],
                {"mean": 0.0, "stddev": 0.5},
            ),
            (
                tf.variance_scaling_initializer(distribution="uniform"),
                [4, 3, 7],
                {"min": -0.5, "max": 0.5},
            ),
            (tf.initializers.he_uniform(), [6, 1], {"min": -1.0, "max": 1.0}),
            (tf.uniform_unit_scaling_initializer(2.0), [3, 5], {"min": -2.0, "max": 2.0}),
            (
                tf.truncated_normal_initializer(1.0, 3.0),
                [2],
                {"mean": 1.0, "stddev": 3.0},
            ),
        ],
    )
    def test_scale_follows_the_shape(self, initializer, shape, constants):
        initializer(shape)
        found = {
            op.name.rpartition("/")[2]: op.outputs[0]
            for op in tf.get_default_graph().get_operations()
            if op.type == "Const"
        }
        for name, expected in constants.items():
            np.testing.assert_allclose(run(found[name]), expected, rtol=1e-6)

    def test_truncated_scaling_makes_up_for_what_is_cut_off(self):
        numbers = run(tf.variance_scaling_initializer(seed=1)([100, 1000]))
        np.testing.assert_allclose(numbers.std(), 0.1, rtol=0.01)

    def test_constants_zeros_ones_and_identity(self):
        fetched = run(
            [
                tf.zeros_initializer(tf.int32)([2]),
                tf.ones_initializer()([2], dtype=tf.float64),
                tf.constant_initializer([1, 2])([2]),
                tf.initializers.identity(3.0)([2, 3]),
            ]
        )
        assert [value.dtype.name for value in fetched] == ["int32", "float64", "float32", "float32"]
        assert [value.tolist() for value in fetched] == [
            [0, 0],
            [1, 1],
            [1, 2],
            [[3, 0, 0], [0, 3, 0]],
        ]

    def test_a_configuration_makes_the_same_initializer(self):
        initializer = tf.random_normal_initializer(1.0, stddev=2.0, seed=3)
        config = initializer.get_config()
        assert config == {"mean": 1.0, "stddev": 2.0, "seed": 3, "dtype": "float32"}
        assert type(initializer).from_config(config).get_config() == config

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: tf.variance_scaling_initializer(scale=-1.0), ValueError, "positive float"),
            (lambda: tf.variance_scaling_initializer(mode="x"), ValueError, "`mode`"),
            (lambda: tf.variance_scaling_initializer(distribution="x"), ValueError, "one of"),
            (lambda: tf.random_normal_initializer(dtype=tf.int32), ValueError, "floating point"),
            (lambda: tf.constant_initializer({}), TypeError, "Invalid type for initial value"),
            (lambda: tf.zeros_initializer(value=1), TypeError, "unexpected keyword"),
            (lambda: tf.initializers.identity()([2]), ValueError, "two-dimensional"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, make, error, message):
        with pytest.raises(error, match=message):
            make()
