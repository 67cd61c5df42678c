"""What every column is."""

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Column, Schema
from medcore.data.quantities.ranges import find_quantity, mixed_units, unit_in_name
from medcore.data.schema.inference import choose_target, infer_schema, propose_targets
from medcore.errors import MissingColumnsError, TargetError


def column_of(name: str, cells: list[str | None]) -> Column:
    return infer_schema(pd.DataFrame({name: cells}, dtype="str"))[name]


def repeat(cells: list[str | None], n: int = 40) -> list[str | None]:
    return (cells * n)[: max(n, len(cells))]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("crp", ["1.5", "<0.1", "12 mg/L", "3"], "numeric"),
        ("x", ["yes", "no", "\tyes"], "boolean"),
        ("x", ["阳性", "阴性"], "boolean"),
        ("x", ["0", "1"], "boolean"),
        ("x", ["Ja", "Nein"], "boolean"),
        ("x", ["1.0", "0.0"], "boolean"),
        ("sex", ["1", "2"], "category"),
        ("admission_type_id", ["1", "2", "5", "8"], "category"),
        ("icd", ["250.01", "V45", "401", "E909", "E11", "V10"], "category"),
        ("seen", ["2020-01-02", "2021-03-04", "2020-05-06"], "date"),
        ("入院日期", ["2020年1月2日", "2020年3月4日"], "date"),
        ("visit date", ["43832", "43840", "43900", "44000"], "date"),
        ("arrived", ["18:30", "07:15", "23:59"], "numeric"),
        ("a1c", ["None", ">7", ">8", "Norm"], "category"),
        ("zip", ["01234", "00501", "10001", "02139"], "category"),
    ],
)
def test_the_kind_of_a_column_is_found(name: str, cells: list[str | None], kind: str) -> None:
    assert column_of(name, repeat(cells)).kind == kind


def test_free_text_is_text_and_no_predictor() -> None:
    notes = [f"patient number {i} complained of chest pain on exertion since {i} days" for i in range(40)]
    column = column_of("notes", notes)
    assert (column.kind, column.role) == ("text", "ignored")


@pytest.mark.parametrize(
    ("cells", "levels"),
    [
        (["[20-30)", "[0-10)", "[10-20)"], ("[0-10)", "[10-20)", "[20-30)")),
        (["100 - 249", "<100", ">= 500", "250 - 499"], ("<100", "100 - 249", "250 - 499", ">= 500")),
        (["中度", "轻度", "重度"], ("轻度", "中度", "重度")),
        (["+", "-", "++"], ("-", "+", "++")),
        (["Severe", "mild", "moderate"], ("mild", "moderate", "Severe")),
    ],
)
def test_ordered_categories_are_put_in_order(cells: list[str | None], levels: tuple[str, ...]) -> None:
    assert column_of("x", repeat(cells)).levels == levels


@pytest.mark.parametrize(
    ("name", "cells", "codes"),
    [
        ("x", ["a", "b", "?"], ("?",)),
        ("x", ["1.5", "2.5", "-9", "7"], ("-9",)),
        ("x", ["1", "2", "3", "4", "5", "6", "999"], ("999",)),
        ("smoker", ["0", "1", "9"], ("9",)),
        ("x", ["有", "无", "未查", "不详"], ("未查", "不详")),
        ("x", ["1.5", "-", "2.5"], ("-",)),
        ("Glucose", ["148", "85", "0", "183"], ("0",)),
        ("总胆固醇", ["4.1", "5.2", "0", "6.0"], ("0",)),
        ("a1c", ["None", ">7", ">8", "Norm"], ("None",)),
    ],
)
def test_codes_for_missing_are_found(name: str, cells: list[str | None], codes: tuple[str, ...]) -> None:
    assert column_of(name, repeat(cells)).missing_codes == codes


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("pain", ["none", "mild", "severe"]),
        ("dipstick", ["-", "+", "++"]),
        ("tendency", ["-1", "0", "1"]),
        ("oldpeak", ["0", "1.5", "-0.5", "2"]),
        ("pregnancies", ["0", "1", "2", "9", "10"]),
        ("age", ["9", "40", "99", "77", "88"]),
        ("bilirubin", ["0.3", "9", "1.1", "0.7"]),
        ("lymphocytes_pct", ["0", "1.5", "22", "99"]),
    ],
)
def test_values_with_a_meaning_are_not_taken_for_codes(name: str, cells: list[str | None]) -> None:
    assert column_of(name, repeat(cells)).missing_codes == ()


