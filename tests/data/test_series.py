"""A second, long table beside the patients' table: its summaries, against pandas and NumPy."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from medcore.data.cohort import Column
from medcore.data.long import SERIES_FORMS, Pivot
from medcore.data.privacy.attachments import screen_attachments
from medcore.data.reading.long.measured import ATTACHED, measured_of
from medcore.data.reading.long.series import with_series
from medcore.data.reading.measurements import read_measurements
from medcore.data.reading.table import read_table
from medcore.data.schema.long import propose_series
from medcore.data.values.typed import typed
from medcore.errors import InputError, MissingColumnsError, SettingsError
from medcore.i18n import language
from medcore.studies.kept.identity import plan_identity

PIVOT = Pivot(
    patient="id", analyte="test", value="result", when="at", forms=SERIES_FORMS, windows=((None, 1.0),), beside=True
)


def csv(frame):
    return "table.csv", frame.to_csv(index=False).encode()


@pytest.fixture(scope="module")
def patients():
    return pd.DataFrame({"id": range(1, 41), "age": np.arange(40) + 30, "died": ["yes", "no"] * 20})


@pytest.fixture(scope="module")
def measurements():
    """Two series of 38 of the 40 patients, out of order, some after a day, one before; lactate of few."""
    random = np.random.default_rng(7)
    n = 900
    minutes = random.integers(-30, 36 * 60, n)
    return pd.DataFrame(
        {
            "id": random.integers(1, 39, n),
            "at": minutes / 60,
            "test": random.choice(["HR", "K"], n),
            "result": np.round(random.normal(80, 9, n), 2),
        }
    )


def joined(patients, measurements, pivot, like=None):
    return with_series(read_table(csv(patients)), read_table(csv(measurements)), pivot, like=like)


def test_summaries_are_those_of_pandas(patients, measurements):
    measurements = measurements.rename(columns={"at": "at (h)"})
    cohort = joined(patients, measurements, Pivot(**{**PIVOT_FIELDS, "when": "at (h)"}))
    known = measurements[measurements["at (h)"] <= 24].sort_values("at (h)", kind="stable")
    frame = typed(cohort.frame, cohort.schema).set_index(patients["id"])
    for test in ("HR", "K"):
        groups = known[known["test"] == test].groupby("id")
        values = groups["result"]
        expected = {"first": values.first(), "last": values.last(), "minimum": values.min(), "maximum": values.max()}
        expected |= {"mean": values.mean(), "count": values.count(), "since": 24 - groups["at (h)"].max()}
        expected |= {"sd": values.std(), "total": values.sum()}
        lines = {who: np.polyfit(g["at (h)"] / 24, g["result"], 1)[0] for who, g in groups if len(g) > 1}
        expected["slope"] = pd.Series(lines)
        for form, series in expected.items():
            wanted = series.reindex(patients["id"], fill_value=0 if form == "count" else np.nan)
            np.testing.assert_allclose(frame[f"{test} {form}"].astype(float), wanted, rtol=1e-9)
    told = " ".join(map(str, cohort.repairs))
    assert f"{(measurements['at (h)'] > 24).sum()} result(s) lie outside the window" in told
    assert "2 of 40 patients have no measurement" in told
    assert f"{(measurements['at (h)'] < 0).sum()} result(s) were measured before the index date" in told
    earlier = {**PIVOT_FIELDS, "when": "at (h)", "windows": ((None, 0.5),)}
    shas = [read_table(csv(patients)).sha256, cohort.sha256, joined(patients, measurements, Pivot(**earlier)).sha256]
    assert len(set(shas)) == 3


PIVOT_FIELDS = {
    name: getattr(PIVOT, name) for name in ("patient", "analyte", "value", "when", "forms", "windows", "beside")
}


def test_the_last_part_of_the_time_is_summed_up_by_itself(patients, measurements):
    """As pandas has it; one patient alone is read so too, and what was joined without it keeps its columns."""
    long = measurements.rename(columns={"at": "at (h)"})
    named = {name: PIVOT_FIELDS[name] for name in ("patient", "analyte", "value")} | {"when": "at (h)"}
    pivot = Pivot.of_series(named, until=24, late=6)
    cohort = joined(patients, long, pivot)
    frame = typed(cohort.frame, cohort.schema).set_index(patients["id"])
    late = long[long["at (h)"].between(18, 24)].groupby(["test", "id"])["result"]
    for form, series in {"minimum": late.min(), "maximum": late.max(), "mean": late.mean()}.items():
        for test in ("HR", "K"):
            wanted = series[test].reindex(patients["id"])
            np.testing.assert_allclose(frame[f"{test} last 6h {form}"], wanted, rtol=1e-9)
    plain = joined(patients, long, Pivot.of_series(named, until=24))
    assert [name for name in cohort.schema.names if " last 6h " not in name] == list(plain.schema.names)
    assert plain.sha256 != cohort.sha256 and "late" not in plain.schema.series.to_dict()
    assert Pivot.from_dict(cohort.schema.series.to_dict()) == cohort.schema.series
    alone = joined(patients.iloc[[7]], long[long["id"] == 8], cohort.schema.series, cohort.schema)
    among = typed(cohort.frame, cohort.schema).iloc[[7]].reset_index(drop=True)
    pd.testing.assert_frame_equal(typed(alone.frame, cohort.schema)[among.columns], among)


def test_measurements_are_kept_for_drawing_where_asked_and_name_nobody(patients, measurements):
    """Up to the end of the window, in order; a patient of two rows in both; the identity is that without them."""
    long = measurements.rename(columns={"at": "at (h)"})
    pivot = Pivot(**{**PIVOT_FIELDS, "when": "at (h)"})
    twice = pd.concat([patients, patients.iloc[[4]]], ignore_index=True)
    plain = joined(twice, long, pivot)
    cohort = with_series(read_table(csv(twice)), read_table(csv(long)), pivot, keep=True)
    assert cohort.sha256 == plain.sha256 and not len(plain.attachments) and not measured_of(plain, 4)
    for row in (4, 40):
        for found in measured_of(cohort, row):
            own = long[(long["id"] == 5) & (long["test"] == found.name) & (long["at (h)"] <= 24)].sort_values("at (h)")
            np.testing.assert_allclose(found.hours, own["at (h)"], rtol=1e-9)
            np.testing.assert_array_equal(np.sort(found.values), np.sort(own["result"]))
    assert {found.name for found in measured_of(cohort, 4)} == {"HR", "K"} and not measured_of(cohort, 39)
    assert screen_attachments(cohort.attachments)[0].severity != "error"
    kept = pq.read_table(io.BytesIO(cohort.attachments.read(ATTACHED)))
    assert sorted(kept.column_names) == ["hours", "name", "row", "unit", "value"]


def test_a_code_for_not_measured_is_known_where_only_the_mean_is_taken(patients, measurements):
    coded = measurements.assign(result=measurements["result"].where(measurements.index % 50 > 0, -999))
    whole = joined(patients, coded, Pivot(**{**PIVOT_FIELDS, "forms": ("mean",)}, when_unit="h"))
    mine = coded[coded["id"] == coded["id"][50]]
    row = patients.index[patients["id"] == coded["id"][50]]
    alone = joined(patients.loc[row], mine, whole.schema.series, whole.schema)
    everybody = typed(whole.frame, whole.schema)
    assert everybody["HR mean"].min() > 0
    pd.testing.assert_frame_equal(typed(alone.frame, whole.schema), everybody.loc[row].reset_index(drop=True))


def test_one_patient_alone_is_read_as_among_all(patients, measurements):
    """Clock times, the date of admission in the patients' table as day and month, and a code for not measured."""
    begun = pd.Timestamp("2024-03-01 08:00")
    dated = measurements.assign(
        at=[(begun + pd.Timedelta(hours=h)).strftime("%d/%m/%Y %H:%M") for h in measurements["at"]],
        result=measurements["result"].where(measurements.index % 50 > 0, -999),
    )
    table = patients.assign(admitted=begun.strftime("%d/%m/%Y %H:%M"))
    pivot = Pivot(**{**PIVOT_FIELDS, "index": "admitted"})
    whole = joined(table, dated, pivot)
    assert "18 result(s) are -999" in " ".join(map(str, whole.repairs))
    everybody = typed(whole.frame, whole.schema)
    for row in (0, 7, 38):
        mine = dated[dated["id"] == table["id"][row]]
        alone = joined(
            table.iloc[[row]], mine if len(mine) else dated[dated["id"] == 1], whole.schema.series, whole.schema
        )
        pd.testing.assert_frame_equal(
            typed(alone.frame, whole.schema)[everybody.columns], everybody.iloc[[row]].reset_index(drop=True)
        )


