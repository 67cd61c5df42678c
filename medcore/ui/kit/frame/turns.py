"""Pages take turns: one after the other is drawn sooner than all at once.

One interpreter draws all pages. Fifty threads that share it each end as late as the last, and lose time in handing it
to and fro; in turns each is drawn in one go, first come, first drawn (decision 87).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.0
"""Whoever waited so long is drawn beside the others: one that computes for long does not hold up everybody."""


class _OfThisThread(threading.local):
    depth = 0
    held = False


_turn = threading.Semaphore()
_mine = _OfThisThread()


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn and hold it; within a turn, a part of a page has it already."""
    if _mine.depth == 0:
        _mine.held = _turn.acquire(timeout=PATIENCE_SECONDS)
    _mine.depth += 1
    try:
        yield
    finally:
        _mine.depth -= 1
        if _mine.depth == 0 and _mine.held:
            _mine.held = False
            _turn.release()


@contextmanager
def turn_passed_on() -> Iterator[None]:
    """Let others be drawn while this page waits for something."""
    held = _mine.held
    if held:
        _mine.held = False
        _turn.release()
    try:
        yield
    finally:
        if held:
            _mine.held = _turn.acquire(timeout=PATIENCE_SECONDS)
