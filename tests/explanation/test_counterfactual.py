"""Counterfactuals cross the threshold with few, needed, permitted changes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medcore.explanation import counterfactuals
from medcore.explanation.patient.changes.counterfactual import MAX_CHANGES
from medcore.explanation.patient.changes.unchangeable import unchangeable
from medcore.explanation.patient.reference import Reference
from medcore.features import UNSEEN, CodeBook


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
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=())
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
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=())
    columns = [frozenset(c.column for c in one.changes) for one in found]
    assert len(set(columns)) == len(columns)
    assert [len(c) for c in columns] == sorted(len(c) for c in columns)


def test_locked_columns_keep_their_value(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=("age", "sex"))
    assert not {"age", "sex"} & {c.column for one in found for c in one.changes}


def test_what_nobody_can_change_is_locked_unless_unlocked(bundle, reference):
    codes = patient_with_risk(reference, 0.52, 0.57)
    assert unchangeable(reference.columns) == ("age", "sex")
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5)
    assert found
    assert not {"age", "sex"} & {c.column for one in found for c in one.changes}
    unlocked = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=())
    assert {"age", "sex"} & {c.column for one in unlocked for c in one.changes}


def test_numbers_go_back_as_far_as_the_threshold_stays_crossed(bundle, reference):
    n_moved = 0
    for low, high in [(0.52, 0.6), (0.6, 0.75), (0.25, 0.45)]:
        codes = patient_with_risk(reference, low, high)
        for one in counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=()):
            changed = applied(reference, codes, one)
            for place in np.flatnonzero((changed != codes) & (np.array(reference.codebook.kinds) == "numeric")):
                values = np.unique(reference.codes[:, place])
                nearer = values[(np.abs(values - codes[place]) < abs(changed[place] - codes[place]))]
                nearer = nearer[(nearer - codes[place]) * (changed[place] - codes[place]) > 0]
                rows = np.tile(changed, (len(nearer), 1))
                rows[:, place] = nearer
                assert ((bundle.risk(rows)[:, 1] >= 0.5) == (low > 0.5)).all()
                n_moved += 1
    assert n_moved >= 3


@pytest.mark.parametrize("unknown", [UNSEEN, np.nan])
def test_values_that_donors_do_not_tell_are_never_borrowed(bundle, reference, unknown):
    place = reference.columns.index("pain")
    codes = reference.codes.copy()
    codes[:, place] = unknown
    own = patient_with_risk(reference, 0.55, 0.7)
    silent = replace(reference, patients=reference.patients.with_codes(codes))
    found = counterfactuals(bundle.risk, own, silent, class_index=1, threshold=0.5, locked=())
    assert found
    assert "pain" not in {c.column for one in found for c in one.changes}


def test_a_missing_value_may_become_known(bundle, reference):
    place = reference.columns.index("age")
    codes = patient_with_risk(reference, 0.55, 0.7)
    codes[place] = np.nan
    rest = tuple(c for c in reference.columns if c != "age")
    found = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=rest)
    for one in found:
        assert one.changes[0].now is None
        assert one.changes[0].then is not None
    assert found


def test_the_answers_share_few_columns_where_others_would_do():
    """Each of four columns alone carries across: the answers name different ones."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(300, 4)).round(2)
    book = CodeBook.fit(pd.DataFrame(codes, columns=list("abcd")), dict.fromkeys("abcd", "numeric"))
    weights = np.array([1.2, 1.0, 0.9, 0.8])

    def risk(rows):
        p = 1 / (1 + np.exp(-(rows @ weights)))
        return np.column_stack([1 - p, p])

    reference = Reference.from_arrays(
        book, ("no", "yes"), codes, (risk(codes)[:, 1] > 0.5).astype(int), risk(codes), np.arange(300)
    )
    found = counterfactuals(risk, np.full(4, 0.15), reference, class_index=1, threshold=0.5)
    assert len(found) == 3
    assert len({c.column for one in found for c in one.changes}) == 3


def test_none_within_plausible_changes_is_an_answer(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    everything = counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=reference.columns)
    assert everything == ()
    assert counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=1e-9) == ()


def test_new_values_are_those_of_real_patients(bundle, reference):
    codes = patient_with_risk(reference, 0.55, 0.7)
    for one in counterfactuals(bundle.risk, codes, reference, class_index=1, threshold=0.5, locked=()):
        changed = applied(reference, codes, one)
        for change in one.changes:
            place = reference.columns.index(change.column)
            assert np.isclose(reference.codes[:, place], changed[place]).any()
