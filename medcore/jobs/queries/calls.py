"""Questions that a worker answers while a page waits: predict, explain."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from medcore.errors import MedcoreError, WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.answer import answer
from medcore.jobs.cluster.connection import Connection, connected
from medcore.jobs.cluster.interrupts import interrupt
from medcore.jobs.cluster.packed import Packed, do
from medcore.jobs.stop import Stop, stopped
from medcore.settings import Settings

T = TypeVar("T")

CALL_SECONDS = 120.0
URGENT, IN_THE_BACKGROUND = 10, 5
"""What a worker begins with (the highest first) when several questions wait; runs are numbered down from 0."""


def call(
    function: Callable[..., T],
    *args: Any,
    timeout: float = CALL_SECONDS,
    stop: Stop | None = None,
    urgent: bool = True,
    **kwargs: Any,
) -> T:
    """Run a function of medcore on a warm worker and return its result.

    Takes 10–20 ms more than the function itself. Function and arguments must be
    importable and picklable. What is not ``urgent`` lets others' questions go before it. A worker lost on the way is waited for and asked
    again, within ``timeout`` seconds. ``stop`` ends the work also on the worker, at its next step
    of Python; so does an answer that does not come in time.

    Raises:
        CancelledError: somebody asked to stop.
        MedcoreError: the one the function raised.
        WorkerError: the function failed otherwise, or no answer came in time.

    """
    settings, stop = Settings.from_env(), stop or Stop()
    if stop.asked:  # else a worker might be quicker than the word that nobody wants it
        raise stopped()
    stop.of_worker = True
    for final in (False, True):
        connection = connected(settings)
        outcome = _ask(connection, function, args, kwargs, timeout=timeout, stop=stop, urgent=urgent)
        if outcome is not None or final:
            break
    if outcome is None:
        raise WorkerError(N_("The connection to the worker was lost. Try again in a moment."))
    answer, error = outcome
    if error is not None:
        raise error
    result: T = answer
    return result


def _interrupt(connection: Connection, name: str) -> None:
    """Tell every worker: one of them has it. A worker that is at native code answers when that is over."""
    with suppress(Exception):  # the connection was lost: so was the work
        connection.client.run(interrupt, name, on_error="ignore")


def _ask(
    connection: Connection,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    timeout: float,
    stop: Stop,
    urgent: bool,
) -> tuple[Any, MedcoreError | None] | None:
    from concurrent.futures import CancelledError

    from distributed import TimeoutError as DaskTimeoutError

    name = f"call-{uuid.uuid4().hex}"
    priority = URGENT if urgent else IN_THE_BACKGROUND
    question = Packed.of(answer, function, args, kwargs, name, urgent)
    future = connection.client.submit(do, question, key=name, pure=False, priority=priority)

    def end() -> None:
        future.cancel()
        threading.Thread(target=_interrupt, args=(connection, name), daemon=True).start()

    try:
        with stop.ends(end):
            outcome: tuple[Any, MedcoreError | None] = future.result(timeout=timeout)
    except (TimeoutError, DaskTimeoutError):
        end()
        raise WorkerError(
            N_("The worker did not answer within {seconds} seconds. It may be busy; try again."), seconds=f"{timeout:g}"
        ) from None
    except (CancelledError, OSError):  # a worker that was lost
        return None
    else:
        return outcome
    finally:
        future.release()
