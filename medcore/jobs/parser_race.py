"""Work that failed only because two threads were in Python's parser at once is run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def retry_parser_race(work: Callable[[], T]) -> T:
    """Run it; once more if it ended with the parser's race between threads.

    Before Python 3.12 the parser counts its recursion depth for all threads together and now and then raises
    SystemError in one of two (CPython issue 106905). Libraries call it in many places: NumPy for headers of
    files, ``inspect`` for signatures.

    >>> retry_parser_race(lambda: 3)
    3
    """
    try:
        return work()
    except SystemError as error:
        if "recursion depth mismatch" not in str(error):
            raise
        return work()
