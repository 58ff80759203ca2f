"""Sums of products over labelled axes, by Einstein's convention."""

import math
import re
from collections import Counter

import numpy as np
from numpy.lib.stride_tricks import as_strided

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.tensor_shape import broadcast_dims
from numpy_tf.ops.array.dims import merge_dim
from numpy_tf.ops.array.fill import ones
from numpy_tf.ops.array.shape import BroadcastGradientArgs, broadcast_to, reshape, shape
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.math.cast import conj
from numpy_tf.ops.math.matmul import matrix_product
from numpy_tf.ops.math.reduction import Sum, reduce_sum, reduced_shape

_ELLIPSIS = "..."
_LABEL = re.compile(r"\.\.\.|.")


# -- equations ---------------------------------------------------------------------------


def _terms(equation, count):
    """The terms of an equation: of each input its labels, one of which may be an ellipsis.

    Returns:
      A list of lists of labels, and the list of the output's.
    """
    if equation.count("->") != 1:
        raise ValueError(f"Expecting exactly one '->' in einsum equation: {equation}")
    left, right = equation.split("->")
    inputs = [_LABEL.findall(term) for term in left.split(",")]
    output = _LABEL.findall(right)
    if len(inputs) > 2:
        raise ValueError(
            f"Expecting 1 or 2 input subscripts in equation '{equation}' but got: {len(inputs)}"
        )
    if len(inputs) != count:
        raise ValueError(f"Expected {len(inputs)} inputs for equation {equation} but got: {count}")
    for label in output:
        if label != _ELLIPSIS and not any(label in term for term in inputs):
            raise ValueError(
                f"Einsum output subscripts for equation '{equation}' has label '{label}' "
                "which is not present in the input subscripts"
            )
    return inputs, output


def _split_at_ellipsis(labels):
    """The labels before the ellipsis and behind it; all are before it where there is none."""
    if _ELLIPSIS not in labels:
        return labels, []
    at = labels.index(_ELLIPSIS)
    return labels[:at], labels[at + 1 :]


def _spelled_out(labels, rank):
    """The labels of each of `rank` axes; those of an ellipsis are -1, -2 … from the right."""
    front, back = _split_at_ellipsis(labels)
    return [*front, *range(len(front) + len(back) - rank, 0), *back]


# -- static shapes -----------------------------------------------------------------------


def _labelled_dims(labels, dims, sizes, complaint):
    """Notes the static size of each label in `sizes`.

    Returns:
      The dimensions that the ellipsis stands for, or None when they are unknown.
    """
    has_ellipsis = _ELLIPSIS in labels
    if dims is None:
        return None if has_ellipsis else ()
    named = len(labels) - has_ellipsis
    if len(dims) != named and not (has_ellipsis and len(dims) > named):
        least = "at least " if has_ellipsis else ""
        raise ValueError(f"Shape must be {least}rank {named} but is rank {len(dims)}{complaint}")
    repeated = []
    for label, dim in zip(_spelled_out(labels, len(dims)), dims, strict=True):
        if isinstance(label, int):
            repeated.append(dim)
        else:
            known = sizes.get(label)
            sizes[label] = merge_dim(known, dim, "Dimensions must be equal, but are {} and {}")
    return tuple(repeated)


# -- arrays ------------------------------------------------------------------------------


def _diagonal(array, labels, distinct, writeable=False):
    """A view of the array with one axis for each distinct label, its diagonal if repeated."""
    sizes = dict(zip(labels, array.shape, strict=True))
    steps = Counter()
    for label, stride in zip(labels, array.strides, strict=True):
        steps[label] += stride
    return as_strided(
        array,
        [sizes[label] for label in distinct],
        [steps[label] for label in distinct],
        writeable=writeable,
    )


def _summed(array, labels, kept):
    """The array with one axis for each label, those not in `kept` summed; and these labels."""
    distinct = list(dict.fromkeys(labels))
    array = _diagonal(array, labels, distinct)
    axes = [axis for axis, label in enumerate(distinct) if label not in kept]
    if axes:
        array = Sum.kernel(array, np.array(axes), keep_dims=False)
    return array, [label for label in distinct if label in kept]


