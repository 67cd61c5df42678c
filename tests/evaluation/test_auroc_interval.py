"""The AUROC's interval with few events: Newcombe's, checked by its defining equation; none below five."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.evaluation.figures.auroc import FEW_EVENTS, FEWEST_EVENTS, auroc
from medcore.statistics.ranking import newcombe_bounds


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 0.99), st.integers(5, 200), st.integers(5, 2000))
def test_newcombes_bounds_lie_1_96_of_their_own_standard_errors_away(area, events, others):
    half = (events + others) / 2 - 1
    for bound in newcombe_bounds(area, events, others):
        spread = bound * (1 - bound) * (1 + half * (1 - bound) / (2 - bound) + half * bound / (1 + bound))
        assert abs(area - bound) == pytest.approx(1.959963984540054 * np.sqrt(spread / (events * others)), rel=1e-6)


def ranked(n_events, n=300, gap=1.0, seed=0):
    outcome = (np.arange(n) < n_events).astype(float)
    return outcome, np.random.default_rng(seed).normal(size=n) + gap * outcome


def test_fewer_than_five_events_have_no_interval_and_say_so():
    found = auroc(*ranked(FEWEST_EVENTS - 1))
    assert found.exists and np.isnan(found.low) and "5" in str(found.reason)
    assert np.isfinite(auroc(*ranked(FEWEST_EVENTS)).low)


def test_the_method_changes_where_delongs_variance_is_known_well_enough():
    assert auroc(*ranked(FEW_EVENTS - 1)).method == "newcombe"
    assert auroc(*ranked(FEW_EVENTS)).method == "delong_logit"


def test_perfect_separation_is_not_certainty():
    outcome = (np.arange(60) < 8).astype(float)
    found = auroc(outcome, outcome)
    assert found.value == 1.0 == found.high and 0.7 < found.low < 0.95


def test_few_patients_with_many_rows_are_few():
    outcome, risk = ranked(40)
    groups = np.concatenate([np.repeat(np.arange(4), 10), np.arange(4, 264)])
    assert np.isnan(auroc(outcome, risk, groups=groups).low)


@pytest.mark.parametrize("n_events", [5, 12, 30])
def test_it_covers_the_true_area_with_few_events(n_events):
    true = 0.7602499389065233  # Φ(1/√2): normal scores one standard deviation apart
    intervals = [auroc(*ranked(n_events, n=200, seed=k)) for k in range(400)]
    assert 0.92 <= np.mean([e.low <= true <= e.high for e in intervals]) <= 0.99
