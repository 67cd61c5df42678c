"""Shapley values against shap's own explainers, closed forms and the axioms."""

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.explanation import explain, refine


def names(n):
    return [f"c{i}" for i in range(n)]


def numbers(explanation):
    return np.array([c.contribution for c in explanation.contributions])


def errors(explanation):
    return np.array([c.standard_error for c in explanation.contributions])


def by_definition(value, n):
    """Shapley's formula written out, one coalition at a time."""
    phi = np.zeros(n)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for coalition in itertools.combinations(others, size):
                phi[i] += weight * (value({*coalition, i}) - value(set(coalition)))
    return phi


@pytest.mark.parametrize("scale", ["probability", "log_odds"])
def test_exact_values_are_those_of_the_definition(network_risk, scale):
    risk, rng = network_risk(5), np.random.default_rng(1)
    row, background = rng.normal(size=5), rng.normal(size=(7, 5))

    def value(coalition):
        mixed = background.copy()
        mixed[:, list(coalition)] = row[list(coalition)]
        p = risk(mixed)[:, 1]
        return np.mean(p if scale == "probability" else np.log(p / (1 - p)))

    found = explain(risk, row, background, columns=names(5), scale=scale)
    assert found.method == "exact"
    np.testing.assert_allclose(numbers(found), by_definition(value, 5), atol=1e-12)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib, inside shap
def test_exact_values_are_those_of_the_shap_library(network_risk):
    import shap

    risk, rng = network_risk(8), np.random.default_rng(2)
    row, background = rng.normal(size=8), rng.normal(size=(20, 8))
    masker = shap.maskers.Independent(background, max_samples=20)
    reference = shap.explainers.ExactExplainer(lambda x: risk(x)[:, 1], masker)(row[None])[0]
    found = explain(risk, row, background, columns=names(8))
    np.testing.assert_allclose(numbers(found), reference.values, atol=1e-10)
    assert found.base_value == pytest.approx(float(reference.base_values), abs=1e-12)


def test_log_odds_of_a_logistic_model_are_coefficient_times_distance_from_the_mean(logistic_risk):
    rng = np.random.default_rng(3)
    w, row, background = rng.normal(size=30) / 4, rng.normal(size=30), rng.normal(size=(50, 30))
    found = explain(logistic_risk(w), row, background, columns=names(30), scale="log_odds")
    np.testing.assert_allclose(numbers(found), w * (row - background.mean(axis=0)), atol=1e-9)


@pytest.mark.parametrize("scale", ["probability", "log_odds"])
@pytest.mark.parametrize("n_columns", [3, 13, 40])
def test_contributions_add_up_to_the_prediction(network_risk, scale, n_columns):
    risk, rng = network_risk(n_columns), np.random.default_rng(4)
    row, background = rng.normal(size=n_columns), rng.normal(size=(12, n_columns))
    found = explain(risk, row, background, columns=names(n_columns), scale=scale, max_evaluations=60_000)
    assert abs(found.base_value + numbers(found).sum() - found.prediction) < 1e-10
    assert found.additivity_residual < 1e-10


def test_a_column_equal_in_all_background_rows_contributes_nothing_and_costs_nothing(network_risk):
    risk, rng = network_risk(30), np.random.default_rng(5)
    row = rng.normal(size=30)
    background = np.tile(row, (6, 1))
    background[:, :4] = rng.normal(size=(6, 4))
    found = explain(risk, row, background, columns=names(30))
    assert found.method == "exact"
    assert found.n_evaluations == 6 * 2**4 + 7
    assert not numbers(found)[4:].any()


def test_a_missing_value_equals_a_missing_value(network_risk):
    risk = network_risk(3)
    found = explain(risk, [np.nan, 1.0, 2.0], [[np.nan, 0.0, 2.0]], columns=names(3))
    assert numbers(found)[0] == 0.0
    assert numbers(found)[1] == pytest.approx(found.prediction - found.base_value)


def test_a_missing_value_is_a_value(network_risk):
    found = explain(network_risk(3), [np.nan, 1.0, 2.0], [[0.5, 1.0, 2.0]], columns=names(3))
    assert numbers(found)[0] == pytest.approx(found.prediction - found.base_value)
    assert numbers(found)[0] != 0.0


def test_repeated_background_rows_weigh_as_often_as_they_occur(network_risk):
    risk, rng = network_risk(4), np.random.default_rng(6)
    row, background = rng.normal(size=4), rng.normal(size=(3, 4))
    repeated = background[[0, 0, 0, 1, 2]]
    one_by_one = [numbers(explain(risk, row, b[None], columns=names(4))) for b in repeated]
    found = explain(risk, row, repeated, columns=names(4))
    np.testing.assert_allclose(numbers(found), np.mean(one_by_one, axis=0), atol=1e-12)
    assert found.n_background == 5


