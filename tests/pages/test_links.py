"""The address of a page holds what is on screen: another tab opened there shows the same."""

from __future__ import annotations

import re

import pytest

from medcore.data.samples import load_sample
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.owners import LOCAL_OWNER


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """One study with two finished runs."""
    home = tmp_path_factory.mktemp("linked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings = Settings.from_env()
        store = Store(settings)
        study = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
        for seed in (1, 2):
            run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic", seed=seed))
            perform_run(settings, LOCAL_OWNER, run.id, train_study)
    forget_engines()
    return home, study.id


@pytest.fixture
def page_settings(judged, monkeypatch):
    monkeypatch.setenv("MEDCORE_DATA", str(judged[0]))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def tab(judged, here, open_page):
    """Open another tab of the same person at a page and what the address says besides the study."""

    def opened(name, *, study=judged[1], **asked):
        return open_page(name, study=study, **asked)

    return opened


def choose(app, label, option):
    """Press one of a row of buttons; its options are told by the values they stand for."""
    control = next(c for c in app.segmented_control if c.label == label)
    control.set_value(option).run()
    assert not app.exception


def said(app):
    return {k: v for k, v in app.query_params.items() if k not in ("lang", "study")}


def test_a_view_of_evaluate_is_restored_with_its_run_and_threshold(tab):
    first = tab("evaluate")
    assert said(first)["run"] == "2"
    run = next(s for s in first.selectbox if s.label == "Training run")
    run.select_index(1).run()
    slider = first.slider[0]
    slider.set_value(31.4).run()
    choose(first, "Look at", "groups")
    assert said(first) == {"run": "1", "threshold": "31.4", "view": "groups"}
    again = tab("evaluate", **said(first))
    assert said(again) == said(first)
    assert next(s for s in again.selectbox if s.label == "Training run").index == 1
    assert any("31.4" in e.proto.body for e in again.get("html"))


def test_what_the_usual_choice_is_leaves_the_address_and_the_way_back_brings_the_former_one(tab):
    app = tab("data")
    choose(app, "Look at", "recipe")
    assert said(app) == {"view": "recipe"}
    app.query_params["view"] = "split"  # the browser's way back or a changed address
    app.run()
    assert next(c for c in app.segmented_control if c.label == "Look at").value == "split"
    del app.query_params["view"]
    app.run()
    assert next(c for c in app.segmented_control if c.label == "Look at").value == "findings"
    assert said(app) == {}


def test_a_patient_is_reopened_by_row_with_the_same_question_and_neighbours(tab):
    app = tab("patient")
    choose(app, "Order", "low")
    next(s for s in app.selectbox if s.label == "Open a patient").select_index(5).run()
    choose(app, "Look at", "similar")
    title = next(re.search("<h1>(.*?)</h1>", e.proto.body)[1] for e in app.get("html") if "<h1>" in e.proto.body)
    place = re.search(r"\d+ of \d+ in the list", "".join(e.proto.body for e in app.get("html")))[0]
    assert said(app).keys() == {"row", "part", "order", "run"} and said(app)["row"] in title
    again = tab("patient", **said(app))
    text = "".join(e.proto.body for e in again.get("html"))
    assert f"<h1>{title}</h1>" in text and place in text and "Patients similar to" in text
    next(b for b in again.button if b.label == "List").click().run()
    assert said(again) == {"order": "low", "run": "2"}


def test_a_link_holds_no_value_of_a_patient(tab):
    app = tab("patient")
    next(s for s in app.selectbox if s.label == "Open a patient").select_index(0).run()
    assert set(said(app)) == {"row", "run"}
    assert all(value.isdecimal() for value in said(app).values())


@pytest.mark.parametrize(
    ("page", "asked", "sentence"),
    [
        ("patient", {"row": "99999"}, "The row in the link is not among this model’s patients."),
        ("evaluate", {"run": "17"}, "This study has no finished run of the number in the link"),
    ],
)
def test_a_link_to_what_is_not_there_says_so_in_one_sentence(tab, page, asked, sentence):
    app = tab(page, **asked)
    assert sum(sentence in e.proto.body for e in app.get("html")) == 1
    assert said(app)["run"] == "2" and "row" not in said(app)


def test_a_link_to_a_study_one_may_not_read_is_refused_in_one_sentence(tab, judged, page_settings):
    theirs = Store(page_settings).create_study("somebody else", "Secret ward", load_sample("heart_zh"))
    app = tab("evaluate", study=theirs.id, view="groups")
    texts = [e.proto.body for e in app.main.get("html")]
    alerts = [t for t in texts if 'role="alert"' in t]
    assert len(alerts) == 1 and "Secret ward" not in "".join(texts)
    assert "study" not in app.query_params


@pytest.mark.parametrize("value", ["nonsense", "-1", "<b>", "1e9", ""])
def test_an_address_that_asks_for_nonsense_shows_the_usual(tab, value):
    app = tab("evaluate", view=value, threshold=value, side=value, beside=value)
    assert not app.exception
    assert said(app).get("view") is None and 0.1 <= app.slider[0].value <= 99.9
