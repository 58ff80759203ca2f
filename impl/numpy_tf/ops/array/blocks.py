"""Rearranging blocks: between space and depth, and between space and batch.

All are one transposition: the blocked dimensions are split in two, and one part of each is
moved. What comes out is exact, in every dtype.
"""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INT32_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import with_rank, with_rank_at_least
from numpy_tf.ops.array.stack import stack

# -- space and depth ---------------------------------------------------------------------


def _check_block_size(size):
    if size < 2:
        raise ValueError(f"Value for attr 'block_size' of {size} must be at least minimum 2")


def _divided(size, by):
    if size is None:
        return None
    if size % by:
        raise ValueError(f"Dimension size must be evenly divisible by {by} but is {size}")
    return size // by


def _times(size, by):
    return None if size is None else size * by


def _check_layout(op_type, data_format):
    """Only images with the channels last have a kernel on TensorFlow's CPU."""
    if data_format != "NHWC":
        raise errors.invalid_argument(
            f"No OpKernel was registered to support Op '{op_type}' with data_format "
            f"{data_format} on CPU"
        )


def _block_attrs(op):
    return {name: op.attrs[name] for name in ("block_size", "data_format")}


def _image_dims(op, each):
    """The static shape of images [batch, height, width, channels]: each(*these, block size)."""
    size, data_format = op.attrs["block_size"], op.attrs["data_format"]
    _check_block_size(size)
    dims = with_rank(op.inputs[0].dims, 4)
    order = (0, 2, 3, 1) if data_format == "NCHW" else (0, 1, 2, 3)
    images = each(*(dims[axis] for axis in order), size)
    return tuple(images[order.index(axis)] for axis in range(4))


@op("input: T -> output: T", T=ANY, block_size=REQUIRED, data_format="NHWC")
class SpaceToDepth:
    """Each block of block_size × block_size places becomes one, with all their channels."""

    def shape(op):
        def each(batch, height, width, depth, by):
            return batch, _divided(height, by), _divided(width, by), _times(depth, by * by)

        return _image_dims(op, each)

    def kernel(input, *, block_size, data_format):
        _check_layout("SpaceToDepth", data_format)
        batch, height, width, depth = input.shape
        if height % block_size or width % block_size:
            raise errors.invalid_argument(
                f"Image width {width} and height {height} should be divisible by block_size: "
                f"{block_size}"
            )
        rows, columns = height // block_size, width // block_size
        split = input.reshape(batch, rows, block_size, columns, block_size, depth)
        channels = block_size * block_size * depth
        return split.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows, columns, channels)

    def gradient(op, grad):
        return DepthToSpace(grad, **_block_attrs(op))


@op("input: T -> output: T", T=ANY, block_size=REQUIRED, data_format="NHWC")
class DepthToSpace:
    """Each place becomes a block of block_size × block_size, which share its channels."""

    def shape(op):
        def each(batch, height, width, depth, by):
            return batch, _times(height, by), _times(width, by), _divided(depth, by * by)

        return _image_dims(op, each)

    def kernel(input, *, block_size, data_format):
        _check_layout("DepthToSpace", data_format)
        batch, rows, columns, channels = input.shape
        depth, rest = divmod(channels, block_size * block_size)
        if rest:
            raise errors.invalid_argument(
                f"Input depth dimension {channels} should be divisible by: "
                f"{block_size * block_size}"
            )
        split = input.reshape(batch, rows, columns, block_size, block_size, depth)
        height, width = rows * block_size, columns * block_size
        return split.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height, width, depth)

    def gradient(op, grad):
        return SpaceToDepth(grad, **_block_attrs(op))


@export("space_to_depth", "nn.space_to_depth")
def space_to_depth(input, block_size, name=None, data_format="NHWC"):
    """Moves blocks of `block_size` × `block_size` places into the channels."""
    return SpaceToDepth(input, block_size=block_size, data_format=data_format, name=name)


@export("depth_to_space", "nn.depth_to_space")
def depth_to_space(input, block_size, name=None, data_format="NHWC"):
    """Moves channels out into blocks of `block_size` × `block_size` places."""
    return DepthToSpace(input, block_size=block_size, data_format=data_format, name=name)


# -- space and batch ---------------------------------------------------------------------


