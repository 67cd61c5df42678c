"""Candidates of one run fitted side by side: each uses one core well, and a machine has several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from medcore.errors import CancelledError
from medcore.models.contract.task import n_threads
from medcore.statistics.threads import one_blas_thread

MOST_ROWS = 20_000
"""Above, every candidate keeps all cores busy by itself, and several at once would need their memory together."""
Result = TypeVar("Result")


def portions(n: int) -> list[slice]:
    """Share n rows out, a portion for every core.

    >>> [(part.start, part.stop) for part in portions(0)]
    []
    """
    size = max(1, -(-n // n_threads()))
    return [slice(i, min(n, i + size)) for i in range(0, n, size)]


def side_by_side(questions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Answer questions on every core, in their order; the linear algebra of each has one thread."""
    with one_blas_thread(), ThreadPoolExecutor(n_threads()) as threads:
        return list(threads.map(lambda question: question(), questions))


def fit_concurrently(
    fit: Callable[[str], Result], names: Sequence[str], *, n_rows: int, halt: Callable[[], None]
) -> dict[str, Result]:
    """Return ``fit(name)`` of every name, begun in their order, several at a time on small tables.

    When one fails, ``halt`` is called so that the others may stop early, and its error
    is raised. Sums of the linear algebra library depend on its number of threads; it
    gets one while candidates share the machine, so that the same seed gives the same numbers.
    """
    if n_rows > MOST_ROWS or len(names) < 2 or n_threads() < 2:
        return {name: fit(name) for name in names}
    with one_blas_thread(), ThreadPoolExecutor(min(n_threads(), len(names))) as pool:
        futures = {name: pool.submit(fit, name) for name in names}
        if any(f.exception() for f in wait(futures.values(), return_when=FIRST_EXCEPTION).done):
            halt()
            for future in futures.values():
                future.cancel()
            wait(futures.values())
            raise _cause([f.exception() for f in futures.values() if not f.cancelled()])
    return {name: future.result() for name, future in futures.items()}


def _cause(errors: Sequence[BaseException | None]) -> BaseException:
    """Return the error that made the others stop."""
    found = [error for error in errors if error is not None]
    return next((error for error in found if not isinstance(error, CancelledError)), found[0])
