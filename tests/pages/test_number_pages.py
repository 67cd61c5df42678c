"""An outcome that is a number, page by page: asked for, trained, judged, a patient looked at."""

import time

import pytest

from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample, samples
from medcore.data.schema.dictionaries.dictionary import load_dictionary
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.studies.owners import LOCAL_OWNER
from medcore.targets import Number
from medcore.ui.evaluate import stability
from medcore.ui.patient import whole


@pytest.fixture
def unasked(page_store):
    """A study of the heart table, ready to be asked how high the heart rate goes."""
    sample = next(s for s in samples() if s.key == "heart_rate")
    cohort = read_table(sample.path)
    schema = load_dictionary(cohort.schema, sample.dictionary.read_text(encoding="utf-8"))
    return page_store.create_study(LOCAL_OWNER, "Rate", cohort.with_schema(schema))


def test_a_number_is_asked_trained_judged_and_shown_for_a_patient(
    open_page, page_store, page_settings, unasked, words, here, monkeypatch, released
):
    page = open_page("data", study=unasked.id)
    next(s for s in page.selectbox if s.label.startswith("Outcome:")).set_value("thalach").run()
    assert not page.exception and "skewness" in words(page).casefold()
    next(s for s in page.selectbox if s.label == "What models learn of it").set_value("log").run()
    assert not page.exception
    next(s for s in page.selectbox if s.label == "What models learn of it").set_value("plain").run()
    page.button(key="data.outcome.save").click().run()
    assert not page.exception and not page.error
    study = page_store.get_study(LOCAL_OWNER, unasked.id)
    assert study.schema.target == Number(low=0.0) and study.schema.outcome.name == "thalach"
    for view in ("findings", "profile", "recipe", "split", "rows", "columns"):
        page = open_page("data", study=study.id, view=view)
        assert not page.exception and not page.error, view
    page = open_page("data", study=study.id, view="profile", show="table_one")
    assert not page.exception and not page.error

    run = page_store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="linear"))
    assert perform_run(page_settings, LOCAL_OWNER, run.id, train_study) is None
    done = page_store.get_run(LOCAL_OWNER, run.id)
    assert (done.state, done.error) == ("done", None)
    page = open_page("train", study=study.id)
    assert not page.exception and not page.error and "a number" in words(page) and "Errors are in" in words(page)
    page = open_page("studies")
    assert not page.exception and not page.error

    page = open_page("evaluate", study=study.id)
    assert not page.exception and not page.error
    for told in (
        "A typical prediction is off by",
        "Do its intervals hold?",
        "Measured: mean (SD)",
        "R², explained variance",
    ):
        assert told in words(page)
    page = open_page("evaluate", study=study.id, view="groups")
    assert not page.exception and not page.error and "Measured less predicted" in page.table[0].value.columns
    page = open_page("evaluate", study=study.id, view="errors")
    assert not page.exception and not page.error and "Patients with the largest errors" in words(page)
    row = page_store.load_cohort(LOCAL_OWNER, study.id).frame.iloc[0]
    released_as = released(open_page("evaluate", study=study.id, view="release"), row.dropna().to_dict(), 140.0)
    page = open_page("patients", model=released_as)
    assert not page.exception and not page.error
    assert list(page.dataframe[0].value["Predicted (/min)"]) == [126.0]
    patient = page_store.find_patient(LOCAL_OWNER, released_as, "P")
    page = open_page("patients", patient=patient)
    assert not page.exception and not page.error and "from 140 /min to 126 /min" in words(page)
    monkeypatch.setattr(stability, "NUMBERS", ("5",))
    page = open_page("evaluate", study=study.id, view="stability")
    page.toggle(key=f"evaluate.stability.{run.id}").set_value(True).run()
    assert not page.exception and not page.error and "How stable are the numbers?" in words(page)
    assert "R², explained variance" in set(page.table[0].value["Figure"])
    page.segmented_control(key="evaluate.number.view").set_value("report").run()
    page.segmented_control(key="evaluate.report.format").set_value("html").run()
    page.button(key="evaluate.report.write").click().run()
    assert not page.exception and not page.error and "The report is ready" in words(page)
    page = open_page("evaluate", study=study.id, view="compare", beside="mean")
    assert not page.exception and not page.error and "comes closer to what is measured than" in words(page)
    page.segmented_control(key="evaluate.number.view").set_value("external").run()
    others = page_store.load_cohort(LOCAL_OWNER, study.id).frame.iloc[50:250]
    others.iloc[3, others.columns.get_loc("cp")] = "7"
    table = ("others.csv", others.to_csv(index=False).encode(), "text/csv")
    page.file_uploader(key=f"evaluate.external.table.{run.id}").set_value(table).run()
    assert not page.exception and not page.error and "Patients judged" in words(page)
    page.segmented_control(key="evaluate.recalibration").set_value("slope").run()
    page.button(key="evaluate.keep_version").click().run()
    version = page_store.list_runs(LOCAL_OWNER, study.id)[0]
    assert not page.exception and version.summary["version_of"]["strength"] == "slope"
    page = open_page("evaluate", study=study.id, run=version.id)
    assert not page.exception and not page.error and "A typical prediction is off by" in words(page)

    every_part_of_a_patient(open_page, study, words)
    listed_and_brought(open_page, study, run, table, words, monkeypatch)


