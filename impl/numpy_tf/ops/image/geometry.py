"""Images turned, mirrored, cropped and padded.

Each takes one image [height, width, channels] or a batch of them.
"""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor, control_dependencies
from numpy_tf.framework.tensor_shape import format_dims
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape, squeeze
from numpy_tf.ops.array.slicing import ReverseV2, pad, slice
from numpy_tf.ops.array.stack import stack, unstack
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.control.assertion import assert_that
from numpy_tf.ops.control.case import case
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.math.arithmetic import FloorMod, Maximum, Minimum
from numpy_tf.ops.math.comparison import Equal, Greater
from numpy_tf.ops.math.reduction import reduce_all

# -- what is asked of an image -----------------------------------------------------------


def _requirement(holds, complaint):
    """A list of the operation that checks it in the run, empty for what holds already.

    Raises:
      ValueError: for what already does not hold.
    """
    if isinstance(holds, Tensor):
        return [assert_that(holds, [complaint])]
    if not holds:
        raise ValueError(complaint)
    return []


def at_least_three_dimensional(image):
    """The image, checked to have three dimensions or more, of which the last have a size."""
    with control_dependencies(_size_requirements(image)):
        return identity(image)


def _size_requirements(image):
    dims = image.dims
    if dims is not None and len(dims) < 3:
        raise ValueError(f"'image' (shape {format_dims(dims)}) must be at least three-dimensional.")
    inner = (None,) * 3 if dims is None else dims[-3:]
    complaint = "inner 3 dims of 'image.shape' must be > 0."
    requirements = _requirement(0 not in inner, complaint)
    if None in inner:
        positive = reduce_all(Greater(shape(image)[-3:], 0))
        requirements += _requirement(positive, complaint)
    return requirements


def _wrong_rank(image):
    return ValueError(
        f"'image' (shape {format_dims(image.dims)}) must have either 3 or 4 dimensions."
    )


def _by_rank(image, of_one, of_batch):
    """What the function for a single image or for a batch gives."""
    if image.dims is None:
        return cond(Equal(rank(image), 3), of_one, of_batch)
    if len(image.dims) not in (3, 4):
        raise _wrong_rank(image)
    return of_one() if len(image.dims) == 3 else of_batch()


# -- turning -----------------------------------------------------------------------------


def _flipped(image, axis, scope):
    with NameScope(None, scope, [image]):
        image = at_least_three_dimensional(convert_to_tensor(image, name="image"))

        def one():
            result = ReverseV2(image, [axis])
            result.set_shape([None] * 3 if image.dims is None else image.dims)
            return result

        return _by_rank(image, one, lambda: ReverseV2(image, [axis + 1]))


@export("image.flip_left_right")
def flip_left_right(image):
    """Images mirrored along their width."""
    return _flipped(image, 1, "flip_left_right")


@export("image.flip_up_down")
def flip_up_down(image):
    """Images mirrored along their height."""
    return _flipped(image, 0, "flip_up_down")


@export("image.transpose", "image.transpose_image")
def transpose_image(image, name=None):
    """Images with height and width exchanged."""
    with NameScope(name, "transpose", [image]):
        image = at_least_three_dimensional(convert_to_tensor(image, name="image"))
        return _by_rank(
            image,
            lambda: transpose(image, [1, 0, 2], name=name),
            lambda: transpose(image, [0, 2, 1, 3], name=name),
        )


@export("image.rot90")
def rot90(image, k=1, name=None):
    """Images turned counter-clockwise `k` times by 90 degrees; `k` may be a tensor."""
    with NameScope(name, "rot90", [image, k]) as scope:
        image = at_least_three_dimensional(convert_to_tensor(image, name="image"))
        turns = FloorMod(convert_to_tensor(k, dtype=dtypes.int32, name="k"), 4)
        return _by_rank(
            image,
            lambda: _turned(image, turns, [0, 1], [1, 0, 2], scope),
            lambda: _turned(image, turns, [1, 2], [0, 2, 1, 3], scope),
        )


def _turned(image, turns, axes, swapped, scope):
    """The image turned around in its two `axes`, which the permutation `swapped` exchanges."""
    width = axes[1]
    result = case(
        [
            (Equal(turns, 1), lambda: transpose(ReverseV2(image, [width]), swapped)),
            (Equal(turns, 2), lambda: ReverseV2(image, axes)),
            (Equal(turns, 3), lambda: ReverseV2(transpose(image, swapped), [width])),
        ],
        default=lambda: image,
        exclusive=True,
        name=scope,
    )
    dims = image.dims or (None,) * len(swapped)
    result.set_shape([None if axis in axes else dim for axis, dim in enumerate(dims)])
    return result


# -- cropping and padding ----------------------------------------------------------------


