"""The trials of a search on a real cluster of two workers: the same numbers, sooner."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from medcore import jobs
from medcore.data.preparation.recipe import prepare
from medcore.data.splitting.split import make_split
from medcore.errors import CancelledError, TargetError, WorkerError
from medcore.explanation.model import overview
from medcore.explanation.patient import worker_queries
from medcore.jobs.cluster.security import cluster_security
from medcore.jobs.runs.workers import ClusterWorkers, _trials_on_each_machine
from medcore.models.contract import candidate
from medcore.models.contract.candidate import candidates
from medcore.models.contract.progress import NullFollower, Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Fitted, ProgressReporter, Task, n_threads
from medcore.models.contract.workers import ThisProcess, Workers
from medcore.models.run.results import read_results
from medcore.models.run.training import task_of
from medcore.models.selection import search
from medcore.models.selection.search import fit_searched
from medcore.settings import Settings
from medcore.studies import RunRecord, Store, StudyRecord
from medcore.ui.patient.many.batch import Batch

Eventually = Callable[..., None]


@pytest.fixture(scope="module")
def n_workers() -> int:
    return 2


@pytest.fixture
def two_workers(job_settings: Settings, eventually: Eventually) -> None:
    eventually(lambda: jobs.ensure_cluster(job_settings).n_workers() == 2, 120)


@pytest.fixture
def workers(job_settings: Settings, two_workers: None) -> Iterator[ClusterWorkers]:
    """The workers, asked by this process."""
    from distributed import Client

    address = jobs.ensure_cluster(job_settings).client.scheduler.address
    workers = ClusterWorkers(lambda: Client(address, security=cluster_security(job_settings), set_as_default=False))
    yield workers
    workers.close()


class Listener(NullFollower):
    """Keeps what it is told, and does something once it has been told enough."""

    def __init__(self, after: int = 10**9, do: Callable[[], object] = lambda: None) -> None:
        self.after, self.do, self.seen = after, do, 0

    def report(self, progress: Progress, /) -> None:
        self.seen += 1
        if self.seen == self.after:
            self.do()


class Switch:
    """A wish to stop that can be made."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def cancelled(self) -> bool:
        return self.event.is_set()


@pytest.fixture
def task(job_study: StudyRecord, job_store: Store) -> Task:
    run = job_store.create_run("ann", job_study.id, TrainSettings())
    job_store.request_cancel("ann", run.id)
    inputs = job_store.run_inputs("ann", run.id)
    prepared = prepare(inputs.cohort, inputs.plan.recipe)
    settings = TrainSettings(search_minutes=60)
    return task_of(prepared, make_split(prepared, inputs.plan.split), settings)


@pytest.fixture
def searched(task: Task, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fitted]:
    quick = {n: replace(c, searched_by_auto=n in ("logistic", "boosting")) for n, c in candidates().items()}
    monkeypatch.setattr(candidate, "candidates", lambda _target=None: quick)
    monkeypatch.setattr(search, "MOST_TRIALS", 5)

    def fit(workers: Workers, follower: NullFollower | None = None) -> Fitted:
        return fit_searched(
            task, ProgressReporter(follower or NullFollower(), {"searched": 1.0}, model="searched", workers=workers)
        )

    return fit


@pytest.fixture(scope="module")
def found_alone() -> list[Fitted]:
    return []


@pytest.fixture
def alone(searched: Callable[..., Fitted], found_alone: list[Fitted]) -> Callable[[], Fitted]:
    """What the same search finds in this process by itself, made once for all that is held against it."""

    def fitted() -> Fitted:
        if not found_alone:
            found_alone.append(searched(ThisProcess()))
        return found_alone[0]

    return fitted


def assert_alike(one: Fitted, other: Fitted) -> None:
    assert one.search is not None and other.search is not None
    np.testing.assert_array_equal(one.oof, other.oof)
    for first, second in (
        (one.search.trials, other.search.trials),
        (one.search.fold_choices, other.search.fold_choices),
    ):
        assert [replace(t, seconds=0.0) for t in first] == [replace(t, seconds=0.0) for t in second]


