"""The geometry that convolution, pooling and patches share, against loops over windows."""

import itertools

import numpy as np
import pytest

import numpy_tf as tf
from numpy_tf.framework import errors
from numpy_tf.ops.nn.windows import Windows, static_count

GEOMETRIES = [
    # sizes, window, strides, padding, dilations, explicit
    ((5,), (3,), (1,), "SAME", None, None),
    ((5, 4), (2, 3), (2, 1), "SAME", None, None),
    ((5, 4), (2, 3), (2, 1), "VALID", None, None),
    ((7, 6), (2, 3), (1, 2), "VALID", (3, 2), None),
    ((3, 4), (3, 2), (2, 2), "EXPLICIT", None, ((1, 2), (0, 3))),
    ((3, 4, 5), (2, 1, 3), (1, 2, 2), "SAME", None, None),
    ((4, 4), (1, 2), (3, 3), "SAME", None, None),
]


def _images(sizes):
    return np.random.RandomState(1).normal(size=(2, *sizes, 3))


def _seen_by_loops(windows, images, counts):
    """[batch, *counts, *window, channels], element by element."""
    spans = windows._spans
    result = np.zeros((len(images), *counts, *windows.window, images.shape[-1]))
    every = [range(n) for n in (*counts, *windows.window)]
    for index in itertools.product(*every):
        at, tap = index[: len(spans)], index[len(spans) :]
        places = [
            i * s.stride + o * s.dilation - s.before for i, o, s in zip(at, tap, spans, strict=True)
        ]
        if all(0 <= p < s.size for p, s in zip(places, spans, strict=True)):
            result[(slice(None), *index)] = images[(slice(None), *places)]
    return result


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_all_windows_are_seen_as_loops_see_them(geometry):
    windows, images = Windows.over(*geometry), _images(geometry[0])
    seen = windows.view(windows.padded(images))
    np.testing.assert_array_equal(seen, _seen_by_loops(windows, images, windows.counts))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_tap_is_one_place_of_all_windows(geometry):
    windows, images = Windows.over(*geometry), _images(geometry[0])
    padded = windows.padded(images)
    view = windows.view(padded).reshape(2, *windows.counts, -1, 3)
    for tap, seen in enumerate(windows.at_each_tap(padded)):
        np.testing.assert_array_equal(seen, view[..., tap, :])


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_adding_at_the_taps_is_the_transpose_of_seeing_them(geometry):
    windows, images = Windows.over(*geometry), _images(geometry[0])
    shape = (windows.number_of_taps, 2, *windows.counts, 3)
    weights = np.random.RandomState(2).normal(size=shape)
    seen = np.array(list(windows.at_each_tap(windows.padded(images))))
    added = windows.sum_of(weights, 2, 3, np.float64)
    assert np.vdot(seen, weights) == pytest.approx(np.vdot(images, added))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_places_and_inside_say_where_taps_are(geometry):
    windows, images = Windows.over(*geometry), _images(geometry[0])
    flat = images.reshape(2, -1, 3)
    inside = windows.inside()[np.newaxis, ..., np.newaxis]
    seen = np.where(inside, flat[:, windows.places()], 0)
    np.testing.assert_array_equal(seen, windows.view(windows.padded(images)))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_static_counts_are_those_of_the_kernel(geometry):
    sizes, window, strides, padding, dilations, explicit = geometry
    ones, none = (1,) * len(sizes), ((0, 0),) * len(sizes)
    every = zip(sizes, window, strides, dilations or ones, explicit or none, strict=True)
    counts = [static_count(s, w, d, padding, r, e) for s, w, d, r, e in every]
    assert tuple(counts) == Windows.over(*geometry).counts


def test_a_window_that_is_larger_by_less_than_a_stride_leaves_none():
    assert Windows.over((2,), (3,), (1,), "VALID").counts == (0,)


def test_a_window_that_is_larger_by_more_is_an_error():
    with pytest.raises(errors.InvalidArgumentError, match="would be negative: -1"):
        Windows.over((2,), (4,), (1,), "VALID")


def _pooled_twice(**attributes):
    with tf.Graph().as_default(), tf.Session() as session:
        fetches = tf.nn.fractional_max_pool(
            np.zeros((1, 11, 13, 1), np.float32), [1.0, 1.4, 1.8, 1.0], **attributes
        )
        return [session.run(fetches)[1:] for _ in range(2)]


@pytest.mark.parametrize("pseudo_random", [False, True])
def test_the_sizes_of_random_windows_differ_by_one_and_fill_the_image(pseudo_random):
    for rows, columns in _pooled_twice(pseudo_random=pseudo_random):
        assert (len(rows), len(columns)) == (8, 8)
        assert (rows[0], rows[-1], columns[0], columns[-1]) == (0, 11, 0, 13)
        assert set(np.diff(rows)) == {1, 2}
        assert set(np.diff(columns)) <= {1, 2, 3}


def test_deterministic_windows_are_the_same_in_each_run():
    first, second = _pooled_twice(deterministic=True, seed=1, seed2=2)
    np.testing.assert_array_equal(first, second)
