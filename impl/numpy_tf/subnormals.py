"""Subnormal numbers are zeros while a session runs, as they are in TensorFlow's kernels.

TensorFlow sets the processor so that results below the least normal number become 0, and so
that operands below it count as 0. The same two bits are set here, through the C library's
floating-point environment, whose layout is that of Linux on x86-64; elsewhere subnormal
numbers stay what they are.
"""

import ctypes
import platform
import sys

_FLUSH_RESULTS, _OPERANDS_ARE_ZERO = 0x8000, 0x0040
_SSE_CONTROL = 7  # which of the environment's 32-bit words
_Environment = ctypes.c_uint32 * 8  # an array, which C is given by its address


def _functions():
    """C's fegetenv and fesetenv, or None where the layout above is not theirs."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    library = ctypes.CDLL(None)
    try:
        functions = library.fegetenv, library.fesetenv
    except AttributeError:
        return None
    return functions


def _flushing(call):
    functions = _functions()
    if functions is None:
        return call
    get, put = functions
    during = _Environment()
    get(during)
    during[_SSE_CONTROL] |= _FLUSH_RESULTS | _OPERANDS_ARE_ZERO

    def flushed(function, *arguments):
        before = _Environment()
        get(before)
        put(during)
        try:
            return function(*arguments)
        finally:
            put(before)

    return flushed


def _call(function, *arguments):
    return function(*arguments)


flushed = _flushing(_call)
"""Calls `function(*arguments)` with subnormal numbers as zeros."""