def roles(frame: pd.DataFrame) -> dict[str, str]:
    return {c.name: c.role for c in infer_schema(frame).columns}


def test_identifiers_groups_sites_and_times_are_found() -> None:
    n = 60
    frame = pd.DataFrame(
        {
            "encounter_id": [str(1000 + i) for i in range(n)],
            "patient_nbr": [str(i // 2) for i in range(n)],
            "hospital": ["A", "B", "C"] * 20,
            "admission_date": [f"2020-01-{1 + i % 28:02d}" for i in range(n)],
            "discharge_date": [f"2020-02-{1 + i % 28:02d}" for i in range(n)],
            "age": [str(40 + i) for i in range(n)],
            "weight_kg": [str(60 + i / 2) for i in range(n)],
        },
        dtype="str",
    )
    assert roles(frame) == {
        "encounter_id": "identifier",
        "patient_nbr": "group",
        "hospital": "site",
        "admission_date": "time",
        "discharge_date": "ignored",
        "age": "predictor",
        "weight_kg": "predictor",
    }


def test_a_patient_inside_a_name_is_the_group() -> None:
    frame = pd.DataFrame(
        {"name": [f"phon_R01_S{i:02d}_{j}" for i in range(20) for j in range(1, 7)], "x": "1"}, dtype="str"
    )
    assert roles(frame)["name"] == "group"


def test_measurements_that_are_all_different_are_no_identifiers() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {n: rng.normal(size=200).astype(str) for n in ("radius_mean", "number of cells", "NHR")}, dtype="str"
    )
    assert set(roles(frame).values()) == {"predictor"}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("age (years)", "years"),
        ("Glucose mg/dL", "mg/dL"),
        ("creatinine_umol/L", "µmol/L"),
        ("静息收缩压(mmHg)", "mmHg"),
        ("weight kg", "kg"),
        ("WBC (×10^9/L)", "10^9/L"),
        ("texture", None),
    ],
)
def test_the_unit_in_a_name_is_found(name: str, unit: str | None) -> None:
    assert unit_in_name(name) == unit


def test_the_values_tell_the_unit_where_the_name_does_not() -> None:
    assert find_quantity("glucose", np.array([90.0, 110, 150])).unit == "mg/dL"
    assert find_quantity("glucose", np.array([5.0, 6.1, 8.2])).unit == "mmol/L"
    assert find_quantity("血红蛋白", np.array([120.0, 135])).unit == "g/L"
    assert find_quantity("temperature", np.array([98.6, 99.1])).unit == "°F"


def test_standardised_values_get_no_plausible_range() -> None:
    assert find_quantity("glucose", np.array([-1.0, 0.2, 0.4])) is None
    assert find_quantity("k", np.array([1.0, 100.0, 5000.0])) is None


def test_values_in_another_unit_are_found_and_converted() -> None:
    rng = np.random.default_rng(1)
    celsius, fahrenheit = rng.normal(37, 0.5, 80), rng.normal(98.6, 0.8, 12)
    found = mixed_units("temperature", np.r_[celsius, fahrenheit])
    assert found is not None
    assert found.mask.sum() == 12
    assert np.all(np.abs(found.converted(np.r_[celsius, fahrenheit]) - 37) < 3)
    assert mixed_units("temperature", celsius) is None
    assert mixed_units("glucose", rng.lognormal(4.7, 0.3, 500)) is None
    assert mixed_units("bilirubin", rng.lognormal(2.3, 0.9, 500)) is None
    assert mixed_units("pao2", rng.lognormal(4.5, 0.6, 500)) is None


