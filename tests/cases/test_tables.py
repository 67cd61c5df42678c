"""Rows that are no patients, names, encodings, and other programs' files: each case reads as its README says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.commands.asked import columns_named
from medcore.commands.patients import predict
from medcore.commands.tables import train
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.schema.targets import propose_targets
from medcore.data.splitting.split import SplitSettings
from medcore.explanation import explain_row
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from tests.cases.conftest import FILES

NAMES = ["age", "sex", "crp", "sodium", "hb", "died"]


def told(cohort) -> str:
    return " ".join(map(str, cohort.repairs))


def of_code(found, code):
    return [f for f in found if f.code == code]


@pytest.mark.parametrize(
    ("folder", "file", "kind"),
    [
        ("h06_units_row", "train.csv", {"units": 1}),
        ("h07_footer", "train.csv", {"footers": 3}),
        ("h08_repeated_header", "train.csv", {"repeated": 2}),
        ("p15_two_header_rows", "two.xlsx", {"titles": 1}),
        ("p15_two_header_rows", "three.xlsx", {"titles": 1}),
        ("p16_trailing_delimiter", "train.csv", {}),
        ("h19_hidden_sheet", "train.xlsx", {}),
        ("h36_utf16_tab", "train.txt", {}),
    ],
)
def test_rows_that_are_no_patients_are_set_aside_and_the_patients_are_the_same(values, case, folder, file, kind):
    cohort, plain = case(folder, file), case("p24_shap_sum")
    assert dict(cohort.source.aside) == kind and cohort.frame.columns.tolist() == NAMES
    assert [(c.kind, c.unit, c.role) for c in cohort.schema.columns] == [
        (c.kind, c.unit, c.role) for c in plain.schema.columns
    ]
    pd.testing.assert_frame_equal(values(folder, file), values("p24_shap_sum"))
    assert bool(cohort.repairs) == (folder != "h36_utf16_tab")


def test_titles_over_the_names_become_descriptions(case):
    cohort = case("h26_merged_header_5", "train.xlsx")
    assert cohort.frame.columns.tolist() == ["age", "sex", "crp", "hb", "died"] and cohort.n_rows == 240
    assert all(c.description for c in cohort.schema.columns)


def test_one_row_a_result_is_told_to_be_pivoted_first(findings):
    assert of_code(findings("h15_long_table"), "table.long")[0].severity == "error"


def test_a_patient_merged_over_three_visits_is_one_patient(case, findings):
    cohort = case("h18_merged_patient_id", "train.xlsx")
    assert cohort.schema["patient_id"].role == "group" and cohort.frame["patient_id"].nunique() == 80
    assert cohort.frame["patient_id"].notna().all() and "160" in told(cohort)
    assert of_code(findings("h18_merged_patient_id", "train.xlsx"), "patients.repeated")


def test_a_hidden_sheet_is_named_and_can_be_chosen(case):
    cohort = case("h19_hidden_sheet", "train.xlsx")
    assert (cohort.source.sheet, cohort.source.hidden_sheets) == ("Patients", ("ICD_lookup",))
    hidden = read_table(FILES / "h19_hidden_sheet" / "train.xlsx", overrides={"sheet": "ICD_lookup"})
    assert hidden.source.sheet == "ICD_lookup" and hidden.n_rows > 240


def test_letters_of_windows_are_read(values):
    assert set(values("h22_cp1252_umlaut")["ort"]) == {"Köln", "Lübeck", "Zürich – Süd", "“Ost”"}
    notes = values("p25_sep_smart")["note"]
    assert len(notes) == 240 and notes.str.contains("“two”", regex=False).any()


def test_a_name_with_a_comma_can_be_left_out(case):
    names = case("h24_comma_name_drop").schema.names
    assert columns_named(["CRP, high sensitivity", "age,sex"], names) == ["CRP, high sensitivity", "age", "sex"]


def test_percents_dates_and_formulas_of_a_workbook(case, values):
    read = values("h27_xlsx_types", "train.xlsx")
    assert read["ef"].between(0, 1).all() and read["admission"].notna().all()
    assert "240 cell(s) hold a formula" in told(case("h27_xlsx_types", "train.xlsx"))


def test_cells_protected_from_a_spreadsheet_are_numbers(values, case):
    read = values("p26_excel_protected")
    np.testing.assert_array_equal(read["protected"], read["crp"])
    np.testing.assert_array_equal(read["apos"], read["hb"])
    assert "480" in told(case("p26_excel_protected"))


def test_odd_names_stay_readable(case):
    assert case("p04_names").schema.names == (
        "age",
        "sex.at:birth",
        'CRP [mg/L] {"x":1}, 24h',
        "Na+ ‹mmol/l›",
        "血红蛋白😀 (g/dL)",
        "died",
    )


def test_patients_without_an_outcome_are_left_out_and_counted(case, findings):
    cohort = case("p07_target_empty_first", target="died")
    prepared = prepare(cohort, default_recipe(cohort.schema))
    assert (prepared.n_rows, len(prepared.classes)) == (236, 2)
    assert of_code(findings("p07_target_empty_first", target="died"), "outcome.missing")[0].n_rows == 4


def test_an_outcome_of_floats_is_the_outcome_of_whole_numbers(case):
    floats, whole = (case("p01_float_target", file, "died") for file in ("train.csv", "new.csv"))
    assert floats.schema["died"].levels == ("0", "1") and floats.schema.positive == whole.schema.positive == "1"
    one, other = (prepare(c, default_recipe(c.schema)) for c in (floats, whole))
    np.testing.assert_array_equal(one.outcome, other.outcome)


def test_the_types_of_a_data_frame_are_read(case, values):
    cohort, read = case("p17_nullable", "train.parquet"), values("p17_nullable", "train.parquet")
    assert [cohort.schema[c].kind for c in ("sodium", "died", "diabetes")] == ["numeric", "boolean", "boolean"]
    assert "Z" not in set(read["ward"]) and "Z" not in cohort.schema["ward"].levels


def test_a_nameless_index_is_no_predictor(case):
    assert case("p22_index_column").schema.columns[0].role == "identifier"
    cohort = case("p22_index_column")
    assert propose_targets(cohort.frame, cohort.schema)[0].column == "died"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a logistic regression on the plain table."""
    out = tmp_path_factory.mktemp("plain") / "bundle"
    quick = TrainSettings(model="logistic")
    train(FILES / "p18_unseen" / "train.csv", target="died", out=out, settings=quick, split=SplitSettings(n_folds=2))
    return out