def test_a_patient_equal_to_the_background_has_no_contributions(network_risk):
    row = np.arange(25.0)
    found = explain(network_risk(25), row, row[None], columns=names(25))
    assert not numbers(found).any()
    assert found.prediction == found.base_value


def test_sampled_values_agree_with_exact_ones_within_their_errors(network_risk):
    risk, rng = network_risk(12, seed=3), np.random.default_rng(7)
    row, background = rng.normal(size=12), rng.normal(size=(20, 12))
    true = numbers(explain(risk, row, background, columns=names(12)))
    sampled = explain(risk, row, background, columns=names(12), max_evaluations=20_000, tolerance=0.005)
    assert sampled.method == "sampled"
    assert np.abs(numbers(sampled) - true).sum() / np.abs(true).sum() < 0.02
    assert (np.abs(numbers(sampled) - true) <= 5 * errors(sampled) + 1e-12).all()


def test_standard_errors_cover(network_risk):
    """95 % intervals from the standard errors hold the exact value about 95 times in 100."""
    risk, rng = network_risk(11, seed=8), np.random.default_rng(8)
    row, background = 2 * rng.normal(size=11), 2 * rng.normal(size=(25, 11))
    true = numbers(explain(risk, row, background, columns=names(11)))
    inside = []
    for seed in range(120):
        found = explain(risk, row, background, columns=names(11), max_evaluations=2_000, tolerance=0.0, seed=seed)
        inside.append(np.abs(numbers(found) - true) <= 1.96 * errors(found))
    assert 0.92 < np.mean(inside) < 0.98


def test_refinement_ends_in_the_explanation_and_always_adds_up(network_risk):
    risk, rng = network_risk(30), np.random.default_rng(9)
    row, background = rng.normal(size=30), rng.normal(size=(40, 30))
    steps = list(refine(risk, row, background, columns=names(30), tolerance=0.06))
    assert len(steps) > 1
    assert all(s.additivity_residual < 1e-10 for s in steps)
    assert steps[-1].converged
    final = explain(risk, row, background, columns=names(30), tolerance=0.06)
    np.testing.assert_array_equal(numbers(final), numbers(steps[-1]))


def test_the_budget_is_kept(network_risk):
    risk, rng = network_risk(40), np.random.default_rng(10)
    row, background = rng.normal(size=40), rng.normal(size=(30, 40))
    found = explain(risk, row, background, columns=names(40), tolerance=0.0, max_evaluations=10_000)
    assert found.n_evaluations <= 10_000
    assert not found.converged


def test_one_seed_gives_the_same_numbers_and_another_others(network_risk):
    risk, rng = network_risk(30), np.random.default_rng(11)
    row, background = rng.normal(size=30), rng.normal(size=(20, 30))

    def run(seed):
        return numbers(explain(risk, row, background, columns=names(30), max_evaluations=5_000, seed=seed))

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_contributions_over_all_classes_cancel(network_risk):
    risk, rng = network_risk(6, n_classes=8), np.random.default_rng(12)
    row, background = rng.normal(size=6), rng.normal(size=(9, 6))
    total = sum(numbers(explain(risk, row, background, columns=names(6), class_index=k)) for k in range(8))
    np.testing.assert_allclose(total, 0, atol=1e-12)


def test_wide_tables_are_explained(network_risk):
    risk, rng = network_risk(280), np.random.default_rng(13)
    found = explain(risk, rng.normal(size=280), rng.normal(size=(20, 280)), columns=names(280), max_evaluations=30_000)
    assert found.additivity_residual < 1e-10
    assert len(found.contributions) == 280


def test_a_risk_of_nought_or_one_has_finite_log_odds():
    def step(codes):
        p = (codes[:, 0] > 0).astype(float)
        return np.column_stack([1 - p, p])

    found = explain(step, [1.0], [[-1.0]], columns=["c"], scale="log_odds")
    assert np.isfinite(found.prediction)
    assert found.additivity_residual < 1e-12


def test_wrong_shapes_and_scales_are_refused(network_risk):
    with pytest.raises(ValueError, match="expected"):
        explain(network_risk(3), [1.0, 2.0, 3.0], [[1.0, 2.0]], columns=names(3))
    with pytest.raises(ValueError, match="columns"):
        explain(network_risk(3), [1.0, 2.0, 3.0], [[1.0, 2.0, 0.0]], columns=names(2))
    with pytest.raises(ValueError, match="scale"):
        explain(network_risk(3), [1.0, 2.0, 3.0], [[1.0, 2.0, 0.0]], columns=names(3), scale="odds")


