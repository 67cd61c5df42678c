"""After a restart the first patients are shown before a worker has started: what was kept when training ended is theirs."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medcore import jobs
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.reading.table import read_table
from medcore.errors import NotFoundError, WorkerError
from medcore.explanation.model import first_patients
from medcore.explanation.model.first_patients import FirstPatients
from medcore.explanation.model.tables import explain_rows
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.worker_queries import By
from medcore.features.rows import CodedColumn, Payload
from medcore.jobs.queries.first_patients import keep_first_patients
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.any_results import read_any_results
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.kept.files import first_patients_name
from medcore.studies.owners import LOCAL_OWNER
from tests.pages.explained import three_wines


def read(frame):
    file = io.BytesIO()
    frame.to_csv(file, index=False)
    return read_table(("made.csv", file.getvalue()))


def followed():
    rng = np.random.default_rng(1)
    age = rng.integers(30, 90, 200)
    frame = pd.DataFrame({"age": age, "days": rng.exponential(900 * np.exp((60 - age) / 20)).round() + 1})
    frame["ward"], frame["status"] = rng.choice(["north", "south"], 200), (rng.random(200) < 0.6).astype(int)
    cohort = read(frame)
    return cohort.with_schema(choose_event_time(cohort, "status", when="days", event="1"))


MADE = {"wine": (three_wines, "logistic"), "followed": (followed, "cox")}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Two trained runs, of three classes and of an event with its time, whose first patients were kept."""
    home = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings, ids = Settings.from_env(), {}
        store = Store(settings)
        for name, (made, model) in MADE.items():
            study = store.create_study(LOCAL_OWNER, name, made())
            run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model=model))
            perform_run(settings, LOCAL_OWNER, run.id, train_study)
            keep_first_patients(settings, LOCAL_OWNER, run.id)
            ids[name] = study.id, run.id
    forget_engines()
    return home, ids


@pytest.fixture
def page_settings(kept, monkeypatch):
    monkeypatch.setenv("MEDCORE_DATA", str(kept[0]))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def without_workers(monkeypatch):
    """No worker answers; return what was asked."""
    asked = []

    def call(function, *args, **kwargs):
        asked.append(function)
        raise WorkerError("nobody is there")

    monkeypatch.setattr(jobs, "call", call)
    return asked


def found_of(store, run_id):
    return FirstPatients.from_bytes(store.first_patients(LOCAL_OWNER, run_id))


@pytest.mark.parametrize("name", MADE)
def test_what_was_kept_is_what_a_worker_would_answer(kept, page_store, name):
    _study, run_id = kept[1][name]
    found, folder = found_of(page_store, run_id), page_store.result_folder(LOCAL_OWNER, run_id)
    results, frame = read_any_results(folder), page_store.run_inputs(LOCAL_OWNER, run_id).cohort.frame
    risk = results.test.risk[:, found.class_index]
    assert list(found.patients) == results.test.rows[np.argsort(-risk, kind="stable")][:20].tolist()
    asked = folder if found.horizon is None else By(folder, found.horizon)
    for (row, k), explained in list(found.explanations.items())[:3]:
        (alone,) = worker_queries.read_risks(asked, frame.iloc[[row]])
        patient = found.patients[row]
        assert (patient.values, patient.flags) == (alone.values, alone.flags)
        assert not patient.rows.differs(alone.rows).any()
        np.testing.assert_array_equal(patient.risk, alone.risk)
        # Its row holds all that is needed to be asked about again.
        again = worker_queries.explain_patient(asked, patient, None, class_index=k)
        assert explained.contributions == again.contributions == found.explanation(patient, k).contributions
        if found.horizon is not None:
            own = worker_queries.curve_of(asked, alone.rows, results.times)[0]
            np.testing.assert_allclose(found.curve(patient), own, rtol=0, atol=1e-12)
    assert len(found.explanations) >= 20


@pytest.mark.parametrize("name", MADE)
def test_the_list_says_of_the_first_patients_what_their_pages_say(kept, page_store, name):
    _study, run_id = kept[1][name]
    found, folder = found_of(page_store, run_id), page_store.result_folder(LOCAL_OWNER, run_id)
    listed, pages = found.reasons, [found.explanations[row, found.class_index] for row in found.patients]
    assert listed.contributions.tolist() == [[c.contribution for c in page.contributions] for page in pages]
    assert listed.standard_errors.tolist() == [[c.standard_error for c in page.contributions] for page in pages]
    assert listed.prediction.tolist() == [page.prediction for page in pages]
    assert list(listed.values) == [patient.values for patient in found.patients.values()]
    assert {page.base_value for page in pages} == {listed.base_value}
    assert (listed.columns, listed.scale) == (tuple(c.column for c in pages[0].contributions), pages[0].scale)
    # The table of explanations, which is made of all patients at once, says the same but for its coarser sampling.
    asked = folder if found.horizon is None else By(folder, found.horizon)
    frame = page_store.run_inputs(LOCAL_OWNER, run_id).cohort.frame.iloc[list(found.patients)]
    table = explain_rows(worker_queries.opened(asked), frame, class_name=listed.class_name)
    assert (table.columns, table.class_name, table.scale) == (listed.columns, listed.class_name, listed.scale)
    assert (table.values, table.codes.tolist()) == (listed.values, listed.codes.tolist())
    assert listed.prediction == pytest.approx(table.prediction, abs=1e-12)
    assert listed.contributions == pytest.approx(table.contributions, abs=1e-9)  # both are exact: few columns


