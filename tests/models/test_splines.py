from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from medcore.features import Layout, Rows
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter, Task
from medcore.models.learners.equation import equation_of
from medcore.models.learners.logistic import LogisticPart, fit_logistic
from medcore.models.learners.splines import spline_term

KNOTS = (-1.5, -0.4, 0.3, 1.6)


def u_shaped(n=500, seed=0) -> Task:
    """Patients whose risk rises to both ends of the first predictor, straight in the second; a category, gaps, noise."""
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.normal(size=(n, 3)), rng.integers(0, 3, n).astype(float)])
    score = 1.1 * codes[:, 0] ** 2 - 1.0 + 0.7 * codes[:, 1] + 0.5 * (codes[:, 3] == 2)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(np.int64)
    codes[rng.random(codes.shape) < 0.05] = np.nan
    kinds = ("numeric", "numeric", "numeric", "category")
    layout, settings = Layout.of(codes, kinds), TrainSettings(model="logistic")
    return Task(Rows(codes), outcome, np.arange(n) % 4, 4, 2, kinds, (0, 0, 0, 3), layout, settings)


@pytest.fixture(scope="module")
def task():
    return u_shaped()


@pytest.fixture(scope="module")
def fitted(task):
    return fit_logistic(task, ProgressReporter(NullFollower(), {}))


def test_the_terms_span_the_natural_cubic_splines_of_their_knots():
    rng = np.random.default_rng(0)
    natural = CubicSpline(KNOTS, rng.normal(size=4), bc_type="natural")
    x = np.linspace(KNOTS[0], KNOTS[-1], 200)
    basis = np.column_stack([np.ones(200), x, *(spline_term(x, KNOTS, term) for term in (0, 1))])
    weights = np.linalg.lstsq(basis, natural(x), rcond=None)[0]
    np.testing.assert_allclose(basis @ weights, natural(x), atol=1e-10)


def test_a_spline_is_straight_beyond_its_knots_however_far():
    far = np.array([2.0, 3.0, 4.0, 1e9, 1e9 + 1.0])
    for term in (0, 1):
        values = spline_term(far, KNOTS, term)
        assert values[1] - values[0] == pytest.approx(values[2] - values[1], rel=1e-12)
        assert values[4] - values[3] == pytest.approx(values[1] - values[0], rel=1e-6)
        assert (spline_term(np.array([-1.5, -9.0]), KNOTS, term) == 0).all()


def test_what_bends_is_found_and_predicts_better(task, fitted):
    assert 0 in fitted.part.splines.places
    assert 3 not in fitted.part.splines.places
    left_out, squared = task.codes.copy(), task.codes.copy()
    left_out[:, 0], squared[:, 0] = 0.0, task.codes[:, 0] ** 2
    without, known = (
        fit_logistic(replace(task, rows=Rows(c), layout=Layout.of(c, task.kinds)), ProgressReporter(NullFollower(), {}))
        for c in (left_out, squared)
    )
    own, nothing, best = (
        float(np.log(f.oof[np.arange(task.n), task.outcome]).mean()) for f in (fitted, without, known)
    )
    assert own - nothing > 0.75 * (best - nothing)  # most of what knowing the true form would bring


def test_noise_mostly_stays_straight():
    bent = []
    for seed in range(12):
        noise = u_shaped(200, seed)
        outcome = np.random.default_rng(seed).integers(0, 2, noise.n)
        bent.append(
            len(fit_logistic(replace(noise, outcome=outcome), ProgressReporter(NullFollower(), {})).part.splines.places)
        )
    assert sum(b > 0 for b in bent) <= 3


def test_the_equation_gives_the_models_risks(task, fitted):
    equation = equation_of(fitted.part)
    assert {t.kind for t in equation.terms} == {"linear", "spline", "level", "missing"}
    np.testing.assert_allclose(equation.risk(task.codes), fitted.part.risk(task.codes), atol=1e-13)


def test_a_bent_model_is_kept_and_read_back(task, fitted, tmp_path):
    kept = LogisticPart.load(tmp_path, fitted.part.save(tmp_path))
    np.testing.assert_array_equal(kept.risk(task.codes), fitted.part.risk(task.codes))


def test_a_model_kept_without_splines_is_computed_as_it_was(task, fitted, tmp_path):
    old = replace(fitted.part, splines=None, coefficients=fitted.part.coefficients[: fitted.part.maker.n_columns_])
    read = LogisticPart.load(tmp_path, old.save(tmp_path))
    assert read.splines is None
    scores = read.maker.transform(task.codes) @ old.coefficients.astype(np.float32) + old.intercepts
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(read.risk(task.codes), odds / odds.sum(axis=1, keepdims=True), rtol=1e-15)


def test_each_predictor_has_its_bends_in_its_share_of_the_score(task, fitted):
    layered = fitted.part.coalitions()
    scores = layered.shares(task.rows)[:, 0].sum(axis=1) + layered.start
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), fitted.part.risk(task.codes), atol=1e-5)
