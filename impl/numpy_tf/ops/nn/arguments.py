"""The arguments that tf.nn's functions over windows have in common."""

from numpy_tf.ops.array.shape import reshape, shape
from numpy_tf.ops.array.stack import concat


def renamed(new_name, new, old_name, old):
    """The value of an argument that has an old and a new name.

    Raises:
      ValueError: when both are given.
    """
    if new is not None and old is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old if new is None else new


def for_each_dimension(value, count, channels, name):
    """One number for each dimension, of a number for all spatial ones, for each, or all.

    Args:
      count: of spatial dimensions.
      channels: the axis of the channels, 1 or the last; batch and channels get 1.
      name: what the argument is called in the error.

    Raises:
      ValueError: for any other number of numbers.
    """
    if value is None:
        return [1] * (count + 2)
    numbers = list(value) if hasattr(value, "__len__") else [value]
    if len(numbers) == count + 2:
        return numbers
    if len(numbers) == 1:
        numbers = numbers * count
    elif len(numbers) != count:
        raise ValueError(
            f"{name} should be of length 1, {count} or {count + 2}. "
            f"Received: {name}={numbers} of length {len(numbers)}"
        )
    return [1, 1, *numbers] if channels == 1 else [1, *numbers, 1]


def channels_of(data_format, count):
    """The axis of the channels in a format for `count` spatial dimensions."""
    return 1 if data_format.startswith("NC") else count + 1


def explicit_padding(padding, dimensions=4):
    """The attributes (padding, explicit_paddings) of "SAME", "VALID", or pairs of numbers.

    Raises:
      ValueError: for anything but a pair for each dimension.
    """
    if padding == "EXPLICIT":
        raise ValueError(
            "'EXPLICIT' is not a valid value for `padding`. To use explicit padding, `padding` "
            "must be a list."
        )
    if not isinstance(padding, (list, tuple)):
        return padding, []
    for index, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(
                "When `padding` is a list, each element of `padding` must be a list/tuple of size "
                f"2. Received: padding={padding} with element at index {index}: {pair!r}"
            )
    if len(padding) != dimensions:
        raise ValueError(
            f"When padding is a list, it must be of size {dimensions}. "
            f"Received: padding={padding} of size {len(padding)}"
        )
    return "EXPLICIT", [number for pair in padding for number in pair]


def with_one_batch_dimension(tensor, inner_rank, compute):
    """`compute` of a tensor whose leading dimensions are made one, which are then there again.

    Args:
      inner_rank: how many dimensions are not leading.
    """
    inner, outer = tensor.dims[-inner_rank:], tensor.dims[:-inner_rank]
    inner_shape = shape(tensor)[-inner_rank:] if None in inner else list(inner)
    outer_shape = shape(tensor)[:-inner_rank] if None in outer else list(outer)
    joined = [-1, *inner_shape] if isinstance(inner_shape, list) else None
    flat = reshape(tensor, concat([[-1], inner_shape], -1) if joined is None else joined)
    result = compute(flat)
    dims = result.dims[-inner_rank:]
    result_shape = shape(result)[-inner_rank:] if None in dims else list(dims)
    output = reshape(result, concat([outer_shape, result_shape], -1))
    output.set_shape([*outer, *dims])
    return output
