"""Explanations of rows of a table, in the table's own columns."""

import json

import numpy as np
import pandas as pd
import pytest

from medcore.errors import MissingColumnsError, NotFoundError
from medcore.explanation import CAPTION, explain_row, refine_row
from medcore.explanation.model.tables import explain_rows
from medcore.explanation.patient.patients import MAX_BACKGROUND, background_rows, shown_values
from medcore.explanation.shapley.results import Explanation


def test_a_row_is_explained_in_the_columns_and_values_of_the_table(bundle, table):
    found = explain_row(bundle, table, 3)
    assert tuple(c.column for c in found.contributions) == bundle.predictors
    by_column = {c.column: c for c in found.contributions}
    for name in ("age", "cholesterol"):
        cell = table[name].iloc[3]
        assert by_column[name].value == (None if pd.isna(cell) else f"{float(cell):g}")
    assert by_column["sex"].value == table["sex"].iloc[3]
    assert by_column["age"].unit == "years"
    assert by_column["sex"].unit is None


def test_the_prediction_is_that_of_the_bundle(bundle, table):
    found = explain_row(bundle, table, 5)
    assert found.prediction == pytest.approx(bundle.predict(table.iloc[[5]])[0, 1], abs=1e-7)
    assert found.class_name == "yes"
    assert found.method == "exact"
    assert found.base_value == pytest.approx(bundle.risk(bundle.background)[:, 1].mean(), abs=1e-7)


def test_contributions_of_a_bundle_add_up_on_both_scales(bundle, table):
    for scale in ("probability", "log_odds"):
        found = explain_row(bundle, table, 7, scale=scale)
        total = found.base_value + sum(c.contribution for c in found.contributions)
        assert abs(total - found.prediction) < 1e-9


def test_the_other_class_gets_the_opposite_contributions(bundle, table):
    yes, no = explain_row(bundle, table, 7), explain_row(bundle, table, 7, class_name="no")
    np.testing.assert_allclose(
        [c.contribution for c in yes.contributions], [-c.contribution for c in no.contributions], atol=1e-9
    )


def test_a_chosen_background_is_what_the_patient_is_compared_with(bundle, table):
    found = explain_row(bundle, table, 0, background=table.iloc[100:120])
    assert found.n_background == 20
    assert found.base_value == pytest.approx(bundle.predict(table.iloc[100:120])[:, 1].mean(), abs=1e-7)


def test_a_long_background_is_sampled(bundle, table):
    long = pd.concat([table] * 4, ignore_index=True)
    assert len(background_rows(bundle, long)) == MAX_BACKGROUND
    np.testing.assert_array_equal(background_rows(bundle, long), background_rows(bundle, long))


def test_every_value_missing_or_unseen_is_explained(bundle, table):
    odd = table.iloc[[0, 1]].copy()
    odd.iloc[0, 1:] = np.nan
    odd.iloc[1, odd.columns.get_indexer(["sex", "pain"])] = "never seen"
    for row in (0, 1):
        assert explain_row(bundle, odd, row).additivity_residual < 1e-9
    assert {c.value for c in explain_row(bundle, odd, 0).contributions} == {None}


def test_what_is_not_there_is_named(bundle, table):
    with pytest.raises(NotFoundError, match="400"):
        explain_row(bundle, table, 400)
    with pytest.raises(NotFoundError, match="maybe"):
        explain_row(bundle, table, 0, class_name="maybe")
    with pytest.raises(NotFoundError, match="no rows"):
        explain_row(bundle, table, 0, background=table.iloc[:0])
    with pytest.raises(MissingColumnsError, match="cholesterol"):
        explain_row(bundle, table.drop(columns="cholesterol"), 0)


def test_an_explanation_survives_json(bundle, table):
    found = explain_row(bundle, table, 2)
    assert Explanation.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_json_has_what_the_command_line_promises(bundle, table):
    data = explain_row(bundle, table, 2).to_dict()
    promised = {"prediction", "base_value", "scale", "contributions", "additivity_residual", "method"}
    assert promised | {"n_background", "n_evaluations", "seconds"} <= set(data)
    assert {"column", "value", "contribution", "standard_error"} <= set(data["contributions"][0])


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib, inside shap
def test_shap_reads_and_writes_the_same_numbers(bundle, table):
    found = explain_row(bundle, table, 2)
    there = found.to_shap()
    assert there.base_values + there.values.sum() == pytest.approx(found.prediction)
    back = Explanation.from_shap(there)
    assert [(c.column, c.value, c.contribution) for c in back.contributions] == [
        (c.column, c.value, c.contribution) for c in found.contributions
    ]
    assert back.prediction == pytest.approx(found.prediction)


def test_refinement_carries_the_shown_values(bundle, table):
    steps = list(refine_row(bundle, table, 4))
    assert steps[-1].contributions == explain_row(bundle, table, 4).contributions


def test_a_whole_table_is_explained_row_by_row(bundle, table):
    told = []
    found = explain_rows(bundle, table.iloc[:5], progress=told.append)
    assert found.columns == bundle.predictors
    assert found.contributions.shape == (5, 5)
    one = explain_row(bundle, table, 3)
    np.testing.assert_allclose(found.contributions[3], [c.contribution for c in one.contributions], atol=1e-9)
    np.testing.assert_allclose(found.base_value + found.contributions.sum(axis=1), found.prediction, atol=1e-9)
    assert told[-1] == 1.0
    assert list(found.frame.columns)[:3] == ["row", "risk", "base_value"]


def test_shown_values_have_no_needless_decimals(bundle, table):
    texts = shown_values(bundle, bundle.read(table.iloc[:20]))
    assert all(t is None or not t.endswith(".0") for row in texts for t in row)


def test_the_caption_speaks_of_the_model_and_not_of_causes():
    assert "not why the patient is ill" in CAPTION
    assert "because" not in CAPTION