def test_identifiers_meet_however_they_are_written(patients, measurements):
    pivot = Pivot(**PIVOT_FIELDS, when_unit="h")
    plain = joined(patients, measurements, pivot).frame
    pointed = joined(patients.assign(id=[f"{k}.0" for k in patients["id"]]), measurements, pivot).frame
    pd.testing.assert_frame_equal(plain.drop(columns="id"), pointed.drop(columns="id"))


def test_what_cannot_be_joined_is_said_in_one_sentence(patients, measurements):
    pivot = Pivot(**PIVOT_FIELDS, when_unit="h")
    with pytest.raises(InputError, match="No measurement is of a patient of the table"):
        joined(patients.assign(id=patients["id"] + 5000), measurements, pivot)
    with pytest.raises(SettingsError, match="numbers without a unit"):
        joined(patients, measurements, PIVOT)
    with pytest.raises(MissingColumnsError, match="The table of measurements"):
        joined(patients, measurements.drop(columns="test"), pivot)
    with pytest.raises(MissingColumnsError, match="The patients' table"):
        joined(patients.drop(columns="id"), measurements, pivot)
    with pytest.raises(SettingsError, match="no unit of time"):
        joined(patients, measurements, Pivot(**PIVOT_FIELDS, when_unit="mg"))
    strangers = pd.concat([measurements, measurements.assign(id=99).head(3)])
    assert "3 measurement(s) are of nobody" in " ".join(map(str, joined(patients, strangers, pivot).repairs))


