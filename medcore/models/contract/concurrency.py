"""Candidates of one run fitted side by side: each uses one core well, and a machine has several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from medcore.errors import CancelledError
from medcore.models.contract.task import n_threads

MOST_ROWS = 20_000
"""Above, every candidate keeps all cores busy by itself, and several at once would need their memory together."""
Result = TypeVar("Result")


@dataclass(slots=True)
class _Limit:
    """How many pieces of work want one thread now; the library knows only one number for the whole process."""

    lock: Any = field(default_factory=Lock)
    n: int = 0
    limits: Any = None


_limit = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Give the linear algebra library one thread, until the last of those that asked for it is done.

    Nested limits of threadpoolctl put back what they found: of two that overlap in
    time, the first to end would give the other its threads back in the middle.
    """
    with _limit.lock:
        if _limit.n == 0:
            _limit.limits = threadpool_limits(1, user_api="blas")
        _limit.n += 1
    try:
        yield
    finally:
        with _limit.lock:
            _limit.n -= 1
            if _limit.n == 0:
                _limit.limits.restore_original_limits()


def portions(n: int) -> list[slice]:
    """Share n rows out, a portion for every core.

    >>> [(part.start, part.stop) for part in portions(0)]
    []
    """
    size = max(1, -(-n // n_threads()))
    return [slice(i, min(n, i + size)) for i in range(0, n, size)]


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
