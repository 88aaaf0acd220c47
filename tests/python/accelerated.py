"""For tests of the accelerator: whether this run has it, and what comes of a call."""

import struct

import atoll
import pytest

ACCELERATED = atoll.platform_info().accelerated

needed = pytest.mark.skipif(not ACCELERATED, reason="this run is by ctypes")


def outcome(call, *arguments):
    """What a call gives or raises, so that two can be compared."""
    try:
        result = call(*arguments)
    except BaseException as error:
        return type(error), str(error)
    if isinstance(result, float):
        return float, struct.pack("d", result)
    if isinstance(result, memoryview):
        return memoryview, result.format, result.shape, result.tobytes()
    return type(result), result