def _space_to_batch(input, block, paddings):
    """[batch, *space, *rest] -> [batch·Πblock, *space/block, *rest], padded with zeros."""
    pads = [(0, 0), *map(tuple, paddings), *[(0, 0)] * (input.ndim - 1 - len(block))]
    padded = np.pad(input, pads)
    batch, rest = input.shape[0], padded.shape[1 + len(block) :]
    counts = []
    for at, (size, by) in enumerate(zip(padded.shape[1:], block, strict=False)):
        if size % by:
            raise errors.invalid_argument(
                f"padded_shape[{at}]={size} is not divisible by block_shape[{at}]={by}"
            )
        counts.append(size // by)
    split = [part for pair in zip(counts, block, strict=True) for part in pair]
    within = [2 + 2 * i for i in range(len(block))]
    across = [1 + 2 * i for i in range(len(block))]
    last = range(1 + len(split), 1 + len(split) + len(rest))
    blocks = padded.reshape(batch, *split, *rest).transpose(*within, 0, *across, *last)
    return blocks.reshape(math.prod(block) * batch, *counts, *rest)


def _batch_to_space(input, block, crops):
    """[batch·Πblock, *space, *rest] -> [batch, *space·block - crops, *rest]."""
    count = math.prod(block)
    if input.shape[0] % count:
        raise errors.invalid_argument(
            f"Input batch dimension ({input.shape[0]}) is not divisible by product of block "
            f"sizes ({count})"
        )
    batch = input.shape[0] // count
    space, rest = input.shape[1 : 1 + len(block)], input.shape[1 + len(block) :]
    split = input.reshape(*block, batch, *space, *rest)
    order = [len(block)]
    for i in range(len(block)):
        order += [len(block) + 1 + i, i]
    order += range(2 * len(block) + 1, split.ndim)
    sizes = [size * by for size, by in zip(space, block, strict=True)]
    whole = split.transpose(order).reshape(batch, *sizes, *rest)
    kept = [slice(None)]
    for at, (size, (before, after)) in enumerate(zip(sizes, crops, strict=True)):
        if size - before - after < 0:
            raise errors.invalid_argument(
                f"cropped_shape[{at}]={size - before - after} must be non-negative"
            )
        kept.append(slice(int(before), size - int(after)))
    return whole[tuple(kept)]


def _checked_block(input, block, margins, margins_name):
    """The block's sizes as a list; what TensorFlow refuses, refused."""
    block = [int(size) for size in np.asarray(block).reshape(-1)]
    if input.ndim < 1 + len(block):
        raise errors.invalid_argument(
            f"input rank should be >= {1 + len(block)} instead of {input.ndim}"
        )
    if margins.shape != (len(block), 2):
        raise errors.invalid_argument(
            f"{margins_name} should have shape [{len(block)}, 2] instead of {list(margins.shape)}"
        )
    for size in block:
        if size < 1:
            raise errors.invalid_argument(f"All values in block_shape must be positive, got {size}")
    if (margins < 0).any():
        raise errors.invalid_argument(f"{margins_name} must be non-negative")
    return block


def _rearranged_dims(dims, block, margins, to_batch):
    """The static shape.

    Args:
      dims: the input's.
      block: the block's sizes, None for one that is unknown.
      margins: paddings or crops, [sizes, 2], or None when they are unknown.
      to_batch: whether space goes to the batch, or comes from it.
    """
    dims = with_rank_at_least(dims, 1 + len(block))
    if dims is None:
        return None
    for size in block:
        if size is not None and size < 1:
            raise ValueError(f"block_shape must be positive, got {block}")
    rest = dims[1 + len(block) :]
    if None in block:
        return (*[None] * (1 + len(block)), *rest)
    count = math.prod(block)
    space = [None] * len(block)
    if margins is not None:
        pairs = [(int(before), int(after)) for before, after in margins]
        if min(map(min, pairs), default=0) < 0:
            raise ValueError("paddings cannot be negative")
        sized = _padded_size if to_batch else _cropped_size
        space = [sized(*place) for place in zip(dims[1:], block, pairs, strict=False)]
    batch = _times(dims[0], count) if to_batch else _divided(dims[0], count)
    return (batch, *space, *rest)


def _padded_size(size, by, margins):
    return None if size is None else _divided(size + sum(margins), by)


def _cropped_size(size, by, margins):
    if size is None:
        return None
    if size * by < sum(margins):
        raise ValueError(
            f"Negative dimension size caused by cropping {sum(margins)} of {size * by}"
        )
    return size * by - sum(margins)


def _square_shape(op, to_batch):
    dims = with_rank(op.inputs[0].dims, 4)
    size = op.attrs["block_size"]
    _check_block_size(size)
    return _rearranged_dims(dims, [size, size], constant_value(op.inputs[1]), to_batch)


def _block_shape_dims(op, to_batch):
    block, margins = constant_value(op.inputs[1]), constant_value(op.inputs[2])
    if block is not None:
        sizes = block.reshape(-1).tolist()
    else:
        count = with_rank(op.inputs[1].dims, 1)[0]
        if count is None:
            return None if op.inputs[0].dims is None else (None,) * len(op.inputs[0].dims)
        sizes = [None] * count
    return _rearranged_dims(op.inputs[0].dims, sizes, margins, to_batch)


@op(
    "input: T, paddings: Tpaddings -> output: T",
    T=ANY,
    Tpaddings=INT32_BY_DEFAULT,
    block_size=REQUIRED,
)
class SpaceToBatch:
    """`SpaceToBatchND` of images, with square blocks."""

    def shape(op):
        return _square_shape(op, to_batch=True)

    def kernel(input, paddings, *, block_size):
        block = _checked_block(input, [block_size] * 2, paddings, "paddings")
        return _space_to_batch(input, block, paddings)

    def gradient(op, grad):
        return BatchToSpace(grad, op.inputs[1], block_size=op.attrs["block_size"]), None


@op("input: T, crops: Tidx -> output: T", T=ANY, Tidx=INT32_BY_DEFAULT, block_size=REQUIRED)
class BatchToSpace:
    """`BatchToSpaceND` of images, with square blocks."""

    def shape(op):
        return _square_shape(op, to_batch=False)

    def kernel(input, crops, *, block_size):
        block = _checked_block(input, [block_size] * 2, crops, "crops")
        return _batch_to_space(input, block, crops)

    def gradient(op, grad):
        return SpaceToBatch(grad, op.inputs[1], block_size=op.attrs["block_size"]), None


@op(
    "input: T, block_shape: Tblock_shape, paddings: Tpaddings -> output: T",
    T=ANY,
    Tblock_shape=INT32_BY_DEFAULT,
    Tpaddings=INT32_BY_DEFAULT,
)
class SpaceToBatchND:
    """Each place within a block of space gets a batch of its own; space is padded with zeros."""

    def shape(op):
        return _block_shape_dims(op, to_batch=True)

    def kernel(input, block_shape, paddings):
        block = _checked_block(input, block_shape, paddings, "paddings")
        return _space_to_batch(input, block, paddings)

    def gradient(op, grad):
        return BatchToSpaceND(grad, *op.inputs[1:]), None, None


@op(
    "input: T, block_shape: Tblock_shape, crops: Tcrops -> output: T",
    T=ANY,
    Tblock_shape=INT32_BY_DEFAULT,
    Tcrops=INT32_BY_DEFAULT,
)
class BatchToSpaceND:
    """The inverse of `SpaceToBatchND`: batches interleaved into space, which is then cropped."""

    def shape(op):
        return _block_shape_dims(op, to_batch=False)

    def kernel(input, block_shape, crops):
        block = _checked_block(input, block_shape, crops, "crops")
        return _batch_to_space(input, block, crops)

    def gradient(op, grad):
        return SpaceToBatchND(grad, *op.inputs[1:]), None, None


@export("space_to_batch_nd", "manip.space_to_batch_nd")
def space_to_batch_nd(input, block_shape, paddings, name=None):
    """Moves blocks of space into the batch.

    Args:
      input: [batch, *space, *rest].
      block_shape: a size for each dimension of space.
      paddings: [number of these, 2]: zeros before and after.
    """
    return SpaceToBatchND(input, block_shape, paddings, name=name)


@export("batch_to_space_nd", "manip.batch_to_space_nd")
def batch_to_space_nd(input, block_shape, crops, name=None):
    """Moves batches into blocks of space; see `space_to_batch_nd`."""
    return BatchToSpaceND(input, block_shape, crops, name=name)


@export("space_to_batch", "nn.space_to_batch")
def space_to_batch(input, paddings, block_size=None, name=None, block_shape=None):
    """`space_to_batch_nd` with square blocks of `block_size`, or of `block_shape`."""
    size = block_size if block_shape is None else block_shape
    block = constant([size, size], dtypes.int64) if isinstance(size, int) else size
    return space_to_batch_nd(input, block_shape=block, paddings=paddings, name=name)


@export("batch_to_space")
def batch_to_space(input, crops, block_size, name=None, block_shape=None):
    """`batch_to_space_nd` with square blocks of `block_size`, or of `block_shape`."""
    size = block_size if block_shape is None else block_shape
    block = constant([size, size], dtypes.int64) if isinstance(size, int) else size
    return batch_to_space_nd(input, block_shape=block, crops=crops, name=name)


@export("required_space_to_batch_paddings")
def required_space_to_batch_paddings(input_shape, block_shape, base_paddings=None, name=None):
    """The paddings that make sizes divisible by a block's, and the crops that undo them.

    Args:
      input_shape, block_shape: [number of sizes], int32.
      base_paddings: [number of sizes, 2], the least that is wanted; by default none.

    Returns:
      (paddings, crops), both [number of sizes, 2], int32; constants when all is known.
    """
    with NameScope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        given = (input_shape, block_shape, 0 if base_paddings is None else base_paddings)
        tensors = [convert_to_tensor(value, dtypes.int32) for value in given]
        known = [constant_value(tensor) for tensor in tensors]
        sizes, block, base = known if all(v is not None for v in known) else tensors
        start, end = (0, 0) if base_paddings is None else (base[:, 0], base[:, 1])
        extra = (block - (sizes + start + end) % block) % block
        nothing = extra * 0
        return (
            stack([start + nothing, end + extra], axis=1, name="paddings"),
            stack([nothing, extra], axis=1, name="crops"),
        )
