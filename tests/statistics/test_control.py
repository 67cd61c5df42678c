"""Control charts: limits and run lengths as other programs and simulation have them."""

import numpy as np
import pytest
from scipy.stats import beta, binom, chi2_contingency, fisher_exact, norm
from sklearn.metrics import roc_auc_score

from medcore.statistics.control.cells import cell_difference
from medcore.statistics.control.cusum import (
    average_run_length,
    cusum,
    limit_for,
    limit_for_shift,
    run_up,
    scores,
    shift_scores,
    shifted_run_length,
)
from medcore.statistics.control.shares import predicted_counts, predicted_volume
from medcore.statistics.expected import expected_auroc, expected_brier, expected_net_benefit

#: Risks of the beta mix of Knoth, Wittenberg & Gan 2019 (Stat Med 38:2206): Parsonnet scores of 71 · Beta(1, 3).
SCORES = beta.ppf((np.arange(4000) + 0.5) / 4000, 1, 3)
CARDIAC = 1 / (1 + np.exp(3.6798 - 0.0768 * 71 * SCORES))


@pytest.mark.parametrize(("odds_ratio", "expected"), [(2.0, 4474.738), (0.5, 5658.854)])
def test_run_lengths_are_those_of_vlad(odds_ratio: float, expected: float) -> None:
    # R package vlad, racusum_beta_arl_mc(h = 4.5, g0 = -3.6798, g1 = 0.0768 * 71, shape1 = 1, shape2 = 3, r = 600).
    assert average_run_length(CARDIAC, odds_ratio, 4.5) == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize(("odds_ratio", "log_odds"), [(2.0, 0.0), (0.5, 0.0), (2.0, 0.7)])
def test_run_lengths_are_those_of_simulation(odds_ratio: float, log_odds: float) -> None:
    rng = np.random.default_rng(1)
    risk, n = rng.beta(1.2, 6, 400), 2000
    with_event, without = scores(risk, odds_ratio)
    truth = 1 / (1 + np.exp(-np.log(risk / (1 - risk)) - log_odds))
    total, length, running = np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    for step in range(1, 4000):
        who = rng.integers(0, len(risk), n)
        total = np.maximum(0, total + np.where(rng.random(n) < truth[who], with_event[who], without[who]))
        length[running & (total > 1.8)] = step
        running &= total <= 1.8
        if not running.any():
            break
    assert not running.any()
    assert average_run_length(risk, odds_ratio, 1.8, log_odds=log_odds) == pytest.approx(length.mean(), rel=0.07)


def test_a_limit_gives_the_false_alarms_it_states_also_where_risks_were_set_by_few_patients() -> None:
    rng = np.random.default_rng(2)
    risk, patients, rate, error = rng.beta(1.2, 6, 300), 400, 0.05, 0.15
    limit = limit_for(risk, 2.0, patients=patients, rate=rate, error=error)
    assert limit > limit_for(risk, 2.0, patients=patients, rate=rate)
    alarms = 0
    for _year in range(1500):
        who = rng.integers(0, len(risk), patients)
        off = rng.normal(0, error)  # what the reference's few patients may have been off by
        truth = 1 / (1 + np.exp(-np.log(risk[who] / (1 - risk[who])) - off))
        alarms += bool(cusum((rng.random(patients) < truth).astype(float), risk[who], 2.0, limit)[1])
    assert alarms / 1500 == pytest.approx(rate, abs=0.02)


@pytest.mark.parametrize(
    ("shift", "height", "moved", "expected"),
    # Montgomery, Introduction to Statistical Quality Control, tables 9.3 and 9.4 (Hawkins 1993): both sides together
    # have 465 (k = 1/2, h = 5) and 370 (k = 1/4, h = 8.01), one side twice as much; with a shift of 1 one side has 10.4.
    [(1.0, 5.0, 0.0, 930.0), (0.5, 8.01, 0.0, 740.0), (1.0, 5.0, 1.0, 10.4), (-1.0, 5.0, -1.0, 10.4)],
)
def test_run_lengths_of_numbers_are_the_published_ones(
    shift: float, height: float, moved: float, expected: float
) -> None:
    normal = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    length = shifted_run_length(normal, shift, abs(shift) * height, moved=moved)
    assert length == pytest.approx(expected, rel=0.02)


def test_groups_of_unequal_size_lean_to_no_side() -> None:
    symmetric = norm.ppf((np.arange(1_500) + 0.5) / 1_500)  # 400 groups of three and of four
    up, down = (limit_for_shift(symmetric, shift, patients=500, rate=0.001) for shift in (0.5, -0.5))
    assert up == pytest.approx(down, rel=0.002)


def test_a_limit_of_numbers_gives_false_alarms_at_the_rate_stated_for_skewed_residuals_too() -> None:
    rng = np.random.default_rng(5)
    residual = rng.exponential(size=20_000) - 1
    limit = limit_for_shift(residual, 0.5, patients=200, rate=0.2)
    months = [run_up(shift_scores(rng.exponential(size=200) - 1, 0.5), limit)[1] for _month in range(1_500)]
    assert np.mean([bool(alarms) for alarms in months]) == pytest.approx(
        0.18, abs=0.04
    )  # a start at 0 gives a little fewer


