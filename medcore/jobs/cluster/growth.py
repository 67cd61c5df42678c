"""A worker that has grown is begun anew when nobody needs it.

TensorFlow keeps every program it has compiled as long as its process lives: 23 studies of as
many shapes with networks took a worker from 0.9 to 2.1 GB, some 55 MB each, for good. What
Python and the C library hold beyond need is given back after every run; the rest only the
end of the process gives back.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

logger = logging.getLogger("medcore.jobs")

LOOK_EVERY_SECONDS = 5.0
MOST_GROWTH_BYTES = 1 << 30
"""How much more than at its start an idle worker may hold: some twenty studies of other shapes."""
QUIET_SECONDS = 60.0
"""How long nothing must have been asked of it: a person who reads a page is not made to wait for another worker."""


@dataclass(slots=True)
class Growth:
    """What a worker held at its start, and since when it is idle."""

    at_start: int
    most: int = MOST_GROWTH_BYTES
    quiet: float = QUIET_SECONDS
    last_busy: float = field(default_factory=time.monotonic)

    def too_much(self, held: int, *, busy: bool, moment: float) -> bool:
        """Whether a worker that holds so many bytes should be begun anew now."""
        if busy:
            self.last_busy = moment
        return held - self.at_start > self.most and moment - self.last_busy >= self.quiet


def watch_growth(worker: Any) -> None:
    """Look every few seconds whether a worker has grown and is idle; its nanny starts it again."""
    from tornado.ioloop import PeriodicCallback

    process = psutil.Process()
    growth = Growth(process.memory_info().rss)

    async def look() -> None:
        state = worker.state
        busy = bool(state.executing or state.long_running or state.in_flight_tasks)
        held = process.memory_info().rss
        if growth.too_much(held, busy=busy, moment=time.monotonic()):
            callback.stop()
            logger.warning("The worker has grown to %d MB and is begun anew", held // 2**20)
            await worker.close_gracefully(restart=True, reason="medcore-grown")

    callback = PeriodicCallback(look, LOOK_EVERY_SECONDS * 1000)
    callback.start()


def give_memory_back() -> None:
    """Give the system what Python and the C library hold and nobody uses; some milliseconds."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU C library's
    if trim is not None:
        trim(0)
