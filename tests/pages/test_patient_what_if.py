"""On the Patient page values are changed, and risk and contributions follow."""

import threading

import pytest

from medcore import jobs
from medcore.errors import WorkerError
from medcore.explanation.patient import worker_queries
from medcore.ui.kit.shown import waiting
from tests.pages.explained import opened


@pytest.fixture
def page_settings(with_explained):
    return with_explained


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
