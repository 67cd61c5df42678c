import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from medcore import jobs
from medcore.errors import TargetError, WorkerError
from medcore.jobs.runs.hand_over import hand_over
from medcore.jobs.runs.perform import MOST_ATTEMPTS
from medcore.models.contract.settings import TrainSettings
from medcore.settings import ROOT, Settings
from medcore.studies import RunRecord, Store, StudyRecord

Start = Callable[..., str]


class Unreadable:
    """Work of another version of medcore: the cluster cannot unpickle it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, ("medcore.of_another_version",)


@pytest.fixture
def start(job_settings: Settings, job_store: Store, job_study: StudyRecord) -> Start:
    """Start a run of the made table with some work; ``pause`` is how long an epoch takes."""

    def started(work: Any, *, epochs: int = 40, pause: float = 0.01, seed: int = 0) -> str:
        settings = TrainSettings(epochs=epochs, learning_rate=pause, seed=seed)
        connection = jobs.ensure_cluster(job_settings)
        run_id = job_store.create_run("ann", job_study.id, settings).id
        hand_over(job_settings, connection, work=work)
        return run_id

    return started


@pytest.fixture
def ended(job_store: Store, eventually: Callable[..., None]) -> Callable[[str], RunRecord]:
    def wait(run_id: str) -> RunRecord:
        eventually(lambda: not job_store.get_run("ann", run_id).unfinished)
        return job_store.get_run("ann", run_id)

    return wait


def killed_between_epochs(checkpoint: Path, told: Callable[[], int]) -> bool:
    """Kill a worker where the epoch it has kept was told as well; let it go on where it was not.

    Between the two lies an instant, and on a busy machine the way of what is told through the scheduler.
    """
    state = json.loads(checkpoint.read_bytes() or b"{}")
    if not state:
        return False
    worker = state["pids"][-1]
    os.kill(worker, signal.SIGSTOP)
    if kept := checkpoint.read_bytes():
        for _look in range(20):
            if told() == json.loads(kept)["epoch"]:
                os.kill(worker, signal.SIGKILL)
                return True
            time.sleep(0.01)
    os.kill(worker, signal.SIGCONT)
    return False


def test_a_run_is_done_and_its_results_and_progress_are_in_the_store(
    start: Start,
    ended: Callable[[str], RunRecord],
    job_store: Store,
    work: ModuleType,
    eventually: Callable[..., None],
) -> None:
    run = ended(start(work.descend))
    assert run.state == "done"
    folder = job_store.result_folder("ann", run.id)
    assert json.loads((folder / "weights.json").read_bytes()) == run.summary["weights"]
    assert [p.progress.epoch for p in job_store.progress("ann", run.id)] == list(range(1, 41))
    checkpoint = job_store.settings.data_dir / "checkpoints" / run.id
    eventually(lambda: not checkpoint.exists())  # it goes after the run was told done, so that none is lost between


def test_a_run_whose_worker_is_killed_finishes_by_itself_with_the_same_numbers(
    start: Start,
    ended: Callable[[str], RunRecord],
    job_store: Store,
    work: ModuleType,
    eventually: Callable[..., None],
) -> None:
    whole = ended(start(work.descend, epochs=60, pause=0.0001, seed=5))
    run_id = start(work.descend, epochs=60, pause=0.05, seed=5)
    eventually(lambda: len(job_store.progress("ann", run_id)) > 10)
    checkpoint = job_store.checkpoint_dir(run_id) / "state.json"
    eventually(lambda: killed_between_epochs(checkpoint, lambda: len(job_store.progress("ann", run_id))))
    run = ended(run_id)
    assert (run.state, run.attempt) == ("done", 2)
    assert len(set(run.summary["pids"])) == 2
    assert run.summary["weights"] == whole.summary["weights"]
    epochs = [p.progress.epoch for p in job_store.progress("ann", run_id)]
    assert sorted(epochs) == list(range(1, 61))


WEB_SERVER = """
import time, medcore_test_work
from medcore import jobs
from medcore.jobs.cluster import processes
from medcore.jobs.runs.hand_over import hand_over
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
processes.fingerprint = lambda _settings: "as tested"
settings = Settings.from_env()
store, connection = Store(settings), jobs.ensure_cluster(settings)
run = store.create_run("ann", store.list_studies("ann")[0].id, TrainSettings(epochs=60, learning_rate=0.05))
hand_over(settings, connection, work=medcore_test_work.descend)
print(run.id, flush=True)
time.sleep(60)
"""


def test_a_run_outlives_the_web_server_that_started_it(
    ended: Callable[[str], RunRecord], job_store: Store, job_study: StudyRecord, eventually: Callable[..., None]
) -> None:
    server = subprocess.Popen([sys.executable, "-c", WEB_SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    run_id = server.stdout.readline().strip()
    eventually(lambda: len(job_store.progress("ann", run_id)) > 3)
    server.kill()
    server.communicate()
    assert job_store.get_run("ann", run_id).state == "running"
    run = ended(run_id)
    assert (run.state, run.attempt) == ("done", 1)
    assert len(job_store.progress("ann", run_id)) == 60


def test_a_working_run_stops_soon_after_being_asked(
    start: Start,
    ended: Callable[[str], RunRecord],
    job_store: Store,
    work: ModuleType,
    eventually: Callable[..., None],
) -> None:
    run_id = start(work.descend, epochs=1000, pause=0.2)
    eventually(lambda: len(job_store.progress("ann", run_id)) >= 2)
    jobs.cancel_run(job_store, "ann", run_id)
    assert ended(run_id).state == "cancelled"
    assert len(job_store.progress("ann", run_id)) < 100


def test_runs_wait_for_each_other_and_a_waiting_one_can_be_cancelled(
    start: Start,
    ended: Callable[[str], RunRecord],
    job_store: Store,
    work: ModuleType,
    eventually: Callable[..., None],
) -> None:
    first = start(work.descend, epochs=1000, pause=0.05)
    eventually(lambda: job_store.get_run("ann", first).state == "running")
    second = start(work.descend)
    time.sleep(0.5)
    assert job_store.get_run("ann", second).state == "queued"
    assert jobs.call(os.getpid, timeout=60) > 0, "pages are answered while a run works"
    assert jobs.cancel_run(job_store, "ann", second).state == "cancelled"
    jobs.cancel_run(job_store, "ann", first)
    assert ended(first).state == "cancelled"
    assert job_store.get_run("ann", second).attempt == 0


def test_one_run_of_somebody_else_is_done_before_the_rest_of_five(
    start: Start,
    job_settings: Settings,
    job_store: Store,
    job_study: StudyRecord,
    work: ModuleType,
    eventually: Callable[..., None],
) -> None:
    """Ann queues five runs, Bob one after them: his is the second or third that is done."""
    many = [start(work.descend, epochs=20, pause=0.02) for _ in range(5)]
    eventually(lambda: job_store.get_run("ann", many[0]).state != "queued")
    study = job_store.create_study("bob", "Made", job_store.load_cohort("ann", job_study.id))
    connection = jobs.ensure_cluster(job_settings)  # before there is his run, which it would have trained in earnest
    late = job_store.create_run("bob", study.id, TrainSettings(epochs=20, learning_rate=0.02)).id
    place = job_store.place_in_queue("bob", late)
    assert place is None or place.number == 1
    hand_over(job_settings, connection, work=work.descend)
    eventually(lambda: not job_store.get_run("bob", late).unfinished, 120)
    begun = [run for run in many if job_store.get_run("ann", run).state != "queued"]
    assert job_store.get_run("bob", late).state == "done" and len(begun) <= 3
    eventually(lambda: all(not job_store.get_run("ann", run).unfinished for run in many), 120)


def test_the_persons_fault_is_told_as_the_error_it_is(
    start: Start, ended: Callable[[str], RunRecord], work: ModuleType
) -> None:
    run = ended(start(work.refuse))
    assert run.state == "failed"
    assert isinstance(run.error, TargetError)


def test_an_unforeseen_failure_tells_its_kind_and_no_value(
    start: Start, ended: Callable[[str], RunRecord], work: ModuleType, job_settings: Settings
) -> None:
    run = ended(start(work.stumble))
    assert isinstance(run.error, WorkerError)
    assert "ValueError" in str(run.error)
    logs = "".join(p.read_text() for p in (job_settings.data_dir / "jobs").glob("*.log"))
    assert "ValueError at medcore_test_work.py" in logs
    assert "Miller" not in str(run.error) + logs


def test_a_run_that_no_worker_can_understand_fails_and_says_so(start: Start, ended: Callable[[str], RunRecord]) -> None:
    run = ended(start(Unreadable()))
    assert run.state == "failed"
    assert "could not take this run" in str(run.error)


def test_a_run_that_always_takes_its_worker_down_fails_in_the_end_and_says_why(
    start: Start, ended: Callable[[str], RunRecord], work: ModuleType, job_store: Store, job_study: StudyRecord
) -> None:
    run_id = start(work.descend, epochs=1000, pause=0.05)
    for _ in range(MOST_ATTEMPTS):
        job_store.begin_attempt("ann", run_id)
    assert job_store.get_run("ann", run_id).unfinished
    from medcore.jobs.runs.perform import perform_run

    perform_run(job_store.settings, "ann", run_id, work.descend)
    run = ended(run_id)
    assert run.state == "failed"
    assert "lost" in str(run.error) and "memory" in str(run.error)
