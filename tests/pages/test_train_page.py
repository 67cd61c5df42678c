"""Train page: guards, settings, starting, following, cancelling, results."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from medcore import jobs
from medcore.errors import SettingsError, WorkerError
from medcore.features.text import base
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.tables import RunRow, now
from medcore.ui.kit.words import model_name
from medcore.ui.train.run_panel import at_work


def press(app, key):
    return next(b for b in app.button if b.key == key).click().run()


def moment(epoch: int) -> Progress:
    figures = {"loss": 0.5, "val_loss": 0.6, "auroc": 0.8, "val_auroc": 0.7}
    return Progress(stage="folds", model="seed", epoch=epoch, n_epochs=8, **figures, fraction=epoch / 8, seconds=2.0)


def test_without_a_study_the_next_step_is_shown(open_page, words):
    assert "No study is open" in words(open_page("train"))


def test_without_an_outcome_the_next_step_is_shown(open_page, page_store, heart_study, words):
    schema = heart_study.schema.change(heart_study.schema.outcome.name, role="predictor")
    page_store.save_schema(LOCAL_OWNER, heart_study.id, schema)
    assert "The outcome has not been chosen" in words(open_page("train", study=heart_study.id))


def test_few_patients_are_spoken_of_before_training(open_page, heart_study, words):
    assert "Before you train" in words(open_page("train", study=heart_study.id))


def test_start_queues_a_run_with_the_settings_of_the_page(open_page, page_store, heart_study, monkeypatch):
    monkeypatch.setattr(
        jobs, "start_run", lambda store, owner, study, settings: store.create_run(owner, study, settings)
    )
    app = open_page("train", study=heart_study.id)
    next(c for c in app.segmented_control if c.key == "train.model").set_value("seed").run()
    app.number_input(key="train.epochs").set_value(7).run()
    app.text_input(key="train.layers").set_value("16，8").run()
    press(app, "train.start")
    (run,) = page_store.list_runs(LOCAL_OWNER, heart_study.id)
    assert run.settings == TrainSettings(model="seed", epochs=7, layers=(16, 8))


def test_bad_layers_give_a_message_and_no_run(open_page, page_store, heart_study, words):
    app = open_page("train", study=heart_study.id)
    next(c for c in app.segmented_control if c.key == "train.model").set_value("seed").run()
    app.text_input(key="train.layers").set_value("128, many").run()
    assert "whole numbers separated by commas" in words(app)
    assert not page_store.list_runs(LOCAL_OWNER, heart_study.id)


def test_a_model_whose_package_is_missing_is_refused_before_the_button(
    open_page, page_store, heart_study, words, monkeypatch
):
    monkeypatch.setattr(base, "installed", lambda: False)
    first = heart_study.schema.predictors[0].name
    page_store.save_schema(LOCAL_OWNER, heart_study.id, heart_study.schema.change(first, kind="note"))
    app = open_page("train", study=heart_study.id)
    assert any(b.key == "train.start" for b in app.button)
    next(c for c in app.segmented_control if c.key == "train.model").set_value("bert").run()
    assert f"pip install {base.PACKAGE}" in words(app)
    assert not any(b.key == "train.start" for b in app.button)
    with pytest.raises(SettingsError, match="pip install"):
        jobs.start_run(page_store, LOCAL_OWNER, heart_study.id, TrainSettings(model="bert"))
    assert not page_store.list_runs(LOCAL_OWNER, heart_study.id)


def test_a_run_at_work_is_found_again_by_a_new_session(open_page, page_store, heart_study, words):
    run = page_store.create_run(LOCAL_OWNER, heart_study.id, TrainSettings(model="seed"))
    page_store.begin_attempt(LOCAL_OWNER, run.id)
    page_store.append_progress(LOCAL_OWNER, run.id, [moment(e) for e in range(1, 5)])
    app = open_page("train", study=heart_study.id)
    assert "4 of 8" in words(app)
    assert len(app.get("plotly_chart")) == 2
    press(app, f"train.cancel.{run.id}")
    assert page_store.get_run(LOCAL_OWNER, run.id).cancel_requested


@pytest.mark.parametrize(("state", "said"), [("cancelled", "Stopped as you asked"), ("failed", "Out of memory")])
def test_a_run_that_ended_badly_says_why(open_page, page_store, heart_study, words, state, said):
    run = page_store.create_run(LOCAL_OWNER, heart_study.id, TrainSettings())
    error = WorkerError("Out of memory") if state == "failed" else None
    page_store.finish_run(LOCAL_OWNER, run.id, state, error=error)
    assert said in words(open_page("train", study=heart_study.id))


def test_models_fitted_side_by_side_are_named_together_until_each_is_done():
    def told(model, stage="folds", epoch=0, n_epochs=0):
        return Progress(stage=stage, model=model, epoch=epoch, n_epochs=n_epochs)

    points = [told("network", epoch=1, n_epochs=9), told("forest"), told("network", epoch=2, n_epochs=9)]
    assert [(p.model, p.epoch) for p in at_work(points)] == [("network", 2), ("forest", 0)]
    points.append(told("forest", "final"))
    assert [p.model for p in at_work(points)] == ["network"]
    points.append(told("network", epoch=9, n_epochs=9))
    assert at_work(points) == []
    assert at_work([*points, told("boosting"), told("auto", "calibration")]) == []


def test_the_page_speaks_chinese(open_page, heart_study, words):
    shown = words(open_page("train", study=heart_study.id, lang="zh_CN"))
    assert "开始训练" in shown
    assert "Start training" not in shown


def test_a_search_is_asked_for_with_its_minutes(open_page, page_store, heart_study, monkeypatch):
    monkeypatch.setattr(
        jobs, "start_run", lambda store, owner, study, settings: store.create_run(owner, study, settings)
    )
    app = open_page("train", study=heart_study.id)
    app.toggle(key="train.search").set_value(True).run()
    app.number_input(key="train.search_minutes").set_value(3).run()
    press(app, "train.start")
    (run,) = page_store.list_runs(LOCAL_OWNER, heart_study.id)
    assert run.settings == TrainSettings(search_minutes=3.0)


def test_the_trials_of_a_search_are_listed_best_first_while_it_runs(open_page, page_store, heart_study):
    run = page_store.create_run(LOCAL_OWNER, heart_study.id, TrainSettings(search_minutes=3))
    page_store.begin_attempt(LOCAL_OWNER, run.id)
    losses = [0.5, None, 0.4]
    moments = [
        Progress(
            stage="search",
            model="searched",
            epoch=n + 1,
            trial={"number": n, "model": "forest", "settings": {"max_features": 0.5}, "loss": loss, "seconds": 1.0},
        )
        for n, loss in enumerate(losses)
    ]
    page_store.append_progress(LOCAL_OWNER, run.id, moments)
    app = open_page("train", study=heart_study.id)
    (board,) = (t.value for t in app.table if "Trial" in t.value.columns)
    assert list(board["Trial"]) == ["3", "1", "2"]
    assert list(board["Log loss"]) == ["0.4000", "0.5000", "could not be trained"]


def test_a_run_is_taken_off_the_list_and_brought_back(open_page, page_store, heart_study, words):
    run = page_store.create_run(LOCAL_OWNER, heart_study.id, TrainSettings())
    page_store.finish_run(LOCAL_OWNER, run.id, "cancelled")
    app = open_page("train", study=heart_study.id)
    press(app, f"train.remove.{run.id}")
    assert "Stopped as you asked" not in words(app) and "Training run 1 was taken off the list." in words(app)
    press(app, f"train.runs.last.{heart_study.id}.undo")
    assert "Stopped as you asked" in words(app) and "Undo" not in words(app)


def test_every_model_of_a_run_has_a_name():
    from medcore.models.contract.candidate import candidates

    assert all(model_name(name) != name for name in candidates())


def test_a_run_that_waits_is_told_its_place_and_about_how_long(open_page, page_store, heart_study, words, monkeypatch):
    monkeypatch.setattr(jobs, "worker_ready", lambda *_: True)
    theirs = page_store.create_study("bob", "Heart", page_store.load_cohort(LOCAL_OWNER, heart_study.id))
    done = page_store.create_run("bob", theirs.id, TrainSettings()).id
    page_store.begin_attempt("bob", done)
    with Session(page_store._engine) as session, session.begin():
        session.execute(update(RunRow).values(started_at=now() - timedelta(seconds=40)))
    page_store.finish_run("bob", done, "done", attempt=1, summary={})
    page_store.create_run("bob", theirs.id, TrainSettings())
    page_store.create_run(LOCAL_OWNER, heart_study.id, TrainSettings(model="seed"))
    assert "Second in the queue; it begins in about 40 s." in words(open_page("train", study=heart_study.id))
    assert "队列中第二个；约 40 秒后开始。" in words(open_page("train", study=heart_study.id, lang="zh_CN"))
