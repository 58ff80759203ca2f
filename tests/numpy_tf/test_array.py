"""Array ops: values that TensorFlow documents, static shapes, gradients and errors."""

import numpy as np
import pytest

import numpy_tf as tf
from numpy_tf.ops.array.positions import add_rows


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def run(fetches, feeds=None):
    with tf.Session() as session:
        return session.run(fetches, feeds)


def values(tensor, feeds=None):
    return np.asarray(run(tensor, feeds)).tolist()


def unknown(*shape, dtype=tf.float32):
    return tf.placeholder(dtype, shape)


def of_unknown_rank(dtype=tf.float32):
    return tf.placeholder(dtype)


def dims(tensor):
    return None if tensor.shape.ndims is None else tensor.shape.as_list()


MATRIX = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


class TestStack:
    def test_puts_tensors_along_a_new_axis(self):
        x, y, z = (tf.constant(v) for v in ([1, 4], [2, 5], [3, 6]))
        assert values(tf.stack([x, y, z])) == [[1, 4], [2, 5], [3, 6]]
        assert values(tf.stack([x, y, z], axis=1)) == [[1, 2, 3], [4, 5, 6]]

    def test_of_python_numbers_is_a_constant(self):
        assert tf.stack([1, 2, 3]).op.type == "Const"

    def test_knows_what_any_input_knows(self):
        assert dims(tf.stack([unknown(2, None), unknown(None, 3)], axis=-1)) == [2, 3, 2]

    def test_refuses_an_axis_out_of_range(self):
        with pytest.raises(ValueError, match=r"`axis` = 3 not in range \[-2, 2\)"):
            tf.stack([unknown(2), unknown(2)], axis=3)

    def test_is_undone_by_unstack_forwards_and_backwards(self):
        x = tf.constant(MATRIX)
        parts = tf.unstack(x, axis=1)
        assert len(parts) == 3
        (grad,) = tf.gradients([parts[0] * 2.0, parts[2]], x)
        assert values(grad) == [[2.0, 0.0, 1.0], [2.0, 0.0, 1.0]]

    def test_makes_a_tensor_of_a_nested_list_with_tensors(self):
        x = tf.constant(1.5)
        packed = tf.convert_to_tensor([[x, 2.0], [3, x]])
        assert values(packed) == [[1.5, 2.0], [3.0, 1.5]]
        assert packed.name == "packed:0"

    def test_needs_a_known_number_to_unstack(self):
        with pytest.raises(ValueError, match="Cannot infer argument `num`"):
            tf.unstack(unknown(None, 3))

    def test_unstacks_a_single_tensor_into_a_list(self):
        (only,) = tf.unstack(tf.constant([[1.0, 2.0]]))
        assert values(only) == [1.0, 2.0]