def _arranged(array, labels, *groups):
    """The array with one axis for each group of labels but the first, whose axes stay apart.

    The first group are the labels of the ellipsis, of which an array may have fewer.
    """
    present = [label for label in groups[0] if label in labels]
    order = [*present, *(label for group in groups[1:] for label in group)]
    array = array.transpose([labels.index(label) for label in order])
    repeated, rest = array.shape[: len(present)], array.shape[len(present) :]
    sizes = []
    for group in groups[1:]:
        sizes.append(math.prod(rest[: len(group)]))
        rest = rest[len(group) :]
    return array.reshape(repeated + tuple(sizes))


def _product(x, x_labels, y, y_labels, output):
    """The product of two arrays, summed over the labels that are not in `output`.

    Returns:
      It, and its labels.
    """
    repeated = sorted({label for label in (*x_labels, *y_labels) if isinstance(label, int)})
    of_both = [label for label in x_labels if label in y_labels and label not in repeated]
    batch = [label for label in of_both if label in output]
    inner = [label for label in of_both if label not in output]
    rows, columns = (
        [label for label in labels if label not in of_both and label not in repeated]
        for labels in (x_labels, y_labels)
    )
    x_matrices = _arranged(x, x_labels, repeated, batch, rows, inner)
    y_matrices = _arranged(y, y_labels, repeated, batch, inner, columns)
    # A product with nothing to sum keeps its sign, when it is zero.
    multiply = matrix_product if inner else np.multiply
    product = multiply(x_matrices, y_matrices)
    labels = [*repeated, *batch, *rows, *columns]
    sizes = dict(zip((*x_labels, *y_labels), (*x.shape, *y.shape), strict=True))
    named = [sizes[label] for label in labels[len(repeated) :]]
    return product.reshape(product.shape[: len(repeated)] + tuple(named)), labels


def _checked_labels(inputs, terms, output):
    """The label of each axis of each input.

    Raises:
      InvalidArgumentError: for shapes that do not fit the equation.
    """
    spelled, sizes = [], {}
    for array, labels in zip(inputs, terms, strict=True):
        named = [label for label in labels if label != _ELLIPSIS]
        if array.ndim < len(named) or (array.ndim > len(named) and _ELLIPSIS not in labels):
            raise errors.invalid_argument(
                f"Expected input to have rank {len(named)} but got: {array.ndim}"
            )
        of_axes = _spelled_out(labels, array.ndim)
        for axis, (label, size) in enumerate(zip(of_axes, array.shape, strict=True)):
            if isinstance(label, int):
                if _ELLIPSIS not in output:
                    raise errors.invalid_argument("Output is missing an ellipsis")
            elif sizes.setdefault(label, size) != size:
                raise errors.invalid_argument(
                    f"Expected dimension {sizes[label]} at axis {axis} of the input shaped "
                    f"{list(array.shape)} but got dimension {size}"
                )
        spelled.append(of_axes)
    return spelled


# -- the op ------------------------------------------------------------------------------


