"""Curves and maps of one patient's risk over other values."""

import numpy as np
import pytest

from medcore.explanation.patient.changes.what_if import axis, curve, risk_map
from medcore.explanation.patient.reference import Reference
from medcore.features.numeric.encoder import slider_range


@pytest.fixture
def reference(bundle, table):
    codes = bundle.encode(table)
    outcome = (table["disease"] == "yes").to_numpy().astype(int)
    return Reference.from_arrays(bundle.codebook, bundle.classes, codes, outcome, bundle.risk(codes), np.arange(400))


def test_a_curve_is_the_models_risk_with_one_value_changed(bundle, reference):
    codes = reference.codes[3]
    found = curve(bundle.risk, codes, reference, "age", class_index=1, unit="years")
    for place in (0, 10, -1):
        changed = codes.copy()
        changed[0] = found.values[place]
        assert found.risk[place] == pytest.approx(bundle.risk(changed[None])[0, 1], abs=1e-7)
    assert found.current_risk == pytest.approx(bundle.risk(codes[None])[0, 1], abs=1e-7)


def test_a_curve_stays_within_the_usual_values_and_passes_the_patients_own(bundle, reference):
    known = reference.codes[:, 0][~np.isnan(reference.codes[:, 0])]
    codes = reference.codes[~np.isnan(reference.codes[:, 0])][0]
    found = curve(bundle.risk, codes, reference, "age", class_index=1)
    low, high = np.quantile(known, [0.01, 0.99])
    assert all(low <= v <= high for v in found.values if v != codes[0])
    assert codes[0] in found.values
    outside = codes.copy()
    outside[0] = 118.0
    assert 118.0 in curve(bundle.risk, outside, reference, "age", class_index=1).values


def test_a_category_has_all_its_values_with_their_shares(bundle, reference):
    found = curve(bundle.risk, reference.codes[3], reference, "pain", class_index=1)
    assert set(found.values) == {"typical", "atypical", "none"}
    assert not found.numeric
    assert found.support.sum() == pytest.approx(1.0)


def test_a_missing_value_has_no_place_on_the_curve(bundle, reference):
    codes = reference.codes[3].copy()
    codes[0] = np.nan
    found = curve(bundle.risk, codes, reference, "age", class_index=1)
    assert found.current is None
    assert found.current_risk == pytest.approx(bundle.risk(codes[None])[0, 1], abs=1e-7)


def test_support_is_high_where_patients_are(reference):
    along = axis(reference, "age")
    known = reference.codes[:, 0]
    assert abs(along.values[int(np.argmax(along.support))] - np.nanmedian(known)) < np.nanstd(known)


def test_a_map_agrees_with_the_curve_and_leaves_empty_what_nobody_has(bundle, reference):
    codes = reference.codes[~np.isnan(reference.codes).any(axis=1)][0]
    found = risk_map(bundle.risk, codes, reference, "age", "cholesterol", class_index=1)
    i, j = found.y_values.index(codes[2]), found.x_values.index(codes[0])
    assert found.risk[i, j] == pytest.approx(bundle.risk(codes[None])[0, 1], abs=1e-7)
    assert found.near[i, j]
    assert not found.near.all()


def test_a_column_nobody_has_a_value_of_has_one_point(bundle, reference):
    codes = reference.codes.copy()
    codes[:, 0] = np.nan
    empty = Reference.from_arrays(
        reference.codebook, reference.classes, codes, reference.outcome, reference.risk, reference.rows
    )
    assert len(curve(bundle.risk, codes[0], empty, "age", class_index=1).values) == 1


def test_steps_of_a_skewed_column_are_fine_where_most_patients_are(reference):
    codes = reference.codes.copy()
    codes[:, 2] = np.exp(np.random.default_rng(0).normal(0, 1.5, len(codes)))
    low, high, step = slider_range(codes[:, 2], current=0.3)
    assert low <= 0.3 < 20 < high
    assert step <= np.subtract(*np.quantile(codes[:, 2], [0.75, 0.25])) / 20
    assert slider_range(codes[:, 2], current=500.0)[1] == 500.0


def test_a_step_of_whole_numbers_is_whole(reference):
    ages = reference.codes[:, 0]
    low, high, step = slider_range(ages[~np.isnan(ages)], current=60.0)
    assert low < 60.0 < high
    assert step >= 1.0
    assert float(step).is_integer()
