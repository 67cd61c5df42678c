"""An update of intercept or slope leaves the new risks calibrated and the ranking as it was."""

import numpy as np
import pytest

from medcore.evaluation import evaluate
from medcore.evaluation.recalibration.update import update
from medcore.statistics.logistic import fit_logistic


def judged(y, p):
    return evaluate(y.astype(np.int64), np.column_stack([1 - p, p]), ("no", "yes"), n_boot=30).metrics


@pytest.fixture
def miscalibrated():
    rng = np.random.default_rng(8)
    x = rng.normal(size=3000)
    y = (rng.random(3000) < 1 / (1 + np.exp(-(x - 1)))).astype(float)
    return y, 1 / (1 + np.exp(-(2 * x + 0.5)))


def test_the_intercept_alone_mends_the_average(miscalibrated):
    y, p = miscalibrated
    new = update(y, p).apply(p)
    assert new.mean() == pytest.approx(y.mean(), abs=1e-8)
    assert judged(y, new)["calibration_intercept"].value == pytest.approx(0, abs=1e-7)
    assert judged(y, new)["calibration_slope"].value == pytest.approx(judged(y, p)["calibration_slope"].value)


def test_intercept_and_slope_mend_both_and_keep_the_ranking(miscalibrated):
    y, p = miscalibrated
    new = update(y, p, slope=True).apply(p)
    after = judged(y, new)
    assert after["calibration_slope"].value == pytest.approx(1, abs=1e-6)
    assert after["calibration_intercept"].value == pytest.approx(0, abs=1e-6)
    assert after["auroc"].value == pytest.approx(judged(y, p)["auroc"].value)


def test_separated_outcomes_have_no_finite_fit():
    y = np.repeat([0.0, 1.0], 20)
    assert fit_logistic(y, np.column_stack([np.ones(40), np.arange(40.0)])) is None
    assert update(np.ones(10), np.linspace(0.1, 0.9, 10)) is None
    assert update(np.tile([0.0, 1.0], 5), np.full(10, 0.4), slope=True) is None
