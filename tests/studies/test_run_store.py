from pathlib import Path

import pytest

from medcore.data.cohort import Cohort
from medcore.data.splitting.split import SplitSettings
from medcore.errors import NotFoundError, TargetError, WorkerError
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.sealing import names_in
from medcore.studies import RunRecord, Store, StudyRecord


@pytest.fixture
def study(store: Store, cohort: Cohort) -> StudyRecord:
    return store.create_study("ann", "Ward", cohort)


@pytest.fixture
def run(store: Store, study: StudyRecord) -> RunRecord:
    return store.create_run("ann", study.id, TrainSettings(model="logistic", seed=3))


def point(epoch: int, **fields: float) -> Progress:
    return Progress(stage="folds", model="network", epoch=epoch, n_epochs=10, **fields)


def test_a_run_is_queued_then_running_then_done(store: Store, run: RunRecord) -> None:
    assert (run.state, run.number, run.settings.seed, run.unfinished) == ("queued", 1, 3, True)
    attempt = store.begin_attempt("ann", run.id)
    assert store.get_run("ann", run.id).state == "running"
    assert store.finish_run("ann", run.id, "done", attempt=attempt, summary={"auroc": 0.9})
    done = store.get_run("ann", run.id)
    assert (done.state, done.summary, done.unfinished) == ("done", {"auroc": 0.9}, False)
    assert done.started_at is not None and done.finished_at is not None
    assert done.started_at <= done.finished_at


def test_a_finished_run_is_not_taken_on_again(store: Store, run: RunRecord) -> None:
    attempt = store.begin_attempt("ann", run.id)
    store.finish_run("ann", run.id, "done", attempt=attempt)
    assert store.begin_attempt("ann", run.id) is None
    assert not store.finish_run("ann", run.id, "failed", attempt=attempt)


def test_only_the_newest_attempt_may_go_on_and_finish(store: Store, run: RunRecord) -> None:
    first, second = (store.begin_attempt("ann", run.id) for _ in range(2))
    assert (first, second) == (1, 2)
    assert store.signal("ann", run.id, 1) == "superseded"
    assert store.signal("ann", run.id, 2) == "go on"
    assert not store.finish_run("ann", run.id, "done", attempt=1)
    assert store.finish_run("ann", run.id, "done", attempt=2)


def test_the_reason_of_a_failure_is_kept_as_an_error_that_can_be_translated(store: Store, run: RunRecord) -> None:
    store.begin_attempt("ann", run.id)
    store.finish_run("ann", run.id, "failed", error=TargetError("The outcome has {n} class.", n=1))
    error = store.get_run("ann", run.id).error
    assert isinstance(error, TargetError)
    assert str(error) == "The outcome has 1 class."


def test_a_waiting_run_is_cancelled_at_once(store: Store, run: RunRecord) -> None:
    assert store.request_cancel("ann", run.id).state == "cancelled"
    assert store.begin_attempt("ann", run.id) is None


def test_a_working_run_is_told_to_stop(store: Store, run: RunRecord) -> None:
    attempt = store.begin_attempt("ann", run.id)
    assert attempt is not None
    assert store.request_cancel("ann", run.id).state == "running"
    assert store.signal("ann", run.id, attempt) == "stop"
    store.request_cancel("ann", run.id)
    actions = [e.action for e in store.audit("ann", run.study_id)]
    assert actions.count("run.cancel_requested") == 1


def test_progress_is_read_in_order_and_from_where_one_left_off(store: Store, run: RunRecord) -> None:
    store.append_progress("ann", run.id, [point(e, loss=1 / (1 + e)) for e in range(5)])
    seen = store.progress("ann", run.id)
    assert [p.progress.epoch for p in seen] == [0, 1, 2, 3, 4]
    store.append_progress("ann", run.id, [point(5)])
    assert [p.progress.epoch for p in store.progress("ann", run.id, since=seen[-1].seq)] == [5]
    latest = store.latest_progress("ann", run.id)
    assert latest is not None and latest.progress.epoch == 5


