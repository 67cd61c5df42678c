"""The Patient page explains a patient of the table, one typed in, and those of a new table."""

import re
import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from medcore import jobs
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target
from medcore.errors import WorkerError
from medcore.explanation.model import overview
from medcore.explanation.patient import worker_queries
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.owners import LOCAL_OWNER
from medcore.ui.kit.shown import waiting


def three_wines():
    data = load_wine(as_frame=True)
    frame = data.frame.iloc[:, [0, 1, 2, 9]].assign(kind=data.target.map({0: "barolo", 1: "grignolino", 2: "barbera"}))
    cohort = read_table(("wine.csv", frame.to_csv(index=False).encode()))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "kind"))


def eight_classes_of_280_columns():
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 8, 320)
    x = rng.normal(size=(320, 280)) + (kind[:, None] == np.arange(280) % 8)
    frame = pd.DataFrame(np.where(rng.random(x.shape) < 0.2, np.nan, x).round(2)).add_prefix("marker_")
    frame["marker_7"] = 1.0
    frame["kind"] = [f"type {k}" for k in kind]
    cohort = read_table(("wide.csv", frame.to_csv(index=False).encode()))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "kind"))


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """Train three studies once: heart disease (yes or no), wine (three classes) and a wide table of eight."""
    home = tmp_path_factory.mktemp("explained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings = Settings.from_env()
        store, ids = Store(settings), {}
        cohorts = {
            "heart": load_sample("heart"),
            "wine": three_wines(),
            "wide": eight_classes_of_280_columns(),
        }
        for name, cohort in cohorts.items():
            study = store.create_study(LOCAL_OWNER, name, cohort)
            run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
            perform_run(settings, LOCAL_OWNER, run.id, train_study)
            assert store.get_run(LOCAL_OWNER, run.id).state == "done"
            ids[name] = study.id
    forget_engines()
    return home, ids


@pytest.fixture
def page_settings(ready, monkeypatch):
    """Use the installation with the trained studies."""
    monkeypatch.setenv("MEDCORE_DATA", str(ready[0]))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def patient_page(ready, here, open_page):
    """Open the page on a trained study; the worker's answers are computed in this process."""
    return lambda name, lang="en": open_page("patient", study=ready[1][name], lang=lang)


def opened(app, place=0, part=None):
    """Open a patient of the list by its place, and one of the questions about that patient."""
    picker = next(s for s in app.selectbox if s.label == "Open a patient")
    picker.select_index(place).run()
    assert not app.exception
    if part is not None:
        next(s for s in app.segmented_control if s.key == "patient.part").set_value(part).run()
        assert not app.exception
    return app


def test_a_patient_of_280_columns_and_eight_classes_is_explained(patient_page, words):
    text = words(opened(patient_page("wide")))
    assert "What the model used" in text
    assert re.search(r"type \d", text)


def with_reasons(app):
    """Look again until the reasons are there, which come after the risks."""
    end = time.monotonic() + 120
    while not (table := app.dataframe[0].value)["Main reasons"].iloc[0]:
        assert time.monotonic() < end, "not in time"
        time.sleep(1)
        app.run()
    return table


def test_the_list_has_risk_interval_and_outcome_of_every_test_patient_at_once(patient_page):
    app = patient_page("heart")
    assert not app.exception
    table = with_reasons(app)
    assert len(table) == 184
    assert {"Row", "age", "sex", "Risk of coronary disease (%)", "Threshold", "Main reasons", "What happened"} <= set(
        table.columns
    )
    risks = table["Risk of coronary disease (%)"]
    assert risks.is_monotonic_decreasing
    assert table["Main reasons"].iloc[0].startswith(("▲", "▼"))
    next(s for s in app.segmented_control if s.key == "patient.filter").set_value("below").run()
    below = app.dataframe[0].value
    assert 0 < len(below) < 184 and set(below["Threshold"]) == {"below"}


def test_those_next_in_the_list_are_read_with_the_patient_and_as_each_would_be_alone(patient_page, monkeypatch):
    asked, read = [], worker_queries.read_risks

    def noted(folder, frame):
        asked.append((folder, frame, read(folder, frame)))
        return asked[-1][-1]

    monkeypatch.setattr(worker_queries, "read_risks", noted)
    app = opened(patient_page("heart"), 60)
    for _step in range(3):
        next(b for b in app.button if b.label == "Next").click().run()
    assert not app.exception
    assert len(asked) <= 2  # the top of the list, and from the patient on
    folder, frame, together = asked[-1]
    alone = read(folder, frame.iloc[[3]])[0]
    assert alone.values == together[3].values and alone.flags == together[3].flags
    np.testing.assert_allclose(alone.risk, together[3].risk, rtol=0, atol=1e-9)


def test_a_test_patient_is_shown_with_risk_reason_and_caption(patient_page, words):
    app = opened(patient_page("heart"))
    text = words(app)
    assert "patients with values like these" in text
    assert "threshold of" in text
    assert "not why the patient is ill" in text
    assert len(app.get("plotly_chart")) == 1


def test_unusual_and_unknown_values_are_never_folded_away_behind_usual_ones(patient_page):
    n_marked = 0
    for place in (0, 120):
        shown = opened(patient_page("heart"), place).get("html")
        strip = "".join(e.proto.body for e in shown if "mc-values" in e.proto.body)
        marks = re.findall(r'<li class="mc-(\w+)">', strip)
        assert marks == sorted(marks, key=lambda mark: mark == "plain")
        n_marked += sum(mark != "plain" for mark in marks)
    assert n_marked > 0


def test_each_heading_names_the_patient_and_the_next_one_leaves_nothing_behind(patient_page, words):
    app = opened(patient_page("heart"), 3, "similar")
    first = re.search(r"Patients similar to (Row \d+)", words(app))[1]
    assert first in words(app).split("mc-page")[1]
    next(b for b in app.button if b.label == "Next").click().run()
    assert not app.exception
    assert f"{first} " not in words(app)
    next(b for b in app.button if b.label == "List").click().run()
    assert "Risk of coronary disease: 184 of 184 patients" in words(app)


def test_the_threshold_is_the_same_as_on_the_evaluate_page(patient_page, open_page, words, ready):
    ours = re.search(r"threshold ([\d.]+)%", words(patient_page("heart")))[1]
    app = open_page("evaluate", study=ready[1]["heart"])
    assert any(s.value == float(ours) for s in app.slider)


SIMILAR = "Differs in"


def similar_switch(app):
    return next(t for t in app.toggle if t.label == "Show real patients of this study")


def tables_of(app):
    return "".join(str(t.value.columns.tolist()) for t in app.table)


def test_the_page_says_what_became_of_similar_patients_and_what_was_expected(patient_page, words):
    shown = words(opened(patient_page("heart")))
    found = re.search(r"Of the 50 most similar patients (\d+) had it; the model expected (\d+)\.", shown)
    assert found
    assert all(0 <= int(n) <= 50 for n in found.groups())


def test_the_owner_switches_similar_patients_off_and_on_again_for_the_study(patient_page, words, ready):
    app = opened(patient_page("heart"), part="similar")
    assert SIMILAR in tables_of(app)
    similar_switch(app).set_value(False).run()
    assert not app.exception
    assert SIMILAR not in tables_of(app)
    assert "switched off for this study" in words(app)
    again = opened(patient_page("heart"), part="similar")
    assert SIMILAR not in tables_of(again)
    assert SIMILAR in tables_of(opened(patient_page("wine"), part="similar"))
    similar_switch(again).set_value(True).run()
    assert SIMILAR in tables_of(again)
    trail = [e.action for e in Store(Settings.from_env()).audit(LOCAL_OWNER, ready[1]["heart"])]
    assert [a for a in trail if a in ("similar.hidden", "similar.shown")] == ["similar.hidden", "similar.shown"]
    assert trail[-1] == "similar.viewed" and "patient.viewed" in trail and "patients.listed" in trail


def test_the_installation_overrides_what_a_study_shows(patient_page, words, monkeypatch):
    monkeypatch.setenv("MEDCORE_SIMILAR_PATIENTS", "off")
    app = opened(patient_page("heart"), part="similar")
    assert SIMILAR not in tables_of(app)
    assert "this installation shows no real patients" in words(app)
    assert not [t for t in app.toggle if t.label == "Show real patients of this study"]


def test_log_odds_can_be_asked_for(patient_page, words):
    app = opened(patient_page("heart"))
    scale = next(s for s in app.segmented_control if s.label == "Scale")
    scale.set_value("log_odds").run()
    assert not app.exception
    assert "Log odds of" in words(app)


def test_a_patient_is_typed_in_and_missing_values_are_allowed(patient_page, words):
    app = patient_page("heart")
    next(s for s in app.segmented_control if s.label == "Who").set_value("type").run()
    assert "Type at least one value." in words(app)
    age = next(n for n in app.number_input if n.label.startswith("age"))
    age.set_value(190.0)
    next(b for b in app.button if b.label == "Predict").click().run()
    assert not app.exception
    text = words(app)
    assert "outside its plausible range of 0 to 120, so it counts as missing" in text
    assert "do not rely on this risk" in text
    assert "No risk to rely on" in text
    assert "patients with values like these" not in text


def test_a_new_table_gets_predictions_and_a_lacking_column_is_named(patient_page, words):
    app = patient_page("heart")
    next(s for s in app.segmented_control if s.label == "Who").set_value("table").run()
    frame = load_sample("heart").frame.head(6)
    app.file_uploader[0].set_value(("new.csv", frame.to_csv(index=False).encode(), "text/csv")).run()
    assert not app.exception
    assert "6 of 6 patients" in words(app)
    lacking = frame.drop(columns=[c for c in frame.columns if c.startswith("chol")])
    app.file_uploader[0].set_value(("new.csv", lacking.to_csv(index=False).encode(), "text/csv")).run()
    assert not app.exception
    assert "chol" in words(app)
    assert "lacks" in words(app)


def new_table(app, frame):
    next(s for s in app.segmented_control if s.label == "Who").set_value("table").run()
    return app.file_uploader[0].set_value(("new.csv", frame.to_csv(index=False).encode(), "text/csv")).run()


def test_what_is_odd_about_new_patients_is_said_in_words_and_each_is_shown(patient_page, words):
    frame = load_sample("heart").frame.head(4).copy()
    frame.iloc[1, 1:] = None
    frame.iloc[2, frame.columns.get_loc("cp")] = "unheard of"
    app = new_table(patient_page("heart"), frame)
    shown = app.dataframe[0].value
    careful = shown.set_index("Row")["Be careful about"]
    assert "filled in: " in careful[3]
    assert "not seen in training: Chest pain type" in careful[4]
    assert "No risk to rely on" in words(opened(app, 1))
    next(b for b in app.button if b.label == "List").click().run()
    opened(app, 2, "what_if")
    assert "Values that no or hardly any training patient had" in words(app)
    own = next(s for s in app.selectbox if s.label == "Chest pain type :small[cp]" and s.key.startswith("patient.to."))
    assert own.placeholder == "unheard of"


def test_without_a_model_the_page_says_what_it_is_for_and_the_way_on(open_page, words):
    study = Store(Settings.from_env()).create_study(LOCAL_OWNER, "untrained", load_sample("heart"))
    app = open_page("patient", study=study.id)
    assert not app.exception
    assert "how far to trust it" in words(app)
    assert "No model has been trained" in words(app)


def test_of_three_outcomes_one_is_in_question(patient_page, words):
    app = patient_page("wine")
    assert not app.exception
    assert "Likeliest outcome" in app.dataframe[0].value.columns
    opened(app)
    assert "mc-classes" in words(app)
    asked = next(s for s in app.selectbox if s.label == "Outcome in question")
    asked.set_value("barbera").run()
    assert not app.exception
    assert "values like these: barbera" in words(app)


def what_if(app):
    return next(m.proto.body for m in app.get("html") if "mc-moves" in m.proto.body)


def test_changed_values_move_risk_and_contributions_until_they_are_given_back(patient_page, words):
    app = opened(patient_page("heart"), part="what_if")
    next(m for m in app.multiselect if m.label == "Columns to change").set_value(["oldpeak"]).run()
    before = what_if(app)
    slider = next(s for s in app.slider if s.key.startswith("patient.to."))
    slider.set_value(slider.max).run()
    assert not app.exception
    after = what_if(app)
    assert "mc-moved" in after
    assert "→" in after
    assert "not a real one" in words(app)
    next(b for b in app.button if b.label == "Back to the patient’s own values").click().run()
    assert not app.exception
    assert what_if(app) == before
    assert next(s for s in app.slider if s.key.startswith("patient.to.")).value != slider.max


def test_a_change_that_the_worker_is_slow_to_answer_is_told_and_the_next_one_ends_it(patient_page, words, monkeypatch):
    app = opened(patient_page("heart"), place=1, part="what_if")  # no other test asks about this patient
    next(m for m in app.multiselect if m.label == "Columns to change").set_value(["oldpeak"]).run()
    given_up, quick, stops = threading.Event(), jobs.call, []

    def slow(function, *args, stop=None, **options):
        if function is not worker_queries.change_patient:
            return quick(function, *args, stop=stop, **options)
        stops.append(stop)
        with stop.ends(given_up.set):
            given_up.wait(60)
            raise WorkerError

    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(jobs, "call", slow)
    slider = next(s for s in app.slider if s.key.startswith("patient.to."))
    slider.set_value(slider.max).run()
    assert not app.exception
    assert "The model is asked for its prediction" in app.get("progress")[0].proto.text
    assert len(stops) == 1 and not stops[0].asked
    monkeypatch.setattr(jobs, "call", quick)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 170.0)
    next(s for s in app.slider if s.key.startswith("patient.to.")).set_value(slider.min).run()
    assert not app.exception
    assert stops[0].asked
    assert "mc-moved" in what_if(app) and "not a real one" in words(app)