def target_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [str(30 + i) for i in range(40)],
            "sex": ["M", "F"] * 20,
            "Class": ["LIVE"] * 30 + ["DIE\t"] * 10,
            "stage": ["a", "b", "c", "d"] * 10,
            "same": ["1"] * 40,
            "nothing": [None] * 40,
        },
        dtype="str",
    )


def test_the_outcome_is_proposed_first_with_its_event() -> None:
    frame = target_table()
    best = propose_targets(frame, infer_schema(frame))[0]
    assert (best.column, best.positive) == ("Class", "DIE")


def test_an_outcome_is_chosen_with_trimmed_classes() -> None:
    frame = target_table()
    schema = choose_target(infer_schema(frame), frame, "Class")
    assert schema.outcome is not None
    assert (schema.outcome.name, schema.positive) == ("Class", "DIE")
    assert choose_target(schema, frame, "Class", positive="live").positive == "LIVE"
    assert choose_target(schema, frame, "stage").positive is None
    assert choose_target(schema, frame, "stage", positive="b").positive == "b"
    assert [c.name for c in choose_target(schema, frame, "stage").with_role("outcome")] == ["stage"]


@pytest.mark.parametrize(
    ("classes", "event"),
    [
        ({"0": 50, "1": 60}, "1"),
        ({"No": 5, "Yes": 9}, "Yes"),
        ({"Alive": 5, "Expired": 9}, "Expired"),
        ({"notckd": 5, "ckd": 9}, "ckd"),
        ({"benign": 5, "malignant": 9}, "malignant"),
        ({"存活": 9, "死亡": 5}, "死亡"),
        ({"阴性": 9, "阳性": 15}, "阳性"),
        ({"a": 9, "b": 5}, "b"),
        ({"nonresponder": 5, "responder": 9}, "responder"),
    ],
)
def test_the_event_is_the_conventional_word_or_the_rarer_class(classes: dict[str, int], event: str) -> None:
    frame = pd.DataFrame({"y": [c for c, n in classes.items() for _ in range(n)]}, dtype="str")
    assert choose_target(infer_schema(frame), frame, "y").positive == event


@pytest.mark.parametrize(
    ("target", "positive", "said"),
    [
        ("same", None, "one class only"),
        ("nothing", None, "no value"),
        ("age", None, "measurement"),
        ("Class", "died", "Its classes are: LIVE, DIE"),
    ],
)
def test_an_outcome_that_cannot_be_predicted_is_refused(target: str, positive: str | None, said: str) -> None:
    frame = target_table()
    with pytest.raises(TargetError, match=said):
        choose_target(infer_schema(frame), frame, target, positive=positive)


def test_an_unknown_outcome_names_the_nearest_column() -> None:
    frame = target_table()
    with pytest.raises(MissingColumnsError, match="Class"):
        choose_target(infer_schema(frame), frame, "Clas")


def test_a_schema_survives_its_json() -> None:
    schema = infer_schema(target_table())
    assert Schema.from_dict(schema.to_dict()) == schema


def test_units_mixed_within_a_column_are_a_finding() -> None:
    from medcore.data.quality import inspect
    from medcore.data.reading.table import read_table

    rng = np.random.default_rng(3)
    mg = [f"{v:.0f}" for v in rng.normal(115, 20, 90)]
    mmol = [f"{v:.1f}" for v in rng.normal(6, 0.8, 20)]
    rows = "\n".join(f"{g},{i % 2}" for i, g in enumerate(mg + mmol))
    cohort = read_table(("t.csv", f"glucose,disease\n{rows}\n".encode()))
    found = [f for f in inspect(cohort) if f.code == "values.mixed_units"]
    assert [(f.columns, f.n_rows) for f in found] == [(("glucose",), 20)]
    clean = read_table(("t.csv", ("glucose,disease\n" + "\n".join(f"{g},{i % 2}" for i, g in enumerate(mg))).encode()))
    assert not [f for f in inspect(clean) if f.code == "values.mixed_units"]