def test_a_resumed_run_does_not_repeat_moments(store: Store, run: RunRecord) -> None:
    store.append_progress("ann", run.id, [point(e) for e in range(4)])
    store.append_progress("ann", run.id, [point(e) for e in range(2, 6)])
    assert [p.progress.epoch for p in store.progress("ann", run.id)] == [0, 1, 2, 3, 4, 5]


def test_a_run_is_out_of_date_when_its_study_changed_and_current_again_after_undo(
    store: Store, study: StudyRecord, run: RunRecord
) -> None:
    assert not run.out_of_date
    store.save_split("ann", study.id, SplitSettings(seed=9))
    assert store.get_run("ann", run.id).out_of_date
    newer = store.create_run("ann", study.id, TrainSettings())
    assert [(r.number, r.out_of_date) for r in store.list_runs("ann", study.id)] == [(2, False), (1, True)]
    store.undo("ann", study.id)
    assert store.get_run("ann", newer.id).out_of_date
    assert not store.get_run("ann", run.id).out_of_date


def test_a_run_is_done_from_the_study_as_it_was_when_it_was_started(
    store: Store, study: StudyRecord, run: RunRecord
) -> None:
    store.save_schema("ann", study.id, study.schema.change("ward", role="ignored"))
    store.save_split("ann", study.id, SplitSettings(seed=9))
    inputs = store.run_inputs("ann", run.id)
    assert inputs.cohort.schema["ward"].role == "predictor"
    assert (inputs.plan.split.seed, inputs.settings.seed) == (0, 3)


def test_results_are_stored_whole_and_replaced_whole(store: Store, run: RunRecord, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no results yet"):
        store.result_folder("ann", run.id)
    folder = tmp_path / "result"
    (folder / "networks").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "networks" / "a.keras").write_bytes(b"weights")
    store.keep_result("ann", run.id, folder)
    assert (store.result_folder("ann", run.id) / "networks" / "a.keras").read_bytes() == b"weights"
    (folder / "networks" / "a.keras").unlink()
    store.keep_result("ann", run.id, folder)
    assert names_in(store.result_folder("ann", run.id)) == ("manifest.json",)


def test_looks_at_the_locked_test_set_are_counted(store: Store, study: StudyRecord, run: RunRecord) -> None:
    assert [store.count_look("ann", study.id, run.id) for _ in range(3)] == [1, 2, 3]
    assert store.get_study("ann", study.id).n_looks == 3


def test_unfinished_runs_are_listed_for_all_owners_oldest_first(store: Store, cohort: Cohort, run: RunRecord) -> None:
    other = store.create_run("bob", store.create_study("bob", "Ward", cohort).id, TrainSettings())
    assert store.unfinished_runs() == (("ann", run.id), ("bob", other.id))
    store.finish_run("ann", run.id, "failed", error=WorkerError("lost"))
    assert store.unfinished_runs() == (("bob", other.id),)


def test_a_recalibrated_version_is_a_run_of_its_own_beside_the_old_one(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    attempt = store.begin_attempt("ann", run.id)
    store.finish_run("ann", run.id, "done", attempt=attempt, summary={"n_train": 80})
    (tmp_path / "version").mkdir()
    (tmp_path / "version" / "manifest.json").write_text("{}")
    link = {"strength": "slope", "n_patients": 120, "data_sha256": "0" * 64}
    made = store.add_version("ann", run.id, tmp_path / "version", summary={"n_train": 80}, link=link)
    assert (made.number, made.state, made.version_of, made.identity) == (2, "done", 1, run.identity)
    assert (store.result_folder("ann", made.id) / "manifest.json").read_bytes() == b"{}"
    assert store.get_run("ann", run.id).version_of is None
    entry = store.audit("ann", run.study_id)[-1]
    assert entry.action == "run.recalibrated" and "120" in str(entry.sentence) and entry.run_id == made.id


def test_nobody_adds_a_version_to_the_run_of_somebody_else(store: Store, run: RunRecord, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        store.add_version("bob", run.id, tmp_path, summary={}, link={"n_patients": 1})
    assert len(store.list_runs("ann", run.study_id)) == 1
