"""Trees over the intervals of follow-up, and the average that auto makes of curves."""

import numpy as np
import pytest

from medcore.data.splitting.split import SplitSettings
from medcore.explanation import explain_row
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_timed_cohort
from medcore.models.selection.timed import blend_curves
from tests.models.test_event_time import cohort, ward


def test_boosted_intervals_tell_patients_apart_and_are_kept_as_they_were(tmp_path) -> None:
    rows = cohort(ward(220))
    split = SplitSettings(test_size=0, n_folds=2)
    trained = train_timed_cohort(rows, TrainSettings(model="boosting"), split=split, folder=tmp_path / "bundle")
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
    poor = np.tile(-np.expm1(-times), (600, 1, 1))
    found = blend_curves({"good": good, "poor": poor}, duration, event, times, np.arange(600) % 5)
    assert sum(found.weights.values()) == pytest.approx(1.0)
    assert found.weights["good"] > 0.8