def _as_batch(image):
    """The image as a batch of one, unless it is a batch; and whether it is one already."""
    if image.dims is not None and len(image.dims) == 4:
        return image, True
    if image.dims is not None and len(image.dims) != 3:
        raise _wrong_rank(image)
    batch = expand_dims(image, 0)
    if image.dims is None:
        batch.set_shape([None] * 4)
    return batch, False


def _sizes(images):
    """The four sizes of a batch, tensors where they are not known."""
    if None not in images.dims:
        return list(images.dims)
    dynamic = unstack(shape(images), 4)
    return [
        at_run if known is None else known
        for known, at_run in zip(images.dims, dynamic, strict=True)
    ]


def _known(sizes):
    return [None if isinstance(size, Tensor) else size for size in sizes]


@export("image.crop_to_bounding_box")
def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """The part of images of a height and width that begins at an offset; tensors or integers.

    Raises:
      ValueError: for a part that is empty or not within the image.
    """
    with NameScope(None, "crop_to_bounding_box", [image]):
        image, is_batch = _as_batch(convert_to_tensor(image, name="image"))
        requirements = _size_requirements(image)
        batch, height, width, depth = _sizes(image)
        for holds, complaint in (
            (offset_width >= 0, "offset_width must be >= 0."),
            (offset_height >= 0, "offset_height must be >= 0."),
            (target_width > 0, "target_width must be > 0."),
            (target_height > 0, "target_height must be > 0."),
            (width >= target_width + offset_width, "width must be >= target + offset."),
            (height >= target_height + offset_height, "height must be >= target + offset."),
        ):
            requirements += _requirement(holds, complaint)
        with control_dependencies(requirements):
            image = identity(image)
        begin = stack([0, offset_height, offset_width, 0])
        size = stack([shape(image)[0], target_height, target_width, shape(image)[3]])
        cropped = slice(image, begin, size)
        cropped.set_shape(_known([batch, target_height, target_width, depth]))
        return cropped if is_batch else squeeze(cropped, axis=[0])


@export("image.pad_to_bounding_box")
def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Images put at an offset into zeros of a height and width; tensors or integers.

    Raises:
      ValueError: where the image does not fit.
    """
    with NameScope(None, "pad_to_bounding_box", [image]):
        image, is_batch = _as_batch(convert_to_tensor(image, name="image"))
        batch, height, width, depth = _sizes(image)
        right = target_width - offset_width - width
        below = target_height - offset_height - height
        requirements = _size_requirements(image)
        for holds, complaint in (
            (offset_height >= 0, "offset_height must be >= 0"),
            (offset_width >= 0, "offset_width must be >= 0"),
            (right >= 0, "width must be <= target - offset"),
            (below >= 0, "height must be <= target - offset"),
        ):
            requirements += _requirement(holds, complaint)
        with control_dependencies(requirements):
            image = identity(image)
        edges = stack([0, 0, offset_height, below, offset_width, right, 0, 0])
        padded = pad(image, reshape(edges, [4, 2]))
        padded.set_shape(_known([batch, target_height, target_width, depth]))
        return padded if is_batch else squeeze(padded, axis=[0])


def _of_either(make, choose, x, y):
    """The op `make` of two sizes, or `choose` of two that are known."""
    return make(x, y) if isinstance(x, Tensor) or isinstance(y, Tensor) else choose(x, y)


@export("image.resize_image_with_crop_or_pad", "image.resize_with_crop_or_pad")
def resize_with_crop_or_pad(image, target_height, target_width):
    """Images cropped, or put into zeros, evenly on both sides; tensors or integers.

    Raises:
      ValueError: for a size of zero or less, or an image of another rank.
    """
    with NameScope(None, "resize_image_with_crop_or_pad", [image]):
        image, is_batch = _as_batch(convert_to_tensor(image, name="image"))
        requirements = _size_requirements(image)
        requirements += _requirement(target_width > 0, "target_width must be > 0.")
        requirements += _requirement(target_height > 0, "target_height must be > 0.")
        with control_dependencies(requirements):
            image = identity(image)
            target_height, target_width = (
                identity(size) if isinstance(size, Tensor) else size
                for size in (target_height, target_width)
            )
        _, height, width, _ = _sizes(image)
        more_width, more_height = target_width - width, target_height - height
        cropped = crop_to_bounding_box(
            image,
            _of_either(Maximum, max, -more_height // 2, 0),
            _of_either(Maximum, max, -more_width // 2, 0),
            _of_either(Minimum, min, target_height, height),
            _of_either(Minimum, min, target_width, width),
        )
        resized = pad_to_bounding_box(
            cropped,
            _of_either(Maximum, max, more_height // 2, 0),
            _of_either(Maximum, max, more_width // 2, 0),
            target_height,
            target_width,
        )
        return resized if is_batch else squeeze(resized, axis=[0])
