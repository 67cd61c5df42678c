"""The Patients page: a model is released, patients are brought in, watched, and looked after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from sklearn.metrics import roc_auc_score

from medcore.data.samples import load_sample
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.use_records import AskedPatient, Terms
from medcore.ui.kit import cache

TERMS = Terms(intended_use="Triage at admission.", for_whom="Adults with chest pain.", threshold=0.5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train one study once; return where it is, and its two runs."""
    home = tmp_path_factory.mktemp("released")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings = Settings.from_env()
        store = Store(settings)
        study = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
        runs = []
        for weight in (None, "balanced"):
            told = TrainSettings(model="logistic", class_weight=weight)
            runs.append(store.create_run(LOCAL_OWNER, study.id, told))
            perform_run(settings, LOCAL_OWNER, runs[-1].id, train_study)
            assert store.get_run(LOCAL_OWNER, runs[-1].id).state == "done"
    forget_engines()
    return home, study.id, *(run.id for run in runs)


@pytest.fixture
def page_settings(trained, monkeypatch):
    monkeypatch.setenv("MEDCORE_DATA", str(trained[0]))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def release(page_store, trained):
    """Release the run under a name of its own, so that each test has a register of its own."""
    n = len(page_store.releases(LOCAL_OWNER))
    return page_store.release(LOCAL_OWNER, trained[2], f"model-{n}", TERMS)


@pytest.fixture
def page(open_page, here, release):
    return lambda **asked: open_page("patients", model=release.model, **asked)


def visits_table(n: int = 3) -> bytes:
    """Write two visits of each of n patients, a week apart, older at the second."""
    frame = load_sample("heart").frame.iloc[:n]
    first = frame.assign(mrn=[f"M-{i}" for i in range(n)], seen="2026-03-01 08:00")
    second = first.assign(seen="2026-03-08 08:00", oldpeak="3.5")
    return pd.concat([first, second]).to_csv(index=False).encode()


def brought_in(page, table: bytes):
    app = page(view="bring")
    assert not app.exception and not app.error
    app.file_uploader[0].set_value(("visits.csv", table, "text/csv")).run()
    assert not app.exception
    who = next(s for s in app.selectbox if s.label == "Column of identifiers")
    who.set_value("mrn").run()
    next(s for s in app.selectbox if s.label == "Column that says when they were seen").set_value("seen").run()
    app.button(key="patients.bring").click().run()
    assert not app.exception
    return app


def test_without_a_released_model_the_page_says_how_there_is_one(open_page, words, monkeypatch):
    monkeypatch.setattr(Store, "releases", lambda *_args, **_options: ())
    app = open_page("patients")
    assert not app.exception
    assert "No model is released" in words(app)


def test_a_table_of_visits_is_predicted_and_kept_once(page, page_store, release, words):
    app = brought_in(page, visits_table())
    assert "6 visits of 3 patients are kept" in words(app)
    st.cache_resource.clear()  # another session
    assert "6 of them were there before" in words(brought_in(page, visits_table()))
    listed = page_store.worklist(LOCAL_OWNER, release.model)
    assert [e.n_predictions for e in listed] == [2, 2, 2]
    assert [e.at for e in listed] == [datetime(2026, 3, 8, 8, tzinfo=UTC)] * 3
    app = page()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["Identifier"]) == [e.identifier for e in listed]
    assert np.allclose(table["Since last visit"], [100 * e.change for e in listed], atol=0.06)
    assert table.iloc[:, 2].is_monotonic_decreasing


