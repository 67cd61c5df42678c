"""Every change of a study is taken back by the entry that says it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from medcore.data.cohort import Cohort
from medcore.data.splitting.split import SplitSettings
from medcore.errors import NotFoundError, SettingsError
from medcore.models.contract.settings import TrainSettings
from medcore.studies import Store


@pytest.fixture
def study_id(store: Store, cohort: Cohort) -> str:
    return store.create_study("ann", "Ward", cohort).id


def ended(store: Store, study_id: str, state: str = "done") -> str:
    run = store.create_run("ann", study_id, TrainSettings())
    store.begin_attempt("ann", run.id)
    store.finish_run("ann", run.id, state, attempt=1, summary={})
    return run.id


def test_sharing_and_sharing_no_more_are_undone(store: Store, study_id: str) -> None:
    store.share_study("ann", study_id, "rob", "reader")
    store.share_study("ann", study_id, "rob", "modeller")
    store.share_study("ann", study_id, "rob", None)
    seen = [store.shares("ann", study_id)]
    for _ in range(3):
        store.undo("ann", study_id)
        seen.append(store.shares("ann", study_id))
    assert seen == [{}, {"rob": "modeller"}, {"rob": "reader"}, {}]


def test_to_share_as_before_is_no_change(store: Store, study_id: str) -> None:
    store.share_study("ann", study_id, "rob", "reader")
    store.share_study("ann", study_id, "rob", "reader")
    store.undo("ann", study_id)
    assert store.last_change("ann", study_id) is None


def test_a_share_does_not_keep_others_from_undoing_what_they_did(store: Store, study_id: str) -> None:
    store.share_study("ann", study_id, "mia", "modeller")
    store.save_split("mia", study_id, SplitSettings(seed=5))
    store.share_study("ann", study_id, "rob", "reader")
    last = store.last_change("mia", study_id)
    assert last is not None and last.action == "split.changed"
    assert store.undo("mia", study_id).split.seed == 0
    assert store.shares("ann", study_id) == {"mia": "modeller", "rob": "reader"}


def test_a_run_taken_off_the_list_is_nowhere_until_that_is_undone(store: Store, study_id: str) -> None:
    run_id = ended(store, study_id)
    store.remove_run("ann", run_id)
    assert store.list_runs("ann", study_id) == () and store.get_study("ann", study_id).n_runs == 0
    with pytest.raises(NotFoundError, match="no such training run"):
        store.get_run("ann", run_id)
    with pytest.raises(NotFoundError):
        store.result_folder("ann", run_id)
    assert store.create_run("ann", study_id, TrainSettings()).number == 2
    store.undo("ann", study_id)
    assert [(r.number, r.state) for r in store.list_runs("ann", study_id)] == [(2, "queued"), (1, "done")]


def test_a_run_that_has_not_ended_is_not_taken_off_the_list(store: Store, study_id: str) -> None:
    run = store.create_run("ann", study_id, TrainSettings())
    with pytest.raises(SettingsError, match="stop it first"):
        store.remove_run("ann", run.id)
    assert store.get_run("ann", run.id).state == "queued"


def test_a_recalibrated_version_is_undone_and_its_run_stays(store: Store, study_id: str, tmp_path: Path) -> None:
    first = ended(store, study_id)
    (tmp_path / "version").mkdir()
    (tmp_path / "version" / "rows.json").write_text("{}")
    store.add_version("ann", first, tmp_path / "version", summary={}, link={"n_patients": 40})
    assert [run.number for run in store.list_runs("ann", study_id)] == [2, 1]
    store.undo("ann", study_id)
    assert [run.number for run in store.list_runs("ann", study_id)] == [1]


def test_a_study_brought_back_has_no_deletion_left_to_undo(store: Store, study_id: str) -> None:
    store.delete_study("ann", study_id)
    store.restore_study("ann", study_id)
    assert store.last_change("ann", study_id) is None


def test_nobody_undoes_what_somebody_else_changed_meanwhile(store: Store, study_id: str) -> None:
    store.rename_study("ann", study_id, "Second")
    seen = store.last_change("ann", study_id)
    assert seen is not None and seen.undoable
    store.save_split("ann", study_id, SplitSettings(seed=5))
    with pytest.raises(NotFoundError, match="changed again meanwhile"):
        store.undo("ann", study_id, seq=seen.seq)
    assert store.get_study("ann", study_id).name == "Second"
