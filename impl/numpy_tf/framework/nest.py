"""Nested structures: lists, tuples, named tuples and dictionaries, the last sorted by key."""


def flatten(structure):
    """The leaves of a structure, in order; a leaf is its own only one."""
    leaves, pending = [], [structure]
    while pending:
        item = pending.pop()
        parts = _parts(item)
        if parts is None:
            leaves.append(item)
        else:
            pending.extend(reversed(parts))
    return leaves


def pack_sequence_as(structure, leaves):
    """A structure like `structure`, with other leaves.

    Raises:
      ValueError: when there are not as many as `structure` has.
    """
    leaves = list(leaves)
    count = len(flatten(structure))
    if count != len(leaves):
        raise ValueError(
            f"Structure had {count} atoms, but flat_sequence had {len(leaves)} items. "
            f"Structure: {structure}, flat_sequence: {leaves}"
        )
    return _packed(structure, iter(leaves))


def map_structure(function, structure):
    """The structure with `function` applied to each leaf."""
    return pack_sequence_as(structure, [function(leaf) for leaf in flatten(structure)])


def assert_same_structure(first, second, check_types=True, composites=False):
    """Checks that two structures nest the same way.

    Args:
      first, second: structures.
      check_types: whether a list and a tuple differ.
      composites: whether IndexedSlices and a tensor differ.

    Raises:
      ValueError: when one is nested deeper or longer than the other.
      TypeError: when they are sequences of different types.
    """
    pending = [(first, second)]
    while pending:
        a, b = pending.pop()
        parts_a, parts_b = _parts(a), _parts(b)
        if (parts_a is None) != (parts_b is None):
            raise _different(first, second, ValueError, f"{a} and {b} are not both sequences")
        if parts_a is None:
            if composites and hasattr(a, "indices") != hasattr(b, "indices"):
                raise _different(first, second, TypeError, f"{a} and {b} differ in kind")
            continue
        if check_types and type(a) is not type(b):
            raise _different(
                first, second, TypeError, f"{type(a).__name__} and {type(b).__name__} differ"
            )
        if len(parts_a) != len(parts_b):
            raise _different(
                first, second, ValueError, f"{len(parts_a)} and {len(parts_b)} elements"
            )
        pending.extend(zip(parts_a, parts_b, strict=True))


def _different(first, second, error_class, details):
    return error_class(
        f"The two structures don't have the same nested structure.\n\nFirst structure: {first}\n\n"
        f"Second structure: {second}\n\nMore specifically: {details}"
    )


def _parts(item):
    if isinstance(item, dict):
        return [item[key] for key in sorted(item)]
    return item if isinstance(item, (list, tuple)) else None


def _packed(structure, leaves):
    parts = _parts(structure)
    if parts is None:
        return next(leaves)
    packed = [_packed(part, leaves) for part in parts]
    if isinstance(structure, dict):
        by_key = dict(zip(sorted(structure), packed, strict=True))
        return type(structure)((key, by_key[key]) for key in structure)
    if hasattr(structure, "_fields"):
        return type(structure)(*packed)
    return type(structure)(packed)
