"""A study as one file: everything of it comes back, to whoever imports it; nothing is believed unchecked."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe
from medcore.data.samples import load_sample
from medcore.data.splitting.split import SplitSettings
from medcore.errors import InputError, NotFoundError, UnreadableFileError
from medcore.jobs.web.uploads import read_rows
from medcore.models.bundle.files import bundle_hash
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.settings import Settings
from medcore.studies import Store, StudyRecord
from medcore.studies.kept.parquet import to_parquet
from medcore.studies.records import Choice
from medcore.studies.stores.whole.archive import HEAD, SUMS, TABLE, is_study_archive


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("result")
    train_cohort(load_sample("breast"), TrainSettings(model="logistic"), folder=folder)
    return folder


@pytest.fixture
def study(store: Store, result: Path) -> StudyRecord:
    """A study with a table, its file, an edited plan, a finished and a stopped run, a threshold, answers and a look."""
    cohort = load_sample("breast")
    made = store.create_study("ann", "Masses", cohort, original=None)
    store.save_recipe("ann", made.id, default_recipe(cohort.schema).switch("cap_ages", True))
    store.save_split("ann", made.id, SplitSettings(test_size=0.25, seed=7))
    run = store.create_run("ann", made.id, TrainSettings(model="logistic"))
    attempt = store.begin_attempt("ann", run.id)
    store.append_progress("ann", run.id, [Progress(stage="folds", model="logistic", epoch=1, n_epochs=2, seconds=1.0)])
    store.keep_result("ann", run.id, result)
    store.finish_run("ann", run.id, "done", attempt=attempt, summary={"model": "logistic"})
    other = store.create_run("ann", made.id, TrainSettings(model="seed", epochs=3))
    store.request_cancel("ann", other.id)
    store.save_choice("ann", made.id, Choice(run.id, "logistic", 0.31, "few missed", "sensitivity", 0.9))
    store.save_answers("ann", made.id, {"purpose": "triage"})
    store.count_look("ann", made.id, run.id)
    return store.get_study("ann", made.id)


def test_everything_of_a_study_comes_back_at_another_owners(store: Store, study: StudyRecord) -> None:
    data = store.export_study("ann", study.id)
    assert is_study_archive(data)
    back = store.import_study("bob", data, read_rows=read_rows)
    assert back.id != study.id
    same = ("name", "cohort_sha256", "content_key", "identity", "schema", "recipe", "split", "answers", "n_looks")
    assert {name: getattr(back, name) for name in same} == {name: getattr(study, name) for name in same}
    pd.testing.assert_frame_equal(
        store.load_cohort("bob", back.id).frame, store.load_cohort("ann", study.id).frame, check_exact=True
    )
    stopped, done = store.list_runs("bob", back.id)
    assert [(r.number, r.state, r.settings.model) for r in (done, stopped)] == [
        (1, "done", "logistic"),
        (2, "cancelled", "seed"),
    ]
    assert back.choice is not None
    assert (back.choice.run_id, back.choice.threshold, back.choice.rationale) == (done.id, 0.31, "few missed")
    assert [p.progress.stage for p in store.progress("bob", done.id)] == ["folds"]
    theirs, ours = (store.result_folder(o, r) for o, r in (("ann", study.choice.run_id), ("bob", done.id)))
    assert bundle_hash(theirs) == bundle_hash(ours)
    assert [e.action for e in store.audit("bob", back.id)] == ["study.imported"]
    assert [e.action for e in store.audit("ann", study.id)].count("data.exported") == 1
    with pytest.raises(NotFoundError):
        store.get_study("ann", back.id)


def test_the_file_as_it_was_brought_and_attached_ones_come_along(store: Store, cohort: Cohort) -> None:
    brought = b"as,brought\n1,2\n"
    own = Cohort(cohort.frame, cohort.schema, hashlib.sha256(brought).hexdigest(), "ward.csv", cohort.source)
    made = store.create_study("ann", "Ward", own, original=brought)
    back = store.import_study("bob", store.export_study("ann", made.id))
    assert store.load_original("bob", back.id) == brought


def test_a_duplicate_shares_nothing_that_can_be_changed(store: Store, study: StudyRecord) -> None:
    copy = store.duplicate_study("ann", study.id, "Masses (copy)")
    assert (copy.name, copy.identity, copy.n_runs) == ("Masses (copy)", study.identity, 2)
    store.save_split("ann", copy.id, SplitSettings(seed=99))
    store.purge_study("ann", copy.id)
    assert store.get_study("ann", study.id) == study
    assert bundle_hash(store.result_folder("ann", study.choice.run_id))
    assert len(store.load_cohort("ann", study.id).frame) == study.n_rows


def test_a_run_that_is_at_work_stays_behind(store: Store, cohort: Cohort) -> None:
    made = store.create_study("ann", "Ward", cohort)
    store.create_run("ann", made.id, TrainSettings())
    assert store.import_study("ann", store.export_study("ann", made.id)).n_runs == 0


def test_a_recalibrated_version_follows_its_run(store: Store, study: StudyRecord, result: Path) -> None:
    link = {"strength": "intercept", "n_patients": 40, "data_sha256": "0" * 64}
    store.add_version("ann", study.choice.run_id, result, summary={}, link=link)
    back = store.import_study("bob", store.export_study("ann", study.id))
    version, _stopped, first = store.list_runs("bob", back.id)
    assert (version.version_of, version.summary["version_of"]["run_id"]) == (1, first.id)


def repacked(data: bytes, change: Callable[[dict[str, bytes]], None], *, sealed: bool = True) -> bytes:
    """Pack an archive anew after a change; ``sealed`` as one would who knows how."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if sealed:
        lines = (f"{hashlib.sha256(v).hexdigest()}  {k}\n" for k, v in members.items() if k != SUMS)
        members[SUMS] = "".join(lines).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def head(members: dict[str, bytes], **change: object) -> None:
    members[HEAD] = json.dumps(json.loads(members[HEAD]) | change).encode()


