"""What fails on a worker by chance, through no fault of the work, is done once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def despite_chance(work: Callable[[], T]) -> T:
    """Do it; once more if two threads met in Python's parser.

    Before Python 3.12 that counts its depth for all threads together (CPython issue 106905), and libraries
    call it where nobody thinks of it: NumPy for headers of files, ``inspect`` for signatures.

    >>> despite_chance(lambda: 3)
    3
    """
    try:
        return work()
    except SystemError as error:
        if "recursion depth mismatch" not in str(error):
            raise
        return work()
