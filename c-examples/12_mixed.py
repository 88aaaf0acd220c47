"""The consumer that 12_mixed.cpp starts: python3 12_mixed.py SEGMENT"""

import ctypes
import sys

import atoll


class Sample(ctypes.Structure):
    _fields_ = [("number", ctypes.c_int64), ("value", ctypes.c_double)]


numbers, total = [], 0.0
with atoll.Segment(sys.argv[1]) as segment:
    samples = atoll.Spsc(segment, "samples", Sample)
    try:
        while True:
            sample = samples.get()
            numbers.append(sample.number)
            total += sample.value
    except atoll.Closed:
        pass  # all has been got, and no more will come

order = "in order" if numbers == list(range(len(numbers))) else "in disorder"
print(f"{len(numbers)} samples in Python, {order}, the sum is {total}")
