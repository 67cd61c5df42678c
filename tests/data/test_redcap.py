"""REDCap: its own columns are no predictors, and its data dictionary gives labels, words and kinds."""

import pandas as pd
import pyreadstat
import pytest

from medcore.data.reading.table import read_table
from medcore.data.schema.dictionaries.dictionary import load_dictionary
from medcore.data.values.typed import typed
from tests.cases.conftest import FILES

HEADERS = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,Identifier?\n'
)
ROWS = """record_id,demographics,,text,Record ID,,,y
age,demographics,,text,<b>Age</b> at admission,,,
sex,demographics,,radio,Sex,"M, Male | F, Female",,
race,demographics,,checkbox,Race,"1, White | 2, Black | 3, Asian, or other",,
died,demographics,,yesno,Died in hospital,,,
ascites,demographics,,dropdown,Ascites,"0, No | 1, Yes | 9, Not known",,
explanation,demographics,,descriptive,Please fill in every field,,,
"""


@pytest.fixture(scope="module")
def export():
    """Read the export of a REDCap project."""
    return read_table(FILES / "h14_redcap" / "train.csv")


def test_the_columns_of_redcap_itself_are_no_predictors(export):
    schema = export.schema
    assert schema["record_id"].role == "identifier"
    for name in ("demographics_complete", "redcap_event_name", "redcap_repeat_instance"):
        assert schema[name].role == "ignored"
    assert "REDCap" in str(schema["demographics_complete"].reason)
    assert all(schema[f"race___{i}"].sensitive for i in (1, 2, 3)) and not schema["ascites"].sensitive
    assert schema["ascites"].missing_codes == ("9",)


def test_a_column_called_complete_in_another_table_stays_a_predictor():
    rows = "".join(f"{40 + i % 40},{i % 3},{i % 2}\n" for i in range(60))
    schema = read_table(("t.csv", f"age,vaccination_complete,died\n{rows}".encode())).schema
    assert schema["vaccination_complete"].role == "predictor"


@pytest.mark.parametrize(
    "headers",
    [
        HEADERS,
        "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,identifier\n",
    ],
)
def test_the_data_dictionary_says_what_the_columns_are(export, headers):
    schema = load_dictionary(export.schema, headers + ROWS)
    assert schema["age"].label == "Age at admission" and schema["age"].unit == "years"
    assert schema["sex"].level_labels == {"M": "Male", "F": "Female"}
    assert schema["race___3"].label == "Race: Asian, or other" and schema["race___3"].kind == "boolean"
    assert schema["died"].level_labels == {"0": "No", "1": "Yes"}
    assert (schema["ascites"].kind, schema["ascites"].missing_codes) == ("category", ("9",))
    read = typed(export.frame, schema)["ascites"]
    assert read.isna().sum() == 24 and set(read.dropna()) == {"0", "1"}


def test_a_unit_of_a_label_or_a_field_note_is_the_columns():
    rows = "".join(f"{i},{i % 40 + 1.5},{i % 30 + 2.5},{i % 2}\n" for i in range(40))
    schema = read_table(("t.csv", f"record_id,marker_a,marker_b,died\n{rows}".encode())).schema
    said = "marker_a,f,,text,Marker A (mg/L),,,\nmarker_b,f,,text,Marker B,,ng/mL,\n"
    given = load_dictionary(schema, HEADERS + said)
    assert (schema["marker_a"].unit, given["marker_a"].unit, given["marker_b"].unit) == (None, "mg/L", "ng/mL")


@pytest.mark.parametrize(("suffix", "write"), [("sav", pyreadstat.write_sav), ("dta", pyreadstat.write_dta)])
def test_two_codes_of_one_label_are_kept_apart_and_told(tmp_path, suffix, write):
    frame = pd.DataFrame({"smoker": [1, 2, 3, 1, -9, -8] * 10, "age": range(60)})
    labels = {1: "Yes", 2: "No", 3: "No", -9: "Unknown", -8: "Unknown"}
    write(frame, tmp_path / f"t.{suffix}", variable_value_labels={"smoker": labels})
    cohort = read_table(tmp_path / f"t.{suffix}")
    read = typed(cohort.frame, cohort.schema)["smoker"]
    assert read.value_counts().to_dict() == {"Yes": 20, "No (2)": 10, "No (3)": 10}
    assert read.isna().sum() == 20 and "smoker" in " ".join(map(str, cohort.repairs))