@op("inputs: N*T -> output: T", T=ANY, N=None, equation=REQUIRED)
class Einsum:
    """The sum of the products of one or two inputs over the labels that the output lacks.

    A label that is repeated in an input takes the diagonal, in the output it fills one.
    """

    def shape(op):
        equation = op.attrs["equation"]
        terms, output = _terms(equation, len(op.inputs))
        sizes, repeated = {}, ()
        for i, (tensor, labels) in enumerate(zip(op.inputs, terms, strict=True)):
            complaint = f"\n\t for {i}th input and equation: {equation}"
            found = _labelled_dims(labels, tensor.dims, sizes, complaint)
            repeated = broadcast_dims(repeated, found)
        if _ELLIPSIS not in output:
            if repeated:
                raise ValueError(
                    f"Shape must be at most rank 0 but is rank {len(repeated)}\n\t for einsum "
                    f"equation '{equation}' without ellipsis (...) in the output subscripts "
                    "where input(s) have non-empty broadcasting shape"
                )
            repeated = ()
        if repeated is None:
            return None
        front, back = _split_at_ellipsis(output)
        return (*(sizes.get(x) for x in front), *repeated, *(sizes.get(x) for x in back))

    def kernel(*inputs, equation):
        terms, output = _terms(equation, len(inputs))
        spelled = _checked_labels(inputs, terms, output)
        most = max(sum(isinstance(label, int) for label in labels) for labels in spelled)
        output = _spelled_out(output, most + len([x for x in output if x != _ELLIPSIS]))
        reduced = []
        for i, (array, labels) in enumerate(zip(inputs, spelled, strict=True)):
            elsewhere = {label for other in spelled[:i] + spelled[i + 1 :] for label in other}
            reduced += _summed(array, labels, {*elsewhere, *output})
        result, labels = reduced if len(inputs) == 1 else _product(*reduced, output)
        distinct = list(dict.fromkeys(output))
        result = result.transpose([labels.index(label) for label in distinct])
        if len(distinct) == len(output):
            return result
        sizes = dict(zip(distinct, result.shape, strict=True))
        filled = np.zeros([sizes[label] for label in output], result.dtype)
        _diagonal(filled, output, distinct, writeable=True)[...] = result
        return filled

    def gradient(op, grad):
        left, output = op.attrs["equation"].split("->")
        if len(op.inputs) == 1:
            size = shape(op.inputs[0])
            lost = sorted(set(left) - set(output + _ELLIPSIS))
            if not lost:
                return Einsum([grad], equation=f"{output}->{left}")
            return _spread(grad, output, left, size, lost)
        x_term, y_term = left.split(",")
        if _ELLIPSIS in output:
            # The other input's ellipsis must have somewhere to go.
            x_term, y_term = (t if _ELLIPSIS in t else t + _ELLIPSIS for t in (x_term, y_term))
        x, y = op.inputs
        if grad.dtype.is_complex:
            x, y = conj(x), conj(y)
        x_shape, y_shape = shape(x), shape(y)
        grad_x = _partial(grad, y, x_shape, x_term, y_term, output)
        grad_y = _partial(grad, x, y_shape, y_term, x_term, output)
        if _ELLIPSIS not in output:
            return grad_x, grad_y
        x_part, y_part = _slice_of_ellipsis(x_term), _slice_of_ellipsis(y_term)
        known = all(t.dims is not None and None not in t.dims for t in (x, y))
        if known and x.dims[x_part] == y.dims[y_part]:
            return grad_x, grad_y
        x_axes, y_axes = BroadcastGradientArgs(x_shape[x_part], y_shape[y_part])
        return (
            reshape(reduce_sum(grad_x, x_part.start + x_axes), x_shape),
            reshape(reduce_sum(grad_y, y_part.start + y_axes), y_shape),
        )


# -- gradients ---------------------------------------------------------------------------


def _slice_of_ellipsis(term):
    """The axes that the ellipsis of a term stands for."""
    behind = len(term) - term.index(_ELLIPSIS) - len(_ELLIPSIS)
    return slice(term.index(_ELLIPSIS), -behind if behind else None)


def _axis_of(label, term):
    """The first axis of a label, counted from the end where it stands behind an ellipsis."""
    front, _, back = term.partition(_ELLIPSIS)
    return front.index(label) if label in front else back.index(label) - len(back)


def _partial(grad, other, size, term, other_term, output):
    """The gradient for one of two inputs, before it is summed over what was broadcast."""
    lost = sorted(set(term) - set(output + other_term + "."))
    kept = "".join(label for label in term if label not in lost)
    inner = Einsum([grad, other], equation=f"{output},{other_term}->{kept}")
    return _spread(inner, kept, term, size, lost) if lost else inner


def _spread(grad, output, term, size, lost):
    """The gradient of `term->output`, which sums over the labels in `lost`.

    Args:
      size: the shape of the input, a tensor.
    """
    axes = [_axis_of(label, term) for label in lost]
    sizes = stack([size[axis] for axis in axes])
    distinct = len(set(term)) + len(set(output)) == len(term) + len(output)
    if distinct and "".join(label for label in term if label not in lost) == output:
        return broadcast_to(reshape(grad, reduced_shape(size, convert_to_tensor(axes))), size)
    # First all that was summed goes in front, then each label to its place.
    wide = concat([sizes, shape(grad)], 0)
    narrow = concat([ones(len(lost), dtype="int32"), shape(grad)], 0)
    spread = broadcast_to(reshape(grad, narrow), wide)
    return Einsum([spread], equation=f"{''.join(lost)}{output}->{term}")


# -- tf.einsum ---------------------------------------------------------------------------

