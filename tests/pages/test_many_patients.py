"""The Patient page predicts a new table, explains many patients into a file, and shows the whole model."""

import threading
import time

import pytest

from medcore.data.samples import load_sample
from medcore.explanation.model import overview
from tests.pages.explained import opened


@pytest.fixture
def page_settings(with_explained):
    return with_explained


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


def look_at(app, view):
    next(s for s in app.segmented_control if s.label == "Look at").set_value(view).run()
    return app


def until_done(app, label):
    next(b for b in app.button if b.label == label).click().run()
    end = time.monotonic() + 120
    while any(b.label == "Stop here" for b in app.button):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)
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
