"""Work that nobody waits for stands still on a worker while a question that somebody waits for is answered there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition

MOST_SECONDS = 2.0
"""How long it stands still at a time, so that it comes to an end beside any number of questions."""
_nobody_waits: ContextVar[bool] = ContextVar("medcore_nobody_waits", default=False)
_free = Condition()
_waited_for: list[object] = []
"""The questions that somebody waits for now, in this process."""


@contextmanager
def waited_for() -> Iterator[None]:
    """Let what nobody waits for stand still during this block."""
    question = object()
    with _free:
        _waited_for.append(question)
    try:
        yield
    finally:
        with _free:
            _waited_for.remove(question)
            _free.notify_all()


@contextmanager
def nobody_waits() -> Iterator[None]:
    """Let the work of this block stand still where it calls :func:`give_way`."""
    before = _nobody_waits.set(True)
    try:
        yield
    finally:
        _nobody_waits.reset(before)


def give_way() -> None:
    """Stand still while somebody waits for another answer, if nobody waits for this one."""
    if _nobody_waits.get():
        with _free:
            _free.wait_for(lambda: not _waited_for, MOST_SECONDS)
