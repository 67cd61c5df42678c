"""What is told: findings with one click, flags of new patients, the event, words of the outcome."""

from pathlib import Path

import pandas as pd
import pytest

from medcore.data.preparation.fixes import apply_fix
from medcore.data.preparation.outcomes import codes_of
from medcore.data.preparation.recipe import default_recipe, prepare, prepare_predictors
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.errors import TargetError
from tests.cases.conftest import FILES


def coded(found, code):
    return [f for f in found if f.code == code]


def test_a_measurement_that_became_words_can_be_read_either_way(case):
    assert case("p19_text_in_numbers").schema["potassium"].missing_codes == ("hemolyzed",)
    table = (FILES / "p19_text_in_numbers" / "train.csv").read_text().replace("hemolyzed", "repeated at night")
    cohort = read_table(("train.csv", table.encode()))
    told = coded(inspect(cohort), "values.words_among_numbers")[0]
    assert (told.columns, told.n_rows) == (("potassium",), 30)
    schema, _recipe = apply_fix(told.fix, cohort.schema, default_recipe(cohort.schema))
    assert schema["potassium"].kind == "category"


def test_a_blood_pressure_is_split_with_one_click_and_new_patients_alike(case, findings):
    cohort = case("h10_bp_age_gcs", target="died")
    told = coded(findings("h10_bp_age_gcs"), "columns.pairs")[0]
    schema, recipe = apply_fix(told.fix, cohort.schema, default_recipe(cohort.schema))
    split = cohort.with_schema(schema)
    prepared = prepare(split, recipe)
    assert prepared.predictors[["bp systolic", "bp diastolic"]].iloc[0].tolist() == [184, 106]
    assert not coded(inspect(split), "columns.pairs")
    one = prepare_predictors(cohort.frame.iloc[[1]], schema, recipe)
    assert one[["bp systolic", "bp diastolic"]].iloc[0].tolist() == [152, 87]


def test_lists_of_codes_and_spoilt_codes_are_told(findings):
    assert coded(findings("h16_icd_lists"), "columns.lists")[0].columns == ("diagnoses",)
    assert coded(findings("h35_ids_scientific"), "columns.rounded_codes")[0].severity == "error"


def test_spoilt_codes_name_no_patient(case):
    assert case("h35_ids_scientific").schema["patient_id"].role == "ignored"


@pytest.mark.parametrize(
    ("folder", "column"), [("h17_mixed_dates", "admission_date"), ("h33_bad_dates", "surgery_date")]
)
def test_dates_that_contradict_each_other_are_counted(findings, folder, column):
    assert coded(findings(folder), "dates.contradictory")[0].columns == (column,)


def test_units_that_were_converted_are_told(findings):
    told = coded(findings("h09_unit_in_cell"), "values.converted")
    assert {f.columns[0]: f.n_rows for f in told} == {"antibiotic_dose": 80, "creatinine": 120, "fio2": 120}


def test_two_is_the_event_of_one_and_two_and_it_is_said(case, findings):
    assert case("p02_target_1_2", target="status").schema.positive == "2"
    assert coded(findings("p02_target_1_2", target="status"), "outcome.event_assumed")


def test_an_outcome_of_none_keeps_all_patients(case):
    cohort = case("h04_outcome_none", target="complication")
    prepared = prepare(cohort, default_recipe(cohort.schema))
    assert prepared.n_rows == 240 and "None" in prepared.classes


def test_an_unknown_outcome_is_left_out_counted_and_asked_about():
    rows = "".join(f"{50 + i % 30},{'Died' if i % 3 == 0 else 'Alive'}\n" for i in range(60)) + "70,Unknown\n" * 9
    cohort = read_table(("t.csv", f"age,status\n{rows}".encode()))
    cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "status"))
    assert prepare(cohort, default_recipe(cohort.schema)).n_rows == 60
    told = coded(inspect(cohort), "outcome.words")[0]
    assert told.n_rows == 9
    schema, _recipe = apply_fix(told.fix, cohort.schema, default_recipe(cohort.schema))
    assert schema["status"].missing_codes == ()


def test_a_word_that_training_did_not_know_is_not_the_other_class():
    texts = pd.Series(["dead", "alive", "moved", "lost"])
    words = ("alive", "dead", "moved")
    assert codes_of(texts.iloc[:3], ("not dead", "dead"), "status", words=words).tolist() == [1, 0, 0]
    with pytest.raises(TargetError):
        codes_of(texts, ("not dead", "dead"), "status", words=words)


@pytest.fixture(scope="module")
def fever(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on temperatures of which some are in °F."""
    from medcore.commands.tables import train
    from medcore.data.splitting.split import SplitSettings
    from medcore.models.contract.settings import TrainSettings

    out = tmp_path_factory.mktemp("fever") / "bundle"
    data = Path(__file__).parent / "files" / "h12_temp_F_C" / "train.csv"
    found = train(data, target="died", out=out, settings=TrainSettings(model="logistic"), split=SplitSettings())
    assert found.data["event"] == "1" and any("died = 1" in line for line in found.lines)
    return out


def test_a_given_value_that_was_not_used_is_flagged_and_shown_and_not_called_missing(fever):
    from medcore.commands.patients import explain
    from medcore.models.bundle.bundle import load_bundle

    new = "age,sex,crp,sodium,hb,temperature\n63,F,6.2,131,12.2,101.3\n63,F,6.2,131,12.2,101.3 F\n63,F,6.2,131,12.2,warm\n63,F,6.2,131,12.2,38 mg\n63,F,6.2,131,12.2,\n"
    flags = load_bundle(fever).flags(read_table(("new.csv", new.encode())).frame)
    assert flags[0] == ("out_of_range:temperature", "not_used:temperature")
    assert flags[1] == ()
    assert flags[2] == ("unreadable:temperature",)
    assert flags[3] == ("unknown_unit:temperature",)
    assert flags[4] == ("imputed:temperature",)
    file = fever.parent / "new.csv"
    file.write_text(new)
    told = explain(fever, file, row=0)
    value = next(c["value"] for c in told.data["contributions"] if c["column"] == "temperature")
    assert value == "101.3" and "not_used:temperature" in told.data["flags"]