def visits(measurements):
    """The same measurements as one row a visit: a column each, most cells empty; with the patients' age once more."""
    table = measurements.rename(columns={"at": "at (h)"})
    for test in ("HR", "K"):
        table[test] = table["result"].where(table["test"] == test)
    return table.drop(columns=["test", "result"]).assign(age=table["id"] + 29, note="")


BY_VISIT = Pivot(
    patient="id", analyte="", value="", when="at (h)", forms=SERIES_FORMS, windows=((None, 1.0),), beside=True
)


def test_a_table_of_one_row_a_visit_gives_what_one_row_a_measurement_gives(patients, measurements):
    long = joined(patients, measurements.rename(columns={"at": "at (h)"}), Pivot(**{**PIVOT_FIELDS, "when": "at (h)"}))
    wide = joined(patients, visits(measurements), BY_VISIT)
    pd.testing.assert_frame_equal(typed(wide.frame, wide.schema)[list(long.frame)], typed(long.frame, long.schema))
    told = " ".join(map(str, wide.repairs))
    assert "one row a visit: 3 column(s) are measurements (HR, K, note)" in told.replace("[", "").replace("]", "")
    assert "1 column(s) of the second table are the patients' own" in told
    assert Pivot.from_dict(wide.schema.series.to_dict()) == wide.schema.series


def test_a_patient_of_visits_alone_is_read_as_among_all(patients, measurements):
    everybody = joined(patients, visits(measurements), BY_VISIT)
    one, own = patients.iloc[[3]], visits(measurements).query("id == 4")
    alone = joined(one, own, everybody.schema.series, like=everybody.schema)
    among = typed(everybody.frame, everybody.schema).iloc[[3]].reset_index(drop=True)
    pd.testing.assert_frame_equal(typed(alone.frame, everybody.schema), among)


def test_visits_without_a_measurement_are_refused(patients, measurements):
    with pytest.raises(InputError, match="no column beside the patient and the time"):
        joined(patients, visits(measurements)[["id", "at (h)", "age"]], BY_VISIT)