def every_part_of_a_patient(open_page, study, words):
    """A patient of a predicted number is looked at as one of classes is: nothing there is a risk or a per cent."""
    told = {
        "why": "What the model used for",
        "what_if": "What if: Row 2",
        "different": "across the threshold of 150 /min",
        "similar": "What was predicted for them",
        "record": "One page: what is predicted",
    }
    for part, sentence in told.items():
        page = open_page("patient", study=study.id, row="2", part=part, who="training", threshold="150")
        assert not page.exception and not page.error, part
        said = words(page)
        assert sentence in said and "nine of ten patients like this one are between" in said, part
        assert "Measured: 150 /min" in said and "Of the 50 most similar patients the mean was" in said
        assert "this risk" not in said and "of 100 had" not in said
        if part == "record":
            page.button(key="patient.record.write").click().run()
            assert not page.exception and not page.error and page.get("download_button")


def listed_and_brought(open_page, study, run, table, words, monkeypatch):
    """Patients are listed by their number, parted where the reader says, and brought in a table with its flags."""
    page = open_page("patient", study=study.id, who="training")
    assert not page.exception and "had not seen the patient" in words(page)
    page.number_input(key=f"patient.threshold.{run.id}").set_value(120.0).run()
    page.segmented_control(key="patient.filter").set_value("below").run()
    below = page.dataframe[0].value
    assert not page.exception and len(below) and (below["Predicted (/min)"] <= 120).all()  # as rounded
    assert {"Nine of ten between", "Measured"} <= set(below.columns)
    page.segmented_control(key="patient.filter").set_value("all").run()
    page.segmented_control(key="patient.way").set_value("table").run()
    page.file_uploader(key=f"patient.file.{run.id}").set_value(table).run()
    assert not page.exception and not page.error
    assert page.dataframe[0].value["Be careful about"].str.contains("not seen in training").sum() == 1
    monkeypatch.setattr(whole, "MOST_PATIENTS", 30)
    page = open_page("patient", study=study.id, view="whole")
    page.button(key="patient.whole.start").click().run()
    while any(b.label == "Stop here" for b in page.button):
        time.sleep(1)
        page.run()
    assert not page.exception and not page.error and "Patients with the same reasons" in words(page)


def test_the_sample_with_a_number_opens_ready_to_train():
    cohort = load_sample("heart_rate")
    assert cohort.schema.outcome.name == "thalach" and isinstance(cohort.schema.target, Number)
    assert cohort.schema.outcome.unit == "/min" and len(cohort.schema.predictors) == 7
