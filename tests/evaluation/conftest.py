"""Outcomes and risks to evaluate: simulated, and out-of-fold risks on tables of scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def two_columns(risk):
    return np.column_stack([1 - risk, risk])


def simulated(n, seed=0, slope=1.0, intercept=-1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    true = 1 / (1 + np.exp(-(intercept + x)))
    outcome = (rng.random(n) < true).astype(np.int64)
    return outcome, 1 / (1 + np.exp(-(intercept + slope * x)))


def _out_of_fold(x, y):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05))
    return cross_val_predict(model, x, y, cv=5, method="predict_proba")


@pytest.fixture(scope="session")
def tables():
    """Binary tables by name: breast cancer, wine (class 0 or not), a simulated one with rounded (tied) risks."""
    out = {}
    x, y = load_breast_cancer(return_X_y=True)
    out["breast"] = (y.astype(np.int64), _out_of_fold(x[:, :3], y)[:, 1])
    x, y = load_wine(return_X_y=True)
    y = (y == 1).astype(np.int64)
    out["wine"] = (y, _out_of_fold(x[:, 1:4], y)[:, 1])
    y, p = simulated(400, seed=3, slope=1.6)
    out["tied"] = (y, np.round(p, 1).clip(0.05, 0.95))
    return out


@pytest.fixture(scope="session")
def three_classes():
    x, y = load_iris(return_X_y=True)
    return y.astype(np.int64), _out_of_fold(x[:, :2], y)