def pids(workers: ClusterWorkers, work: ModuleType) -> set[int]:
    return {where["pid"] for where in workers.round(work.whereabouts, [1], range(6), NullFollower())}


def test_both_workers_do_the_steps_of_a_round_on_one_copy_of_the_data_each(
    workers: ClusterWorkers, work: ModuleType
) -> None:
    shared = list(range(1000))
    rounds = [list(workers.round(work.whereabouts, shared, range(6), NullFollower())) for _ in range(3)]
    assert all({where["step"] for where in one} == set(range(6)) for one in rounds)
    done = [where for one in rounds for where in one]
    assert len({where["pid"] for where in done}) == 2
    assert os.getpid() not in {where["pid"] for where in done}
    assert len({(where["pid"], where["copy"]) for where in done}) == 2
    assert {where["n_threads"] for where in done} == {max(1, n_threads() // 2)}


def test_a_search_spread_over_workers_has_the_numbers_of_one_alone(
    workers: ClusterWorkers, searched: Callable[..., Fitted], alone: Callable[[], Fitted]
) -> None:
    assert_alike(searched(workers), alone())


def test_a_search_whose_worker_is_killed_has_the_numbers_of_one_left_in_peace(
    workers: ClusterWorkers, searched: Callable[..., Fitted], alone: Callable[[], Fitted], work: ModuleType
) -> None:
    killed = min(pids(workers, work))
    disturbed = searched(workers, Listener(after=9, do=lambda: os.kill(killed, signal.SIGKILL)))
    assert killed not in pids(workers, work)
    assert_alike(disturbed, alone())


def test_a_step_that_takes_its_worker_down_is_done_again(
    workers: ClusterWorkers, work: ModuleType, tmp_path: Path
) -> None:
    assert sorted(workers.round(work.die_once, tmp_path, range(5), NullFollower())) == [0, 1, 4, 9, 16]
    assert (tmp_path / "tried").exists()


def test_data_that_was_lost_with_its_workers_is_sent_again(workers: ClusterWorkers, work: ModuleType) -> None:
    shared = [1]
    before = {where["pid"] for where in workers.round(work.whereabouts, shared, range(4), NullFollower())}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    after = list(workers.round(work.whereabouts, shared, range(4), NullFollower()))
    assert sorted(where["step"] for where in after) == [0, 1, 2, 3]
    assert not before & {where["pid"] for where in after}


def test_whoever_asks_to_stop_is_heard_and_so_are_the_workers(
    workers: ClusterWorkers, work: ModuleType, tmp_path: Path, eventually: Eventually
) -> None:
    switch = Switch()

    def stop_once_begun() -> None:
        eventually(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        switch.event.set()

    watcher = threading.Thread(target=stop_once_begun)
    watcher.start()
    with pytest.raises(CancelledError):
        list(workers.round(work.wait_to_be_stopped, tmp_path, range(6), switch))
    watcher.join()
    eventually(lambda: len(list(tmp_path.glob("heard-*"))) == 2)
    assert len(list(tmp_path.glob("begun-*"))) == 2
    assert len(pids(workers, work)) == 2


def test_a_round_that_is_left_early_is_given_up(
    workers: ClusterWorkers, work: ModuleType, tmp_path: Path, eventually: Eventually
) -> None:
    steps = [*range(3)]
    left = workers.round(work.die_once, tmp_path, steps, NullFollower())
    (tmp_path / "tried").touch()
    next(left)
    left.close()
    assert len(pids(workers, work)) == 2


def test_an_error_of_a_step_is_the_run_s_own(workers: ClusterWorkers, work: ModuleType) -> None:
    with pytest.raises(TargetError, match="The outcome has 1 class"):
        list(workers.round(work.refuse_step, None, range(3), NullFollower()))


def test_an_unforeseen_error_of_a_step_comes_without_its_text(
    workers: ClusterWorkers, work: ModuleType, job_settings: Settings
) -> None:
    with pytest.raises(WorkerError, match="ValueError") as raised:
        list(workers.round(work.stumble_at_step, None, range(3), NullFollower()))
    logs = "".join(p.read_text() for p in (job_settings.data_dir / "jobs").glob("*.log"))
    assert "Miller" not in str(raised.value) + logs


def test_a_cluster_that_cannot_be_reached_leaves_the_steps_to_this_process(work: ModuleType) -> None:
    asked = []

    def nobody() -> Any:
        asked.append(1)
        raise OSError("no scheduler")

    workers = ClusterWorkers(nobody)
    for _ in range(2):
        done = list(workers.round(work.whereabouts, [1], range(2), NullFollower()))
        assert {where["pid"] for where in done} == {os.getpid()}
    assert len(asked) == 1


def test_a_trial_shares_the_cores_with_those_on_its_own_machine_only() -> None:
    places = {"tls://10.0.0.1:40001": 1, "tls://10.0.0.1:40002": 3, "tls://[fe80::1]:7": 2}
    assert list(_trials_on_each_machine(places).values()) == [4, 4, 2]


@pytest.fixture
def start(job_store: Store, job_study: StudyRecord, two_workers: None) -> Callable[..., str]:
    def started(**changes: Any) -> str:
        settings = TrainSettings(**{"model": "logistic", "search_minutes": 0.25, **changes})
        return jobs.start_run(job_store, "ann", job_study.id, settings)

    return started


def n_bundles_opened() -> int:
    return int(worker_queries._kept_bundle.cache_info().currsize)


def test_a_worklist_is_explained_by_all_workers_with_the_numbers_of_one(
    start: Callable[..., str],
    finished: Callable[[str], RunRecord],
    job_settings: Settings,
    job_study: StudyRecord,
    job_store: Store,
    eventually: Eventually,
) -> None:
    run = finished(start(search_minutes=0))
    client = jobs.ensure_cluster(job_settings).client
    client.run(worker_queries.forget)
    frame = job_store.load_cohort("ann", job_study.id).frame.head(40)
    batch = Batch(jobs.ResultOf(job_settings, "ann", run.id), frame, "yes", piece_seconds=0.01)
    batch.start()

    def whole() -> bool:
        batch.look()
        return batch.finished

    eventually(whole)
    assert set(client.run(n_bundles_opened).values()) == {1}
    alone = overview.explain_table(job_store.result_folder("ann", run.id), frame, class_name="yes", scale="probability")
    found = batch.found
    assert found is not None and batch.done == 40
    np.testing.assert_array_equal(found.rows, alone.rows)
    np.testing.assert_array_equal(found.contributions, alone.contributions)
    np.testing.assert_array_equal(found.prediction, alone.prediction)


@pytest.fixture
def few_trials(job_settings: Settings, two_workers: None, work: ModuleType) -> Iterator[int]:
    """Let searches end after so many trials, whatever time there is."""
    client = jobs.ensure_cluster(job_settings).client
    usual = max(client.run(work.search_no_longer_than, 4).values())
    yield 4
    client.run(work.search_no_longer_than, usual)


def test_two_runs_that_search_at_once_both_finish_with_the_same_trials(
    start: Callable[..., str], finished: Callable[[str], RunRecord], job_store: Store, few_trials: int
) -> None:
    runs = [finished(run_id) for run_id in [start(seed=7, search_minutes=4) for _ in range(2)]]
    assert [run.state for run in runs] == ["done", "done"]
    trials = [read_results(job_store.result_folder("ann", run.id)).manifest["search"]["trials"] for run in runs]
    one, other = ([t | {"seconds": 0.0} for t in made] for made in trials)
    assert len(one) == few_trials
    assert one == other


def test_a_run_that_searches_stops_when_it_is_cancelled_and_leaves_nothing_on_the_workers(
    start: Callable[..., str], cancelled_without_rest: Callable[[str], None]
) -> None:
    cancelled_without_rest(start(search_minutes=60))
