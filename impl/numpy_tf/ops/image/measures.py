"""Differences between neighbouring pixels and between images, and images standardized."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.tensor_shape import format_dims
from numpy_tf.ops.array.fill import zeros
from numpy_tf.ops.array.shape import reshape, shape
from numpy_tf.ops.array.stack import concat, stack, unstack
from numpy_tf.ops.image.geometry import at_least_three_dimensional
from numpy_tf.ops.math.arithmetic import Maximum, divide
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Rsqrt
from numpy_tf.ops.math.elementwise import abs as absolute
from numpy_tf.ops.math.reduction import reduce_mean, reduce_prod, reduce_std, reduce_sum


@export("image.total_variation")
def total_variation(images, name=None):
    """The sum of the absolute differences of neighbouring pixels, of each image.

    Raises:
      ValueError: unless `images` is [height, width, channels] or a batch of those.
    """
    with NameScope(name, "total_variation"):
        rank = None if images.dims is None else len(images.dims)
        if rank == 3:
            down, across, axes = images[1:] - images[:-1], images[:, 1:] - images[:, :-1], None
        elif rank == 4:
            down = images[:, 1:] - images[:, :-1]
            across, axes = images[:, :, 1:] - images[:, :, :-1], [1, 2, 3]
        else:
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        return reduce_sum(absolute(down), axis=axes) + reduce_sum(absolute(across), axis=axes)


@export("image.image_gradients")
def image_gradients(image):
    """The differences to the next pixel, dy and dx, with zeros at the last row and column.

    Raises:
      ValueError: unless the image has four dimensions.
    """
    if image.dims is None or len(image.dims) != 4:
        raise ValueError(
            "image_gradients expects a 4D tensor [batch_size, h, w, d], "
            f"not {format_dims(image.dims)}."
        )
    size = shape(image)
    batch, height, width, depth = unstack(size)
    down = image[:, 1:] - image[:, :-1]
    across = image[:, :, 1:] - image[:, :, :-1]
    last_row = zeros(stack([batch, 1, width, depth]), image.dtype)
    down = reshape(concat([down, last_row], 1), size)
    last_column = zeros(stack([batch, height, 1, depth]), image.dtype)
    return down, reshape(concat([across, last_column], 2), size)


@export("image.per_image_standardization")
def per_image_standardization(image):
    """Images, in float32, less their mean and divided by their standard deviation.

    The deviation counts at least 1 / sqrt(number of elements), for images of one color.
    """
    with NameScope(None, "per_image_standardization", [image]) as scope:
        image = at_least_three_dimensional(convert_to_tensor(image, name="image"))
        image = cast(image, dtypes.float32)
        count = reduce_prod(shape(image)[-3:])
        axes = [-1, -2, -3]
        mean = reduce_mean(image, axis=axes, keepdims=True)
        deviation = reduce_std(image, axis=axes, keepdims=True)
        deviation = Maximum(deviation, Rsqrt(cast(count, dtypes.float32)))
        return divide(image - mean, deviation, name=scope)
