from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.features import CodeBook, FeatureMaker, Rows
from medcore.models.bundle.bundle import Bundle
from medcore.models.learners.logistic import LogisticPart
from medcore.models.selection.calibration import Calibrator

Risk = Callable[[Any], Any]


def two_classes(p: Any) -> Any:
    return np.column_stack([1 - p, p])


@pytest.fixture
def logistic_risk() -> Callable[[Any], Risk]:
    """A logistic model of given coefficients."""

    def make(coefficients: Any, intercept: float = 0.0) -> Risk:
        w = np.asarray(coefficients)
        return lambda codes: two_classes(1 / (1 + np.exp(-(intercept + np.nan_to_num(codes) @ w))))

    return make


@pytest.fixture
def network_risk() -> Callable[..., Risk]:
    """A random two-layer network of P columns: full of interactions, missing values included."""

    def make(n_columns: int, *, seed: int = 0, n_classes: int = 2) -> Risk:
        rng = np.random.default_rng(seed)
        first = rng.normal(size=(2 * n_columns, 24)) / np.sqrt(n_columns)
        second = rng.normal(size=(24, n_classes)) / 2

        def risk(codes: Any) -> Any:
            seen = np.hstack([np.nan_to_num(codes), np.isnan(codes)])
            scores = np.tanh(seen @ first) @ second * 2
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            return scores / scores.sum(axis=1, keepdims=True)

        return risk

    return make


COLUMNS = (
    Column(name="disease", kind="category", role="outcome"),
    Column(name="age", kind="numeric", unit="years", low=0, high=120),
    Column(name="sex", kind="category"),
    Column(name="cholesterol", kind="numeric", unit="mg/dl", low=50, high=700),
    Column(name="pressure", kind="numeric", unit="mmHg", low=40, high=300),
    Column(name="pain", kind="category"),
)


def drawn_table(n: int, *, seed: int = 0) -> pd.DataFrame:
    """Patients as a file holds them, all text, with missing cells; drawn, so nobody's."""
    rng = np.random.default_rng(seed)
    age, sex = rng.normal(55, 9, n).round(), rng.choice(["female", "male"], n)
    cholesterol, pressure = rng.normal(240, 45, n).round(), rng.normal(132, 17, n).round()
    pain = rng.choice(["typical", "atypical", "none"], n, p=[0.3, 0.3, 0.4])
    score = (age - 55) / 9 + (sex == "male") + (cholesterol - 240) / 60 * (pain == "typical") - 0.5
    disease = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), "yes", "no")
    frame = pd.DataFrame(
        {"disease": disease, "age": age, "sex": sex, "cholesterol": cholesterol, "pressure": pressure, "pain": pain}
    ).astype("str")
    return frame.mask((rng.random(frame.shape) < 0.06) & (frame.columns != "disease"))


def make_bundle(frame: pd.DataFrame) -> Bundle:
    schema = Schema(COLUMNS, positive="yes")
    recipe = default_recipe(schema)
    prepared = prepare(Cohort(frame, schema, "0" * 64, "drawn.csv"), recipe)
    book = CodeBook.fit(prepared.predictors, prepared.kinds)
    codes = book.transform(prepared.predictors).codes
    maker = FeatureMaker(book.kinds).fit(codes)
    model = LogisticRegression(max_iter=500).fit(maker.transform(codes), prepared.outcome)
    coefficients = np.column_stack([0 * model.coef_[0], model.coef_[0]])
    part = LogisticPart(maker, coefficients, np.array([0.0, model.intercept_[0]]), 1.0)
    return Bundle(prepared.classes, schema, recipe, book, ((1.0, part),), Calibrator(), Rows(codes[:60]), {})


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return drawn_table(400)


@pytest.fixture(scope="session")
def bundle(table: pd.DataFrame) -> Bundle:
    """A logistic model of five columns, two of them categories."""
    return make_bundle(table)
