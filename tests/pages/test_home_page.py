"""Studies at home: best figure and next step, copies, archives, two side by side, and the tour."""

from io import StringIO

import pandas as pd
import pytest

from medcore.data.samples import load_sample
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import forget_engines


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two studies of the same table, each with a finished run, trained once."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(folder))
        settings = Settings.from_env()
        store = Store(settings)
        study = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
        run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
        perform_run(settings, LOCAL_OWNER, run.id, train_study)
        store.duplicate_study(LOCAL_OWNER, study.id, "Second")
        forget_engines()
    return folder, study.id


@pytest.fixture
def page_settings(home, monkeypatch):
    monkeypatch.setenv("MEDCORE_DATA", str(home[0]))
    yield Settings.from_env()
    forget_engines()


def press(app, key):
    return next(b for b in app.button if b.key == key).click().run()


def test_a_card_tells_its_best_figure_and_leads_to_the_next_step(open_page, home, words):
    app = open_page("studies")
    shown = words(app)
    assert "920 patients · predicts Coronary disease · AUROC 0.91" in shown
    assert {"Judge it", "Explain a patient"} <= {b.label for b in app.button}
    assert "Can what the model predicts be trusted" in words(press(app, f"studies.open.{home[1]}"))


def test_a_copy_is_made_and_the_archive_of_a_study_comes_in_where_tables_do(open_page, page_store, home):
    data = page_store.export_study(LOCAL_OWNER, home[1])
    app = press(open_page("studies"), f"studies.duplicate.{home[1]}")
    (copy,) = (s for s in page_store.list_studies(LOCAL_OWNER) if s.name == "Heart (copy)")
    page_store.purge_study(LOCAL_OWNER, copy.id)
    app.file_uploader[0].set_value(("heart.zip", data, "application/zip")).run()
    opened = page_store.get_study(LOCAL_OWNER, app.query_params["study"])
    assert (opened.id != home[1], opened.n_runs) == (True, 1)
    page_store.purge_study(LOCAL_OWNER, opened.id)


def test_two_studies_stand_side_by_side_with_intervals_settings_and_patients(open_page, words):
    app = open_page("studies")
    app.toggle(key="studies.compare").set_value(True).run()
    (shown,) = (e.proto.body for e in app.get("html") if "<table" in e.proto.body)
    figures = pd.read_html(StringIO(shown))[0]
    made, patients = (table.value for table in app.table[:2])
    assert list(figures.columns[1:]) == ["Second", "Heart"]
    assert figures.iloc[0, 1] == figures.iloc[0, 2]
    assert "(" in figures.iloc[0, 1]
    assert "Seed" in made.iloc[:, 0].tolist()
    assert patients.iloc[0, 0] == "age"
    assert "different patients" not in words(app)


def test_a_new_session_takes_the_tour_up_after_what_was_done_with_the_sample(open_page, words):
    app = press(open_page("studies"), "studies.tour")
    assert app.query_params["tour"] == "4"
    assert "Ask whether to believe it" in words(app)


def test_runs_of_other_kinds_are_set_beside_each_other_too(open_page, page_store, page_settings, words):
    made = []
    for sample, model in (("heart_failure", "cox"), ("heart_rate", "linear")):
        study = page_store.create_study(LOCAL_OWNER, sample, load_sample(sample))
        run = page_store.create_run(LOCAL_OWNER, study.id, TrainSettings(model=model))
        perform_run(page_settings, LOCAL_OWNER, run.id, train_study)
        made.append(study.id)
    app = open_page("studies")
    app.toggle(key="studies.compare").set_value(True).run()
    app.selectbox(key="studies.compare.first").set_value(made[0]).run()
    app.selectbox(key="studies.compare.second").set_value(made[1]).run()
    shown = words(app) + " ".join(table.value.to_string() for table in app.table)
    assert "a number" in shown and "within" in shown and "different patients" in shown
    assert not app.exception
    for study_id in made:
        page_store.purge_study(LOCAL_OWNER, study_id)


def test_without_a_release_the_watch_page_says_how_to_come_to_one(open_page, words):
    app = open_page("watch")
    assert not app.exception
    assert "No model is released" in words(app)
