"""Net benefit agrees with dcurves to 1e-9 and its intervals with the bootstrap."""

import numpy as np
import pandas as pd
import pytest
from dcurves import dca

from medcore.evaluation.curves.utility import decision_curve, net_benefit

THRESHOLDS = [k / 100 for k in range(1, 99)]


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_net_benefit_agrees_with_dcurves(tables, name):
    y, p = tables[name]
    found = decision_curve(y, p, thresholds=np.array(THRESHOLDS))
    frame = pd.DataFrame({"y": y, "p": p})
    peer = dca(data=frame, outcome="y", modelnames=["p"], thresholds=THRESHOLDS).set_index("threshold")
    for model, ours in (("p", found.net_benefit), ("all", found.treat_all)):
        theirs = peer[peer["model"] == model]["net_benefit"].reindex(THRESHOLDS).to_numpy()
        assert np.abs(ours - theirs).max() < 1e-9, model


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_agree_with_a_plain_bootstrap(tables, clustered):
    y, p = tables["breast"]
    groups = np.arange(len(y)) // 3 if clustered else np.arange(len(y))
    found = decision_curve(y, p, thresholds=np.array([0.3]), groups=groups if clustered else None)
    rng, n_units, nets, gains = np.random.default_rng(2), groups.max() + 1, [], []
    members = [np.flatnonzero(groups == g) for g in range(n_units)]
    for _ in range(500):
        rows = np.concatenate([members[g] for g in rng.integers(0, n_units, n_units)])
        drawn = decision_curve(y[rows], p[rows], thresholds=np.array([0.3]))
        nets.append(drawn.net_benefit[0])
        gains.append(drawn.over_all[0])
    assert (found.high - found.low)[0] / 3.92 == pytest.approx(np.std(nets), rel=0.12)
    assert (found.over_all_high - found.over_all_low)[0] / 3.92 == pytest.approx(np.std(gains), rel=0.12)


def test_one_threshold_is_a_point_of_the_curve(tables):
    y, p = tables["wine"]
    curve, groups = decision_curve(y, p), np.arange(len(y)) // 2
    one = net_benefit(y, p, 0.25)
    assert (one.value, one.low, one.high) == pytest.approx((curve.net_benefit[24], curve.low[24], curve.high[24]))
    grouped = decision_curve(y, p, groups=groups)
    one = net_benefit(y, p, 0.25, groups=groups)
    assert (one.low, one.high) == pytest.approx((grouped.low[24], grouped.high[24]))


def test_a_threshold_of_zero_weighs_false_positives_with_zero(tables):
    y, p = tables["wine"]
    found = decision_curve(y, p, thresholds=np.array([0.0]))
    assert found.net_benefit[0] == pytest.approx(y.mean()) == pytest.approx(found.treat_all[0])


def test_the_reading_counts_true_positives_per_hundred_patients():
    # 100 patients, 20 events; the model finds 18 of them with 22 false alarms.
    y = np.repeat([1.0, 1.0, 0.0, 0.0], [18, 2, 22, 58])
    p = np.repeat([0.8, 0.1, 0.8, 0.1], [18, 2, 22, 58])
    curve = decision_curve(y, p)
    # At 20 %: model 0.18 - 0.22/4 = 0.125; treating all 0.2 - 0.8/4 = 0.
    assert curve.net_benefit[19] == pytest.approx(0.125)
    assert "12.5" in str(curve.reading(0.2))
    assert "worse than treating everyone" not in str(curve.reading(0.2))
    low, high = curve.useful_range()
    assert low <= 0.2 <= high


def test_a_useless_model_has_no_useful_range():
    rng = np.random.default_rng(0)
    y, p = (rng.random(300) < 0.3).astype(float), rng.uniform(0.2, 0.4, 300)
    assert decision_curve(y, p).useful_range() is None
    assert "more harm than treating no one" in str(decision_curve(y, np.full(300, 0.95)).reading(0.9))
