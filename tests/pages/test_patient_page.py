"""The Patient page lists patients of the table and explains one, or one typed in."""

import re
import time

import numpy as np
import pytest

from medcore.data.samples import load_sample
from medcore.explanation.patient import worker_queries
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.owners import LOCAL_OWNER
from tests.pages.explained import opened


@pytest.fixture
def page_settings(with_explained):
    return with_explained


def test_a_patient_of_280_columns_and_eight_classes_is_explained(patient_page, words):
    text = words(opened(patient_page("wide")))
    assert "What the model used" in text
    assert re.search(r"type \d", text)


def with_reasons(app):
    """Look again until the reasons are there, which come after the risks."""
    end = time.monotonic() + 120
    while not (table := app.dataframe[0].value)["Main reasons"].iloc[0]:
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)
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


def test_the_threshold_is_the_same_as_on_the_evaluate_page(patient_page, open_page, words, explained):
    ours = re.search(r"threshold ([\d.]+)%", words(patient_page("heart")))[1]
    app = open_page("evaluate", study=explained["heart"])
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


def test_the_owner_switches_similar_patients_off_and_on_again_for_the_study(patient_page, words, explained):
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
    trail = [e.action for e in Store(Settings.from_env()).audit(LOCAL_OWNER, explained["heart"])]
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


def test_a_page_for_the_record_is_written_when_it_is_asked_for(patient_page):
    app = opened(patient_page("heart"), part="record")
    assert [b.proto.label for b in app.get("download_button")] == ["CSV", "XLSX"]  # the patient's own values
    next(b for b in app.button if b.label == "Write the page").click().run()
    assert not app.exception
    assert app.get("download_button")[-1].proto.label == "Download the page"


def test_the_page_speaks_chinese(patient_page, words):
    app = patient_page("heart", lang="zh_CN")
    assert not app.exception
    assert "184 名患者中的 184 名" in words(app)
