import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from medcore.data.attachments import Attachments
from medcore.data.cohort import Cohort, Source
from medcore.data.preparation.recipe import default_recipe
from medcore.data.splitting.split import SplitSettings
from medcore.errors import InputError, NotFoundError, SettingsError
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.manifest import YOUDEN
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.kept.parquet import to_parquet
from medcore.studies.records import Choice


def test_a_cohort_comes_back_exactly_as_it_was_stored(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    back = store.load_cohort("ann", study.id)
    pd.testing.assert_frame_equal(back.frame, cohort.frame)
    assert back == cohort


def test_typed_columns_come_back_with_their_types(store: Store, cohort: Cohort) -> None:
    frame = pd.DataFrame({"n": [1.5, None], "t": pd.to_datetime(["2020-01-01", None]), "b": [True, False]})
    study = store.create_study("ann", "Typed", replace(cohort, frame=frame, sha256="1" * 64))
    pd.testing.assert_frame_equal(store.load_cohort("ann", study.id).frame, frame)


def test_a_column_of_mixed_types_is_kept_as_text_and_its_gaps_as_gaps(store: Store, cohort: Cohort) -> None:
    frame = pd.DataFrame({"mixed": pd.Series([1, "two", None], dtype=object)})
    study = store.create_study("ann", "Mixed", replace(cohort, frame=frame, sha256="2" * 64))
    back = store.load_cohort("ann", study.id).frame["mixed"]
    assert back[:2].tolist() == ["1", "two"]
    assert back.isna().tolist() == [False, False, True]


def test_a_study_of_somebody_else_cannot_be_found_by_any_call(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    run = store.create_run("ann", study.id, TrainSettings())
    forbidden = [
        lambda: store.get_study("bob", study.id),
        lambda: store.load_cohort("bob", study.id),
        lambda: store.rename_study("bob", study.id, "Mine"),
        lambda: store.save_schema("bob", study.id, cohort.schema),
        lambda: store.delete_study("bob", study.id),
        lambda: store.undo("bob", study.id),
        lambda: store.purge_study("bob", study.id),
        lambda: store.create_run("bob", study.id, TrainSettings()),
        lambda: store.list_runs("bob", study.id),
        lambda: store.get_run("bob", run.id),
        lambda: store.request_cancel("bob", run.id),
        lambda: store.run_inputs("bob", run.id),
        lambda: store.result_folder("bob", run.id),
        lambda: store.count_look("bob", study.id, run.id),
        lambda: store.progress("bob", run.id),
    ]
    for call in forbidden:
        with pytest.raises(NotFoundError):
            call()
    assert store.list_studies("bob") == ()
    # What he tried is on record in his own name; of what ann did he is told nothing.
    assert {(entry.who, entry.action) for entry in store.audit("bob", study.id)} == {("bob", "access.refused")}


def test_two_owners_of_the_same_table_have_their_own_copies(store: Store, cohort: Cohort) -> None:
    mine, theirs = store.create_study("ann", "Ward", cohort), store.create_study("bob", "Ward", cohort)
    store.purge_study("bob", theirs.id)
    assert store.load_cohort("ann", mine.id).n_rows == 60


def test_the_same_table_is_stored_once_for_an_owner(store: Store, cohort: Cohort, studies_settings: Settings) -> None:
    first, second = (store.create_study("ann", name, cohort) for name in ("First", "Second"))
    assert len(list((studies_settings.data_dir / "files").rglob("*.parquet"))) == 1
    store.purge_study("ann", first.id)
    assert store.load_cohort("ann", second.id).n_rows == 60
    store.purge_study("ann", second.id)
    assert list((studies_settings.data_dir / "files").rglob("*.parquet")) == []


def test_the_same_bytes_read_in_another_way_are_another_table(store: Store, cohort: Cohort) -> None:
    one = store.create_study("ann", "One", cohort)
    other = store.create_study("ann", "Other", replace(cohort, source=Source(delimiter=";")))
    assert one.content_key != other.content_key
    assert one.identity != other.identity


def test_the_original_bytes_are_kept_under_a_name_that_tells_nothing(store: Store, cohort: Cohort) -> None:
    named = replace(cohort, name="Mrs Miller.CSV")
    store.create_study("ann", "Ward", named, original=b"a,b\n1,2\n")
    paths = [p for p in (store.settings.data_dir / "files").rglob("*") if p.is_file()]
    assert {p.name for p in paths} >= {f"{cohort.sha256}.csv"}
    assert not any("iller" in str(p) or "ann" in p.relative_to(store.settings.data_dir).parts for p in paths)


def test_schema_recipe_split_and_choice_are_found_again(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    schema = cohort.schema.change("ward", role="site")
    recipe = default_recipe(schema).switch("drop_duplicate_rows", True)
    split = SplitSettings(kind="site", n_folds=3)
    store.save_schema("ann", study.id, schema)
    store.save_recipe("ann", study.id, recipe)
    store.save_split("ann", study.id, split)
    run = store.create_run("ann", study.id, TrainSettings())
    store.save_choice("ann", study.id, Choice(run.id, "logistic", 0.2, "Harm ratio 1:4", "harm_ratio", 4.0))
    again = Store(store.settings).get_study("ann", study.id)
    assert (again.schema, again.recipe, again.split) == (schema, recipe, split)
    assert again.choice == Choice(run.id, "logistic", 0.2, "Harm ratio 1:4", "harm_ratio", 4.0)


def test_a_threshold_in_force_is_traced_to_who_kept_it_or_to_the_model(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    run, own = store.create_run("ann", study.id, TrainSettings()), {"threshold": 0.31236, "threshold_rationale": YOUDEN}
    kept = Choice(run.id, "logistic", 0.2, "nine in ten are found", "sensitivity", 0.9)
    study = store.save_choice("ann", study.id, kept)
    assert study.origin(run.id, 0.2, own) == kept
    assert study.origin(run.id, 0.312, own) == Choice(run.id, "", 0.31236, YOUDEN, "youden")
    assert study.origin(run.id, 0.311, own) is None and study.origin("another", 0.2, own) is None


def test_whether_real_patients_are_shown_is_kept_with_the_study_and_on_record(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    assert study.similar_patients
    assert not store.save_similar_patients("ann", study.id, shown=False).similar_patients
    assert not Store(store.settings).get_study("ann", study.id).similar_patients
    assert store.get_study("ann", study.id).identity == study.identity
    assert [entry.action for entry in store.audit("ann", study.id)][-1] == "similar.hidden"
    assert store.undo("ann", study.id).similar_patients
    with pytest.raises(NotFoundError):
        store.save_similar_patients("bob", study.id, shown=False)


def test_a_threshold_outside_0_to_1_is_refused(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    with pytest.raises(SettingsError, match="between 0 and 1"):
        store.save_choice("ann", study.id, Choice("x", "logistic", 20))


def test_identity_changes_with_what_is_computed_and_not_with_words(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    worded = store.save_schema("ann", study.id, cohort.schema.change("ward", description="Where they lay"))
    assert worded.identity == study.identity
    changed = [
        store.save_schema("ann", study.id, cohort.schema.change("ward", role="ignored")).identity,
        store.save_recipe("ann", study.id, default_recipe(cohort.schema).switch("drop_duplicate_rows", True)).identity,
        store.save_split("ann", study.id, SplitSettings(seed=1)).identity,
    ]
    assert len({study.identity, *changed}) == 4


def test_undo_walks_back_through_the_changes(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "First", cohort)
    store.rename_study("ann", study.id, "Second")
    store.save_split("ann", study.id, SplitSettings(seed=7))
    store.delete_study("ann", study.id)
    assert store.list_studies("ann") == ()
    assert [s.name for s in store.list_studies("ann", deleted=True)] == ["Second"]
    assert store.undo("ann", study.id).deleted_at is None
    assert store.undo("ann", study.id).split.seed == 0
    assert store.undo("ann", study.id).name == "First"
    with pytest.raises(NotFoundError, match="nothing to undo"):
        store.undo("ann", study.id)
    assert store.get_study("ann", study.id).identity == study.identity


def test_a_change_to_the_same_value_leaves_no_trace(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    store.rename_study("ann", study.id, "Ward")
    assert [e.action for e in store.audit("ann", study.id)] == ["study.created"]


def test_every_change_is_in_the_audit_trail_and_no_value_of_a_patient_is(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    store.save_schema("ann", study.id, cohort.schema.change("ward", role="ignored"))
    store.note("ann", study.id, "privacy.overridden", reason="Study number, no identifier")
    run = store.create_run("ann", study.id, TrainSettings())
    store.count_look("ann", study.id, run.id)
    store.delete_study("ann", study.id)
    trail = store.audit("ann", study.id)
    assert [e.action for e in trail] == [
        "study.created",
        "schema.changed",
        "privacy.overridden",
        "run.created",
        "test.looked",
        "study.deleted",
    ]
    assert str(trail[1].sentence) == "The columns were changed: ward."
    assert {e.who for e in trail} == {"ann"}


@pytest.mark.parametrize("name", ["", "   ", "\n\t"])
def test_a_study_needs_a_name(store: Store, cohort: Cohort, name: str) -> None:
    with pytest.raises(SettingsError, match="no name"):
        store.create_study("ann", name, cohort)
    assert store.list_studies("ann") == ()


def test_a_name_is_kept_to_one_printable_line(store: Store, cohort: Cohort) -> None:
    assert store.create_study("ann", " Ward\n\x00 7 心脏 ", cohort).name == "Ward 7 心脏"


def test_the_records_show_no_rows_and_no_owner(store: Store, cohort: Cohort) -> None:
    study = store.create_study("ann", "Ward", cohort)
    assert "ann" not in repr(study)
    assert "owner" not in study.to_dict()


def test_attached_files_come_back_and_go_with_the_cohort(store: Store, cohort: Cohort) -> None:
    attachments = Attachments.of([("notes/P1.txt", b"slept well"), ("notes/P2.txt", b"eats again")])
    given = replace(cohort, attachments=attachments, sha256=attachments.identity(cohort.sha256))
    alone, study = store.create_study("ann", "Alone", cohort), store.create_study("ann", "Ward", given)
    back = store.load_cohort("ann", study.id)
    assert back == given
    assert back.attachments.read("notes/P2.txt") == b"eats again"
    assert len(store.load_cohort("ann", alone.id).attachments) == 0
    folder = Path(store.files.root)
    kept = [path for path in folder.rglob("*") if path.name == attachments.files[0].sha256]
    assert len(kept) == 1
    kept[0].write_bytes(b"something else")
    with pytest.raises(NotFoundError, match="was changed"):
        store.load_cohort("ann", study.id).attachments.read("notes/P1.txt")
    assert store.sweep_orphans(older_seconds=0) == 0
    store.delete_study("ann", study.id)
    store.purge_study("ann", study.id)
    assert not [path for path in folder.rglob("*") if path.name in {f.sha256 for f in attachments.files}]
    assert store.load_cohort("ann", alone.id) == cohort


def test_what_is_attached_later_to_a_table_that_was_kept_before_goes_with_it(store: Store, cohort: Cohort) -> None:
    """Measurements over time do not change what identifies a table."""
    store.create_study("ann", "Before", cohort)
    attachments = Attachments.of([("measurements over time", b"PAR1\0")])
    study = store.create_study("ann", "Ward", replace(cohort, attachments=attachments))
    assert store.load_cohort("ann", study.id).attachments.read("measurements over time") == b"PAR1\0"
    for kept in store.list_studies("ann"):
        store.delete_study("ann", kept.id)
        store.purge_study("ann", kept.id)
    digest = attachments.files[0].sha256
    assert not [path for path in Path(store.files.root).rglob("*") if path.name == digest]


def test_attached_files_that_name_a_patient_are_kept_for_a_reason_only(store: Store, cohort: Cohort) -> None:
    attachments = Attachments.of([("a.txt", b"write to jane.doe@example.org")])
    given = replace(cohort, attachments=attachments, sha256=attachments.identity(cohort.sha256))
    with pytest.raises(InputError, match="e-mail"):
        store.create_study("ann", "Ward", given)
    assert not store.list_studies("ann")
    study = store.create_study("ann", "Ward", given, reason="The addresses are of the ward.")
    assert "The addresses are of the ward." in str(store.audit("ann", study.id)[-1].sentence)


def rows_file(store: Store) -> Path:
    return next((store.settings.data_dir / "files").rglob("*.parquet"))


@pytest.mark.parametrize("damage", ["one cell", "cut short", "one bit", "empty"])
def test_stored_rows_that_were_changed_are_refused_and_mended_by_bringing_the_table_again(
    store: Store, cohort: Cohort, damage: str
) -> None:
    study = store.create_study("ann", "Ward", cohort)
    path, frame = rows_file(store), store.load_cohort("ann", study.id).frame
    whole = path.read_bytes()
    other = frame.copy()
    other.loc[5, "ward"] = "another"
    changed = {
        "one cell": to_parquet(other),
        "cut short": whole[: len(whole) // 2],
        "one bit": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
        "empty": b"",
    }
    path.write_bytes(changed[damage])
    with pytest.raises(NotFoundError, match="changed or damaged"):
        store.load_cohort("ann", study.id)
    again = store.create_study("ann", "Again", cohort)
    for one in (study, again):
        pd.testing.assert_frame_equal(store.load_cohort("ann", one.id).frame, frame)


def test_an_original_that_was_changed_is_refused(store: Store, cohort: Cohort) -> None:
    data = b"a,b\n1,2\n"
    kept = replace(cohort, sha256=hashlib.sha256(data).hexdigest())
    study = store.create_study("ann", "Ward", kept, original=data)
    assert store.load_original("ann", study.id) == data
    path = next((store.settings.data_dir / "files").rglob("*.csv"))
    path.write_bytes(b"a,b\n1,3\n")
    with pytest.raises(NotFoundError, match="changed or damaged"):
        store.load_original("ann", study.id)