@pytest.fixture
def flags(bundle, tmp_path):
    """Give the flags of a case's new patients as the shell writes them."""

    def of(folder: str) -> list[str]:
        predict(bundle, FILES / folder / "new.csv", out=tmp_path / "risks.csv")
        return pd.read_csv(tmp_path / "risks.csv", keep_default_na=False)["flags"].tolist()

    return of


def test_a_row_that_was_split_at_its_decimal_comma_is_flagged(flags):
    found = flags("h32_shifted_row_predict")
    assert len(found) == 6 and "shifted_row" in found[2] and not any("shifted" in f for f in found[:2] + found[3:])


def test_spellings_that_training_did_not_have_are_flagged(flags):
    found = flags("p18_unseen")
    assert not found[0] and not found[4] and all("sex" in flag for flag in found[1:4])


def test_a_column_without_values_is_imputed_and_said(flags):
    found = flags("p05_nan_only_in_new")
    assert len(found) == 12 and all("imputed:sodium" in flag for flag in found)


def test_contributions_add_up_to_the_risk(bundle, case):
    model, frame = load_bundle(bundle), case("p24_shap_sum").frame
    found = explain_row(model, frame, 0, background=frame.iloc[1:21])
    total = found.base_value + sum(c.contribution for c in found.contributions)
    assert abs(total - model.predict(frame.iloc[[0]])[0, 1]) < 1e-6


def test_value_labels_of_spss_are_words_and_undeclared_codes_stay(values, case):
    read = values("p12_spss", "train.sav")
    assert set(read["sex"]) == {"Male", "Female"}
    assert set(read["smoke"].dropna()) == {"Never", "Former", "2"} and read["smoke"].isna().sum() == 24
    assert read["hb"].dtype == float and read["hb"].isna().sum() == 12 and read["hb"].max() < 30
    assert case("p12_spss", "train.sav").schema["hb"].label == "Haemoglobin g/dL"
