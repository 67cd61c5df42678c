"""A model that reads measurements over time, on the Patients page: a table of patients and one of measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medcore.data.long import Pivot
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import forget_engines
from medcore.studies.use_records import Terms

NAMED = {"patient": "id", "analyte": "Parameter", "value": "Value", "when": "Time"}


def patients(n: int, *, outcome: bool) -> bytes:
    lines = [f"P{k},{40 + k % 37}" + (f",{int(k % 3 == 0)}" if outcome else "") for k in range(n)]
    return ("id,age" + (",died" if outcome else "") + "\n" + "\n".join(lines) + "\n").encode()


def measured(n: int, *, higher: int = 0) -> bytes:
    lines = [
        f"P{k},{h:02d}:30,{('HR', 'MAP')[h % 2]},{70 + (k * h) % 40 + higher + 20 * (k % 3 == 0)}"
        for k in range(n)
        for h in range(0, 24, 3)
    ]
    return ("id,Time,Parameter,Value\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train on both tables; return where."""
    home = tmp_path_factory.mktemp("series")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings = Settings.from_env()
        store = Store(settings)
        pivot = Pivot.of_series(NAMED, until=24, forms=("last", "mean"))
        table = read_table(("ward.csv", patients(90, outcome=True)))
        joined = with_series(table, read_table(("icu.csv", measured(90))), pivot)
        columns = [replace(c, role="outcome") if c.name == "died" else c for c in joined.schema.columns]
        columns = [replace(c, role="ignored") if c.name == "id" else c for c in columns]
        joined = replace(joined, schema=replace(joined.schema, columns=tuple(columns), positive="1"))
        study = store.create_study(LOCAL_OWNER, "Ward", joined)
        run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
        perform_run(settings, LOCAL_OWNER, run.id, train_study)
        assert store.get_run(LOCAL_OWNER, run.id).state == "done"
        release = store.release(
            LOCAL_OWNER, run.id, "ward", Terms(intended_use="Ward.", for_whom="Adults.", threshold=0.4)
        )
    forget_engines()
    return home, release


@pytest.fixture
def page_settings(trained, monkeypatch):
    monkeypatch.setenv("MEDCORE_DATA", str(trained[0]))
    yield Settings.from_env()
    forget_engines()


def test_two_tables_are_predicted_as_the_bundle_does_and_a_course_is_shown(open_page, here, page_store, trained, words):
    def bring(higher: int):
        app = open_page("patients", model="ward", view="bring")
        app.file_uploader[0].set_value(("new.csv", patients(5, outcome=False), "text/csv")).run()
        assert not app.exception and not app.error, app.error
        app.file_uploader(key="patients.reading.series").set_value(
            ("icu.csv", measured(5, higher=higher), "text/csv")
        ).run()
        assert not app.exception and not app.error, app.error
        next(s for s in app.selectbox if s.label == "Column of identifiers").set_value("id").run()
        app.button(key="patients.bring").click().run()
        assert not app.exception and not app.error, app.error
        return words(app)

    assert "5 visits of 5 patients are kept" in bring(0)
    assert "5 visits of 5 patients are kept" in bring(30)
    bundle = load_bundle(page_store.release_folder(LOCAL_OWNER, trained[1].id))
    table = with_series(
        read_table(("n.csv", patients(5, outcome=False)), like=bundle.schema),
        read_table(("m.csv", measured(5, higher=30))),
        bundle.schema.series,
        like=bundle.schema,
    )
    expected = bundle.predict(table.frame)[:, 1]
    listed = {e.identifier: e for e in page_store.worklist(LOCAL_OWNER, "ward")}
    assert np.allclose([listed[f"P{k}"].risk for k in range(5)], expected, atol=1e-12)
    assert any(e.change for e in listed.values())
    for part in ("", "visit", "values"):
        app = open_page("patients", patient=listed["P1"].patient_id, **({"part": part} if part else {}))
        assert not app.exception and not app.error, (part, app.error)
        assert part != "visit" or "The fields hold the values of" in words(app)
    assert app.dataframe[0].value["HR, last"].tolist() == ["118", "88"]
