"""Do what a process asks of a worker, on that worker: an answer or an error, and no argument in a log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from medcore.errors import MedcoreError, WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.interrupts import Interrupted, interruptible
from medcore.jobs.cluster.places import at_hand
from medcore.jobs.logs import log_without_values
from medcore.jobs.parser_race import retry_parser_race
from medcore.jobs.stop import stopped
from medcore.models.contract.giving_way import nobody_waits, waited_for


def answer(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str = "", urgent: bool = True
) -> tuple[Any, Any]:
    """Run on the worker: return ``(result, None)`` or ``(None, error)``, so that Dask logs no argument.

    What is not ``urgent`` stands still while this worker answers what is. Under a ``name`` it can be ended from outside. Settings and :class:`~medcore.jobs.cluster.places.ResultOf` become those of the worker's machine.
    """
    try:
        with waited_for() if urgent else nobody_waits(), interruptible(name) if name else nullcontext():
            here = {key: at_hand(value) for key, value in kwargs.items()}
            return retry_parser_race(lambda: function(*map(at_hand, args), **here)), None
    except Interrupted:
        return None, stopped()
    except MedcoreError as error:
        return None, error
    except Exception as error:
        log_without_values(error)
        return None, WorkerError(
            N_("The worker could not answer ({kind}). worker.log in the data folder says where."),
            kind=type(error).__name__,
        )