def test_one_typed_in_is_kept_and_its_course_opened(page, page_store, release, words):
    app = page(view="bring")
    app.segmented_control(key="patients.way").set_value("type").run()
    next(t for t in app.text_input if t.label == "Identifier").set_value("Li-7")
    next(t for t in app.text_input if t.label.startswith("Seen at")).set_value("2026-03-02 09:30")
    next(t for t in app.number_input if t.label.casefold().startswith("age")).set_value(63)
    next(b for b in app.button if b.label == "Predict and keep").click().run()
    assert not app.exception
    text = words(app)
    assert "Li-7" in text and "2026-03-02 09:30" in text
    (entry,) = page_store.worklist(LOCAL_OWNER, release.model)
    (visit,) = page_store.course(LOCAL_OWNER, entry.patient_id)
    assert visit.values["age"] == "63" and f"{100 * visit.risk:.1f}%" in text
    actions = [e.action for e in page_store.trail(LOCAL_OWNER)]
    assert "course.viewed" in actions
    assert not any("Li-7" in str(e.sentence) for e in page_store.trail(LOCAL_OWNER))
    app.button(key="patients.back").click().run()
    assert app.query_params.get("patient") is None
    assert "worklist.viewed" in [e.action for e in page_store.trail(LOCAL_OWNER)]


def test_a_withdrawn_model_shows_its_patients_and_answers_nothing(page, page_store, release, words):
    page_store.withdraw(LOCAL_OWNER, release.id, "Too many false alarms.")
    text = words(page(view="bring"))
    assert "was withdrawn: Too many false alarms." in text and "Predict" not in text


@pytest.fixture
def followed(page_store, release):
    """Enter one patient with two visits, at the second of which ST depression had risen."""
    row = load_sample("heart").frame.iloc[0]
    values = {
        name: None if pd.isna(cell) else str(cell) for name, cell in row.items() if name not in ("num", "disease")
    }
    visits = [
        AskedPatient(
            values=values | {"oldpeak": depression}, risk=risk, risks=[1 - risk, risk], called=risk >= 0.5,
            flags=("imputed:ca",), at=datetime(2026, 3, day, 8, tzinfo=UTC), patient="Zhang",
        )
        for day, depression, risk in ((1, "0.1", 0.2), (8, "4.0", 0.6))
    ]  # fmt: skip
    return page_store.keep_answers(LOCAL_OWNER, release, visits, route="page")[0].patient_id


@pytest.fixture
def course(page, followed):
    def opened(part: str = ""):
        app = page(patient=followed, **({"part": part} if part else {}))
        assert not app.exception and not app.error
        return app

    return opened


def test_a_course_says_what_happened_and_which_value_moved_it(course, words):
    app = course()
    text = words(app)
    assert "rose across the threshold, from 20.0% to 60.0% in 7 days" in text
    moves = text[text.index("mc-moves") :]
    moves = moves[: moves.index("</table>")]
    assert moves.count("<tr") == 3 and "0.1 → 4" in moves  # the head, the sum, and the one value that changed
    assert "To be remembered: The risk rose across the threshold" in text
    assert "not what changed in the patient’s illness" in text
    frame = course("values").dataframe[0].value
    assert list(frame["Seen at"]) == ["2026-03-08 08:00", "2026-03-01 08:00"]


def test_a_link_to_a_patient_who_is_not_there_leads_to_the_list(page, followed, words):
    app = page(patient="0" * 32)
    assert not app.exception
    assert "no such patient" in words(app) and "1 of 1 patients" in words(app)
    app.run()
    assert "no such patient" not in words(app) and "patient" not in app.query_params


def test_a_new_visit_begins_with_the_last_values_and_takes_none_unconfirmed(course, page_store, followed, words):
    app = course("visit")
    assert "The fields hold the values of 2026-03-08" in words(app)

    def number(name):
        return next(f for f in app.number_input if name in f.label.casefold())

    values = page_store.course(LOCAL_OWNER, followed)[-1].values
    assert (number("age").value, number("st depression").value) == (float(values["age"]), 4.0)
    next(b for b in app.button if b.label == "Predict and keep").click().run()
    assert len(page_store.course(LOCAL_OWNER, followed)) == 2
    assert "Tick, change or clear what was carried over" in words(app)
    for box in app.checkbox:
        box.set_value(True)
    number("st depression").set_value(1.5)
    number("cholesterol").set_value(None)
    next(b for b in app.button if b.label == "Predict and keep").click().run()
    assert not app.exception and not app.error
    kept = page_store.course(LOCAL_OWNER, followed)[-1].values
    assert (kept["oldpeak"], kept["chol"], kept["sex"]) == ("1.5", None, values["sex"])
    assert float(kept["age"]) == float(values["age"])


