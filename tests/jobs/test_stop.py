"""What is stopped from a page ends where it is done, and the worker goes on with other things."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from medcore import jobs
from medcore.errors import CancelledError, WorkerError
from medcore.jobs.cluster.interrupts import Interrupted, interrupt, interruptible
from medcore.settings import Settings


def ended(path: Path) -> bool:
    """Whether nobody counts in the file any more."""
    before = path.read_text() if path.exists() else ""  # it may have been ended before it began
    time.sleep(0.1)
    return (path.read_text() if path.exists() else "") == before


def test_work_that_looks_for_no_wish_to_stop_ends_on_the_worker(
    job_settings: Settings, work: ModuleType, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    counting, stop, errors = tmp_path / "counting", jobs.Stop(), list[Exception]()

    def ask() -> None:
        try:
            jobs.call(work.count_on, str(counting), stop=stop)
        except CancelledError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(counting.exists)
    stop.ask()
    asking.join(60)
    assert not asking.is_alive() and len(errors) == 1
    eventually(lambda: ended(counting))
    assert jobs.call(divmod, 7, 2) == (3, 1)


def test_work_whose_answer_does_not_come_in_time_ends_on_the_worker(
    job_settings: Settings, work: ModuleType, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    counting = tmp_path / "counting"
    with pytest.raises(WorkerError, match="did not answer"):
        jobs.call(work.count_on, str(counting), timeout=0.5)
    eventually(lambda: ended(counting))


def test_what_was_stopped_before_it_began_does_not_begin(job_settings: Settings, tmp_path: Path) -> None:
    stop = jobs.Stop()
    stop.ask()
    with pytest.raises(CancelledError):
        jobs.call((tmp_path / "made").touch, stop=stop)
    interrupt("not yet here")
    with pytest.raises(Interrupted), interruptible("not yet here"):
        (tmp_path / "made").touch()
    assert not (tmp_path / "made").exists()


def test_an_interrupt_reaches_the_work_it_was_meant_for_and_nothing_after_it() -> None:
    """Whenever it comes: in the midst of the work, at its end, or after."""
    n_interrupted = n_afterwards = 0
    for number in range(60):
        name = f"work {number}"
        timer = threading.Timer(0.0005 * (number % 6), interrupt, [name])
        timer.start()
        try:
            with interruptible(name):
                time.sleep(0.0015)
        except Interrupted:
            n_interrupted += 1
        timer.join()
        for _step in range(20):  # an exception on its way would strike here
            time.sleep(0.0002)
            n_afterwards += 1
    assert n_interrupted > 0
    assert n_afterwards == 60 * 20
