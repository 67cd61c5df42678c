"""A sign of life of a run at work, in its row, every few seconds, whatever the run is busy with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from medcore.jobs.logs import log_without_values
from medcore.studies import Store

BEAT_SECONDS = 5.0
SILENT_SECONDS = 60.0
"""A run that gave no sign of life for so long is at work nowhere: its worker is lost, stopped or out of reach."""


@contextmanager
def beating(store: Store, owner: str, run_id: str, attempt: int) -> Iterator[None]:
    """Give signs of life of an attempt for the length of a ``with`` block."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            try:
                store.beat(owner, run_id, attempt)
            except Exception as error:  # the database is out of reach for a moment; the next beat tries again
                log_without_values(error)

    thread = threading.Thread(target=beat, name="medcore-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
