import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from medcore import jobs
from medcore.errors import WorkerError
from medcore.jobs.cluster.processes import LocalCluster
from medcore.jobs.runs import hand_over as hand_over_module
from medcore.jobs.runs import supervisor
from medcore.jobs.runs.hand_over import hand_over, hand_over_again
from medcore.jobs.runs.supervisor import mended
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import RunRecord, Store, StudyRecord
from medcore.upkeep.health import health
from medcore.upkeep.metrics import metrics

Eventually = Callable[..., None]
Finished = Callable[[str], RunRecord]


@pytest.fixture
def watched(job_settings: Settings, eventually: Eventually) -> LocalCluster:
    """A cluster that is looked after as in a web server, and ready."""
    jobs.keep_warm(job_settings)
    eventually(lambda: jobs.worker_ready(job_settings), 120)
    cluster = LocalCluster.read(job_settings)
    assert cluster is not None
    return cluster


@pytest.fixture
def at_work(
    watched: LocalCluster, job_settings: Settings, job_store: Store, job_study: StudyRecord, work: ModuleType,
    eventually: Eventually,
) -> str:  # fmt: skip
    """A run in its middle, which only a second attempt can end: a first one that is not lost would stay for ever."""
    settings = TrainSettings(epochs=60, learning_rate=0.02, seed=5)
    connection = jobs.ensure_cluster(job_settings)
    run_id = job_store.create_run("ann", job_study.id, settings).id
    hand_over(job_settings, connection, work=work.descend_in_two_attempts)
    eventually(lambda: len(job_store.progress("ann", run_id)) > 5)
    return run_id


def test_a_lost_nanny_is_replaced_and_its_run_goes_on_by_itself(
    watched: LocalCluster, at_work: str, job_settings: Settings, job_store: Store, finished: Finished
) -> None:
    os.kill(watched.worker.pid, signal.SIGKILL)
    run = finished(at_work)
    assert (run.state, run.attempt) == ("done", 2)
    cluster = LocalCluster.read(job_settings)
    assert cluster is not None
    assert (cluster.scheduler, cluster.worker == watched.worker) == (watched.scheduler, False)
    epochs = [p.progress.epoch for p in job_store.progress("ann", at_work)]
    assert len(epochs) == len({*epochs})
    assert max(epochs) == 60


def test_a_worker_and_its_parent_lost_while_starting_come_back(
    watched: LocalCluster, job_settings: Settings, eventually: Eventually
) -> None:
    def changed(old: LocalCluster) -> bool:
        cluster = LocalCluster.read(job_settings)
        return cluster is not None and cluster.worker != old.worker and cluster.worker.alive()

    assert health(job_settings).well
    os.kill(watched.worker.pid, signal.SIGKILL)
    # A new one may be there before anybody looked: it starts in half a second.
    eventually(lambda: not health(job_settings).well or changed(watched))
    eventually(lambda: changed(watched))
    assert mended(job_settings)[0] >= 1
    starting = LocalCluster.read(job_settings)
    assert starting is not None
    for process in reversed(starting.worker.family()):
        process.kill()
    eventually(lambda: changed(starting))
    eventually(lambda: health(job_settings).well, 120)