def test_what_nobody_can_change_is_locked_until_it_is_unlocked(patient_page):
    app = opened(patient_page("heart"), part="what_if")
    asked = lambda: next(m for m in app.multiselect if m.label == "Columns to change")  # noqa: E731
    assert not [c for c in asked().options if c.startswith(("age", "sex"))]
    next(t for t in app.toggle if t.label.startswith("Also what nobody")).set_value(True).run()
    assert not app.exception
    assert [c for c in asked().options if c.startswith("age")]


def test_two_columns_make_a_map(patient_page):
    app = opened(patient_page("heart"), part="what_if")
    other = next(s for s in app.selectbox if s.label == "Together with")
    other.set_value(other.options[0]).run()
    assert not app.exception
    assert any('"heatmap"' in chart.proto.spec for chart in app.get("plotly_chart"))


def test_a_page_for_the_record_is_written_when_it_is_asked_for(patient_page):
    app = opened(patient_page("heart"), part="record")
    assert [b.proto.label for b in app.get("download_button")] == ["CSV", "XLSX"]  # the patient's own values
    next(b for b in app.button if b.label == "Write the page").click().run()
    assert not app.exception
    assert app.get("download_button")[-1].proto.label == "Download the page"


def look_at(app, view):
    next(s for s in app.segmented_control if s.label == "Look at").set_value(view).run()
    return app


