"""Trees over the intervals of follow-up, and the average that auto makes of curves."""

import numpy as np
import pytest

from medcore.data.splitting.split import SplitSettings
from medcore.evaluation.survival.accuracy import integrated_brier
from medcore.explanation import explain_row
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.models.selection.timed import blend_curves
from tests.models.test_event_time import cohort, ward


def test_boosted_intervals_tell_patients_apart_and_are_kept_as_they_were(tmp_path) -> None:
    rows = cohort(ward(220))
    split = SplitSettings(test_size=0, n_folds=2)
    trained = train_cohort(rows, TrainSettings(model="boosting"), split=split, folder=tmp_path / "bundle")
    assert trained.results.cross_validated.by(730.5).metrics["auroc"].value > 0.6
    again = load_bundle(tmp_path / "bundle")
    assert np.array_equal(again.curve(again.background), trained.bundle.curve(trained.bundle.background))
    found = explain_row(again.at(365.25), rows.frame, 0, max_evaluations=600)
    assert found.additivity_residual < 1e-6


def test_the_better_curve_counts_more_and_weights_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    time, gone = rng.exponential(np.exp(-x)), rng.uniform(0.2, 3.0, 600)
    duration, event = np.minimum(time, gone), (time <= gone).astype(np.int64)
    times = np.linspace(0.1, 1.5, 15)
    good = -np.expm1(-np.exp(x)[:, None, None] * times)
    poor = good[rng.permutation(600)]
    alone = np.tile(good.mean(axis=0), (600, 1, 1))
    given = {"none": alone, "good": good, "poor": poor}
    found = blend_curves(given, duration, event, times, np.arange(600) % 5, alone="none")
    assert sum(found.weights.values()) == pytest.approx(1.0)
    assert "none" not in found.weights or found.weights["none"] < 0.1
    wild = -np.expm1(-np.exp(3 * x)[:, None, None] * times)  # three times too extreme
    found = blend_curves({"good": wild, "none": alone}, duration, event, times, np.arange(600) % 5, alone="none")
    shares = np.linspace(0, 1, 51)
    held = [integrated_brier(duration, event, times, ((1 - s) * wild + s * alone)[:, 0]).brier.value for s in shares]
    assert found.weights["none"] == pytest.approx(shares[int(np.argmin(held))], abs=0.03) and min(held) < held[0]
    found = blend_curves(given, duration, event, times, np.arange(600) % 5, alone="none")
    assert found.weights["good"] > 0.8