def test_who_is_opened_for_another_class_is_explained_for_that_of_the_list_too(kept, page_store):
    run_id = kept[1]["wine"][1]
    found, results = found_of(page_store, run_id), read_any_results(page_store.result_folder(LOCAL_OWNER, run_id))
    opened = {row: first_patients.opened_class(results, one.risk) for row, one in found.patients.items()}
    assert set(opened.values()) - {found.class_index}, "nobody is opened for another class"
    asked = {*opened.items(), *((row, found.class_index) for row in opened)}
    assert (found.explanations.keys(), found.weights.keys()) == (asked, {k for _row, k in asked})


@pytest.mark.parametrize(("name", "part"), [("wine", None), ("followed", None), ("followed", "why")])
def test_a_first_patient_is_shown_while_no_worker_answers(
    kept, page_store, open_page, without_workers, words, name, part
):
    app = open_page("patient", study=kept[1][name][0])
    assert not app.exception and not app.error
    assert app.dataframe[0].value["Main reasons"].iloc[19].startswith(("▲", "▼"))
    picker = next(s for s in app.selectbox if s.label == "Open a patient")
    first = next(iter(found_of(page_store, kept[1][name][1]).patients))
    picker.select_index(next(i for i, o in enumerate(picker.options) if o.startswith(f"Row {first + 2} "))).run()
    if part is not None:
        next(s for s in app.segmented_control if s.key == "patient.part").set_value(part).run()
    for _patient in range(2):
        assert not app.exception and not app.error
        assert "with values like these" in words(app) or "of 100 had had it by then" in words(app)
        assert len(app.get("plotly_chart")) == 1
        next(b for b in app.button if b.label == "Next").click().run()
    assert without_workers == []


def test_those_made_by_other_code_or_of_another_bundle_or_horizon_are_not_used(kept, page_store, monkeypatch):
    found = found_of(page_store, kept[1]["followed"][1])
    assert found.of(found.bundle_sha256, found.horizon)
    assert not found.of("0" * 64, found.horizon) and not found.of(found.bundle_sha256, found.horizon + 1)
    monkeypatch.setattr(first_patients, "code_digest", lambda: "other")
    assert not found.of(found.bundle_sha256, found.horizon)


def test_they_are_made_anew_where_other_code_made_them_and_only_there(kept, page_store, page_settings, monkeypatch):
    run_id = kept[1]["wine"][1]
    before = page_store.first_patients(LOCAL_OWNER, run_id)
    made = []
    monkeypatch.setattr(first_patients, "read_risks", lambda *asked: made.append(asked) or read_risks(*asked))
    read_risks = worker_queries.read_risks
    keep_first_patients(page_settings, LOCAL_OWNER, run_id)
    assert made == []
    page_store.keep_first_patients(LOCAL_OWNER, run_id, replace(found_of(page_store, run_id), code="other").to_bytes())
    keep_first_patients(page_settings, LOCAL_OWNER, run_id)
    assert len(made) == 1
    assert FirstPatients.from_bytes(before).explanations.keys() == found_of(page_store, run_id).explanations.keys()


def test_patients_of_another_table_are_asked_about(kept, page_settings, open_page, without_workers):
    app = open_page("patient", study=kept[1]["wine"][0], who="table")
    app.file_uploader[0].set_value(("new.csv", three_wines().frame.head(3).to_csv(index=False).encode(), "text/csv"))
    app.run()
    assert without_workers == [worker_queries.predict_table]


def test_what_lies_beside_a_patients_row_is_kept_with_it(kept, page_store):
    found = found_of(page_store, kept[1]["wine"][1])
    notes = [f"note {number % 3}" for number in range(len(found.patients))]
    codes, payload = Payload.of(np.array(notes))
    column = [CodedColumn(code[None], payload) for code in codes]
    of = zip(found.patients.items(), column, strict=True)
    patients = {row: replace(one, rows=one.rows.with_column(1, note)) for (row, one), note in of}
    again = FirstPatients.from_bytes(replace(found, patients=patients).to_bytes())
    assert [one.rows.column(1).contents()[0] for one in again.patients.values()] == notes
    assert all(len(one.rows.payloads[1].keys) == 1 for one in again.patients.values())


def test_of_a_wide_table_only_those_are_explained_for_whom_there_is_time(kept, page_store):
    run_id = kept[1]["wine"][1]
    folder, frame = (
        page_store.result_folder(LOCAL_OWNER, run_id),
        page_store.run_inputs(LOCAL_OWNER, run_id).cohort.frame,
    )
    found = first_patients.first_patients(folder, read_any_results(folder), frame, seconds=0.0)
    assert (len(found.patients), len(found.explanations), found.reasons) == (20, 1, None)
    assert FirstPatients.from_bytes(found.to_bytes()).reasons is None


def test_what_was_changed_is_not_used_and_nothing_is_kept_of_a_study_that_is_gone(kept, page_store):
    (study, run_id), (_other_study, other) = kept[1]["wine"], kept[1]["followed"]
    name = first_patients_name(LOCAL_OWNER, run_id)
    data, theirs = (page_store.files.read_as_kept(first_patients_name(LOCAL_OWNER, r)) for r in (run_id, other))
    path = page_store.files.fs.sep.join((page_store.files.root, name))
    page_store.files.fs.pipe_file(path, theirs)
    assert page_store.first_patients(LOCAL_OWNER, run_id) is None
    page_store.files.fs.pipe_file(path, data)
    assert page_store.first_patients(LOCAL_OWNER, run_id) is not None
    page_store.purge_study(LOCAL_OWNER, study)
    assert not page_store.files.exists(name) and page_store.files.exists(first_patients_name(LOCAL_OWNER, other))
    with pytest.raises(NotFoundError):
        page_store.keep_first_patients(LOCAL_OWNER, run_id, b"late")
    assert not page_store.files.exists(name)
