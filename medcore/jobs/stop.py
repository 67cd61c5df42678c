"""A wish that work ends, carried from a page's button to whatever does the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from medcore.errors import CancelledError
from medcore.i18n import N_


class Stop:
    """Asked for once, from any thread; work says how it is ended while it is under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._ways: list[Callable[[], None]] = []
        self.of_worker = False
        """Whether a worker was asked to do the work, which then waits for one that starts."""

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def ask(self) -> None:
        """End what is under way; what begins later ends at once."""
        with self._lock:
            self._asked = True
            ways = list(self._ways)
        for end in ways:
            end()

    @contextmanager
    def ends(self, end: Callable[[], None]) -> Iterator[None]:
        """Say how the work of this block is ended.

        Raises:
            CancelledError: somebody asked before, and ``end`` was called at once, or while the block ran and it failed.

        """
        with self._lock:
            asked = self._asked
            if not asked:
                self._ways.append(end)
        if asked:
            end()
            raise stopped()
        try:
            yield
        except Exception:
            if self._asked:
                raise stopped() from None
            raise
        finally:
            with self._lock:
                self._ways.remove(end)


def stopped() -> CancelledError:
    """Return the one error that says that somebody stopped the work."""
    return CancelledError(N_("Stopped as you asked; nothing of it was kept."))
