"""A workbook with a sheet of patients and a larger one of their measurements is read by its patients, and the other added."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.long import Pivot
from medcore.data.privacy import Decision, protect, with_pseudonyms
from medcore.data.reading.long.series import with_series
from medcore.data.reading.measurements import read_measurements
from medcore.data.reading.table import read_table
from medcore.data.schema.long import propose_series
from medcore.data.values.typed import typed
from medcore.errors import InputError, MissingColumnsError
from medcore.studies.kept.identity import content_key
from tests.commanded import fail, run

N = 90
_rng = np.random.default_rng(3)
IDS = [f"P{i:03}" for i in range(N)]
WHO = pd.DataFrame({"Patient ID": IDS, "age": _rng.integers(40, 89, N), "died": ["yes", "no", "no"] * (N // 3)})
LINES = pd.DataFrame(
    {
        "patient_id": np.repeat(IDS[:-4], 12),
        "hour (h)": list(range(0, 60, 5)) * (N - 4),
        "test": ["HR", "K"] * 6 * (N - 4),
        "result": _rng.normal(80, 9, 12 * (N - 4)).round(1),
    }
)
NAMED = {"patient": "patient_id", "analyte": "test", "value": "result", "when": "hour (h)"}
NAMES = pytest.mark.parametrize("called", ["patient_id", "PatientID", "MRN", "病案号"])


def book(**sheets: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return file.getvalue()


def packed(**tables: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, frame in tables.items():
            archive.writestr(f"{name}.csv", frame.to_csv(index=False))
    return file.getvalue()


def read(data: bytes, name: str = "ward.xlsx") -> Cohort:
    return read_table((name, data))


@NAMES
@pytest.mark.parametrize(("name", "pack"), [("ward.xlsx", book), ("ward.zip", packed)])
def test_the_sheet_of_patients_is_read_however_each_names_them(called: str, name: str, pack) -> None:
    data = pack(Labs=LINES.rename(columns={"patient_id": called}), Patients=WHO)
    cohort = read(data, name)
    assert list(cohort.frame.columns) == [*WHO.columns]
    assert cohort.frame["Patient ID"].tolist() == IDS
    (long_sheet,) = cohort.source.long_sheets
    assert long_sheet.startswith("Labs")
    assert "Labs" in str(cohort.repairs[0])
    assert "several rows of each patient" in str(cohort.repairs[0])
    long = read_measurements((name, data), sheet=long_sheet)
    proposed = propose_series(long.schema, cohort.schema, long.frame)
    assert proposed["patient"] == called
    assert proposed["known_as"] == ("" if called.isascii() and called != "MRN" else "Patient ID")
    joined = with_series(cohort, long, Pivot.of_series(proposed, until=48))
    wanted = with_series(
        read(WHO.to_csv(index=False).encode(), "who.csv"),
        read(LINES.to_csv(index=False).encode(), "l.csv"),
        Pivot.of_series(NAMED, until=48),
    )
    pd.testing.assert_frame_equal(typed(joined.frame, joined.schema), typed(wanted.frame, wanted.schema))


def test_sheets_with_a_row_twice_are_read_as_before() -> None:
    """Two patients entered twice do not make the largest sheet one of measurements."""
    twice = pd.concat([WHO, WHO.head(2)]).assign(sex="m", crea=80.5)
    cohort = read(book(Patients=twice, Outcome=WHO[["Patient ID", "died"]]))
    assert (cohort.source.sheet, cohort.source.long_sheets) == ("Patients", ())


def test_other_sheets_of_the_patients_are_joined_too_and_the_choice_is_kept() -> None:
    outcome = WHO[["Patient ID", "died"]]
    data = book(Labs=LINES, Patients=WHO.drop(columns="died").assign(sex="m"), Outcome=outcome)
    cohort = read(data)
    assert list(cohort.frame.columns) == ["Patient ID", "age", "sex", "died"]
    assert cohort.source.long_sheets == ("Labs",)
    alone = read_table(("ward.xlsx", data), overrides={"sheet": "Labs"})
    assert alone.n_rows == len(LINES)
    again = read_table(("ward.xlsx", data), overrides=cohort.source.choices())
    pd.testing.assert_frame_equal(again.frame, cohort.frame)
    assert content_key(again) == content_key(cohort)


def test_of_two_sheets_of_measurements_the_one_asked_for_is_read() -> None:
    vitals = LINES.rename(columns={"test": "sign", "result": "reading"}).assign(ward="A", bed=3)
    data = book(Patients=WHO, Labs=pd.concat([LINES, LINES.assign(**{"hour (h)": 70})]), Vitals=vitals)
    assert {*read(data).source.long_sheets} == {"Labs", "Vitals"}
    assert read_measurements(("ward.xlsx", data)).n_rows == 2 * len(LINES)
    pivot = Pivot.of_series({**NAMED, "analyte": "sign", "value": "reading"}, until=48)
    assert "bed" in read_measurements(("ward.xlsx", data), pivot=pivot).frame  # known by its columns
    assert "bed" in read_measurements(("ward.xlsx", data), sheet="Vitals").frame
    named = replace(pivot, sheet="Signs")  # as the workbook of the training patients called it
    assert "bed" in read_measurements(("ward.xlsx", data), pivot=named).frame
    assert Pivot.from_dict(Pivot.of_series({**NAMED, "sheet": "Vitals"}, until=1).to_dict()).sheet == "Vitals"


def test_who_is_named_otherwise_in_the_two_tables_is_said_or_asked_for() -> None:
    patients = read(WHO.rename(columns={"Patient ID": "folder"}).to_csv(index=False).encode(), "who.csv")
    long = read(LINES.to_csv(index=False).encode(), "labs.csv")
    with pytest.raises(MissingColumnsError, match="patient_id"):
        with_series(patients, long, Pivot.of_series(NAMED, until=48))
    joined = with_series(patients, long, Pivot.of_series({**NAMED, "known_as": "folder"}, until=48))
    assert joined.frame["HR count"].sum() == (LINES["test"].eq("HR") & LINES["hour (h)"].le(48)).sum()


def test_measurements_of_patients_under_pseudonyms_are_found() -> None:
    key = b"k" * 32
    who = WHO.assign(**{"Patient ID": range(1, N + 1)})
    lines = LINES.assign(patient_id=LINES["patient_id"].str[1:].astype(int) + 1)
    plain = read(book(Patients=who))
    hidden = protect(plain, [Decision(column="Patient ID", action="pseudonymise")], key=key)
    long = read(lines.to_csv(index=False).encode(), "labs.csv")
    pivot = Pivot.of_series(NAMED, until=48)
    with pytest.raises(InputError, match="No measurement is of a patient"):
        with_series(hidden, long, pivot)
    joined = with_series(hidden, with_pseudonyms(hidden, long, key), pivot)
    wanted = with_series(plain, long, pivot)
    pd.testing.assert_frame_equal(joined.frame.iloc[:, 1:], wanted.frame.iloc[:, 1:])
    assert with_pseudonyms(plain, long, key) is long
    assert with_pseudonyms(hidden, long, b"x" * 32) is long


def test_it_is_trained_and_new_patients_are_predicted_from_one_workbook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ward.xlsx").write_bytes(book(Labs=LINES.rename(columns={"patient_id": "MRN"}), Patients=WHO))
    series = ["--series", tmp_path / "ward.xlsx", "--until", "48h", "--take", "last|mean"]
    train = ["train", tmp_path / "ward.xlsx", "--target", "died", "--model", "logistic", "--out", tmp_path / "bundle"]
    run(capsys, *train, *series, "--series-sheet", "Labs", "--id", "MRN=Patient ID")
    whole = tmp_path / "whole.csv"
    run(capsys, "predict", tmp_path / "bundle", tmp_path / "ward.xlsx", "--out", whole)  # its own other sheet
    some = WHO.drop(columns="died").iloc[[5, 2]].assign(**{f"note {k}": "seen on the ward" for k in range(9)})
    labs = LINES[LINES["patient_id"].isin(some["Patient ID"])].rename(columns={"patient_id": "MRN"})
    (tmp_path / "new.xlsx").write_bytes(book(Labs=labs, New=some))
    run(capsys, "predict", tmp_path / "bundle", tmp_path / "new.xlsx", "--out", tmp_path / "two.csv")
    risk = pd.read_csv(whole).select_dtypes("float").iloc[:, 0]
    two = pd.read_csv(tmp_path / "two.csv")[risk.name]
    assert len(risk) == N
    np.testing.assert_allclose(two, risk[[5, 2]], rtol=1e-12)
    (tmp_path / "bare.csv").write_text(WHO.to_csv(index=False))
    lacking = fail(capsys, "predict", tmp_path / "bundle", tmp_path / "bare.csv", "--out", tmp_path / "bare_risks.csv")
    assert "--series" in lacking
