import numpy as np
import pytest

from medcore.evaluation.comparison.paired import log_loss_difference
from medcore.models.selection.ensemble import PULL, blend, choose_weights
from medcore.statistics.scores import class_log_loss


def three_candidates(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-2 * true))).astype(np.int64)

    def risk(scores):
        p = 1 / (1 + np.exp(-scores))
        return np.column_stack([1 - p, p])

    good = {name: risk(2 * (true + rng.normal(0, 0.7, n)) * 0.7) for name in ("a", "b")}
    return good | {"useless": risk(rng.normal(size=n))}, outcome, np.arange(n) % 5


def test_two_models_with_errors_of_their_own_are_better_together():
    candidates, outcome, folds = three_candidates()
    blended = blend(candidates, outcome, folds)
    assert sum(blended.weights.values()) == pytest.approx(1.0)
    assert blended.weights["a"] > 0.3
    assert blended.weights["b"] > 0.3
    assert blended.weights.get("useless", 0.0) < 0.1
    assert class_log_loss(outcome, blended.oof) < min(class_log_loss(outcome, candidates[name]) for name in ("a", "b"))


def test_a_folds_weights_do_not_come_from_its_own_outcome():
    candidates, outcome, folds = three_candidates()
    turned = np.where(folds == 0, 1 - outcome, outcome)
    first, second = blend(candidates, outcome, folds), blend(candidates, turned, folds)
    np.testing.assert_array_equal(first.oof[folds == 0], second.oof[folds == 0])


def test_the_paired_difference_is_scipys_paired_t_interval():
    from scipy import stats

    candidates, outcome, _folds = three_candidates()
    gap = log_loss_difference(outcome, candidates["useless"], candidates["a"])
    rows = np.arange(len(outcome))
    terms = [-np.log(candidates[name][rows, outcome]) for name in ("useless", "a")]
    interval = stats.ttest_rel(*terms).confidence_interval()
    assert gap.value == pytest.approx((terms[0] - terms[1]).mean())
    assert (gap.low, gap.high) == pytest.approx((interval.low, interval.high), rel=2e-3)


def test_repeating_every_patient_does_not_narrow_the_interval_when_groups_are_known():
    candidates, outcome, _folds = three_candidates(300)
    a, b = candidates["a"], candidates["useless"]
    once = log_loss_difference(outcome, a, b)
    patients = np.tile(np.arange(300), 4)
    again = log_loss_difference(np.tile(outcome, 4), np.tile(a, (4, 1)), np.tile(b, (4, 1)), groups=patients)
    assert (again.value, again.low, again.high) == pytest.approx((once.value, once.low, once.high))


def test_on_few_events_weights_stay_near_equal_and_on_many_the_data_decide():
    candidates, outcome, folds = three_candidates(n=20_000)
    few = {name: risk[:10] for name, risk in candidates.items()}
    assert min(blend(few, outcome[:10], folds[:10]).weights.values()) > 0.1
    many = blend(candidates, outcome, folds).weights
    assert many.get("useless", 0.0) < 0.05


def test_the_weights_are_the_best_that_random_search_finds():
    candidates, outcome, _folds = three_candidates(400)
    true = np.stack([risk[np.arange(400), outcome] for risk in candidates.values()])

    def cost(w):
        return -np.log(w @ true).sum() + PULL * 9 / 2 * ((w - 1 / 3) ** 2).sum()

    drawn = np.random.default_rng(1).dirichlet(np.ones(3), 5_000)
    assert cost(choose_weights(true)) <= min(cost(w) for w in drawn) + 1e-3