class TestConcat:
    def test_joins_along_an_axis(self):
        t1, t2 = [[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]
        assert values(tf.concat([t1, t2], 0)) == [*t1, *t2]
        assert values(tf.concat([t1, t2], 1)) == [[1, 2, 3, 7, 8, 9], [4, 5, 6, 10, 11, 12]]

    def test_adds_known_sizes_and_merges_the_others(self):
        assert dims(tf.concat([unknown(2, None), unknown(3, 4)], 0)) == [5, 4]
        assert dims(tf.concat([unknown(None, 4), unknown(3, 4)], 0)) == [None, 4]
        assert dims(tf.concat([of_unknown_rank(), unknown(3, 4)], 1)) == [3, None]
        assert dims(tf.concat([unknown(2, 3)] * 2, unknown(dtype=tf.int32))) == [None, None]

    @pytest.mark.parametrize("count", [2, 17])
    def test_deals_its_gradient_out_again(self, count):
        parts = [tf.constant([float(i)] * (1 + i % 2)) for i in range(count)]
        joined = tf.concat(parts, 0)
        grads = tf.gradients(joined, parts, grad_ys=[tf.range(float(1.5 * count // 1))])
        expected = np.split(
            np.arange(1.5 * count // 1), np.cumsum([1 + i % 2 for i in range(count)])[:-1]
        )
        for grad, part in zip(run(grads), expected, strict=True):
            assert grad.tolist() == part.tolist()

    def test_keeps_a_sparse_gradient_sparse_along_axis_0(self):
        a, b = tf.constant([[1.0], [2.0]]), tf.constant([[3.0]])
        y = tf.gather(tf.concat([a, b], 0), [2, 0, 2])
        grads = run(tf.gradients(y, [a, b], grad_ys=[[[1.0], [10.0], [100.0]]]))
        assert grads[0].indices.tolist() == [0] and grads[0].values.tolist() == [[10.0]]
        assert grads[1].indices.tolist() == [0, 0]
        assert grads[1].values.tolist() == [[1.0], [100.0]]

    def test_gives_each_input_its_columns_of_a_sparse_gradient(self):
        a, b = tf.constant([[1.0], [2.0]]), tf.constant([[3.0, 4.0], [5.0, 6.0]])
        y = tf.gather(tf.concat([a, b], 1), [1])
        grads = run(tf.gradients(y, [a, b], grad_ys=[[[1.0, 10.0, 100.0]]]))
        assert grads[0].values.tolist() == [[1.0]]
        assert grads[1].values.tolist() == [[10.0, 100.0]]

    def test_refuses_shapes_that_differ_elsewhere(self):
        with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal"):
            tf.concat([unknown(2, 3), unknown(2, 4)], 0)
        x = of_unknown_rank()
        joined = tf.concat([x, unknown(1, 3)], 0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="ConcatOp : Dimension 1"):
            run(tf.concat([x, tf.ones([1, 3])], 0), {x: [[1.0, 2.0]]})
        assert dims(joined) == [None, 3]


class TestSplit:
    def test_cuts_into_equal_parts_or_given_sizes(self):
        x = tf.constant(MATRIX)
        assert [values(part) for part in tf.split(x, 3, axis=1)] == [
            [[1.0], [4.0]],
            [[2.0], [5.0]],
            [[3.0], [6.0]],
        ]
        assert [values(part) for part in tf.split(x, [1, -1], axis=1)] == [
            [[1.0], [4.0]],
            [[2.0, 3.0], [5.0, 6.0]],
        ]

    def test_knows_the_sizes_of_the_parts(self):
        x = unknown(None, 5)
        assert [dims(part) for part in tf.split(x, [1, -1], 1)] == [[None, 1], [None, 4]]
        assert [dims(part) for part in tf.split(unknown(None, 4), 2, 1)] == [[None, 2]] * 2

    def test_refuses_parts_that_do_not_fit(self):
        with pytest.raises(ValueError, match="evenly divisible by 3 but is 4"):
            tf.split(unknown(4), 3)
        with pytest.raises(ValueError, match=r"can't split axis of size 3 into pieces"):
            tf.split(unknown(3), [1, 1])

    def test_gives_zeros_for_a_part_that_is_not_used(self):
        x = tf.constant([1.0, 2.0, 3.0, 4.0])
        _, second = tf.split(x, 2)
        assert values(tf.gradients(second * second, x)[0]) == [0.0, 0.0, 6.0, 8.0]


CUBE = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)


class TestIndexing:
    @pytest.mark.parametrize(
        "key",
        [
            0,
            -1,
            (slice(None), 1),
            (0, 1, 2),
            slice(1, None),
            slice(None, None, -1),
            (Ellipsis, 0),
            (0, Ellipsis, slice(2, 0, -1)),
            (None, 0),
            (Ellipsis, None),
            (slice(None), None, slice(-2, None)),
            (slice(5, None), slice(None, None, 2)),
            (1, None, slice(None), slice(3, None, -2)),
            Ellipsis,
        ],
        ids=repr,
    )
    def test_is_numpys(self, key):
        x = tf.placeholder(tf.float32, [2, 3, 4])
        part = x[key]
        expected = CUBE[key]
        assert dims(part) == list(expected.shape)
        assert np.array_equal(run(part, {x: CUBE}), expected)
        places = np.zeros_like(CUBE)
        places[key] = expected
        assert np.array_equal(run(tf.gradients(part, x, [part])[0], {x: CUBE}), places)

    def test_takes_tensors_as_indices(self):
        x, i = tf.constant(MATRIX), unknown(dtype=tf.int32)
        assert values(x[i], {i: 1}) == [4.0, 5.0, 6.0]
        assert values(x[:, i:], {i: 2}) == [[3.0], [6.0]]
        assert dims(x[:, i]) == [2]
        assert dims(x[:, i:]) == [2, None]

    def test_takes_a_mask(self):
        x = tf.constant(MATRIX)
        assert values(x[x > 3.0]) == [4.0, 5.0, 6.0]

    def test_is_named_as_tensorflow_names_it(self, graph):
        unknown(2, 3)[0]
        assert [op.name for op in graph.get_operations()[1:]] == [
            "strided_slice/stack",
            "strided_slice/stack_1",
            "strided_slice/stack_2",
            "strided_slice",
        ]

    def test_keeps_unknown_dimensions_unknown(self):
        assert dims(unknown(None, 3)[1:, ::2]) == [None, 2]
        assert dims(unknown(None, 3)[0]) == [3]
        assert dims(of_unknown_rank()[0]) is None

    @pytest.mark.parametrize(
        ("key", "error", "message"),
        [
            (2, ValueError, "slice index 2 of dimension 0 out of bounds"),
            ((0, 0, 0), ValueError, "Index out of range using input dim 2; input has only 2 dims"),
            ((Ellipsis, Ellipsis), ValueError, "Multiple ellipses"),
            (slice(None, None, 0), ValueError, r"strides\[0\] must be non-zero"),
            (1.5, TypeError, "Only integers, slices"),
            ([0.5], TypeError, "Only integers, slices"),
        ],
    )
    def test_refuses_what_is_out_of_bounds_or_no_index(self, key, error, message):
        with pytest.raises(error, match=message):
            unknown(2, 3)[key]

    def test_finds_an_index_out_of_bounds_in_the_run(self):
        x = unknown(None)
        with pytest.raises(tf.errors.InvalidArgumentError, match="slice index 5 of dimension 0"):
            run(x[5], {x: [1.0, 2.0]})

    def test_differentiates_twice(self):
        x = tf.constant([1.0, 2.0, 3.0])
        (grad,) = tf.gradients(x[1:] ** 3.0, x)
        assert values(tf.gradients(grad, x)[0]) == [0.0, 12.0, 18.0]


class TestSliceAndPad:
    def test_slice_takes_sizes(self):
        t = tf.constant([[[1, 1, 1], [2, 2, 2]], [[3, 3, 3], [4, 4, 4]], [[5, 5, 5], [6, 6, 6]]])
        assert values(tf.slice(t, [1, 0, 0], [1, 1, 3])) == [[[3, 3, 3]]]
        assert values(tf.slice(t, [1, 0, 0], [1, 2, -1])) == [[[3, 3, 3], [4, 4, 4]]]
        assert dims(tf.slice(unknown(None, 3), [1, 1], [-1, 2])) == [None, 2]

    def test_slice_refuses_more_than_there_is(self):
        x = unknown(2)
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"Expected size\[0\] in \[0, 1\], but got 2"
        ):
            run(tf.slice(x, [1], [2]), {x: [1.0, 2.0]})

    def test_pad_modes(self):
        t, paddings = tf.constant([[1, 2, 3], [4, 5, 6]]), [[1, 1], [2, 2]]
        assert values(tf.pad(t, paddings)) == [
            [0, 0, 0, 0, 0, 0, 0],
            [0, 0, 1, 2, 3, 0, 0],
            [0, 0, 4, 5, 6, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
        ]
        assert values(tf.pad(t, paddings, "REFLECT")) == [
            [6, 5, 4, 5, 6, 5, 4],
            [3, 2, 1, 2, 3, 2, 1],
            [6, 5, 4, 5, 6, 5, 4],
            [3, 2, 1, 2, 3, 2, 1],
        ]
        assert values(tf.pad(t, paddings, "SYMMETRIC")) == [
            [2, 1, 1, 2, 3, 3, 2],
            [2, 1, 1, 2, 3, 3, 2],
            [5, 4, 4, 5, 6, 6, 5],
            [5, 4, 4, 5, 6, 6, 5],
        ]

    def test_pad_knows_its_shape_as_far_as_its_paddings_are_known(self):
        k = unknown(dtype=tf.int32)
        assert dims(tf.pad(unknown(None, 3), [[1, 1], [2, 0]])) == [None, 5]
        assert dims(tf.pad(unknown(2, 3), [[1, k], [2, 0]])) == [None, 5]

    def test_mirrored_elements_get_the_gradients_of_their_images(self):
        x = tf.constant([1.0, 2.0, 3.0])
        y = tf.pad(x, [[2, 0]], "REFLECT")
        assert values(tf.gradients(y, x, [[1.0, 10.0, 100.0, 1000.0, 10000.0]])[0]) == [
            100.0,
            1010.0,
            10001.0,
        ]

    def test_reverse_turns_axes_and_their_gradients_round(self):
        x = tf.constant(MATRIX)
        y = tf.reverse(x, [-1])
        assert values(y) == [[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]
        assert values(tf.gradients(y, x, [MATRIX])[0]) == [[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]
        with pytest.raises(ValueError, match="specified more than once"):
            tf.reverse(x, [1, -1])


class TestGather:
    def test_rows_have_a_sparse_gradient_with_repeated_indices(self):
        x = tf.constant(MATRIX)
        y = tf.gather(x, [1, 0, 1])
        grad = tf.gradients(y, x, [[[1.0] * 3, [2.0] * 3, [3.0] * 3]])[0]
        assert isinstance(grad, tf.IndexedSlices)
        found = run(grad)
        assert found.indices.tolist() == [1, 0, 1]
        assert found.values.tolist() == [[1.0] * 3, [2.0] * 3, [3.0] * 3]
        assert found.dense_shape.tolist() == [2, 3]
        assert values(tf.convert_to_tensor(grad)) == [[2.0] * 3, [4.0] * 3]

    def test_along_another_axis_has_a_dense_gradient(self):
        x = tf.constant(MATRIX)
        y = tf.gather(x, [[2, 0], [2, 2]], axis=1)
        assert dims(y) == [2, 2, 2]
        grad = tf.gradients(y, x)[0]
        assert isinstance(grad, tf.Tensor)
        assert values(grad) == [[1.0, 0.0, 3.0], [1.0, 0.0, 3.0]]

    def test_batches_have_indices_of_their_own(self):
        x = tf.constant(CUBE)
        indices = tf.constant([[0, 3], [1, 1]])
        y = tf.gather(x, indices, axis=2, batch_dims=1)
        expected = np.stack([CUBE[0][:, [0, 3]], CUBE[1][:, [1, 1]]])
        assert values(y) == expected.tolist()
        grad = run(tf.gradients(y, x)[0])
        assert grad[0, 0].tolist() == [1.0, 0.0, 0.0, 1.0]
        assert grad[1, 2].tolist() == [0.0, 2.0, 0.0, 0.0]

    @pytest.mark.parametrize(
        ("indices", "message"),
        [
            ([0, 5], r"indices\[1\] = 5 is not in \[0, 3\)"),
            ([[0], [-1]], r"indices\[1,0\] = -1 is not in \[0, 3\)"),
        ],
    )
    def test_refuses_indices_out_of_range(self, indices, message):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            run(tf.gather(tf.constant([1.0, 2.0, 3.0]), indices))

    def test_static_shape(self):
        assert dims(tf.gather(unknown(None, 3, 4), [[0, 1]])) == [1, 2, 3, 4]
        assert dims(tf.gather(unknown(2, 3, 4), unknown(None, dtype=tf.int32), axis=-2)) == [
            2,
            None,
            4,
        ]
        assert dims(tf.gather(unknown(2, 3), [0], axis=unknown(dtype=tf.int32))) == [None, None]
        with pytest.raises(ValueError, match="at least rank 3 but is rank 2"):
            tf.gather(unknown(2, 3), [0], axis=2)

    def test_embedding_lookup_is_a_gather(self):
        table = tf.constant(MATRIX)
        rows = tf.nn.embedding_lookup(table, [1, 1])
        assert values(rows) == [MATRIX[1], MATRIX[1]]
        assert isinstance(tf.gradients(rows, table)[0], tf.IndexedSlices)

    def test_nd_takes_elements_or_rows(self):
        x = tf.constant([["a", "b"], ["c", "d"]])
        assert values(tf.gather_nd(x, [[0, 0], [1, 1]])) == [b"a", b"d"]
        assert values(tf.gather_nd(x, [[1], [0]])) == [[b"c", b"d"], [b"a", b"b"]]

    def test_nd_has_a_sparse_gradient_for_a_column_of_row_indices_alone(self):
        x = tf.constant(MATRIX)
        assert isinstance(tf.gradients(tf.gather_nd(x, [[1], [1]]), x)[0], tf.IndexedSlices)
        dense = tf.gradients(tf.gather_nd(x, [[0, 1], [1, 1], [0, 1]]), x)[0]
        assert values(dense) == [[0.0, 2.0, 0.0], [0.0, 1.0, 0.0]]

    def test_nd_refuses_positions_out_of_range(self):
        with pytest.raises(
            tf.errors.InvalidArgumentError,
            match=r"indices\[1\] = \[1, 3\] does not index into param shape \[2,3\]",
        ):
            run(tf.gather_nd(tf.constant(MATRIX), [[0, 0], [1, 3]]))

    def test_scatter_nd_sums_what_meets(self):
        updates = tf.constant([9.0, 10.0, 11.0, 12.0])
        y = tf.scatter_nd([[4], [3], [1], [3]], updates, [8])
        assert values(y) == [0, 11, 0, 22, 9, 0, 0, 0]
        weights = tf.range(8.0)
        assert values(tf.gradients(y, updates, [weights])[0]) == [4.0, 3.0, 1.0, 3.0]

    def test_tensor_scatter_replaces_or_adds(self):
        tensor, updates = tf.ones([4]), tf.constant([9.0, 10.0])
        replaced = tf.tensor_scatter_nd_update(tensor, [[3], [1]], updates)
        assert values(replaced) == [1.0, 10.0, 1.0, 9.0]
        assert values(tf.gradients(replaced, tensor)[0]) == [1.0, 0.0, 1.0, 0.0]
        added = tf.tensor_scatter_nd_add(tensor, [[1], [1]], updates)
        assert values(added) == [1.0, 20.0, 1.0, 1.0]

    def test_boolean_mask(self):
        x = tf.constant([[1, 2], [3, 4], [5, 6]])
        assert values(tf.boolean_mask(x, [True, False, True])) == [[1, 2], [5, 6]]
        with pytest.raises(ValueError, match="mask cannot be scalar"):
            tf.boolean_mask(x, True)

    def test_one_hot_leaves_out_what_is_out_of_range(self):
        assert values(tf.one_hot([0, 2, -1, 1], 3, 5.0, 0.0)) == [
            [5.0, 0.0, 0.0],
            [0.0, 0.0, 5.0],
            [0.0, 0.0, 0.0],
            [0.0, 5.0, 0.0],
        ]
        on = tf.constant(2.0)
        assert tf.gradients(tf.one_hot([0], 2, on_value=on), on) == [None]


class TestStitchAndPartition:
    def test_stitch_lets_the_later_one_win(self):
        a, b = tf.constant([1.0, 2.0]), tf.constant([3.0])
        y = tf.dynamic_stitch([[0, 1], [1]], [a, b])
        assert values(y) == [1.0, 3.0]
        assert dims(y) == [2]

    def test_partition_and_its_gradient(self):
        x = tf.constant([10.0, 20.0, 30.0, 40.0, 50.0])
        parts = tf.dynamic_partition(x, [0, 0, 1, 1, 0], 2)
        assert [values(part) for part in parts] == [[10.0, 20.0, 50.0], [30.0, 40.0]]
        assert values(tf.gradients(parts[1] * 2.0, x)[0]) == [0.0, 0.0, 2.0, 2.0, 0.0]

    def test_partition_refuses_other_numbers(self):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"partitions\[1\] = 2 is not in \[0, 2\)"
        ):
            run(tf.dynamic_partition([1.0, 2.0], [0, 2], 2))


class TestTranspose:
    def test_reverses_or_permutes_dimensions(self):
        x = tf.constant([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]])
        assert values(tf.transpose(x, perm=[0, 2, 1])) == [
            [[1, 4], [2, 5], [3, 6]],
            [[7, 10], [8, 11], [9, 12]],
        ]
        assert dims(tf.transpose(unknown(2, None, 4))) == [4, None, 2]
        assert dims(tf.transpose(unknown(2, 3), unknown(2, dtype=tf.int32))) == [None, None]

    def test_permutes_its_gradient_back(self):
        x = tf.constant(CUBE)
        y = tf.transpose(x, [2, 0, 1])
        grad = run(tf.gradients(y, x, [tf.constant(CUBE.transpose(2, 0, 1))])[0])
        assert np.array_equal(grad, CUBE)

    def test_of_unknown_rank_is_settled_by_the_run(self):
        x = of_unknown_rank()
        y = tf.transpose(x)
        assert dims(y) is None
        assert values(y, {x: MATRIX}) == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]

    def test_conjugates_complex_numbers(self):
        x = tf.constant([[1 + 1j, 2 - 2j]])
        assert values(tf.transpose(x, conjugate=True)) == [[1 - 1j], [2 + 2j]]
        assert values(tf.linalg.matrix_transpose(x)) == [[1 + 1j], [2 - 2j]]

    def test_refuses_what_is_no_permutation(self):
        with pytest.raises(ValueError, match="perm dim 3 is out of range of input rank 2"):
            tf.transpose(unknown(2, 3), [0, 3])
        with pytest.raises(tf.errors.InvalidArgumentError, match="is missing from"):
            run(tf.transpose(tf.ones([2, 3]), [0, 0]))

    def test_inverts_permutations(self):
        assert values(tf.invert_permutation([3, 4, 0, 2, 1])) == [2, 4, 3, 0, 1]
        with pytest.raises(tf.errors.InvalidArgumentError, match="is duplicated"):
            run(tf.invert_permutation([0, 0]))

    def test_tile_repeats_and_sums_its_gradient(self):
        x = tf.constant([[1.0, 2.0]])
        y = tf.tile(x, [2, 3])
        assert values(y) == [[1.0, 2.0] * 3] * 2
        assert values(tf.gradients(y, x)[0]) == [[6.0, 6.0]]
        assert dims(tf.tile(unknown(None, 3), [2, 0])) == [None, 0]


class TestSelect:
    def test_where_finds_true_elements(self):
        found = tf.where([[True, False], [True, True]])
        assert found.dtype == tf.int64
        assert dims(found) == [None, 2]
        assert values(found) == [[0, 0], [1, 0], [1, 1]]

    def test_where_chooses_elements_or_rows(self):
        x, y = tf.constant(MATRIX), -tf.constant(MATRIX)
        assert values(tf.where([True, False], x, y)) == [[1, 2, 3], [-4, -5, -6]]
        assert values(tf.where(x > 2.0, x, y)) == [[-1, -2, 3], [4, 5, 6]]
        with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal"):
            tf.where([True, False, True], x, y)

    def test_where_v2_broadcasts(self):
        chosen = tf.where_v2([True, False, False, True], [1, 2, 3, 4], [100])
        assert values(chosen) == [1, 100, 100, 4]

    @pytest.mark.parametrize("choose", [tf.where, tf.where_v2], ids=["where", "where_v2"])
    def test_gradient_goes_to_what_was_chosen(self, choose):
        x, y = tf.constant([1.0, 2.0, 3.0]), tf.constant([4.0, 5.0, 6.0])
        grads = tf.gradients(choose([True, False, True], x, y), [x, y], [[7.0, 8.0, 9.0]])
        assert [values(grad) for grad in grads] == [[7.0, 0.0, 9.0], [0.0, 8.0, 0.0]]

    def test_gradient_of_where_v2_is_summed_over_what_was_broadcast(self):
        x, y = tf.constant([1.0, 2.0, 3.0]), tf.constant(4.0)
        condition = [[True, False, True], [False, False, True]]
        grads = tf.gradients(tf.where_v2(condition, x, y), [x, y])
        assert [values(grad) for grad in grads] == [[1.0, 0.0, 2.0], 3.0]

    def test_needs_both_or_none(self):
        with pytest.raises(ValueError, match="x and y must both be non-None or both be None"):
            tf.where([True], x=[1.0])


class TestShapes:
    @pytest.mark.parametrize(
        ("before", "shape", "after"),
        [
            ([2, 6], [3, -1], [3, 4]),
            ([None, 6], [3, -1], [3, None]),
            ([None, 6], [-1, 2, 3], [None, 2, 3]),
            ([0, 3], [0, -1], [0, None]),
            (None, [-1, 2], [None, 2]),
        ],
    )
    def test_reshape_infers_what_is_left(self, before, shape, after):
        assert dims(tf.reshape(tf.placeholder(tf.float32, before), shape)) == after

    def test_reshape_refuses_what_does_not_fit(self):
        with pytest.raises(ValueError, match=r"Cannot reshape a tensor with 6 elements to shape"):
            tf.reshape(unknown(2, 3), [4, 2])
        x = unknown(None, 3)
        with pytest.raises(tf.errors.InvalidArgumentError, match="requested shape has 9"):
            run(tf.reshape(x, [9]), {x: MATRIX + MATRIX})

    def test_reshape_of_nothing_keeps_nothing(self):
        assert run(tf.reshape(tf.zeros([2, 0]), [0, -1])).shape == (0, 2)

    def test_squeeze_refuses_other_dimensions(self):
        assert dims(tf.squeeze(unknown(1, None, 1), [0, -1])) == [None]
        with pytest.raises(ValueError, match=r"Can not squeeze dim\[1\]"):
            tf.squeeze(unknown(1, 2), [1])

    @pytest.mark.parametrize(
        ("first", "second", "axes"),
        [
            ([2, 3], [3], ([], [0])),
            ([2, 1], [1, 3], ([1], [0])),
            ([1, 1], [1, 1], ([], [])),
            ([1, 3], [1, 1], ([0], [0, 1])),
            ([1], [], ([0], [0])),
        ],
    )
    def test_broadcast_gradient_args_counts_shared_ones_twice(self, first, second, axes):
        s0, s1 = (tf.constant(shape, tf.int32) for shape in (first, second))
        found = run(tf.raw_ops.BroadcastGradientArgs(s0=s0, s1=s1))
        assert tuple(part.tolist() for part in found) == axes

    def test_broadcast_to_sums_its_gradient(self):
        x = tf.constant([[1.0], [2.0]])
        y = tf.broadcast_to(input=x, shape=[2, 3])
        assert values(y) == [[1.0] * 3, [2.0] * 3]
        assert values(tf.gradients(y, x)[0]) == [[3.0], [3.0]]
        assert dims(tf.broadcast_to(unknown(3), unknown(2, dtype=tf.int32))) == [None, 3]


class TestRowsThatAreAdded:
    @pytest.mark.parametrize("places", [10_000, 300, 20, 1])
    @pytest.mark.parametrize("dtype", [np.float32, np.float16, np.complex64, np.int32])
    @pytest.mark.parametrize("width", [64, 3])
    def test_are_added_in_their_order_to_the_bit(self, places, dtype, width):
        random = np.random.RandomState(places)
        ids = random.randint(0, places, 1_000)
        rows = (random.normal(0, 2, (1_000, width)) ** 3).astype(dtype)
        rows[::7] = -0.0
        expected = np.zeros((places, width), dtype)
        np.add.at(expected, ids, rows)
        result = np.zeros((places, width), dtype)
        add_rows(result, ids, rows)
        assert result.tobytes() == expected.tobytes()

    def test_may_be_none(self):
        result = np.ones((2, 64), np.float32)
        add_rows(result, np.zeros(0, np.int64), np.zeros((0, 64), np.float32))
        assert (result == 1).all()
