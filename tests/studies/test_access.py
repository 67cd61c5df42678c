"""Who may do what: every query of the store, asked by a stranger, a reader, a modeller and the owner."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe
from medcore.data.splitting.split import SplitSettings
from medcore.errors import NotFoundError, RefusedError, SettingsError
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.people.sign_in import Claimed
from medcore.studies.records import Choice
from medcore.studies.tables import SignInRow, now

OWN = {"delete_study", "restore_study", "purge_study", "share_study", "shares", "save_similar_patients"}
CHANGE = {
    "rename_study",
    "save_schema",
    "save_recipe",
    "save_split",
    "save_choice",
    "save_answers",
    "undo",
    "create_run",
    "add_version",
    "request_cancel",
    "remove_run",
    "load_original",
    "export_study",
    "duplicate_study",
}
WORKER = {"begin_attempt", "beat", "signal", "append_progress", "finish_run", "keep_result", "keep_first_patients"}
"""What a worker does in the name of a run's owner; no page asks for it."""


@dataclass(frozen=True)
class Asked:
    """A study and its run, and how each query of the store is asked about them."""

    store: Store
    study_id: str
    run_id: str
    cohort: Cohort
    folder: Path

    def ask(self, name: str, person: str) -> Any:
        known = {
            "study_id": self.study_id,
            "run_id": self.run_id,
            "name": "Mine",
            "schema": self.cohort.schema,
            "recipe": default_recipe(self.cohort.schema),
            "split": SplitSettings(seed=7),
            "settings": TrainSettings(),
            "answers": {"purpose": "mine"},
            "choice": Choice(run_id=self.run_id, model="logistic", threshold=0.5),
            "shown": False,
            "action": "data.exported",
            "what": "rows",
            "person": "zoe",
            "role": "reader",
            "folder": self.folder,
            "summary": {},
            "link": {"n_patients": 1},
            "attempt": 1,
            "points": [Progress(stage="final", model="seed", epoch=1)],
            "state": "failed",
            "data": b"",
        }
        query = getattr(self.store, name)
        _first, *others = inspect.signature(query).parameters.values()
        needed = [p for p in others if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        by_place = [known[p.name] for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]
        return query(person, *by_place, **{p.name: known[p.name] for p in needed if p.kind is p.KEYWORD_ONLY})


@pytest.fixture
def asked(store: Store, cohort: Cohort, tmp_path: Path) -> Asked:
    study = store.create_study("ann", "Ward", cohort, original=cohort.frame.to_csv(index=False).encode())
    store.rename_study("ann", study.id, "Heart")
    run = store.create_run("ann", study.id, TrainSettings())
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "rows.json").write_text("{}")
    store.keep_result("ann", run.id, tmp_path / "result")
    for person, role in (("rob", "reader"), ("mia", "modeller")):
        store.share_study("ann", study.id, person, role)
    return Asked(store, study.id, run.id, cohort, tmp_path / "result")


OTHERS = ("checkpoint_dir", "release")
"""One that is no query, and one that test_models_in_use walks with all that are about a released model."""


def queries() -> list[str]:
    """Every public query of the store about one study or one run."""
    found = []
    for name, function in inspect.getmembers(Store, inspect.isfunction):
        needed = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        if not name.startswith("_") and {"study_id", "run_id"} & set(needed) and name not in OTHERS:
            assert needed[1] == "owner", f"{name} does not say in whose name it is asked"
            found.append(name)
    return found


def test_the_walk_meets_every_query_about_a_study_or_a_run() -> None:
    assert len(queries()) >= 30
    assert set(queries()) >= OWN | CHANGE | WORKER


@pytest.mark.parametrize("name", queries())
def test_a_stranger_is_refused_by_every_query_and_that_is_in_the_trail(asked: Asked, name: str) -> None:
    if name in ("signal", "audit"):
        assert asked.ask(name, "eve") in ("superseded", ())
        return
    with pytest.raises(RefusedError, match="or it is not yours"):
        asked.ask(name, "eve")
    refused = asked.store.trail(LOCAL_OWNER, action="access.refused")
    assert [(e.who, e.study_id) for e in refused] == [("eve", asked.study_id)]


@pytest.mark.parametrize("name", [name for name in queries() if name not in WORKER])
@pytest.mark.parametrize(("person", "may"), [("rob", set()), ("mia", CHANGE)])
def test_a_share_opens_what_it_says_and_no_more(asked: Asked, name: str, person: str, may: set[str]) -> None:
    if name == "remove_run":  # one that has ended
        asked.store.request_cancel("ann", asked.run_id)
    if name in (CHANGE | OWN) - may:
        with pytest.raises(RefusedError, match=r"You may read this study|Only the owner"):
            asked.ask(name, person)
    else:
        asked.ask(name, person)
    assert asked.store.get_study("ann", asked.study_id).owner == "ann"


def test_a_share_ends_when_it_is_taken_back_or_the_study_is_deleted(asked: Asked) -> None:
    store, study_id = asked.store, asked.study_id
    assert [(s.access, s.shared_by) for s in store.list_studies("rob")] == [("read", "ann")]
    store.share_study("ann", study_id, "rob", None)
    assert store.list_studies("rob") == ()
    store.delete_study("ann", study_id)
    assert store.list_studies("mia") == () and store.list_studies("mia", deleted=True) == ()
    for name in ("get_study", "undo", "get_run", "run_inputs"):
        with pytest.raises(RefusedError):
            asked.ask(name, "mia")
    store.restore_study("ann", study_id)
    assert [s.access for s in store.list_studies("mia")] == ["change"]
    store.purge_study("ann", study_id)
    assert store.list_studies("mia") == ()


