"""Curves over thresholds agree with scikit-learn and keep their shape when thinned."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from medcore.evaluation import confusion
from medcore.evaluation.curves.discrimination import Ranked, gain, precision_recall, risk_distribution, roc


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_roc_points_are_scikit_learns(tables, name):
    y, p = tables[name]
    found = roc(y, p, max_points=10_000)
    fpr, tpr, thresholds = sk.roc_curve(y, p, drop_intermediate=False)
    assert np.allclose(found.fpr, fpr) and np.allclose(found.tpr, tpr)
    assert np.allclose(found.thresholds[1:], thresholds[1:])


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_precision_recall_points_are_scikit_learns(tables, name):
    y, p = tables[name]
    found = precision_recall(y, p, max_points=10_000)
    precision, recall, _ = sk.precision_recall_curve(y, p)
    assert np.allclose(found.precision, precision[-2::-1]) and np.allclose(found.recall, recall[-2::-1])
    assert found.auprc.value == pytest.approx(sk.average_precision_score(y, p), abs=1e-12)
    assert found.auprc.low < found.auprc.value < found.auprc.high


def test_a_thinned_roc_curve_keeps_its_shape():
    rng = np.random.default_rng(1)
    p = rng.random(50_000)
    y = (rng.random(50_000) < p**2).astype(float)
    whole, thin = roc(y, p, max_points=10**6), roc(y, p)
    assert len(thin.fpr) <= 400
    between = np.interp(whole.fpr + whole.tpr, thin.fpr + thin.tpr, thin.tpr)
    assert np.abs(between - whole.tpr).max() < 0.005
    assert thin.auroc.to_dict() == whole.auroc.to_dict()


def test_gain_and_lift_follow_from_the_ranking():
    y, p = np.array([1, 0, 1, 0, 0.0]), np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    found = gain(y, p)
    assert found.share.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert found.gain.tolist() == pytest.approx([0, 0.5, 0.5, 1, 1, 1])
    assert found.lift[1:].tolist() == pytest.approx([2.5, 1.25, 5 / 3, 1.25, 1])
    assert found.at(0.4) == pytest.approx(0.5)


def test_risk_distribution_counts_every_patient_once(tables):
    y, p = tables["breast"]
    found = risk_distribution(y, p)
    assert found.with_outcome.sum() == y.sum() and found.without.sum() == (y == 0).sum()
    assert found.quartiles_with[1] == pytest.approx(np.median(p[y == 1]))


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])), min_size=1, max_size=40),
    threshold=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.95, 1.0]),
)
def test_sorted_risks_give_the_confusion_matrix_of_the_rows(pairs, threshold):
    y, p = np.array([a for a, _ in pairs], float), np.array([b for _, b in pairs])
    assert Ranked.of(y, p).confusion(threshold) == confusion(y, p, threshold)
    tn, fp, fn, tp = sk.confusion_matrix(y, p >= threshold, labels=[0, 1]).ravel()
    assert (tn, fp, fn, tp) == tuple(getattr(confusion(y, p, threshold), k) for k in ("tn", "fp", "fn", "tp"))


@pytest.mark.parametrize("y", [np.zeros(5), np.ones(5), np.array([0, 1, 0, 0, 0.0])])
def test_curves_survive_one_class_and_one_event(y):
    p = np.linspace(0.1, 0.9, 5)
    for result in (roc(y, p), precision_recall(y, p), gain(y, p), risk_distribution(y, p)):
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert roc(y, p).auroc.exists == (len(set(y)) == 2)


@pytest.mark.parametrize("curve", [roc, precision_recall])
def test_bands_are_as_wide_as_of_the_patients_where_their_rows_are_copies(tables, curve):
    y, p = tables["breast"]
    thrice, codes = np.repeat([y, p], 3, axis=1), np.repeat(np.arange(len(y)), 3)
    low, high = ("tpr_low", "tpr_high") if curve is roc else ("precision_low", "precision_high")
    found = curve(y, p), curve(*thrice, groups=codes), curve(*thrice)
    width, told, narrow = (np.mean(getattr(c, high) - getattr(c, low)) for c in found)
    assert told == pytest.approx(width, rel=0.1)
    assert narrow < 0.75 * width
