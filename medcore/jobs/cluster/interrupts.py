"""Work on a worker that can be ended from outside, whatever it is.

An exception is raised in the thread that works (CPython's ``PyThreadState_SetAsyncExc``): it takes
effect at the next step of Python, so that native code ends what it is at. No function has to look
for a wish to stop.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

REMEMBERED = 1000
ABSORB_SECONDS = 0.05
_working: dict[str, int] = {}
"""By the name of a question, the thread that works on it. Single steps on a dictionary need no lock."""
_unwanted: deque[str] = deque(maxlen=REMEMBERED)


class Interrupted(BaseException):
    """Raised in the midst of work that nobody wants any more; no ``except Exception`` holds it up."""


@contextmanager
def interruptible(name: str) -> Iterator[None]:
    """Let the work of this block be ended by :func:`interrupt` under a name; raises Interrupted."""
    if name in _unwanted:
        raise Interrupted
    _working[name] = threading.get_ident()
    try:
        yield
    finally:
        if _working.pop(name, None) is None:  # taken: the exception came or is about to
            end = time.monotonic() + ABSORB_SECONDS
            while time.monotonic() < end:
                time.sleep(0.001)


def interrupt(name: str) -> bool:
    """End the work under a name on this machine, also if it has not begun; say whether it was under way."""
    _unwanted.append(name)
    thread = _working.pop(name, None)
    if thread is None:
        return False
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))
    return True
