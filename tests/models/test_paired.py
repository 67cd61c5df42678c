"""Paired differences of the leaderboard."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medcore.models.run.paired import CHOSEN, auroc_gains


def test_gains_are_differences_of_out_of_fold_aurocs(ward):
    results = ward.train("boosting").results
    gains = auroc_gains(results)
    assert set(gains) == {CHOSEN, "boosting"}  # the prevalence ranks nobody
    outcome = results.training.outcome
    simple = results.candidate("logistic").oof[:, 1]
    for name, risk in {CHOSEN: results.training.risk, "boosting": results.candidate("boosting").oof}.items():
        expected = roc_auc_score(outcome, risk[:, 1]) - roc_auc_score(outcome, simple)
        assert gains[name].value == pytest.approx(expected)
        assert gains[name].low < gains[name].value < gains[name].high


def test_repeated_patients_are_judged_as_clusters(logistic):
    results = logistic.results
    noisy = results.candidate("logistic").oof + np.random.default_rng(0).normal(0, 0.05, results.training.risk.shape)
    other = replace(
        results.candidate("prevalence"), name="boosting", oof=noisy, cross_validated=results.cross_validated
    )
    twice = replace(
        results,
        candidates=(results.candidate("logistic"), other),
        training=replace(results.training, groups=np.arange(len(noisy)) // 8),
    )
    alone = replace(twice, training=replace(twice.training, groups=None))
    assert auroc_gains(twice)["boosting"].method == "delong_cluster"
    assert auroc_gains(alone)["boosting"].method == "delong"


def test_more_than_two_classes_have_no_delong(three_class_ward):
    assert auroc_gains(three_class_ward.train("logistic").results) == {}
