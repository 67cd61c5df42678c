"""How many threads the linear algebra library has: one number for the whole process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


@dataclass(slots=True)
class _Limit:
    """How many pieces of work want one thread now; the library knows only one number for the whole process."""

    lock: Any = field(default_factory=Lock)
    n: int = 0
    limits: Any = None
    libraries: ThreadpoolController | None = None
    n_modules: int = 0

    def known(self) -> ThreadpoolController:
        """Return what knows the process's libraries, which takes six milliseconds to find out: anew only where a module came."""
        if self.libraries is None or self.n_modules != len(sys.modules):
            self.libraries, self.n_modules = ThreadpoolController(), len(sys.modules)
        return self.libraries


_limit = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Give the linear algebra library one thread, until the last of those that asked for it is done.

    Nested limits of threadpoolctl put back what they found: of two that overlap in
    time, the first to end would give the other its threads back in the middle.
    """
    with _limit.lock:
        if _limit.n == 0:
            _limit.limits = _limit.known().limit(limits=1, user_api="blas")
        _limit.n += 1
    try:
        yield
    finally:
        with _limit.lock:
            _limit.n -= 1
            if _limit.n == 0:
                _limit.limits.restore_original_limits()
