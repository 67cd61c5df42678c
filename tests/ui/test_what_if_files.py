"""What the files of a patient's changed values hold."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.describe.export import to_csv, to_xlsx
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.ui.patient.changes import change_rows

SCHEMA = Schema(
    (
        Column(name="cp", kind="category", label="Chest pain type", level_labels={"4": "none"}),
        Column(name="=sum", kind="numeric", unit="mmHg"),
    )
)


def test_the_files_of_a_change_have_every_column_with_values_units_and_both_contributions_and_no_formula():
    before = Explanation(
        prediction=0.4,
        base_value=0.2,
        scale="probability",
        contributions=(Contribution("cp", "4", 0.2), Contribution("=sum", "120", -0.051, unit="mmHg")),
        additivity_residual=0.0,
        method="exact",
        n_background=10,
        n_evaluations=10,
        seconds=0.1,
    )
    moved = (before.contributions[0], replace(before.contributions[1], value="140", contribution=0.1))
    rows = change_rows(before, replace(before, prediction=0.551, contributions=moved), SCHEMA.shown)
    assert [row["As it is"] for row in rows] == ["40.0%", "none", "120 mmHg"]
    assert [row["As changed"] for row in rows] == ["55.1%", "none", "140 mmHg"]
    assert [row.get("Contribution as changed (percentage points)") for row in rows] == [None, 20.0, 10.0]
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(pd.DataFrame(rows)))).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert sheet["A3"].value == "Chest pain type (cp)" and sheet["E4"].value == 10.0
    text = to_csv(pd.DataFrame(rows))
    assert not any(line.startswith(("=", '"=')) for line in text.splitlines())