def swap_first_run(members: dict[str, bytes], **change: object) -> None:
    runs = json.loads(members[HEAD])["runs"]
    head(members, runs=[runs[0] | change, *runs[1:]])


CRAFTED: dict[str, Callable[[dict[str, bytes]], object]] = {
    "a path that leads out": lambda m: m.update({"../../evil": b"x"}),
    "an absolute path": lambda m: m.update({"/etc/evil": b"x"}),
    "a pickle among the runs": lambda m: m.update({"runs/1/parts/0/model.pkl": pickle.dumps([1])}),
    "a pickle under a run's name": lambda m: m.update({"runs/1/results.npz": pickle.dumps([1])}),
    "a run's file changed": lambda m: m.update({"runs/1/results.json": m["runs/1/results.json"] + b" "}),
    "a run that is no number": lambda m: m.update({"runs/x/manifest.json": b"{}"}),
    "a file where a folder is": lambda m: m.update({"runs/1/manifest.json/more.json": b"{}"}),
    "a run still at work": lambda m: swap_first_run(m, state="running"),
    "two runs of one number": lambda m: swap_first_run(m, number=2),
    "settings that are none": lambda m: swap_first_run(m, settings={"model": "logistic", "shell": "rm"}),
    "no runs at all": lambda m: head(m, runs=None),
    "a head that is no JSON": lambda m: m.update({HEAD: b"{" * 9999}),
    "a table of other rows": lambda m: m.update({TABLE: to_parquet(pd.DataFrame({"a": [1]}))}),
    "a table that is none": lambda m: m.update({TABLE: b"PAR1" + bytes(99)}),
}


def test_a_crafted_archive_is_refused_in_one_sentence_and_nothing_is_kept(
    store: Store, study: StudyRecord, studies_settings: Settings, subtests: pytest.Subtests
) -> None:
    data = store.export_study("ann", study.id)
    for what, change in CRAFTED.items():
        with subtests.test(what):
            with pytest.raises(InputError) as caught:
                store.import_study("bob", repacked(data, change), read_rows=read_rows)
            assert len(str(caught.value)) < 400
            assert store.list_studies("bob") == ()
    assert not list(studies_settings.data_dir.parent.rglob("evil"))


def test_a_byte_changed_on_the_way_is_seen(store: Store, study: StudyRecord) -> None:
    changed = repacked(store.export_study("ann", study.id), lambda m: m.update({TABLE: m[TABLE][:-1]}), sealed=False)
    with pytest.raises(UnreadableFileError, match="damaged or changed"):
        store.import_study("bob", changed)


def test_an_archive_that_grows_beyond_measure_is_not_unpacked(store: Store, cohort: Cohort) -> None:
    data = store.export_study("ann", store.create_study("ann", "Ward", cohort).id)
    packed = io.BytesIO(data)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("original/table.csv", bytes(64 << 20))
    with pytest.raises(UnreadableFileError, match="times its size"):
        store.import_study("bob", packed.getvalue())


def test_an_archive_of_a_later_version_names_it(store: Store, cohort: Cohort) -> None:
    data = store.export_study("ann", store.create_study("ann", "Ward", cohort).id)
    later = repacked(data, lambda m: head(m, version=2, medcore="9.1"))
    with pytest.raises(UnreadableFileError, match=r"medcore 9\.1"):
        store.import_study("bob", later)


def test_identifiers_come_in_only_with_the_reason_that_was_given(store: Store, cohort: Cohort) -> None:
    frame = cohort.frame.assign(email=[f"p{i}@ward.example" for i in range(len(cohort.frame))])
    from medcore.data.schema.inference import choose_target, infer_schema

    schema = choose_target(infer_schema(frame), frame, "disease", positive="yes")
    made = store.create_study("ann", "Ward", Cohort(frame, schema, "3" * 64, "ward.csv"))
    with pytest.raises(InputError, match="email"):
        store.import_study("bob", store.export_study("ann", made.id))
    store.note("ann", made.id, "privacy.overridden", column="email", reason="made up")
    back = store.import_study("bob", store.export_study("ann", made.id))
    assert "made up" in str(store.audit("bob", back.id)[-1].sentence)
