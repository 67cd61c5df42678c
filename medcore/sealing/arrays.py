"""Arrays in NumPy's own format, read without Python's parser."""

from __future__ import annotations

import re
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[biufcmMSU]\d+(?:\[\w+\])?)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), ?\} *\n"
)
"""What ``numpy.save`` writes of an array of numbers or texts (numpy.lib.format, version 1)."""


def array_of(data: bytes) -> NDArray[Any]:
    """Return the array whose ``.npy`` file this is; ValueError or EOFError where it is none, or holds pickled objects.

    NumPy hands the header to ``ast.literal_eval``. Before Python 3.12 all threads share that module's count
    of depth, and now and then one of two that are in it ends with SystemError (CPython issue 106905); the other one
    may be any library that starts just then, so that no lock of ours helps.
    """
    header = _HEADER.match(data, 10) if data[:8] == npy.magic(1, 0) else None
    if header is None or header.end() != 10 + int.from_bytes(data[8:10], "little"):
        other: NDArray[Any] = npy.read_array(BytesIO(data), allow_pickle=False)
        return other
    kind, by_columns, sizes = header.groups()
    shape = tuple(int(size) for size in sizes.split(b",") if size.strip())
    array = np.frombuffer(data, np.dtype(kind.decode()), prod(shape), header.end())
    return array.reshape(shape, order="F" if by_columns == b"True" else "C").copy(order="K")
