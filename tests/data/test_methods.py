"""What a preparation did, in words: only what it did to this table, and again after a reload."""

import json
from pathlib import Path

import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.methods import Preparation
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.i18n import language
from medcore.reporting.preparation import methods_text, tell

SCHEMA = Schema(
    (
        Column(name="record", kind="text", role="group"),
        Column(name="age", kind="numeric", missing_codes=("999",)),
        Column(name="note", kind="text"),
        Column(name="y", kind="category", role="outcome"),
    )
)


def prepared(records: list[str], ages: list[str]):
    n = len(records)
    frame = pd.DataFrame({"record": records, "age": ages, "note": ["free words"] * n, "y": ["0", "1"] * (n // 2)})
    cohort = Cohort(frame.astype("str"), SCHEMA, "0" * 64, "x.csv")
    return prepare(cohort, default_recipe(SCHEMA))


REPEATED = prepared([f"S{i:02d}_{j}" for i in range(12) for j in (1, 2, 3, 4)], ["50", "999", "61", "72"] * 12)
SINGLE = prepared([f"P{i:02d}" for i in range(48)], ["50", "51", "61", "72"] * 12)


def test_steps_that_did_something_are_told_apart_from_those_that_found_nothing() -> None:
    repeated, single = (tell(SCHEMA, Preparation.of(p)) for p in (REPEATED, SINGLE))
    assert [text.rpartition("(")[2] for text in repeated.done] == ["12 cells)", "1 columns)", "48 cells)"]
    assert any("the part before the counter is the patient" in text for text in repeated.done)
    assert any("the part before the counter is the patient" in text for text in single.idle)
    assert any("“not known”" in text for text in single.idle)
    assert "48 rows of 12 patients" in repeated.who
    assert "48 rows of 48 patients" in single.who


def test_without_a_column_for_the_patient_rows_are_not_called_patients_of_their_own() -> None:
    schema = Schema(tuple(c for c in SCHEMA.columns if c.name != "record"))
    cohort = Cohort(SINGLE.source.drop(columns="record"), schema, "0" * 64, "x.csv")
    assert "48 remained, each taken for a patient" in methods_text(schema, prepare(cohort, default_recipe(schema)))


def test_a_number_at_the_start_of_a_sentence_makes_it_no_step() -> None:
    lines = methods_text(SCHEMA, REPEATED).splitlines()
    numbered = [line for line in lines if line[:1].isdigit()]
    assert [line[:2] for line in numbered] == ["1.", "2.", "3."]


def test_it_is_read_back_as_it_was_in_either_language(tmp_path: Path) -> None:
    done = Preparation.of(REPEATED)
    again = Preparation.from_dict(json.loads(json.dumps(done.to_dict())))
    for code in ("en", "zh_CN"):
        with language(code):
            assert tell(SCHEMA, again) == tell(SCHEMA, done)
    assert "free words" not in json.dumps(done.to_dict())
