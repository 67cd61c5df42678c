"""Train page: what a finished run shows, what was tried in its search, and where its logs go."""

import re
import shutil

import pytest

from medcore.data.samples import load_sample
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.owners import LOCAL_OWNER


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Train a searched logistic regression once, in this process; return its installation and the run."""
    home = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings = Settings.from_env()
        store = Store(settings)
        study = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
        told = TrainSettings(model="logistic", search_minutes=0.01, seed=3)
        run = store.create_run(LOCAL_OWNER, study.id, told)
        perform_run(settings, LOCAL_OWNER, run.id, train_study)
        assert store.get_run(LOCAL_OWNER, run.id).state == "done"
    forget_engines()
    return home, run


@pytest.fixture
def page_settings(searched, tmp_path, monkeypatch):
    """Work in an installation of the test's own, with that run in it."""
    shutil.copytree(searched[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def finished(searched):
    return searched[1]


def test_a_finished_run_shows_paired_differences_what_was_tried_and_the_learning_curve(open_page, finished, here):
    app = open_page("train", study=finished.study_id)
    board = app.table[0].value
    gains = dict(zip(board["Model"].str.strip("*"), board["AUROC above logistic regression"], strict=True))
    assert gains["Logistic regression"] == "–"
    assert re.fullmatch(r"[+−]?0\.\d{3} \([+−]?0\.\d{3} to [+−]?0\.\d{3}\)", gains["Searched settings"])
    assert "(" in gains["Searched settings"]
    app.toggle(key=f"train.tried.{finished.id}").set_value(True).run()
    assert any("Trial" in t.value.columns for t in app.table)
    app.toggle(key=f"train.learning.{finished.id}").set_value(True).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2


def test_an_earlier_run_is_one_line_until_its_results_are_asked_for(open_page, page_store, finished, words):
    later = page_store.create_run(LOCAL_OWNER, finished.study_id, TrainSettings())
    page_store.finish_run(LOCAL_OWNER, later.id, "cancelled")
    app = open_page("train", study=finished.study_id)
    assert not app.table
    assert "AUROC" in words(app)
    app.toggle(key=f"train.show.{finished.id}").set_value(True).run()
    board = app.table[0].value.set_index("Model")
    assert (board.loc["Prevalence alone", ["AUROC", "Calibration slope"]] == "–").all()
    assert board["Part in the model"].str.contains("100%").sum() == 1


def test_the_logs_of_a_search_can_be_taken_to_tensorboard(open_page, finished):
    app = open_page("train", study=finished.study_id)
    app.toggle(key=f"train.logs.{finished.id}").set_value(True).run()
    assert not app.exception
    assert "TensorBoard logs" in [e.proto.label for e in app.get("download_button")]
    assert not any(b.key == f"train.mlflow.{finished.id}" for b in app.button)


def test_an_mlflow_server_that_does_not_answer_is_said_on_the_page(open_page, finished, words, monkeypatch):
    monkeypatch.setenv("MEDCORE_MLFLOW_URL", "http://127.0.0.1:9")
    app = open_page("train", study=finished.study_id)
    app.toggle(key=f"train.logs.{finished.id}").set_value(True).run()
    next(b for b in app.button if b.key == f"train.mlflow.{finished.id}").click().run()
    assert "does not answer" in words(app)