def test_a_plan_is_added_done_undone_taken_back_and_put_on_again(course, page_store, followed, words):
    app = course("plan")
    app.text_area[0].set_value("Call the family")
    next(t for t in app.text_input if t.label == "By when").set_value("2026-03-09")
    next(t for t in app.text_input if t.label == "Who is to do it").set_value("Li Mei")
    next(b for b in app.button if b.label == "Add").click().run()
    (task,) = page_store.tasks(LOCAL_OWNER, followed)
    assert (task.text, task.whose, f"{task.due_at:%Y-%m-%d}") == ("Call the family", "Li Mei", "2026-03-09")
    assert "Due: Call the family" in words(app)
    app.button(key=f"patients.done.{task.id}").click().run()
    assert page_store.tasks(LOCAL_OWNER, followed)[0].done_at is not None
    assert "Due: Call the family" not in words(app)
    app.button(key=f"patients.undone.{task.id}").click().run()
    assert page_store.tasks(LOCAL_OWNER, followed)[0].done_at is None
    app.button(key=f"patients.back.{task.id}").click().run()
    assert page_store.tasks(LOCAL_OWNER, followed) == ()
    app.button(key="patients.put_back.undo").click().run()
    assert not app.exception
    assert [t.id for t in page_store.tasks(LOCAL_OWNER, followed)] == [task.id]


def test_an_outcome_is_entered_and_taken_back(course, page_store, followed):
    app = course("outcome")
    for answer, outcome in (("1", 1.0), ("0", 0.0), ("unknown", None)):
        app.radio[0].set_value(answer)
        next(b for b in app.button if b.label == "Keep").click().run()
        assert not app.exception
        assert [v.outcome for v in page_store.course(LOCAL_OWNER, followed)] == [outcome] * 2
    day = page_store.course(LOCAL_OWNER, followed)[-1].at.date()
    app.radio[0].set_value("1")
    app.text_input[-1].set_value(day.isoformat())
    next(b for b in app.button if b.label == "Keep").click().run()
    assert [v.outcome_on for v in page_store.course(LOCAL_OWNER, followed)] == [day] * 2


def test_outcomes_come_by_table(page, page_store, release, followed, words):
    app = page(view="outcomes")
    day = page_store.course(LOCAL_OWNER, followed)[-1].at.date()
    table = f"who,died,on\nZhang,dead,{day}\nWang,alive,2025-01-05\nZhao,,2025-02-01\n".encode()
    app.file_uploader[0].set_value(("outcomes.csv", table, "text/csv")).run()
    next(s for s in app.selectbox if s.label == "Column of identifiers").set_value("who").run()
    next(s for s in app.selectbox if s.label == "Column of outcomes").set_value("died").run()
    next(s for s in app.selectbox if s.label.startswith("Column of their days")).set_value("on").run()
    app.multiselect[0].set_value(["dead"]).run()
    app.button(key="patients.outcomes").click().run()
    assert not app.exception
    text = words(app)
    assert "What came of 1 patients is entered" in text and "1 are not in the register" in text
    assert [(v.outcome, v.outcome_on) for v in page_store.course(LOCAL_OWNER, followed)] == [(1.0, day)] * 2


def test_a_patient_is_deleted_for_good_after_a_second_word(course, page_store, release):
    app = course("values")
    app.button(key="patients.forget.yes").click().run()
    assert not app.exception
    assert page_store.worklist(LOCAL_OWNER, release.model) == ()
    assert any("deleted for good" in str(e.sentence) for e in page_store.trail(LOCAL_OWNER))


@pytest.fixture
def evaluate(open_page, here, trained):
    return lambda run=1, **asked: open_page("evaluate", study=trained[1], run=str(run), view="release", **asked)


def filled(app, **texts: str):
    """Answer what the release asks."""
    fields = {f.key.rsplit(".", 1)[1]: f for f in (*app.text_input, *app.text_area) if f.key and "release" in f.key}
    for name, text in texts.items():
        fields[name].set_value(text)
    return app.run()


