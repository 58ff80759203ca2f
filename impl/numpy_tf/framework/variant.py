"""Variant: a run-time value that is no array, such as a list of tensors."""

import numpy as np


class Variant:
    """What a tensor of dtype variant holds: immutable, and with zeros and sums of its own."""

    __slots__ = ()

    def zeros_like(self):
        """The zero of sums with values like this one."""
        raise NotImplementedError

    def added_to(self, other):
        """The sum of two such values; None where this and `other` do not fit together."""
        raise NotImplementedError


def zeros_like_value(value):
    """Zeros like an array or variant."""
    return value.zeros_like() if isinstance(value, Variant) else np.zeros_like(value)


def sum_of_values(a, b):
    """The sum of two arrays or two variants."""
    return a.added_to(b) if isinstance(a, Variant) else a + b
