"""Forests: the same numbers on any machine."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from medcore.models.learners import forest as forests
from medcore.models.learners.forest import ForestPart


@pytest.fixture(scope="module")
def forest():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=400) > 0).astype(int)
    return ForestPart(ExtraTreesClassifier(200, random_state=0).fit(x, y), (0, 1), 2)


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_a_forest_predicts_the_same_on_any_number_of_threads(forest, monkeypatch, n_threads):
    codes = np.random.default_rng(1).normal(size=(1000, 6))
    monkeypatch.setattr(forests, "_threads", lambda _n_rows: 1)
    alone = forest.risk(codes)
    monkeypatch.setattr(forests, "_threads", lambda _n_rows: n_threads)
    np.testing.assert_array_equal(forest.risk(codes), alone)
