"""The trail: whatever is edited, removed, reordered or written anew is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from medcore.data.cohort import Cohort
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Head, Store
from medcore.studies.audit.chain import FIRST, link_of
from medcore.studies.audit.entries import rows
from medcore.studies.database import alembic_config, migrate

Edit = Callable[..., None]


@pytest.fixture
def trailed(store: Store, cohort: Cohort) -> Store:
    """A store whose trail has eight entries."""
    study = store.create_study("ann", "Ward", cohort)
    for name in ("One", "Two", "Three"):
        store.rename_study("ann", study.id, name)
    store.undo("ann", study.id)
    run = store.create_run("ann", study.id, TrainSettings())
    store.request_cancel("ann", run.id)
    assert store.verify_trail().to_dict() | {"head": None} == {
        "whole": True,
        "n_entries": 8,
        "n_emptied": 0,
        "head": None,
        "faults": [],
    }
    return store


@pytest.fixture
def edit(studies_settings: Settings) -> Edit:
    """Change the database behind medcore's back."""

    def edited(*statements: str) -> None:
        with closing(sqlite3.connect(studies_settings.data_dir / "medcore.db")) as database, database:
            for statement in statements:
                assert database.execute(statement).rowcount > 0, statement

    return edited


EDITS = {
    "who": ["UPDATE audit SET owner = 'bob' WHERE id = 3"],
    "when": ["UPDATE audit SET created_at = '2020-01-01 00:00:00.000000' WHERE id = 3"],
    "what": ["UPDATE audit SET action = 'study.restored' WHERE id = 3"],
    "of which study": ["UPDATE audit SET study_id = NULL WHERE id = 3"],
    "of which run": ["UPDATE audit SET run_id = 'other' WHERE id = 6"],
    "what was undone": ["UPDATE audit SET undoes = 2 WHERE id = 5"],
    "details": ["UPDATE audit SET details = '{\"number\": 9}' WHERE id = 6"],
    "what an undo puts back": ['UPDATE audit SET "before" = \'{"name": "Other"}\' WHERE id = 3'],
    "details of the last": ["UPDATE audit SET details = '{}' WHERE id = 8"],
    "emptied without a deletion": ["UPDATE audit SET details = '{}', \"before\" = NULL, salt = NULL WHERE id = 3"],
    "one removed": ["DELETE FROM audit WHERE id = 4"],
    "the first removed": ["DELETE FROM audit WHERE id = 1"],
    "the last removed": ["DELETE FROM audit WHERE id = 8"],
    "the last three removed": ["DELETE FROM audit WHERE id > 5"],
    "all removed": ["DELETE FROM audit"],
    "two swapped": [
        "UPDATE audit SET id = 99 WHERE id = 3",
        "UPDATE audit SET id = 3 WHERE id = 4",
        "UPDATE audit SET id = 4 WHERE id = 99",
    ],
    "one repeated": [
        "INSERT INTO audit (id, owner, action, details, salt, details_digest, link, created_at)"
        " SELECT 9, owner, action, details, salt, details_digest, link, created_at FROM audit WHERE id = 8"
    ],
}


@pytest.mark.parametrize("statements", EDITS.values(), ids=EDITS.keys())
def test_an_edit_a_removal_and_a_reordering_are_found(trailed: Store, edit: Edit, statements: list[str]) -> None:
    edit(*statements)
    found = trailed.verify_trail()
    assert not found.whole and found.faults


def test_one_edit_names_its_entry_and_no_other(trailed: Store, edit: Edit) -> None:
    edit(*EDITS["who"])
    assert [str(fault) for fault in trailed.verify_trail().faults] == [
        "Entry 3 was changed, or the one before it was changed, removed or moved."
    ]


def test_a_trail_written_anew_with_every_link_right_is_found_by_its_head(trailed: Store, edit: Edit) -> None:
    edit(*EDITS["who"])
    with trailed._writing() as session:
        previous = FIRST
        for row in rows(session):
            row.link = previous = link_of(row, previous)
    assert [str(fault) for fault in trailed.verify_trail().faults] == [
        "Up to entry 8 the trail is not the one whose head was kept: it was written anew."
    ]


