"""Coalitions that tell of every column at once, against counting out and against permutations."""

from dataclasses import dataclass

import numpy as np
import pytest

from medcore.explanation import explain
from medcore.explanation.shapley import exact, leading, pairs, regression_adjusted
from medcore.explanation.shapley.game import Game


@dataclass
class Made:
    """A model of the second class's risk ``of`` codes (n, P), that asks about each column."""

    of: object
    can_pair: bool = True

    def __call__(self, codes):
        p = self.of(codes)
        return np.column_stack([1 - p, p])

    def for_patient(self, row, background):
        return MadePatient(self, row, background)


@dataclass
class MadePatient:
    """A made model that knows its patient and the background."""

    model: Made
    row: np.ndarray
    background: np.ndarray

    @property
    def can_pair(self):
        return self.model.can_pair

    def grand_and_empty(self):
        return self.model(self.row[None])[0], self.model(self.background)

    def risk(self, rows, present):
        return self.model(np.where(present, self.row, self.background[rows]))

    def pairs(self, rows, present, output):
        return Asked(self, rows, present, output)


@dataclass
class Asked:
    """Coalitions and opposites of a made model."""

    model: MadePatient
    rows: np.ndarray
    present: np.ndarray
    output: object
    by_slopes = 0.0

    @property
    def outputs(self):
        return np.stack([self.output(self.model.risk(self.rows, mask)) for mask in (self.present, ~self.present)])

    def exactly(self, columns):
        return np.mean([self.change(present)[:, columns] for present in (self.present, ~self.present)], axis=0)

    def changes(self):
        return self.exactly(np.arange(self.present.shape[1]))

    def change(self, present):
        def told(mask):
            return self.output(self.model.risk(self.rows, mask))

        each = np.eye(present.shape[1], dtype=bool)
        return np.stack([told(present | one) - told(present & ~one) for one in each], axis=1)


def game_of(risk, row, background):
    return Game.of(risk, row, background, class_index=1, scale="probability")


def bent(codes):
    """A risk with a bend, an interaction of two and one of three columns."""
    score = (
        codes @ np.linspace(-1, 1, codes.shape[1]) + codes[:, 0] * codes[:, 1] - codes[:, 2] * codes[:, 3] * codes[:, 4]
    )
    return 1 / (1 + np.exp(-score))


def test_the_values_are_those_of_counting_out_and_the_errors_cover():
    rng = np.random.default_rng(0)
    row, background = rng.normal(size=8), rng.normal(size=(12, 8))
    background[3:6, 2:5] = row[2:5]
    true = exact.shapley_values(game_of(Made(bent), row, background))
    inside, apart = [], []
    for seed in range(60):
        game = game_of(Made(bent), row, background)
        values, errors = list(pairs.rounds(game, seed=seed, max_evaluations=1_600))[-1]
        assert abs(values.sum() - (game.grand_and_empty[0] - game.base_value)) < 1e-12
        inside.append(np.abs(values - true) <= 1.96 * errors)
        apart.append(values - true)
    assert 0.92 < np.mean(inside) < 0.98
    assert (np.abs(np.mean(apart, axis=0)) < 4 * np.std(apart, axis=0) / np.sqrt(60)).all()


def test_a_sum_over_the_columns_is_known_after_two_rounds():
    rng = np.random.default_rng(1)
    weights, row, background = 0.02 * rng.normal(size=30), rng.normal(size=30), rng.normal(size=(5, 30))
    game = game_of(Made(lambda codes: 0.5 + codes @ weights), row, background)
    values, errors = next(pairs.rounds(game, seed=0, max_evaluations=0))
    np.testing.assert_allclose(values, weights * (row - background.mean(axis=0)), atol=1e-12)
    np.testing.assert_allclose(errors, 0, atol=1e-12)


def test_a_logistic_function_of_a_sum_is_known_after_two_rounds_of_slopes(monkeypatch):
    rng = np.random.default_rng(5)
    weights, row, background = rng.normal(size=9), rng.normal(size=9), rng.normal(size=(6, 9))

    def risk(codes):
        return 1 / (1 + np.exp(1 - codes @ weights))

    class Slopes(Asked):
        by_slopes = 1.0

        def changes(self):
            apart = weights * (self.model.row - self.model.background[self.rows])
            return apart * (self.outputs * (1 - self.outputs)).mean(axis=0)[:, None]

    monkeypatch.setattr(pairs, "EXACT", 0)
    monkeypatch.setattr(MadePatient, "pairs", lambda self, *given: Slopes(self, *given))
    true = exact.shapley_values(game_of(Made(risk), row, background))
    values, _errors = next(pairs.rounds(game_of(Made(risk), row, background), seed=0, max_evaluations=0))
    np.testing.assert_allclose(values, true, atol=1e-6)
    monkeypatch.setattr(leading, "SHARES", (0.0,))
    values, _errors = next(pairs.rounds(game_of(Made(risk), row, background), seed=0, max_evaluations=0))
    assert np.abs(values - true).max() > 1e-3


@pytest.mark.parametrize("scale", ["probability", "log_odds"])
def test_a_wide_table_is_explained_as_by_permutations_and_asks_about_far_fewer_rows(monkeypatch, scale):
    rng = np.random.default_rng(2)
    row, background = 0.5 * rng.normal(size=40), 0.5 * rng.normal(size=(40, 40))
    monkeypatch.setattr(regression_adjusted, "MOST_PLAYERS", 20)
    found, walked = (
        explain(Made(bent, can), row, background, columns=[str(c) for c in range(40)], scale=scale, tolerance=0.01)
        for can in (True, False)
    )
    values, wanted = (np.array([(c.contribution, c.standard_error) for c in e.contributions]) for e in (found, walked))
    assert found.additivity_residual < 1e-12
    assert found.n_evaluations < walked.n_evaluations / 5
    assert values[:, 1].sum() <= 0.01 * np.abs(values[:, 0]).sum()
    assert (np.abs(values[:, 0] - wanted[:, 0]) < 5 * np.hypot(values[:, 1], wanted[:, 1])).all()


def test_columns_that_everybody_shares_contribute_nothing():
    rng = np.random.default_rng(3)
    row, background = rng.normal(size=9), rng.normal(size=(6, 9))
    background[:, 4], background[2] = row[4], row
    *_, (values, errors) = pairs.rounds(game_of(Made(bent), row, background), seed=0, max_evaluations=400)
    assert values[4] == errors[4] == 0


def test_where_slopes_miss_a_column_that_decides_alone_permutations_are_asked(monkeypatch):
    """The risk is nearly 0 or 1, flat at both ends; slopes say that nothing changes, and no column is asked about exactly."""
    rng = np.random.default_rng(4)
    row, background = np.append(3.0, 0.1 * rng.normal(size=29)), 0.1 * rng.normal(size=(40, 30))
    background[:, 0] = -3.0

    def steep(codes):
        return 1 / (1 + np.exp(-(4 * codes[:, 0] + codes[:, 1:].sum(axis=1))))

    class Slopes(Asked):
        def changes(self):
            return np.zeros(self.present.shape)

    monkeypatch.setattr(regression_adjusted, "MOST_PLAYERS", 20)
    monkeypatch.setattr(pairs, "EXACT", 0)
    monkeypatch.setattr(MadePatient, "pairs", lambda self, *given: Slopes(self, *given))
    found = explain(Made(steep), row, background, columns=[str(c) for c in range(30)], max_evaluations=20_000)
    assert found.contributions[0].contribution == pytest.approx(found.prediction - found.base_value, abs=0.02)
