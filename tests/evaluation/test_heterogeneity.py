"""Performance over sites is summed up as statsmodels does, and the spread between sites is not hidden."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import t
from statsmodels.stats.meta_analysis import combine_effects

from medcore.evaluation.groups.heterogeneity import heterogeneity, pooled, sentence
from medcore.evaluation.groups.subgroups import breakdown

TABLES = [
    ([0.9, 1.4, 0.2, 1.1], [0.2, 0.3, 0.15, 0.25]),
    ([0.5, 0.5, 0.51], [0.2, 0.2, 0.2]),
    ([-2.0, 3.0], [0.1, 1.0]),
]


@pytest.mark.parametrize(("values", "errors"), TABLES)
def test_the_pooled_figures_are_those_of_statsmodels(values, errors) -> None:
    values, errors = np.array(values), np.array(errors)
    theirs = combine_effects(values, errors**2, method_re="dl")
    mean, error, tau2, i2 = pooled(values, errors)
    # Without any variance between sites the fixed-effect mean holds; statsmodels goes on with a negative one.
    random = theirs.tau2 > 0
    assert mean == pytest.approx(theirs.mean_effect_re if random else theirs.mean_effect_fe)
    assert error == pytest.approx(theirs.sd_eff_w_re if random else theirs.sd_eff_w_fe)
    assert tau2 == pytest.approx(max(0.0, theirs.tau2))
    assert i2 == pytest.approx(max(0.0, theirs.i2))


def hospitals(n_sites: int, *, spread: float, seed: int = 0):
    """Sites whose outcomes are all more, or all less, common than predicted, by a normal shift."""
    rng = np.random.default_rng(seed)
    site = np.repeat([f"site {k}" for k in range(n_sites)], 400)
    shift = np.repeat(rng.normal(0, spread, n_sites), 400)
    score = rng.normal(-1, 1, len(site))
    outcome = (rng.random(len(site)) < expit(score + shift)).astype(float)
    table = pd.DataFrame({"site": site})
    return breakdown(outcome, expit(score), table, ["site"], threshold=0.3).groups


def test_sites_that_differ_by_chance_only_have_little_heterogeneity() -> None:
    found = {h.measure: h for h in heterogeneity(hospitals(10, spread=0.0))}
    assert found["calibration_intercept"].i2 < 0.4
    assert found["calibration_intercept"].low < 0 < found["calibration_intercept"].high


def test_sites_that_differ_widen_the_prediction_interval_and_not_only_the_mean() -> None:
    found = {h.measure: h for h in heterogeneity(hospitals(10, spread=1.0))}
    intercept, area = found["calibration_intercept"], found["auroc"]
    assert intercept.i2 > 0.8
    assert intercept.high - intercept.low > 2 * (intercept.mean.high - intercept.mean.low)
    assert t.ppf(0.975, 8) * 0.5 < (intercept.high - intercept.low) / 2
    assert 0.5 < area.low < area.mean.value < area.high < 1
    assert "10 sites" in str(sentence(area, "AUROC"))


def test_two_sites_have_a_mean_and_no_prediction_interval() -> None:
    found = heterogeneity(hospitals(2, spread=0.5))[0]
    assert np.isnan(found.low) and found.to_dict()["low"] is None
    assert "too few sites" in str(sentence(found, "AUROC"))


def test_one_site_has_no_heterogeneity() -> None:
    assert heterogeneity(hospitals(1, spread=0.5)) == ()
