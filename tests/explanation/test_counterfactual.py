"""Counterfactuals cross the threshold with few, needed, permitted changes."""

import numpy as np
import pytest

from medcore.explanation.counterfactual import MAX_CHANGES, counterfactuals
from medcore.explanation.reference import Reference


@pytest.fixture
def reference(bundle, table):
    codes = bundle.encode(table)
    outcome = (table["disease"] == "yes").to_numpy().astype(int)
    return Reference.from_arrays(bundle.codebook, bundle.classes, codes, outcome, bundle.risk(codes), np.arange(400))


def patient_with_risk(reference, low, high):
    risk = reference.risk[:, 1]
    complete = ~np.isnan(reference.codes).any(axis=1)
    return reference.codes[np.flatnonzero(complete & (risk > low) & (risk < high))[0]]


def applied(reference, codes, found):
    """Write the changes into the codes, from the texts that are shown."""
    changed = codes.copy()
    for change in found.changes:
        place = reference.columns.index(change.column)
        names = reference.codebook.categories[place]
        changed[place] = names.index(change.then) if names else float(change.then)
    return changed


@pytest.mark.parametrize(("low", "high"), [(0.55, 0.75), (0.25, 0.45)])
def test_each_crosses_the_threshold_and_needs_all_its_changes(bundle, reference, low, high):
    codes = patient_with_risk(reference, low, high)
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5)
    assert found
    for one in found:
        changed = applied(reference, codes, one)
        assert bundle.risk(changed[None])[0, 1] == pytest.approx(one.risk, abs=1e-4)
        assert (one.risk >= 0.5) != (low > 0.5)
        assert 1 <= len(one.changes) <= MAX_CHANGES
        for change in one.changes:
            place = reference.columns.index(change.column)
            without = changed.copy()
            without[place] = codes[place]
            assert (bundle.risk(without[None])[0, 1] >= 0.5) == (low > 0.5)


def test_they_differ_in_the_columns_they_change(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5)
    columns = [frozenset(c.column for c in one.changes) for one in found]
    assert len(set(columns)) == len(columns)
    assert [len(c) for c in columns] == sorted(len(c) for c in columns)


def test_locked_columns_keep_their_value(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=("age", "sex"))
    assert not {"age", "sex"} & {c.column for one in found for c in one.changes}


def test_none_within_plausible_changes_is_an_answer(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    everything = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=reference.columns)
    assert everything == ()
    assert counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=1e-9) == ()


def test_new_values_are_those_of_real_patients(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    for one in counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5):
        changed = applied(reference, codes, one)
        for change in one.changes:
            place = reference.columns.index(change.column)
            assert np.isclose(reference.codes[:, place], changed[place]).any()
