"""What was mended is one result, told wherever numbers are made."""

from medcore.commands.tables import profile
from medcore.data.cohort import Schema
from medcore.data.describe.mended import mended, mended_of
from medcore.data.notation import Reading
from medcore.data.schema.dictionaries.dictionary import load_dictionary, save_dictionary
from tests.cases.conftest import FILES


def by_kind(mends):
    return {m.kind: (m.n_cells, m.n_rows, m.columns) for m in mends}


def test_repairs_are_counted_in_cells_and_rows(case):
    found = by_kind(mended(case("h09_unit_in_cell")))
    assert found["unit"] == (320, 240, ("antibiotic_dose", "creatinine", "fio2"))
    assert by_kind(mended(case("h23_footnote_marks")))["mark"][2] == ("ph", "glucose_count")
    assert by_kind(mended(case("h20_age_90plus")))["limit"] == (19, 19, ("age",))
    assert by_kind(mended(case("p19_text_in_numbers")))["missing"] == (30, 30, ("potassium",))
    assert mended(case("p24_shap_sum")) == ()


def test_new_patients_are_mended_as_the_models_schema_says(case):
    schema = case("h09_unit_in_cell", target="died").schema
    assert by_kind(mended_of(case("h09_unit_in_cell", "new.csv"), schema))["unit"][0] > 0


def test_profile_prints_what_was_mended():
    found = profile(FILES / "h20_age_90plus" / "train.csv")
    assert found.data["mended"][0]["n_cells"] == 19
    assert any("19 cell(s)" in line for line in found.lines)


def test_a_reading_survives_the_dictionary_and_the_bundles_form(case):
    schema = case("h02_comma_one_patient").schema
    plain = Schema(tuple(c for c in schema.columns)).change("lactate", reading=Reading())
    assert load_dictionary(plain, save_dictionary(schema)) == load_dictionary(schema, save_dictionary(schema))
    assert load_dictionary(plain, save_dictionary(schema))["lactate"].reading.decimal == ","
    assert Schema.from_dict(schema.to_dict()) == schema
