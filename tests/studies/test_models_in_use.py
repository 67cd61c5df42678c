"""Releases, the register of their patients, tasks and tokens: who may what, what is kept, what goes."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from medcore.data.cohort import Cohort
from medcore.errors import NotFoundError, RefusedError, SettingsError
from medcore.jobs.queries.watching import watch_all
from medcore.models.bundle.files import seal
from medcore.models.contract.settings import TrainSettings
from medcore.sealing import put
from medcore.settings import Settings
from medcore.studies import RunRecord, Store
from medcore.studies.database import forget_engines
from medcore.studies.stores.register_store import Call, RegisterStore
from medcore.studies.stores.release_store import ReleaseStore
from medcore.studies.stores.task_store import TaskStore
from medcore.studies.use_records import AskedPatient, Release, Terms
from medcore.upkeep.rekey import rekey

TERMS = Terms(intended_use="Triage at admission.", for_whom="Adults with chest pain.", threshold=0.3)
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def finished_run(store: Store, study_id: str, *, person: str = "ann") -> RunRecord:
    """Finish a run whose bundle is a file that nobody opens here."""
    run = store.create_run(person, study_id, TrainSettings(model="logistic"))
    attempt = store.begin_attempt(person, run.id)
    with store.scratch_folder() as folder:
        put(folder / "manifest.json", f'{{"run": "{run.id}"}}'.encode())
        seal(folder)
        store.keep_result(person, run.id, folder)
    store.finish_run(person, run.id, "done", attempt=attempt)
    return store.get_run(person, run.id)


@pytest.fixture
def run(store: Store, cohort: Cohort) -> RunRecord:
    return finished_run(store, store.create_study("ann", "Ward", cohort).id)


@pytest.fixture
def release(store: Store, run: RunRecord) -> Release:
    return store.release("ann", run.id, "chest-pain", TERMS)


def asked(risk: float, patient: str | None = "Zhang San", *, days: float = 0, **more) -> AskedPatient:
    moment = MONDAY + timedelta(days=days)
    return AskedPatient(
        values={"年龄": 63}, risk=risk, risks=[1 - risk, risk], called=risk >= 0.3, at=moment, patient=patient, **more
    )


def test_versions_are_counted_and_the_newest_that_was_not_withdrawn_answers(store: Store, release: Release) -> None:
    second = store.release("ann", finished_run(store, release.study_id).id, "chest-pain", TERMS)
    assert (release.version, second.version) == (1, 2)
    assert [r.state for r in store.releases("ann", model="chest-pain")] == ["in use", "succeeded"]
    assert store.model_in_use("ann", "chest-pain") == second
    store.withdraw("ann", second.id, "Too many false alarms.")
    assert store.model_in_use("ann", "chest-pain").version == 1
    store.withdraw("ann", release.id, "Superseded guideline.")
    with pytest.raises(SettingsError, match="was withdrawn: Too many false alarms"):
        store.model_in_use("ann", "chest-pain")


def test_a_release_says_what_for_and_for_whom_and_ends_when_it_was_said_to(store: Store, run: RunRecord) -> None:
    with pytest.raises(SettingsError, match="released for"):
        replace(TERMS, intended_use=" ")
    with pytest.raises(SettingsError, match="threshold"):
        replace(TERMS, threshold=30)
    with pytest.raises(SettingsError, match="small letters"):
        store.release("ann", run.id, "Übelkeit/../x", TERMS)
    store.release("ann", run.id, "chest-pain", replace(TERMS, valid_until=date(2026, 1, 31)))
    with pytest.raises(SettingsError, match="2026-01-31"):
        store.model_in_use("ann", "chest-pain")


def test_only_who_may_change_a_study_releases_and_others_see_nothing(store: Store, release: Release) -> None:
    with pytest.raises(RefusedError):
        store.model_in_use("bob", "chest-pain")
    assert store.releases("bob") == ()
    store.share_study("ann", release.study_id, "bob", "reader")
    assert store.model_in_use("bob", "chest-pain").version == 1
    with pytest.raises(RefusedError, match="read this study"):
        store.withdraw("bob", release.id, "No.")
    store.share_study("ann", release.study_id, "bob", None)
    with pytest.raises(NotFoundError):
        store.get_release("bob", release.id)


def test_a_name_is_of_one_owner(store: Store, release: Release, other_cohort: Cohort) -> None:
    other = finished_run(store, store.create_study("bob", "Ward", other_cohort).id, person="bob")
    with pytest.raises(SettingsError, match="taken"):
        store.release("bob", other.id, "chest-pain", TERMS)


def test_what_is_in_use_is_not_removed_and_what_was_changed_answers_nothing(
    store: Store, release: Release, run: RunRecord
) -> None:
    for removing in (lambda: store.remove_run("ann", run.id), lambda: store.delete_study("ann", run.study_id)):
        with pytest.raises(SettingsError, match="Withdraw it first"):
            removing()
    folder = store.release_folder("ann", release.id)
    assert (folder / "manifest.json").is_file()
    with store.scratch_folder() as other:
        put(other / "manifest.json", b"{}")
        seal(other)
        store.keep_result("ann", run.id, other)
    with pytest.raises((SettingsError, NotFoundError)):
        store.release_folder("ann", release.id)


def test_a_request_is_kept_once_however_often_it_is_sent(store: Store, release: Release) -> None:
    first = store.keep_answers("ann", release, [asked(0.4, request="k" * 64, request_body="b" * 64)], route="predict")
    again = store.keep_answers("ann", release, [asked(0.4, request="k" * 64, request_body="b" * 64)], route="predict")
    assert (first[0].again, again[0].again, first[0].id) == (False, True, again[0].id)
    with pytest.raises(SettingsError, match="used before"):
        store.keep_answers("ann", release, [asked(0.9, request="k" * 64, request_body="c" * 64)], route="predict")
    assert len(store.predictions("ann", "chest-pain")) == 1


def test_the_worklist_has_everybodys_last_risk_how_it_changed_and_what_is_open(store: Store, release: Release) -> None:
    store.keep_answers(
        "ann",
        release,
        [asked(0.2), asked(0.6, "B-2"), asked(0.5, days=3), asked(0.1, None), asked(0.7, "B-2", days=-1)],
        route="predict",
    )
    first, second = store.worklist("ann", "chest-pain")
    assert (first.identifier, first.risk, first.n_predictions) == ("B-2", 0.6, 2)
    assert (second.identifier, second.risk, second.before) == ("Zhang San", 0.5, 0.2)
    assert first.change == pytest.approx(-0.1)
    assert second.change == pytest.approx(0.3)
    task = store.add_task("ann", second.patient_id, "look_again", "Potassium", due_at=MONDAY + timedelta(days=7))
    store.add_task("ann", second.patient_id, "note", "Seen.")
    entry = store.worklist("ann", "chest-pain")[1]
    assert (entry.n_open, entry.due_at) == (1, MONDAY + timedelta(days=7))
    assert [t.text for t in store.open_tasks("ann", "chest-pain")] == ["Potassium"]
    store.do_task("ann", task.id, done=True)
    assert store.worklist("ann", "chest-pain")[1].n_open == 0
    assert store.do_task("ann", task.id, done=False).done_at is None
    store.take_back_task("ann", task.id)
    assert [t.kind for t in store.tasks("ann", second.patient_id)] == ["note"]


def test_outcomes_come_later_and_can_be_taken_back(store: Store, release: Release) -> None:
    store.keep_answers("ann", release, [asked(0.2), asked(0.5, days=3), asked(0.6, "B-2")], route="predict")
    assert store.enter_outcomes("ann", "chest-pain", {"Zhang San": 1.0, "nobody": 0.0}) == (1, ("nobody",))
    told = [(p.outcome, p.outcome_at is not None) for p in store.predictions("ann", "chest-pain")]
    assert sorted(told, key=str) == [(1.0, True), (1.0, True), (None, False)]
    store.enter_outcomes("ann", "chest-pain", {"Zhang San": None})
    assert {p.outcome for p in store.predictions("ann", "chest-pain")} == {None}


def test_an_outcome_with_a_day_counts_for_visits_until_that_day(store: Store, release: Release) -> None:
    store.keep_answers("ann", release, [asked(0.2), asked(0.5, days=3), asked(0.6, days=9)], route="predict")
    day = (MONDAY + timedelta(days=3)).date()
    store.enter_outcomes("ann", "chest-pain", {"Zhang San": 1.0}, days={"Zhang San": day})
    found = store.predictions("ann", "chest-pain")
    assert [(p.outcome, p.outcome_on) for p in found] == [(1.0, day), (1.0, day), (None, None)]
    read = store.in_time("ann", release.id, most=10)
    assert read.dated == (True, True, False)
    assert [at and at.date() for at in read.known_at] == [day, day, None]
    store.enter_outcomes("ann", "chest-pain", {"Zhang San": None})
    assert {(p.outcome, p.outcome_on) for p in store.predictions("ann", "chest-pain")} == {(None, None)}
    with pytest.raises(SettingsError, match="has not come yet"):
        store.enter_outcomes("ann", "chest-pain", {"Zhang San": 1.0}, days={"Zhang San": date(2999, 1, 1)})


def test_what_is_watched_is_an_even_sample_of_each_month_whoever_else_is_asked_about(
    store: Store, release: Release
) -> None:
    other = store.release("ann", finished_run(store, release.study_id).id, "other-model", TERMS)
    visits = [asked(0.2, "Zhang San", days=i / 12) for i in range(600)]
    # One prediction of each model in turn, so that the numbers of each are all even, or all odd.
    store.keep_calls([Call("ann", version, (visit,), 1, "predict") for visit in visits for version in (release, other)])
    for version in (release, other):
        read = store.in_time("ann", version.id, most=200)
        assert sum(read.n_of_month.values()) == 600
        assert 150 <= len(read) <= 250
        assert len({f"{at:%Y-%m}" for at in read.at}) == len(read.n_of_month) == 2


def test_a_patient_deleted_while_watched_is_gone_from_what_is_watched_and_nothing_is_torn(
    store: Store, release: Release
) -> None:
    store.keep_answers("ann", release, [asked(0.2), asked(0.6, "B-2"), asked(0.7, days=40)], route="predict")
    store.keep_found(release.id, "2026-04", {"stop": 0, "recalibrate": 1, "look": 2})
    store.forget_patient("ann", store.find_patient("ann", "chest-pain", "Zhang San"))
    read = store.in_time("ann", release.id, most=10)
    assert (len(read), dict(read.n_of_month)) == (1, {"2026-03": 1})
    store.forget_patient("ann", store.find_patient("ann", "chest-pain", "B-2"))
    assert not store.was_used("ann", release.id)
    assert len(store.in_time("ann", release.id, most=10)) == 0
    (stands,) = store.standing("ann")
    assert (stands.model, stands.month, stands.n) == ("chest-pain", "2026-04", 3)
    assert store.standing("somebody") == ()
    (one,) = watch_all(store.settings)
    assert (one.found, one.problem[:38]) == (None, "This version has predicted for nobody ")
    store.withdraw("ann", release.id, "Superseded guideline.")
    assert store.standing(None) == ()


def test_a_patient_is_deleted_with_everything_and_the_trail_says_so_without_a_name(
    store: Store, release: Release
) -> None:
    store.keep_answers("ann", release, [asked(0.2), asked(0.6, "B-2")], route="predict")
    number = store.find_patient("ann", "chest-pain", " Zhang San ")
    store.add_task("ann", number, "task", "Call the family", whose="bob")
    assert store.forget_patient("ann", number) == 1
    with pytest.raises(NotFoundError):
        store.course("ann", number)
    assert [e.identifier for e in store.worklist("ann", "chest-pain")] == ["B-2"]
    words = " ".join(str(e.sentence) for e in store.trail("local"))
    assert "deleted for good, with 1 prediction" in words
    assert "Zhang" not in words and "family" not in words


def test_nothing_of_a_patient_is_readable_in_the_database(
    store: Store, release: Release, studies_settings: Settings
) -> None:
    store.keep_answers("ann", release, [asked(0.2)], route="predict")
    store.add_task("ann", store.find_patient("ann", "chest-pain", "Zhang San"), "note", "Drinks with Li Si")
    token, _kept = store.new_token("ann", "Ward round")
    kept = b"".join(path.read_bytes() for path in studies_settings.data_dir.glob("medcore.db*"))
    for secret in ("Zhang San", "Li Si", "年龄", "Ward round", token):
        assert secret.encode() not in kept


def test_with_a_study_go_its_versions_patients_and_tasks(store: Store, release: Release) -> None:
    store.keep_answers("ann", release, [asked(0.2), asked(0.3, None)], route="predict")
    store.add_task("ann", store.find_patient("ann", "chest-pain", "Zhang San"), "note", "Seen.")
    store.withdraw("ann", release.id, "Over.")
    store.delete_study("ann", release.study_id)
    assert store.releases("ann") == ()
    assert store.purge_study("ann", release.study_id).n_predictions == 2
    with pytest.raises(NotFoundError):
        store.find_patient("ann", "chest-pain", "Zhang San")


def test_a_token_opens_until_it_is_ended_or_over_and_is_never_kept_itself(store: Store, release: Release) -> None:
    token, made = store.new_token("ann", "Ward round", days=1, model="chest-pain")
    found = store.whose_token(token)
    assert found is not None and (found.person, found.model, found.holds) == ("ann", "chest-pain", True)
    assert store.whose_token(token + "x") is None
    assert store.whose_token("") is None
    assert not replace(made, expires_at=datetime.now(UTC)).holds
    with pytest.raises(NotFoundError):
        store.end_token("bob", made.id)
    store.end_token("ann", made.id[:8])
    assert store.whose_token(token) is None
    for days in (0, 400):
        with pytest.raises(SettingsError, match="how many days"):
            store.new_token("ann", "x", days=days)
    with pytest.raises(NotFoundError):
        store.new_token("ann", "x", model="nothing")


def queries() -> list[str]:
    """Every public query of the store about a released model, a version, a patient or a task."""
    parts = (ReleaseStore, RegisterStore, TaskStore)
    return [
        name
        for part in parts
        for name, _f in inspect.getmembers(part, inspect.isfunction)
        if name in vars(part) and name != "models_released"
    ]


@pytest.mark.parametrize("name", [n for n in queries() if not n.startswith("_")])
@pytest.mark.parametrize("person", ["eve", "rob"])
def test_a_stranger_is_refused_by_every_query_and_a_reader_may_read_and_use(
    store: Store, release: Release, run: RunRecord, name: str, person: str
) -> None:
    store.keep_answers("ann", release, [asked(0.2)], route="predict")
    patient = store.find_patient("ann", "chest-pain", "Zhang San")
    task = store.add_task("ann", patient, "task", "Call")
    store.share_study("ann", release.study_id, "rob", "reader")
    known = {
        "run_id": run.id,
        "model": "chest-pain",
        "terms": TERMS,
        "release_id": release.id,
        "release": release,
        "why": "No.",
        "asked": [asked(0.3)],
        "calls": [Call(person, release, (asked(0.3),), 1, "predict")],
        "route": "predict",
        "patient_id": patient,
        "identifier": "Zhang San",
        "outcomes": {"Zhang San": 1.0},
        "columns": ["年龄"],
        "since": MONDAY,
        "task_id": task.id,
        "kind": "note",
        "text": "Seen.",
        "done": True,
    }
    query = getattr(store, name)
    _who, *others = [p for p in inspect.signature(query).parameters.values() if p.default is p.empty]
    given = {p.name: known[p.name] for p in others}
    ask = partial(query, known["calls"]) if name == "keep_calls" else partial(query, person, **given)
    if name == "releases":
        assert len(ask()) == (person == "rob")
    elif person == "eve" or name in ("release", "withdraw", "forget_patient"):
        with pytest.raises(RefusedError):
            ask()
    else:
        ask()


def test_under_another_key_a_patient_is_found_again(store: Store, release: Release, studies_settings: Settings) -> None:
    store.keep_answers("ann", release, [asked(0.2)], route="predict")
    number = store.find_patient("ann", "chest-pain", "Zhang San")
    forget_engines()
    rekey(studies_settings)
    again = Store(studies_settings)
    assert again.find_patient("ann", "chest-pain", "Zhang San") == number
    again.keep_answers("ann", again.model_in_use("ann", "chest-pain"), [asked(0.3, days=1)], route="predict")
    assert [e.n_predictions for e in again.worklist("ann", "chest-pain")] == [2]


def test_calls_of_one_moment_are_kept_as_each_would_be_alone(store: Store, release: Release) -> None:
    key = {"request": "q" * 64, "request_body": "b" * 64}
    calls = [
        Call("ann", release, (asked(0.1, "P-1"), asked(0.2, "P-2")), 2, "predict"),
        Call("ann", release, (), 7, "evaluate"),
        Call("ann", release, (asked(0.3, "P-1", days=1, **key),), 1, "predict"),
    ]
    first = store.keep_calls(calls)
    assert [len(kept) for kept in first] == [2, 0, 1]
    assert first[0][0].patient_id == first[2][0].patient_id
    again = store.keep_calls([calls[2], calls[2], Call("ann", release, (asked(0.4, "P-3"),), 1, "predict")])
    assert [kept[0].again for kept in again] == [True, True, False]
    assert again[0][0].id == first[2][0].id
    assert sorted(p.risk for p in store.predictions("ann", "chest-pain")) == [0.1, 0.2, 0.3, 0.4]
    told = [e for e in store.audit("ann", release.study_id) if e.action == "model.asked"]
    assert len(told) == 6 and store.verify_trail().whole
