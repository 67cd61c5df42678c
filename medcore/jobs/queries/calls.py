"""Questions that a worker answers while a page waits: predict, explain."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from medcore.errors import MedcoreError, WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.answer import answer
from medcore.jobs.cluster.connection import Connection, connected
from medcore.settings import Settings

T = TypeVar("T")

CALL_SECONDS = 120.0


def call(function: Callable[..., T], *args: Any, timeout: float = CALL_SECONDS, **kwargs: Any) -> T:
    """Run a function of medcore on a warm worker and return its result.

    Takes 10–20 ms more than the function itself. Function and arguments must be
    importable and picklable. A worker lost on the way is waited for and asked
    again, within ``timeout`` seconds.

    Raises:
        MedcoreError: the one the function raised.
        WorkerError: the function failed otherwise, or no answer came in time.

    """
    settings = Settings.from_env()
    for final in (False, True):
        connection = connected(settings)
        outcome = _ask(connection, function, args, kwargs, timeout=timeout)
        if outcome is not None or final:
            break
    if outcome is None:
        raise WorkerError(N_("The connection to the worker was lost. Try again in a moment."))
    answer, error = outcome
    if error is not None:
        raise error
    result: T = answer
    return result


def _ask(
    connection: Connection,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    timeout: float,
) -> tuple[Any, MedcoreError | None] | None:
    from concurrent.futures import CancelledError

    from distributed import TimeoutError as DaskTimeoutError

    future = connection.client.submit(
        answer, function, args, kwargs, key=f"call-{uuid.uuid4().hex}", pure=False, priority=10
    )
    try:
        outcome: tuple[Any, MedcoreError | None] = future.result(timeout=timeout)
    except (TimeoutError, DaskTimeoutError):
        raise WorkerError(
            N_("The worker did not answer within {seconds} seconds. It may be busy; try again."), seconds=f"{timeout:g}"
        ) from None
    except (CancelledError, OSError):
        return None
    else:
        return outcome
    finally:
        future.release()  # type: ignore[no-untyped-call]
