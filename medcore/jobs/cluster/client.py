"""Dask's client, which leaves no thread behind: neither where it cannot connect nor where its connection was lost."""

from __future__ import annotations

from functools import partial
from typing import Any

from distributed import Client, Security
from distributed.utils import sync

CLOSE_SECONDS = 1.0


class EndingClient(Client):  # type: ignore[misc]
    """A client that is connected in time or not at all, and whose event loop ends with it, however it ends.

    Dask's own waits for ever on a scheduler that takes the call and says nothing. It stops its loop in a ``close``
    that goes well; where the first connection fails, or the scheduler is lost and the client has closed by itself,
    thread, loop and sockets would stay as long as this process lives.
    """

    def start(self, **kwargs: Any) -> None:
        """Connect, or end what was begun.

        Raises:
            OSError: the scheduler does not answer in time.

        """
        self._loop_runner.start()
        try:
            sync(self._loop_runner.loop, self._start, callback_timeout=self._timeout, **kwargs)
        except BaseException:
            self.status = "closed"
            self._loop_runner.stop()
            raise

    def close(self, timeout: Any = CLOSE_SECONDS) -> None:
        """Close, and end the loop whatever comes of that."""
        try:
            super().close(timeout)
        finally:
            self._loop_runner.stop()


def let_in(address: str, security: Security, *, timeout: float, direct_to_workers: bool) -> EndingClient:
    """Become a client of a scheduler.

    Dask's own takes it for an error when the scheduler tells everybody something in the two milliseconds of its
    first word, as when a worker comes just then: it is asked once more.

    Raises:
        OSError: the scheduler does not answer in time.

    """
    make = partial(
        EndingClient,
        address,
        security=security,
        timeout=timeout,
        set_as_default=False,
        direct_to_workers=direct_to_workers,
    )
    try:
        return make()
    except AssertionError:
        return make()