def test_a_cusum_is_the_recursion_of_steiner_and_begins_again_after_an_alarm() -> None:
    rng = np.random.default_rng(3)
    risk = rng.beta(2, 5, 500)
    outcome = (rng.random(500) < np.minimum(1.6 * risk, 1)).astype(float)
    path, alarms = cusum(outcome, risk, 2.0, 2.5)
    total, at = 0.0, []
    for place, (y, p) in enumerate(zip(outcome, risk, strict=True)):
        total = max(0.0, total + np.log(2.0**y / (1 - p + 2 * p)))
        assert path[place] == pytest.approx(total, abs=1e-9)
        if total > 2.5:
            at.append(place)
            total = 0.0
    assert [last for _first, last in alarms] == at
    assert len(at) > 1
    assert all((path[first:last] > 0).all() for first, last in alarms)


@pytest.mark.parametrize(
    ("events", "of", "n"), [(50, 1000, 200), (0, 60, 300), (7, 400, 90), (390, 400, 120), (60, 60, 9)]
)
def test_predicted_counts_are_where_fishers_test_changes_its_mind(events: int, of: int, n: int) -> None:
    rate = 0.01

    def p(count: int, side: str) -> float:
        return float(fisher_exact([[count, n - count], [events, of - events]], alternative=side).pvalue)

    low, high = predicted_counts(events, of, n, rate)
    assert high == n or p(high + 1, "greater") < rate / 2 <= p(high, "greater")
    assert low == 0 or p(low - 1, "less") < rate / 2 <= p(low, "less")


def test_as_many_patients_as_usual_are_hardly_ever_beyond() -> None:
    low, high = predicted_volume(100.0, 0.01)
    assert low < 50 < 100 < 200 < high
    assert predicted_volume(3.0, 0.001)[0] == 0


def test_the_difference_over_cells_is_pearsons() -> None:
    before, now = np.array([300.0, 500, 200, 40]), np.array([60.0, 80, 50, 10])
    found = cell_difference(before, now, 0.05)
    assert found is not None
    squared, p, freedom, _expected = chi2_contingency(np.stack([before, now]))
    spread = 1 / before.sum() + 1 / now.sum()
    assert found.difference**2 / spread == pytest.approx(squared)
    at_p = cell_difference(before, now, p)
    assert at_p is not None
    assert at_p.limit == pytest.approx(found.difference)
    assert freedom == 3


def test_rare_cells_are_put_together_and_one_cell_is_no_comparison() -> None:
    assert cell_difference(np.array([900.0, 1, 2]), np.array([80.0, 0, 1]), 0.05) is None
    assert cell_difference(np.array([100.0, 100]), np.zeros(2), 0.05) is None
    together = cell_difference(np.array([500.0, 300, 60, 40]), np.array([50.0, 30, 3, 4]), 0.05)
    merged = cell_difference(np.array([500.0, 300, 100]), np.array([50.0, 30, 7]), 0.05)
    assert together is not None and merged is not None
    assert together.difference == pytest.approx(merged.difference)
    assert together.limit == pytest.approx(merged.limit)


def test_differences_stay_below_their_limit_as_often_as_stated() -> None:
    rng, shares = np.random.default_rng(4), np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    beyond = 0
    for _ in range(2000):
        found = cell_difference(rng.multinomial(900, shares) * 1.0, rng.multinomial(250, shares) * 1.0, 0.05)
        assert found is not None
        beyond += found.difference > found.limit
    assert binom.cdf(beyond, 2000, 0.05) > 0.001
    assert binom.sf(beyond - 1, 2000, 0.05) > 0.001


def test_expected_performance_is_what_outcomes_drawn_from_the_risks_have_on_average() -> None:
    rng = np.random.default_rng(5)
    risk = rng.beta(1, 3, 400).round(2)
    drawn = (rng.random((300, 400)) < risk).astype(float)
    assert expected_auroc(risk) == pytest.approx(np.mean([roc_auc_score(y, risk) for y in drawn]), abs=0.006)
    assert expected_brier(risk) == pytest.approx(np.mean((drawn - risk) ** 2), abs=0.002)
    called, odds = risk >= 0.3, 0.3 / 0.7
    benefit = (drawn[:, called].sum(1) - odds * (1 - drawn[:, called]).sum(1)) / 400
    assert expected_net_benefit(risk, called, 0.3) == pytest.approx(benefit.mean(), abs=0.003)


def test_expected_concordance_counts_every_pair() -> None:
    risk = np.array([0.1, 0.4, 0.4, 0.9])
    right = pairs = 0.0
    for i in range(4):
        for j in range(4):
            if i != j:
                weight = risk[i] * (1 - risk[j])
                pairs += weight
                right += weight * ((risk[i] > risk[j]) + (risk[i] == risk[j]) / 2)
    assert expected_auroc(risk) == pytest.approx(right / pairs)
    assert np.isnan(expected_auroc(np.ones(3)))