def test_what_a_modeller_does_to_a_shared_study_is_theirs_in_the_trail_and_the_owners_on_disk(asked: Asked) -> None:
    store = asked.store
    run = store.create_run("mia", asked.study_id, TrainSettings())
    assert run.owner == "mia"
    assert ("ann", run.id) in store.unfinished_runs()
    (entry,) = [e for e in store.trail(LOCAL_OWNER, who="mia") if e.action == "run.created"]
    assert entry.run_id == run.id
    store.begin_attempt("ann", run.id)
    store.keep_result("ann", run.id, asked.folder)
    store.finish_run("ann", run.id, "done", attempt=1, summary={})
    assert store.trail(LOCAL_OWNER, action="run.done")[0].who == "mia"
    assert store.result_folder("rob", run.id) == store.result_folder("ann", run.id)


def test_only_the_owner_undoes_what_only_the_owner_may_change(asked: Asked) -> None:
    asked.store.save_similar_patients("ann", asked.study_id, shown=False)
    with pytest.raises(RefusedError):
        asked.store.undo("mia", asked.study_id)
    assert asked.store.undo("ann", asked.study_id).similar_patients


@pytest.mark.parametrize("person", ["", "ann", "x" * 201])
def test_a_study_is_shared_with_somebody_else(asked: Asked, person: str) -> None:
    with pytest.raises(SettingsError):
        asked.store.share_study("ann", asked.study_id, person, "reader")


Claims = Callable[..., Claimed]


@pytest.fixture
def claims() -> Claims:
    def claimed(name: str, role: Any = "modeller", *, sign_in: str = "1", hours_ago: float = 0) -> Claimed:
        return Claimed(f"{name} {sign_in}", name, role, now() - timedelta(hours=hours_ago))

    return claimed


def test_a_reader_reads_even_what_is_their_own_and_makes_nothing(asked: Asked, claims: Claims) -> None:
    store = asked.store
    assert store.signed_in(claims("ann", "reader"), 30, touch=True)
    assert store.get_study("ann", asked.study_id).access == "read"
    for name in CHANGE | OWN:
        with pytest.raises(RefusedError):
            asked.ask(name, "ann")
    with pytest.raises(RefusedError, match="Your role here is reader"):
        store.create_study("ann", "Another", asked.cohort)


def test_only_administrators_see_the_trail_and_who_signed_in(store: Store, claims: Claims) -> None:
    store.signed_in(claims("ida", "administrator"), 30, touch=True)
    store.signed_in(claims("mia", "modeller"), 30, touch=True)
    assert [p.name for p in store.people("ida")] == ["ida", "mia"]
    assert [e.action for e in store.trail("ida")] == ["session.began_administrator", "session.began_modeller"]
    for query in (store.trail, store.people, store.require_administrator):
        with pytest.raises(RefusedError):
            query("mia")


def test_a_sign_in_is_over_when_idle_too_long_and_stays_over(store: Store, claims: Claims) -> None:
    ann = claims("ann")
    assert store.signed_in(ann, 30, touch=True)
    _seen(store, minutes_ago=29)
    assert store.signed_in(ann, 30, touch=False)
    _seen(store, minutes_ago=31)
    assert not store.signed_in(ann, 30, touch=True)
    assert not store.signed_in(ann, 1000, touch=True)
    assert [e.action for e in store.trail(LOCAL_OWNER)][-1] == "session.timed_out"
    assert store.signed_in(claims("ann", sign_in="2"), 30, touch=True)


def test_looking_without_doing_does_not_keep_a_sign_in_alive(store: Store, claims: Claims) -> None:
    ann = claims("ann")
    store.signed_in(ann, 30, touch=True)
    _seen(store, minutes_ago=20)
    store.signed_in(ann, 30, touch=False)
    with Session(store._engine) as session:
        assert now() - session.get_one(SignInRow, ann.id).seen_at > timedelta(minutes=19)
    store.signed_in(ann, 30, touch=True)
    with Session(store._engine) as session:
        assert now() - session.get_one(SignInRow, ann.id).seen_at < timedelta(minutes=1)


def test_signing_out_ends_the_sign_in_for_whoever_kept_its_cookie(store: Store, claims: Claims) -> None:
    ann = claims("ann")
    store.signed_in(ann, 30, touch=True)
    store.sign_out(ann)
    assert not store.signed_in(ann, 30, touch=True)


def test_a_cookie_of_yesterday_begins_nothing(store: Store, claims: Claims) -> None:
    assert not store.signed_in(claims("ann", hours_ago=13), 30, touch=True)
    with pytest.raises(NotFoundError):
        store.get_study("ann", "0" * 32)


def _seen(store: Store, *, minutes_ago: int) -> None:
    with Session(store._engine) as session, session.begin():
        session.execute(update(SignInRow).values(seen_at=now() - timedelta(minutes=minutes_ago)))
