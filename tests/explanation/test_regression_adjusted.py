"""The stand-in for a game and what is sampled of the rest, against counting out."""

import numpy as np
import pytest

from medcore.explanation import explain
from medcore.explanation.shapley import exact, regression_adjusted
from medcore.explanation.shapley.game import Game
from medcore.explanation.shapley.surrogate import Surrogate, logistic


def game_of(risk, row, background):
    return Game.of(risk, row, background, class_index=1, scale="probability")


def wide(network_risk):
    """A network of 24 columns in which each background row has 12 players, so that it can be counted out."""
    rng = np.random.default_rng(5)
    row, background = 2 * rng.normal(size=24), 2 * rng.normal(size=(10, 24))
    for b in background:
        same = rng.choice(24, 12, replace=False)
        b[same] = row[same]
    return network_risk(24, seed=4), row, background


@pytest.mark.parametrize("size", [0.1, 1.0, 8.0])
def test_a_logistic_function_has_the_values_of_counting_out(size):
    rng = np.random.default_rng(0)
    weights, start = size * rng.normal(size=9), rng.normal()

    def risk(codes):
        return np.column_stack([0 * codes[:, 0], 0.1 + 0.8 * logistic(start + codes @ weights)])

    stand_in = Surrogate(np.array([start]), weights[None], 0.1, 0.9)
    found = stand_in.shapley_values(np.arange(9, dtype=np.int32)[None], np.array([9]))
    wanted = exact.shapley_values(game_of(risk, np.ones(9), np.zeros((1, 9))))
    np.testing.assert_allclose(found[0], wanted, atol=1e-7)


def test_the_values_are_those_of_counting_out_and_the_errors_cover(network_risk):
    risk, row, background = wide(network_risk)
    true = exact.shapley_values(game_of(risk, row, background))
    inside, apart = [], []
    for seed in range(60):
        game = game_of(risk, row, background)
        answers = list(regression_adjusted.rounds(game, seed=seed, max_evaluations=16_000, wanted=0.0))
        assert all(abs(v.sum() - (game.grand_and_empty[0] - game.base_value)) < 1e-10 for v, _ in answers)
        values, errors = answers[-1]
        inside.append(np.abs(values - true) <= 1.96 * errors)
        apart.append(values - true)
    assert 0.92 < np.mean(inside) < 0.98
    assert (np.abs(np.mean(apart, axis=0)) < 4 * np.std(apart, axis=0) / np.sqrt(60)).all()


def test_at_one_cost_its_errors_are_smaller_than_those_of_permutations(monkeypatch):
    rng = np.random.default_rng(3)
    weights, row, background = rng.normal(size=40), rng.normal(size=40), rng.normal(size=(20, 40))

    def risk(codes):
        p = logistic(codes @ weights + codes[:, 0] * codes[:, 1])
        return np.column_stack([1 - p, p])

    def error():
        found = explain(
            risk, row, background, columns=[f"c{i}" for i in range(40)], tolerance=0.0, max_evaluations=60_000
        )
        assert found.n_evaluations <= 60_000
        return sum(c.standard_error for c in found.contributions)

    adjusted_error = error()
    monkeypatch.setattr("medcore.explanation.shapley.regression_adjusted.MOST_PLAYERS", 0)
    assert adjusted_error < error() / 2