def until_done(app, label):
    next(b for b in app.button if b.label == label).click().run()
    end = time.monotonic() + 120
    while any(b.label == "Stop here" for b in app.button):
        assert time.monotonic() < end, "not in time"
        time.sleep(1)
        app.run()


def test_the_test_set_is_explained_in_pieces_for_a_file(patient_page):
    app = look_at(patient_page("heart"), "many")
    until_done(app, "Explain them")
    assert not app.exception
    assert app.get("download_button")[0].proto.label == "Download the explanations (CSV)"
    assert len(app.get("plotly_chart")) == 1


def test_a_batch_stops_when_told_and_goes_on(patient_page, words, monkeypatch):
    answered, slow = threading.Event(), overview.explain_table
    monkeypatch.setattr(overview, "explain_table", lambda *a, **k: answered.wait(60) and slow(*a, **k))
    app = look_at(patient_page("wine"), "many")
    next(b for b in app.button if b.label == "Explain them").click().run()
    next(b for b in app.button if b.label == "Stop here").click().run()
    assert "Stopped after 0 of" in words(app)
    answered.set()
    until_done(app, "Go on")
    assert not app.exception
    assert "Stopped after" not in words(app)


@pytest.mark.parametrize("name", ["heart", "wine"])
def test_the_whole_model_is_shown(patient_page, words, name):
    app = look_at(patient_page(name), "whole")
    until_done(app, "Look at the whole model")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 4
    assert "Patients with the same reasons" in words(app)


def test_the_page_speaks_chinese(patient_page, words):
    app = patient_page("heart", lang="zh_CN")
    assert not app.exception
    assert "184 名患者中的 184 名" in words(app)