def packed(files):
    """A zip archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return "ward.zip", out.getvalue()


def a_file_a_patient(measurements):
    """A file a patient, named by the patient; each third in another encoding and with semicolons."""
    table = measurements.rename(columns={"at": "at (h)"}).assign(
        test=measurements["test"].map({"HR": "心率", "K": "K"})
    )
    files = {}
    for who, own in table.groupby("id"):
        other = who % 3 == 0
        text = own.drop(columns="id").to_csv(index=False, sep=";" if other else ",")
        files[f"set-a/{who}.txt"] = text.encode("gb18030" if other else "utf-8")
    return files


def test_an_archive_of_a_file_a_patient_gives_what_one_table_gives(patients, measurements):
    files = a_file_a_patient(measurements)
    long = read_measurements(packed(files))
    named = Pivot(**{**PIVOT_FIELDS, "when": "at (h)"})
    apart = with_series(read_table(csv(patients)), long, named)
    whole = measurements.rename(columns={"at": "at (h)"}).assign(
        test=measurements["test"].map({"HR": "心率", "K": "K"})
    )
    together = joined(patients, whole, named)
    made = [c for c in together.schema.names if c not in patients.columns]
    pd.testing.assert_frame_equal(
        typed(apart.frame, apart.schema)[sorted(made)], typed(together.frame, together.schema)[sorted(made)]
    )
    (told, *_rest) = map(str, long.repairs)
    assert f"{len(files)} files of the archive" in told and "encoding" in told and "gb18030" in told
    assert (
        propose_series(long.schema, read_table(csv(patients.rename(columns={"id": "patient id"}))).schema, long.frame)[
            "patient"
        ]
        == "patient id"
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.csv": b"id,at,x\n1,2,3\n", "b.csv": b"id,when,x\n1,2,3\n"}, "file 2 of 2"),
        ({"a.csv": b"id,at,x\n1,2,3\n", "b.png": b"\x89PNG"}, "File 2 of 2"),
        ({"a.csv": b"id,at,x\n1,2,3\n", "b.zip": b"PK\x03\x04"}, "another archive"),
    ],
)
def test_an_archive_that_is_no_one_table_is_refused_by_place_and_without_a_name(files, said):
    with pytest.raises(InputError, match=said) as raised:
        read_measurements(packed(files))
    assert "b." not in str(raised.value)


def test_a_damaged_archive_is_refused():
    name, data = packed({"a.csv": b"id,at,x\n1,2,3\n", "b.csv": b"id,at,x\n1,2,3\n"})
    with pytest.raises(InputError, match="damaged"):
        read_measurements((name, data[: len(data) // 2]))


def test_summaries_are_named_in_the_readers_language_with_the_decimals_measured_and_their_unit_once(patients):
    rows = [(who, at, test, value) for who in range(1, 41) for at, test, value in RECORD]
    frame = pd.DataFrame(rows, columns=["id", "at (h)", "test", "result"])
    cohort = joined(patients, frame, Pivot(**{**PIVOT_FIELDS, "when": "at (h)"}))
    mean, rise = (cohort.schema.shown(f"heart rate (bpm) {form}") for form in ("mean", "slope"))
    assert (str(mean), mean.measured("94.83333", unit="/min")) == ("heart rate (bpm), mean", "94.8")
    assert (str(rise), rise.value("1.23456"), rise.value("-0.000413")) == (
        "heart rate (bpm), slope a day",
        "1.23",
        "−0.00041",
    )
    assert cohort.schema.shown("lactate mean").measured("1.98765", unit="mmol/L") == "1.99 mmol/L"
    assert str(cohort.schema.shown("age")) == "age"
    with language("zh_CN"):
        assert str(cohort.schema.shown("lactate minimum")) == "lactate，最低值"
    again = tuple(Column.from_dict(json.loads(json.dumps(c.to_dict()))) for c in cohort.schema.columns)
    assert again == cohort.schema.columns
    bare = replace(cohort.schema, columns=tuple(replace(c, summary=None) for c in cohort.schema.columns))
    assert plan_identity("x", cohort.schema, None, None) == plan_identity("x", bare, None, None)


RECORD = [
    (1, "heart rate (bpm)", 90),
    (5, "heart rate (bpm)", 101),
    (9, "heart rate (bpm)", 95),
    (2, "lactate", 1.2),
    (7, "lactate", 2.4),
]
