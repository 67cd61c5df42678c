"""An event with its time, page by page: asked for, trained, a patient looked at."""

import json

import numpy as np
import pytest

from medcore.data.follow_up import span
from medcore.data.reading.table import read_table
from medcore.data.samples import samples
from medcore.explanation.patient.over_time import patient_curve
from medcore.explanation.patient.reference import Reference
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.timed_results import read_timed_results
from medcore.studies.owners import LOCAL_OWNER


@pytest.fixture
def unasked(page_store):
    """A study of the heart failure table whose outcome nobody has chosen."""
    path = next(s.path for s in samples() if s.key == "heart_failure")
    return page_store.create_study(LOCAL_OWNER, "Failure", read_table(path))


def test_by_when_is_asked_trained_and_shown_for_a_patient(open_page, page_store, page_settings, unasked, words, here):
    page = open_page("data", study=unasked.id)
    assert not page.exception
    assert "Median follow-up" in words(page)
    next(s for s in page.selectbox if s.label == "Its unit").set_value("days").run()
    page.button(key="data.outcome.save").click().run()
    assert not page.exception
    study = page_store.get_study(LOCAL_OWNER, unasked.id)
    assert study.schema.follow_up is not None
    assert (study.schema.follow_up.duration, study.schema.follow_up.causes) == ("time", ("1",))

    run = page_store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="cox"))
    assert perform_run(page_settings, LOCAL_OWNER, run.id, train_study) is None
    done = page_store.get_run(LOCAL_OWNER, run.id)
    assert (done.state, done.error) == ("done", None)

    page = open_page("train", study=study.id)
    assert not page.exception
    assert "6 months" in words(page)
    page = open_page("patient", study=study.id)
    assert not page.exception
    assert "within 6 months" in words(page)
    page = open_page("evaluate", study=study.id)
    assert not page.exception
    said = words(page)
    for told in ("Event within 6 months", "Does acting on it help?", "Followed for less", "Uno’s C"):
        assert told in said
    page.segmented_control(key=f"evaluate.horizon.{run.id}").set_value(study.schema.follow_up.horizons[0]).run()
    follow_up = study.schema.follow_up
    assert not page.exception and f"Event within {span(follow_up.horizons[0], follow_up.unit)}" in words(page)

    page.segmented_control(key="evaluate.timed.view").set_value("external").run()
    others = page_store.load_cohort(LOCAL_OWNER, study.id).frame.iloc[50:250]
    table = ("others.csv", others.to_csv(index=False).encode(), "text/csv")
    page.file_uploader(key=f"evaluate.timed.external.{run.id}").set_value(table).run()
    assert not page.exception and not page.error
    for told in ("Patients judged", "Do predicted risks come true?", "Event within 6 months"):
        assert told in words(page)

    results = read_timed_results(page_store.result_folder(LOCAL_OWNER, run.id))
    reference = Reference.of(results.manifest, results, page_store.load_cohort(LOCAL_OWNER, study.id).frame)
    who = np.searchsorted(results.training.rows, reference.rows)
    curve = patient_curve(
        reference,
        reference.patients.take([0]),
        results.training.curve[0, 0],
        results.times,
        duration=results.training.duration[who],
        event=results.training.event[who],
    )
    assert (curve.times[0], curve.risk[0], curve.n_similar) == (0.0, 0.0, 100)
    inside = np.isfinite(curve.low)
    assert (curve.low[inside] <= curve.similar[inside]).all()
    assert curve.everybody[-1] == pytest.approx(results.cross_validated.by(results.target.main).observed.value)
    assert json.dumps(done.summary or {})