def test_a_head_that_was_moved_back_with_the_end_removed_is_found(
    trailed: Store, edit: Edit, studies_settings: Settings
) -> None:
    folder = studies_settings.data_dir
    ended = trailed.verify_trail().head
    assert ended is not None
    early = (folder / "audit.head").read_text().replace('"entry": 8', '"entry": 5')
    (folder / "audit.head").write_text(early)
    edit("DELETE FROM audit WHERE id > 5")
    assert "audit.head, is missing or was changed" in str(trailed.verify_trail().faults[0])
    (folder / "audit.head").unlink()
    assert "audit.head, is missing or was changed" in str(trailed.verify_trail().faults[0])
    elsewhere = trailed.verify_trail([ended]).faults
    assert "Entry 8 is gone" in str(elsewhere[-1])


def test_a_head_kept_elsewhere_proves_that_the_trail_goes_on_from_it(trailed: Store, cohort: Cohort) -> None:
    ended = trailed.verify_trail().head
    assert ended is not None and str(ended) == f"8:{ended.link}"
    trailed.create_study("ann", "Another", cohort)
    assert trailed.verify_trail([ended]).whole
    assert not trailed.verify_trail([Head(8, "0" * 64)]).whole


def test_deletion_for_good_takes_the_details_and_leaves_the_chain_whole(trailed: Store) -> None:
    (study,) = trailed.list_studies("ann")
    receipt = trailed.purge_study("ann", study.id)
    found = trailed.verify_trail()
    assert found.whole and (found.n_entries, found.n_emptied) == (9, receipt.n_trail) == (9, 8)


def test_an_emptied_entry_cannot_be_filled_again(trailed: Store, edit: Edit) -> None:
    (study,) = trailed.list_studies("ann")
    trailed.purge_study("ann", study.id)
    edit("UPDATE audit SET details = '{\"number\": 9}' WHERE id = 6")
    assert [str(fault) for fault in trailed.verify_trail().faults] == ["The details of entry 6 were changed."]


def test_the_trail_is_read_by_person_action_study_and_date(trailed: Store, cohort: Cohort) -> None:
    other = trailed.create_study("bob", "Other", cohort)
    assert [e.action for e in trailed.trail(LOCAL_OWNER, who="bob")] == ["study.created"]
    assert [e.seq for e in trailed.trail(LOCAL_OWNER, action="study.renamed")] == [2, 3, 4]
    assert [e.who for e in trailed.trail(LOCAL_OWNER, study_id=other.id)] == ["bob"]
    assert [e.seq for e in trailed.trail(LOCAL_OWNER, newest=2)] == [8, 9]
    last = trailed.trail(LOCAL_OWNER, newest=1)[0]
    assert trailed.trail(LOCAL_OWNER, since=last.created_at) == (last,)


def test_a_trail_of_an_earlier_version_is_chained_where_it_stands_and_undo_goes_on(tmp_path: Path) -> None:
    settings = Settings(tmp_path, f"sqlite:///{tmp_path / 'medcore.db'}", (tmp_path / "files").as_uri())
    engine = create_engine(settings.database_url)
    migrate(engine, "0006")
    old = [
        ("study.created", None, False),
        ("study.renamed", '{"name": "First"}', False),
        ("study.renamed", '{"name": "Second"}', True),
        ("change.undone", None, False),
    ]
    with engine.begin() as connection:
        for action, before, undone in old:
            connection.execute(
                text(
                    'INSERT INTO audit (owner, study_id, action, details, "before", undone, created_at)'
                    " VALUES ('ann', 'one', :action, '{}', :before, :undone, '2026-01-02 03:04:05.000006')"
                ),
                {"action": action, "before": before, "undone": undone},
            )
    store = Store(settings)
    assert store.verify_trail().whole and (tmp_path / "audit.head").exists()
    assert [e.undoable for e in store.audit("ann", "one")] == [False, True, False, False]
    with engine.begin() as connection:
        configuration = alembic_config()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "0006")
        assert [u for (u,) in connection.execute(text("SELECT undone FROM audit ORDER BY id"))] == [0, 0, 1, 0]
    engine.dispose()