_BROADCAST = "0"  # what stands for an ellipsis while an equation is taken apart


def _resolved(equation, count):
    """The equation with its output said, and `_BROADCAST` for each ellipsis."""
    resolved = equation.replace(" ", "")
    allowed = "a-zA-Z"
    if _ELLIPSIS in equation:
        if _BROADCAST in resolved:
            raise ValueError(f'Invalid character "{_BROADCAST}" in equation: {equation}.')
        resolved = resolved.replace(_ELLIPSIS, _BROADCAST)
        allowed += _BROADCAST
    match = re.match(f"^([{allowed},]*)(->[{allowed}]*)?$", resolved)
    if not match:
        raise ValueError(f"Subscripts have incorrect format: {resolved}")
    left = match[1]
    terms = left.split(",")
    if count != len(terms):
        raise ValueError(f'Got {count} inputs for equation "{equation}", expecting {len(terms)}')
    if match[2] is None:
        counts = Counter(left)
        output = "".join(x for x in sorted(counts) if x != "," and counts[x] == 1)
        resolved = f"{left}->{output}"
    else:
        output = match[2][2:]
    if len(set(output)) != len(output):
        raise ValueError(f"Output subscripts contain a label appearing more than once: {equation}")
    for label in output:
        if label not in (*left, _BROADCAST):
            raise ValueError(
                f"Output subscripts contain the label {label} not present in the input subscripts."
            )
    return resolved, terms


def _guessed_shapes(equation, terms, inputs):
    """Shapes by which the order of many products is chosen; what is unknown counts as 1."""
    sizes = Counter()
    for i, (labels, tensor) in enumerate(zip(terms, inputs, strict=True)):
        if not tensor.dims:
            continue
        dims = list(tensor.dims)
        at = labels.find(_BROADCAST)
        if at != labels.rfind(_BROADCAST):
            term = labels.replace(_BROADCAST, _ELLIPSIS)
            raise ValueError(f"Too many ellipses in input label {term}.")
        if at < 0 and len(labels) != len(dims):
            raise ValueError(
                f"Number of named labels in input #{i} of equation {equation} must be equal to "
                f"the number of dimensions in shape {dims}"
            )
        if at >= 0:
            end = at + len(dims) + 1 - len(labels)
            if end < at:
                raise ValueError(
                    f"Too many named labels in {i}th subscript string of equation {equation} "
                    f"for input shape {dims} "
                )
            dims[at:end] = [math.prod(dim for dim in dims[at:end] if dim)]
        for label, dim in zip(labels, dims, strict=True):
            sizes[label] = max(sizes[label], dim or 1)
    return [tuple(max(sizes[label], 1) for label in labels) for labels in terms]


@export("einsum", "linalg.einsum")
def einsum(equation, *inputs, name=None, optimize="greedy", **others):
    """The sum of the products of tensors over the labels that the output lacks.

    Of three inputs and more, two are taken at a time, in the order that opt_einsum finds.

    Args:
      equation: such as "ij,jk->ik". Without "->" the output has the labels that occur once.
      inputs: one tensor for each term of the equation.
      optimize: how the order is searched, as `opt_einsum.contract_path` names it.

    Raises:
      ValueError: for an equation that cannot be, or other shapes than it says.
    """
    if others:
        raise TypeError(
            f"Invalid keyword arguments for einsum: {', '.join(others)}. "
            "Valid arguments: name, optimize, greedy."
        )
    with NameScope(name, "einsum", [equation, *inputs]):
        inputs = list(inputs)
        resolved, terms = _resolved(equation, len(inputs))
        if len(inputs) <= 2:
            return Einsum(inputs, equation=resolved.replace(_BROADCAST, _ELLIPSIS))
        from opt_einsum import contract_path

        inputs = [convert_to_tensor(tensor) for tensor in inputs]
        shapes = _guessed_shapes(equation, terms, inputs)
        steps = contract_path(
            resolved, *shapes, optimize=optimize, einsum_call=True, use_blas=True, shapes=True
        )[1]
        for places, _, step, *_ in steps:
            operands = [inputs.pop(place) for place in places]
            inputs.append(Einsum(operands, equation=step.replace(_BROADCAST, _ELLIPSIS)))
        return inputs[0]