def test_a_run_is_released_withdrawn_with_a_reason_and_released_again(evaluate, page_store, trained, words):
    app = filled(evaluate(), use="")
    assert not app.exception and "Say what the model is released for" in words(app)
    app = filled(app, name="Chest pain", use="Triage.", whom="Adults.", until="2030-01-31")
    next(m for m in app.multiselect if m.label == "Values that must not be old").set_value(["chol"]).run()
    text = words(app)
    assert "What is then said" in text and "chest-pain" in text and "releasing counts as a look" in text
    looks = page_store.get_study(LOCAL_OWNER, trained[1]).n_looks
    next(b for b in app.button if b.label == "Release this version").click().run()
    assert not app.exception and not app.error
    made = page_store.model_in_use(LOCAL_OWNER, "chest-pain")
    run = page_store.get_run(LOCAL_OWNER, trained[2])
    assert (made.run_id, made.terms.intended_use, made.terms.valid_until.year) == (run.id, "Triage.", 2030)
    assert made.terms.reminders["hours"] == {"chol": 48.0}
    assert made.terms.figures["cross_validated"]["auroc"]["value"] > 0.8
    assert 0 < made.terms.threshold < 1
    assert page_store.get_study(LOCAL_OWNER, trained[1]).n_looks == looks + 1
    app.button(key=f"evaluate.release.withdraw.yes.{made.id}").click().run()
    assert "Say why the version is withdrawn" in words(app)
    app.text_area(key=f"evaluate.release.why.{made.id}").set_value("Too many alarms.")
    app.button(key=f"evaluate.release.withdraw.yes.{made.id}").click().run()
    assert "withdrawn: Too many alarms." in words(app)
    app.button(key=f"evaluate.release.again.{made.id}").click().run()
    assert not app.exception
    again = page_store.model_in_use(LOCAL_OWNER, "chest-pain")
    assert (again.version, again.terms) == (2, made.terms)


def test_a_challenger_is_compared_with_the_version_in_use_on_the_same_patients(
    evaluate, page_store, release, trained, words
):
    frame = load_sample("heart").frame.iloc[100:140]
    asked = [
        AskedPatient(
            values={name: None if pd.isna(cell) else str(cell) for name, cell in row.items()},
            risk=0.5, risks=[0.5, 0.5], called=True, patient=f"C-{i}",
        )
        for i, row in frame.reset_index(drop=True).iterrows()
    ]  # fmt: skip
    page_store.keep_answers(LOCAL_OWNER, release, asked, route="page")
    outcome = (frame["disease"] == "yes").to_numpy().astype(float)
    page_store.enter_outcomes(LOCAL_OWNER, release.model, {f"C-{i}": value for i, value in enumerate(outcome)})
    app = evaluate(run=2)
    assert not app.exception
    assert f"Run 2 against {release.model} 1" in words(app)
    table = next(t.value for t in app.table if "Measure" in t.value.columns)
    bundles = [load_bundle(page_store.result_folder(LOCAL_OWNER, run)) for run in (trained[3], trained[2])]
    a, b = (bundle.predict(frame)[:, 1] for bundle in bundles)
    expected = roc_auc_score(outcome, a) - roc_auc_score(outcome, b), np.mean((a - outcome) ** 2 - (b - outcome) ** 2)
    shown = [float(cell.split()[0].replace("−", "-")) for cell in table.iloc[:, 1]]
    np.testing.assert_allclose(shown, expected, atol=6e-5)
    app.button(key="evaluate.unlock").click().run()
    assert not app.exception and "Locked test set: 184 rows" in " ".join(c.value for c in app.caption)


def test_a_reader_sees_the_versions_and_cannot_change_them(evaluate, page_store, release, words, monkeypatch):
    reading = page_store.get_study(LOCAL_OWNER, release.study_id)
    monkeypatch.setattr(cache, "study", lambda *_who: replace(reading, access="read"))
    app = evaluate()
    assert not app.exception
    text = words(app)
    assert f"{release.model} 1" in text and "Who may change this study" in text
    assert not [b for b in app.button if "elease" in b.label or "ithdraw" in b.label]