games = st.builds(lambda seed, n, m: (seed, n, m), st.integers(0, 2**31), st.integers(2, 7), st.integers(1, 6))


def drawn(seed, n, m):
    rng = np.random.default_rng(seed)
    row, background = rng.normal(size=n), rng.normal(size=(m, n))
    weights = rng.normal(size=(2 * n, 8))

    def score(codes):
        return np.tanh(np.hstack([codes, codes**2]) @ weights).mean(axis=1) / 2 + 0.5

    return score, row, background


def phi_of(score, row, background, *, sampled):
    found = explain(
        lambda codes: score(codes)[:, None],
        row,
        background,
        columns=names(len(row)),
        class_index=0,
        max_evaluations=0 if sampled else 10**9,
    )
    return numbers(found), found


@settings(max_examples=40, deadline=None)
@given(game=games, sampled=st.booleans())
def test_efficiency_holds(game, sampled):
    score, row, background = drawn(*game)
    phi, found = phi_of(score, row, background, sampled=sampled)
    assert phi.sum() == pytest.approx(score(row[None])[0] - score(background).mean(), abs=1e-9)
    assert found.additivity_residual < 1e-9


@settings(max_examples=40, deadline=None)
@given(game=games, sampled=st.booleans())
def test_a_column_the_model_ignores_contributes_nothing(game, sampled):
    score, row, background = drawn(*game)

    def blind(codes):
        return score(np.hstack([np.zeros((len(codes), 1)), codes[:, 1:]]))

    phi, _ = phi_of(blind, row, background, sampled=sampled)
    assert phi[0] == pytest.approx(0, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(game=games)
def test_interchangeable_columns_contribute_the_same(game):
    score, row, background = drawn(*game)
    row[1], background[:, 1] = row[0], background[:, 0]

    def symmetric(codes):
        swapped = codes.copy()
        swapped[:, [0, 1]] = codes[:, [1, 0]]
        return (score(codes) + score(swapped)) / 2

    phi, _ = phi_of(symmetric, row, background, sampled=False)
    assert phi[0] == pytest.approx(phi[1], abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(game=games, other=st.integers(0, 2**31), share=st.floats(0, 1), sampled=st.booleans())
def test_explanations_of_an_ensemble_are_the_mean_of_those_of_its_members(game, other, share, sampled):
    a, row, background = drawn(*game)
    b, _, _ = drawn(other, *game[1:])
    phi_a, _ = phi_of(a, row, background, sampled=sampled)
    phi_b, _ = phi_of(b, row, background, sampled=sampled)
    both, _ = phi_of(lambda c: share * a(c) + (1 - share) * b(c), row, background, sampled=sampled)
    np.testing.assert_allclose(both, share * phi_a + (1 - share) * phi_b, atol=1e-12)


def certain(codes):
    """A steep model of 30 columns: nearly every composite row has a risk near 0 or 1."""
    p = 1 / (1 + np.exp(-8 * codes[:, :28].sum(axis=1) - 4 * codes[:, 0] * codes[:, 1] * codes[:, 2]))
    return np.column_stack([1 - p, p])


def test_glancing_at_certain_stretches_costs_less_and_is_not_biased(monkeypatch):
    rng = np.random.default_rng(14)
    row, background = rng.normal(size=30) + 0.5, rng.normal(size=(20, 30)) - 0.5

    def run(seed, evaluations):
        return explain(
            certain, row, background, columns=names(30), tolerance=0.0, max_evaluations=evaluations, seed=seed
        )

    monkeypatch.setattr("medcore.explanation.shapley.regression_adjusted.MOST_PLAYERS", 0)
    many = [run(seed, 20_000) for seed in range(20)]
    monkeypatch.setattr("medcore.explanation.shapley.sampling.SEGMENT_LENGTH", 10**6)
    true = numbers(run(99, 1_000_000))
    mean = np.mean([numbers(found) for found in many], axis=0)
    error = np.std([numbers(found) for found in many], axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(mean - true) <= 4.5 * error + 1e-3).all()
    assert max(found.additivity_residual for found in many) < 1e-10
    inside = [np.abs(numbers(found) - true) <= 1.96 * errors(found) + 1e-12 for found in many]
    assert np.mean(inside) > 0.9