def test_a_lost_scheduler_is_replaced_and_its_run_goes_on_by_itself(
    watched: LocalCluster, at_work: str, job_settings: Settings, work: ModuleType, finished: Finished,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(hand_over_module, "train_study", work.descend)
    os.kill(watched.scheduler.pid, signal.SIGKILL)
    run = finished(at_work)
    assert run.state == "done"
    assert run.attempt >= 2


def test_a_run_at_work_gives_signs_of_life(
    watched: LocalCluster, job_settings: Settings, job_store: Store, job_study: StudyRecord, work: ModuleType,
    finished: Finished, eventually: Eventually,
) -> None:  # fmt: skip
    connection = jobs.ensure_cluster(job_settings)
    run_id = job_store.create_run("ann", job_study.id, TrainSettings(epochs=60, learning_rate=0.05)).id
    hand_over(job_settings, connection, work=work.descend)
    eventually(lambda: len(job_store.progress("ann", run_id)) > 5)
    assert job_store.silent_runs(30.0) == ()
    owner, _, attempt = next(run for run in job_store.silent_runs(0.0) if run[1] == run_id)
    assert (owner, attempt) == ("ann", 1)
    assert run_id in connection.handed_over
    assert finished(run_id).state == "done"
    # Held no more once it is over, here nor by the scheduler: a web server lives for months.
    eventually(lambda: hand_over(job_settings, connection) == 0 and run_id not in connection.handed_over)


def test_a_run_that_is_at_work_nowhere_is_handed_over_again_once(
    watched: LocalCluster, job_settings: Settings, job_store: Store, job_study: StudyRecord, work: ModuleType,
    finished: Finished, eventually: Eventually, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    jobs.stop_keeping(job_settings)
    eventually(lambda: "medcore-supervisor" not in {thread.name for thread in threading.enumerate()})
    connection = jobs.ensure_cluster(job_settings)
    run_id = job_store.create_run("ann", job_study.id, TrainSettings(epochs=20, learning_rate=0.01)).id
    assert job_store.begin_attempt("ann", run_id) is not None  # by a worker that was lost with it
    assert hand_over_again(job_settings, connection, work=work.descend) == 0  # it was seen alive a moment ago
    monkeypatch.setattr(hand_over_module, "SILENT_SECONDS", 0.1)
    time.sleep(0.2)
    assert hand_over_again(job_settings, connection, work=work.descend) == 1
    assert hand_over_again(job_settings, connection, work=work.descend) == 0
    assert finished(run_id).state == "done"


def test_a_worker_that_ends_each_time_is_told_and_begun_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nobody:
        def n_workers(self) -> int:
            return 0

    def refuses(_settings: Settings) -> None:
        raise WorkerError("Nobody is there.")

    one = supervisor._Supervisor(Settings(tmp_path, "sqlite://", "memory://"))
    monkeypatch.setattr(supervisor, "ensure_cluster", lambda _settings: Nobody())
    monkeypatch.setattr(supervisor, "replace_lost_worker", lambda _settings: True)
    told, pauses = [], []
    for _ in range(12):
        assert not one.look_or_say_why()
        told.append(str(one.problem or ""))
        pauses.append(one.pause())
    assert told[:2] == ["", ""]
    assert all("ends each time it is started" in text and "worker.log" in text for text in told[2:])
    assert pauses == sorted(pauses) and pauses[-1] == supervisor.LONGEST_PAUSE_SECONDS
    monkeypatch.setattr(supervisor, "ensure_cluster", refuses)
    one.look_or_say_why()
    assert str(one.problem) == "Nobody is there."


def test_the_figures_tell_runs_workers_and_what_was_mended(watched: LocalCluster, job_settings: Settings) -> None:
    figures = dict(line.rsplit(" ", 1) for line in metrics(job_settings).decode().splitlines() if line[0] != "#")
    assert float(figures["medcore_workers"]) == 1
    assert float(figures['medcore_worker_memory_bytes{worker="0"}']) > 1e8
    assert float(figures['medcore_runs{state="done"}']) >= 1
    assert float(figures["medcore_workers_replaced_total"]) == mended(job_settings)[0]


def test_nothing_of_lost_workers_stays(watched: LocalCluster, job_settings: Settings) -> None:
    cluster = LocalCluster.read(job_settings)
    assert cluster is not None
    ours = {process.pid for process in (*cluster.scheduler.family(), *cluster.worker.family())}
    files = str(job_settings.data_dir)
    strangers = [p.pid for p in psutil.process_iter() if p.pid not in ours and any(files in word for word in _words(p))]
    assert strangers == []
    assert json.loads((job_settings.data_dir / "jobs" / "cluster.json").read_text())["worker"]["pid"] in ours


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
