"""An event with its time, page by page: asked for, trained, a patient looked at."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from medcore.data.follow_up import span
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample, samples
from medcore.explanation.patient.over_time import patient_curve
from medcore.explanation.patient.reference import Reference
from medcore.explanation.patient.wording import RISK
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.timed.results import read_timed_results
from medcore.studies.owners import LOCAL_OWNER
from medcore.targets import EventTime
from medcore.ui.evaluate import stability
from medcore.ui.patient.choice import trained_on


@pytest.fixture
def unasked(page_store):
    """A study of the heart failure table whose outcome nobody has chosen."""
    path = next(s.path for s in samples() if s.key == "heart_failure")
    return page_store.create_study(LOCAL_OWNER, "Failure", read_table(path))


def every_part_of_a_patient(open_page, study, words) -> None:
    """A patient of a model that says by when is looked at as one of classes is, at another horizon too."""
    told = {
        "over_time": "The risk of",
        "why": "What the model used for",
        "what_if": "What if: Row 2",
        "different": "smallest plausible changes",
        "similar": "death from any cause after",
        "record": "One page: what is predicted",
    }
    for part, sentence in told.items():
        page = open_page("patient", study=study.id, row="2", part=part, who="training")
        assert not page.exception and not page.error, part
        said = words(page)
        assert sentence in said, part
        assert (
            "death from any cause within 6 months" in said
            and "What happened: death from any cause after 4 days" in said
        )
        assert "of 100 had had it by then" in said
    earliest = str(study.schema.follow_up.horizons[0])
    page = open_page("patient", study=study.id, row="2", by=earliest)
    when = span(study.schema.follow_up.horizons[0], study.schema.follow_up.unit)
    assert not page.exception and f"death from any cause within {when}" in words(page)


def test_by_when_is_asked_trained_and_shown_for_a_patient(
    open_page, page_store, page_settings, unasked, words, here, monkeypatch, released
):
    monkeypatch.setattr(stability, "NUMBERS", ("5",))
    page = open_page("data", study=unasked.id)
    assert not page.exception
    assert "Median follow-up" in words(page)
    next(s for s in page.selectbox if s.label == "Its unit").set_value("days").run()
    called = next(t for t in page.text_input if t.label == "What the event is called")
    called.set_value("death from any cause").run()
    page.button(key="data.outcome.save").click().run()
    assert not page.exception
    study = page_store.get_study(LOCAL_OWNER, unasked.id)
    assert study.schema.follow_up is not None
    assert study.schema.outcome.level_labels["1"] == "death from any cause"
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
    every_part_of_a_patient(open_page, study, words)
    page = open_page("evaluate", study=study.id)
    assert not page.exception
    said = words(page)
    for told in ("Event within 6 months", "Does acting on it help?", "Followed for less", "Uno’s C"):
        assert told in said
    page.segmented_control(key=f"evaluate.horizon.{run.id}").set_value(study.schema.follow_up.horizons[0]).run()
    follow_up = study.schema.follow_up
    assert not page.exception and f"Event within {span(follow_up.horizons[0], follow_up.unit)}" in words(page)

    for view, sentence in (
        ("compare", "Cox regression tells patients apart better"),
        ("groups", "Observed and predicted shares differ"),
        ("errors", "Patients with the largest errors"),
        ("stability", "How stable are the risks?"),
        ("report", "Everything that was computed"),
    ):
        page.segmented_control(key="evaluate.timed.view").set_value(view).run()
        if view == "compare":
            page.selectbox(key=f"evaluate.other.{run.id}").set_value("prevalence").run()
        assert not page.exception and not page.error, view
        assert sentence in words(page), view
        if view == "stability":
            page.toggle(key=f"evaluate.stability.{run.id}").set_value(True).run()
            assert not page.exception and not page.error and "Optimism" in page.table[0].value.columns
    page.button(key="evaluate.report.write").click().run()
    assert not page.exception and not page.error and "The report is ready" in words(page)
    page.segmented_control(key="evaluate.timed.view").set_value("overview").run()
    page.segmented_control(key=f"evaluate.horizon.{run.id}").set_value(follow_up.main).run()
    page.number_input(key=f"evaluate.timed.threshold.{run.id}.{follow_up.main}").set_value(25.0).run()
    page.button(key="evaluate.keep").click().run()
    kept = page_store.get_study(LOCAL_OWNER, study.id).choice
    assert not page.exception and (kept.run_id, kept.threshold) == (run.id, 0.25)

    page.segmented_control(key="evaluate.timed.view").set_value("external").run()
    others = page_store.load_cohort(LOCAL_OWNER, study.id).frame.iloc[::2].rename(columns={"time": "days followed"})
    table = ("others.csv", others.to_csv(index=False).encode(), "text/csv")
    page.file_uploader(key=f"evaluate.external.table.{run.id}").set_value(table).run()
    assert not page.exception and "Which column is which?" in words(page)
    next(s for s in page.selectbox if s.label == "time").set_value("days followed").run()
    assert not page.exception and not page.error
    for told in ("Patients judged", "Do predicted risks come true?", "Event within 6 months", "the baseline hazard is"):
        assert told in words(page)
    page.segmented_control(key="evaluate.recalibration").set_value("slope").run()
    page.button(key="evaluate.keep_version").click().run()
    version = page_store.list_runs(LOCAL_OWNER, study.id)[0]
    assert not page.exception and version.summary["version_of"]["strength"] == "slope"
    row = page_store.load_cohort(LOCAL_OWNER, study.id).frame.iloc[0]
    released_as = released(open_page("evaluate", study=study.id, view="release"), row.dropna().to_dict(), 0.4)
    page = open_page("patients", patient=page_store.find_patient(LOCAL_OWNER, released_as, "P"))
    assert not page.exception and not page.error and "within 6 months" in words(page)
    page = open_page("evaluate", study=study.id, run=version.id, view="report")
    page.segmented_control(key="evaluate.report.format").set_value("html").run()
    page.button(key="evaluate.report.write").click().run()
    assert not page.exception and not page.error and "The report is ready" in words(page)

    results = read_timed_results(page_store.result_folder(LOCAL_OWNER, run.id))
    reference = Reference.of(results.manifest, results, page_store.load_cohort(LOCAL_OWNER, study.id).frame)
    expected = results.training.curve[np.searchsorted(results.training.rows, reference.rows), 0]
    curve = patient_curve(
        reference, reference.patients.take([0]), results.training.curve[0, 0], results.times, expected=expected
    )
    assert (curve.times[0], curve.risk[0], curve.n_similar) == (0.0, 0.0, 100)
    inside = np.isfinite(curve.low)
    assert (curve.low[inside] <= curve.similar[inside]).all()
    assert curve.everybody[-1] == pytest.approx(results.cross_validated.by(results.target.main).observed.value)
    assert json.dumps(done.summary or {})


def test_the_visits_of_a_patient_are_drawn_beside_the_risk(open_page, page_store, page_settings, words, here):
    study = page_store.create_study(LOCAL_OWNER, "Liver", load_sample("liver"))
    run = page_store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="cox"))
    assert perform_run(page_settings, LOCAL_OWNER, run.id, train_study) is None
    who = {"row": "2", "part": "measured"}
    page = open_page("patient", study=study.id, **who)
    assert not page.exception and not page.error
    assert words(page).count("6 measurements over time") >= 2  # twelve stand in two charts of one time


def test_a_date_of_death_is_the_outcome_that_is_proposed_with_its_end_of_study(open_page, page_store, words):
    rng = np.random.default_rng(4)
    begin = np.datetime64("2016-01-01") + rng.integers(0, 700, 120)
    died = [str(d + 30 * k) if k % 3 else "" for k, d in enumerate(begin)]
    rows = "\n".join(f"{40 + k % 40},{'fm'[k % 2]},{begin[k]},{died[k]}" for k in range(120))
    table = read_table(("w.csv", f"age,sex,date_of_diagnosis,date_of_death\n{rows}\n".encode()))
    page = open_page("data", study=page_store.create_study(LOCAL_OWNER, "Dates", table).id)
    outcome = next(s for s in page.selectbox if s.label.startswith("Outcome:"))
    assert not page.exception and outcome.value == "date_of_death" and "the end of the study" in words(page)


def test_a_status_with_its_last_contact_comes_before_a_date_of_death_that_says_nothing_of_who_left(
    open_page, page_store, words
):
    begin = np.datetime64("2016-01-01") + np.random.default_rng(4).integers(0, 700, 120)
    rows = "\n".join(
        f"{40 + k % 40},{d},{d + 20 * (k % 60)},{k % 3},{d + 20 * (k % 60) if k % 3 == 1 else ''}"
        for k, d in enumerate(begin)
    )
    table = read_table(("w.csv", f"age,date_of_surgery,last_contact,status,date_of_death\n{rows}\n".encode()))
    page = open_page("data", study=page_store.create_study(LOCAL_OWNER, "Both", table).id)
    outcome = next(s for s in page.selectbox if s.label.startswith("Outcome:"))
    assert not page.exception and outcome.value == "status" and "what ended a follow-up" in words(page)


def test_a_patient_whom_the_model_has_seen_is_told_the_risk_of_the_event_and_not_of_what_competes_with_it():
    target = EventTime(3, horizons=(5.0,), main=5.0, unit="years")
    results = SimpleNamespace(training=SimpleNamespace(risk=np.array([[0.2, 0.7, 0.1]])), target=target)
    explainer = SimpleNamespace(results=results, measure=RISK, names=("none", "death from cancer", "other death"))
    assert "gave: death from cancer 70" in trained_on(explainer, 0)


def test_a_nine_that_is_read_as_missing_can_be_named_as_no_event_seen(open_page, page_store, words):
    rows = "\n".join(f"{40 + k % 40},{30 + 7 * k},{(0, 1, 1, 9)[k % 4]}" for k in range(120))
    table = read_table(("w.csv", f"age,futime,status\n{rows}\n".encode()))
    study = page_store.create_study(LOCAL_OWNER, "Nines", table)
    page = open_page("data", study=study.id)
    next(s for s in page.selectbox if s.label == "Event").set_value("1").run()
    none = next(s for s in page.multiselect if s.label == "No event was seen")
    assert none.value == ["0"] and "9: 30 rows, read as missing" in none.options
    none.set_value(["0", "9"]).run()
    page.button(key="data.outcome.save").click().run()
    assert not page.exception and not page.error
    kept = page_store.get_study(LOCAL_OWNER, study.id).schema
    assert kept.follow_up.censored == ("0", "9") and kept["status"].missing_codes == ()
    next(s for s in page.multiselect if s.label == "No event was seen").set_value(["0"]).run()
    next(s for s in page.multiselect if s.label == "Competing events").set_value(["9"]).run()
    next(t for t in page.text_input if t.label == "What the competing event 9 is called").set_value("other death").run()
    page.button(key="data.outcome.save").click().run()
    kept = page_store.get_study(LOCAL_OWNER, study.id).schema
    assert not page.exception and kept.follow_up.causes == ("1", "9")
    assert kept["status"].level_labels == {"9": "other death"}
