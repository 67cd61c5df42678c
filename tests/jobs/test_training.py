import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from medcore import jobs
from medcore.jobs.queries.learning import learning_curve_of
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import Results, read_results
from medcore.settings import Settings
from medcore.studies import RunRecord, Store, StudyRecord


@pytest.fixture(scope="module")
def warm() -> bool:
    return True


@pytest.fixture
def train(
    job_settings: Settings, job_store: Store, job_study: StudyRecord, eventually: Callable[..., None]
) -> Callable[..., RunRecord]:
    """Train on the made table through the same call as the page; ``meanwhile`` is called once it has begun."""

    def trained(settings: TrainSettings, meanwhile: Callable[[str], None] = lambda _: None) -> RunRecord:
        jobs.keep_warm(job_settings)
        run_id = jobs.start_run(job_store, "ann", job_study.id, settings)
        meanwhile(run_id)
        eventually(lambda: not job_store.get_run("ann", run_id).unfinished, 240)
        return job_store.get_run("ann", run_id)

    return trained


def results_of(store: Store, run: RunRecord) -> Results:
    assert run.state == "done", run.error
    return read_results(store.result_folder("ann", run.id))


def worker_pid() -> int:
    return jobs.call(os.getpid)


def test_a_worker_that_is_ready_is_warm(
    job_settings: Settings, work: ModuleType, eventually: Callable[..., None]
) -> None:
    jobs.keep_warm(job_settings)
    eventually(lambda: jobs.worker_ready(job_settings), 120)
    for name in ("tensorflow", "medcore.models.run.training", "medcore.explanation.patient.worker_queries"):
        assert jobs.call(work.is_imported, name)
    assert "Warming up failed" not in (job_settings.data_dir / "jobs" / "worker.log").read_text()


def test_a_run_leaves_results_and_a_headline_without_the_locked_test_set(
    train: Callable[..., RunRecord], job_store: Store
) -> None:
    run = train(TrainSettings(model="logistic"))
    results = results_of(job_store, run)
    assert run.summary["n_train"] + run.summary["n_test"] == 240
    chosen = next(c for c in run.summary["candidates"] if c["name"] == "logistic")
    assert chosen["auroc"]["value"] == results.cross_validated.metrics["auroc"].value
    assert "test" not in str(run.summary).replace("n_test", "")


@pytest.mark.slow
def test_a_network_whose_worker_was_killed_has_the_numbers_of_one_that_was_left_in_peace(
    train: Callable[..., RunRecord], job_store: Store, eventually: Callable[..., None]
) -> None:
    settings = TrainSettings(model="seed", epochs=400, seed=11)
    before = worker_pid()

    def kill_in_the_middle(run_id: str) -> None:
        eventually(lambda: any(p.progress.epoch > 5 for p in job_store.progress("ann", run_id)), 120)
        os.kill(before, signal.SIGKILL)

    killed = train(settings, kill_in_the_middle)
    left_alone = train(settings)
    assert (killed.attempt, left_alone.attempt) == (2, 1)
    assert worker_pid() != before
    one, other = results_of(job_store, killed), results_of(job_store, left_alone)
    np.testing.assert_array_equal(one.training.risk, other.training.risk)
    assert one.cross_validated.to_dict() == other.cross_validated.to_dict()


def test_a_worker_says_whether_more_patients_would_help(
    train: Callable[..., RunRecord], job_store: Store, job_settings: Settings
) -> None:
    run = train(TrainSettings(model="logistic"))
    curve = jobs.call(learning_curve_of, job_settings, "ann", run.id)
    results = results_of(job_store, run)
    assert curve.models == ("logistic",)
    sizes = [p.n_train for p in curve.points]
    assert sizes == sorted(sizes)
    assert sizes[-1] < len(results.training.outcome)


def test_a_search_is_a_run_like_any_other(train: Callable[..., RunRecord], job_store: Store) -> None:
    run = train(TrainSettings(model="logistic", search_minutes=0.02))
    results = results_of(job_store, run)
    told = [p.progress.trial for p in job_store.progress("ann", run.id) if p.progress.trial]
    assert len(told) >= results.manifest["search"]["n_trials"] >= 1
    assert results.candidate("searched").weight + results.candidate("logistic").weight == 1.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"optimizer": "sgd", "learning_rate": 10.0, "layers": (256, 256), "epochs": 60}, "diverged"),
        ({"layers": (8192,) * 12}, "GB of memory"),
    ],
    ids=["diverging", "too large"],
)
def test_settings_that_cannot_work_end_in_a_message_and_leave_the_study_as_it_was(
    train: Callable[..., RunRecord],
    job_store: Store,
    job_study: StudyRecord,
    eventually: Callable[..., None],
    wrong: dict[str, Any],
    said: str,
) -> None:
    before = job_store.get_study("ann", job_study.id)
    run = train(TrainSettings.preset("seed", **wrong))
    after = job_store.get_study("ann", job_study.id)
    assert run.state == "failed"
    assert run.error is not None and said in str(run.error)
    assert (after.identity, after.choice, after.n_looks) == (before.identity, before.choice, before.n_looks)
    eventually(lambda: not (job_store.settings.data_dir / "checkpoints" / run.id).exists())
