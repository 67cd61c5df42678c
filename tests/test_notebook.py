"""What a notebook shows of a result: a table, escaped, and of a cohort no value."""

import numpy as np
import pandas as pd

from medcore import evaluate, read_table
from tests.charts.test_static_labels import explanation


def test_a_cohort_shows_its_columns_and_no_value():
    data = pd.DataFrame({"<b>name": ["Smith", "Jones"] * 8, "age": range(16)}).to_csv(index=False).encode()
    shown = read_table(("ward.csv", data))._repr_html_()
    assert "<td>age</td><td>numeric</td>" in shown
    assert "Smith" not in shown
    assert "<b>" not in shown


def test_figures_and_contributions_are_tables():
    risk = np.linspace(0.01, 0.99, 60)
    found = evaluate((risk > 0.4).astype(int), np.column_stack([1 - risk, risk]), classes=("no", "yes"))
    assert "<td>AUROC" in found._repr_html_()
    assert "(" in found.notebook_table().rows[0][1]
    assert explanation().notebook_table().rows[0][2] == "+0.050"
