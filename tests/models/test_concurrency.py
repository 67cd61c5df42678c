import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from medcore.errors import CancelledError, SettingsError
from medcore.models.contract.concurrency import MOST_ROWS, fit_concurrently
from medcore.models.contract.progress import NullFollower, Progress
from medcore.models.contract.task import ProgressReporter, n_threads, sharing_the_machine
from medcore.statistics.threads import one_blas_thread

NAMES = ("network", "forest", "logistic")


class _Listener(NullFollower):
    def __init__(self) -> None:
        self.heard: list[Progress] = []

    def report(self, progress: Progress, /) -> None:
        self.heard.append(progress)


def test_every_candidate_is_fitted_under_its_own_name():
    assert fit_concurrently(str.upper, NAMES, n_rows=100, halt=lambda: None) == {name: name.upper() for name in NAMES}


def test_a_large_table_is_fitted_one_candidate_after_another_in_order():
    order = []
    fit_concurrently(order.append, NAMES, n_rows=MOST_ROWS + 1, halt=lambda: None)
    assert tuple(order) == NAMES


def test_the_error_of_a_candidate_is_raised_and_the_others_stop_early():
    reporter = ProgressReporter(NullFollower(), dict.fromkeys(NAMES, 1.0))
    began = threading.Event()

    def fit(name: str) -> None:
        own = reporter.of(name)
        if name == "network":
            began.wait(10)
            raise SettingsError("the training diverged")
        began.set()
        for _ in range(100_000):
            own.tell("folds", 0.5)

    with pytest.raises(SettingsError, match="diverged"):
        fit_concurrently(fit, NAMES, n_rows=100 if n_threads() > 1 else MOST_ROWS + 1, halt=reporter.halt)


def test_a_cancelled_run_stops_in_every_candidate():
    class Impatient(NullFollower):
        def cancelled(self) -> bool:
            return True

    reporter = ProgressReporter(Impatient(), dict.fromkeys(NAMES, 1.0))
    with pytest.raises(CancelledError):
        fit_concurrently(reporter.of, NAMES, n_rows=100, halt=reporter.halt)


def test_the_fraction_of_a_run_adds_up_over_candidates_that_work_at_the_same_time():
    listener = _Listener()
    reporter = ProgressReporter(listener, {"network": 3.0, "forest": 1.0})
    network, forest = reporter.of("network"), reporter.of("forest")
    network.tell("folds", 0.5)
    forest.tell("folds", 1.0)
    network.finish()
    network.of("forest", "final")
    assert [round(p.fraction, 3) for p in listener.heard] == [0.0, 0.0, 0.375, 0.625, 0.75]


def test_moments_of_a_candidate_without_epochs_are_told_apart():
    listener = _Listener()
    reporter = ProgressReporter(listener, {"forest": 1.0}).of("forest")
    reporter.tell("folds", 0.5)
    reporter.tell("folds", 0.7)
    assert len({(p.stage, p.model, p.epoch) for p in listener.heard}) == 3


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_the_linear_algebra_keeps_one_thread_until_the_last_of_two_that_overlap_is_done():
    with threadpool_limits(2, user_api="blas"):
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}


def test_work_that_shares_the_machine_uses_its_part_of_the_cores():
    cores = n_threads()
    with sharing_the_machine(2):
        assert n_threads() == max(1, cores // 2)
        with sharing_the_machine(10_000):
            assert n_threads() == 1
    assert n_threads() == cores
