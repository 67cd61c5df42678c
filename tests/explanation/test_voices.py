"""Models that are each asked about coalitions of their own, against counting out."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from medcore.explanation.shapley import exact, voices
from medcore.explanation.shapley.game import Game
from medcore.explanation.shapley.surrogate import Surrogate

SHARES = np.array([0.4, 0.25, 0.2, 0.15])


def logistic(score):
    return 1 / (1 + np.exp(-score))


def turned(codes, v):
    """What each column of codes (n, P) adds to the scores of one of four models without a bend, (n, P)."""
    return codes * np.roll(np.linspace(-1, 1, codes.shape[1]), v)


def score(codes, v, bend=1.0):
    """What one of four models makes of codes (n, P), (n,): a sum of its own, with an interaction and a bend that they share."""
    return turned(codes, v).sum(axis=1) + bend * (0.5 * codes[:, 0] * codes[:, 1] - 0.3 * codes[:, v] ** 2)


@dataclass
class Made:
    """Four models and their mean, which may be recalibrated."""

    settle: object = None
    bend: float = 1.0
    by_slopes: bool = False

    def each(self, codes):
        return np.stack([self.of_one(codes, v) for v in range(len(SHARES))])

    def of_one(self, codes, v):
        return logistic(score(codes, v, self.bend))

    def settled(self, mean, class_index):
        assert class_index == 1
        return mean if self.settle is None else self.settle(mean)

    def for_patient(self, row, background):
        return MadePatient(self, row, background)

    def __call__(self, codes):
        p = self.settled(SHARES @ self.each(codes), 1)
        return np.column_stack([1 - p, p])


@dataclass
class MadePatient:
    """The models with a patient and a background; what is told by slopes is the exact slope of a straight model."""

    model: Made
    row: np.ndarray
    background: np.ndarray
    can_pair: bool = True
    voices: np.ndarray = field(default_factory=lambda: SHARES)

    @property
    def is_mean(self):
        return self.model.settle is None

    def settled(self, mean, class_index):
        return self.model.settled(mean, class_index)

    def grand_and_empty(self):
        return self.model(self.row[None])[0], self.model(self.background)

    def risk(self, rows, present):
        return self.model(np.where(present, self.row, self.background[rows]))

    def pairs(self, rows, present, output):
        raise AssertionError("all models at once")

    def apart(self, rows, present, halves, class_index):
        return Asked(self, rows, present)


@dataclass
class Asked:
    """Coalitions (4, n, P) of the models' own, and their opposites."""

    of: MadePatient
    rows: np.ndarray
    present: np.ndarray

    @property
    def by_slopes(self):
        return np.full(len(SHARES), self.of.model.by_slopes)

    def told(self, masks):
        codes = [np.where(mask, self.of.row, self.of.background[self.rows]) for mask in masks]
        return np.stack([self.of.model.of_one(own, v) for v, own in enumerate(codes)])

    @property
    def outputs(self):
        return np.stack([self.told(self.present), self.told(~self.present)], axis=1)

    @property
    def ends(self):
        return self.of.model.each(np.vstack([self.of.row[None], self.of.background[self.rows]]))

    @property
    def directions(self):
        apart = self.of.row - self.of.background[self.rows]
        return np.stack([turned(apart, v) for v in range(len(SHARES))])

    @property
    def changes(self):
        return self.weighed(np.ones((2, len(self.rows))))

    def weighed(self, worth):
        if self.of.model.by_slopes:
            slopes = self.outputs * (1 - self.outputs) * worth / 2
            return self.directions * slopes.sum(axis=1)[..., None]
        here, flipped = self.outputs, self.flipped(np.arange(len(self.of.row)))
        signs = np.where(self.present, 0.5, -0.5)
        apart = (here[..., None] - flipped) * worth[:, :, None]
        return signs * (apart[:, 0] - apart[:, 1])

    def flipped(self, columns):
        one = np.eye(len(self.of.row), dtype=bool)[columns]
        both = [[self.told(mask ^ own) for own in one] for mask in (self.present, ~self.present)]
        return np.moveaxis(np.array(both), (0, 1), (1, -1))


def platt(mean):
    return logistic(0.8 + 1.6 * np.log(mean / (1 - mean)))


def game_of(model, row, background):
    return Game.of(model, row, background, class_index=1, scale="probability")


@pytest.fixture
def all_counted(monkeypatch):
    """Six columns are too few for their sum to be normal: all are counted out."""
    monkeypatch.setattr(voices, "COUNTED", 6)


@pytest.mark.usefixtures("all_counted")
@pytest.mark.parametrize("settle", [None, platt])
def test_the_values_are_those_of_counting_out_and_the_errors_cover(settle):
    rng = np.random.default_rng(0)
    row, background = rng.normal(size=6) + 1.5, rng.normal(size=(12, 6))
    background[3:6, 2:4] = row[2:4]
    true = exact.shapley_values(game_of(Made(settle), row, background))
    inside, apart = [], []
    for seed in range(60):
        game = game_of(Made(settle), row, background)
        values, errors = list(voices.rounds(game, seed=seed, max_evaluations=200))[-1]
        assert abs(values.sum() - (game.grand_and_empty[0] - game.base_value)) < 1e-12
        inside.append(np.abs(values - true) <= 1.96 * errors)
        apart.append(values - true)
    assert np.mean(inside) > 0.92  # above 0.98 too: what functions miss of a model counts as chance
    assert np.mean(np.abs(apart)) < 0.1 * np.abs(true).mean()
    assert (np.abs(np.mean(apart, axis=0)) < 4 * np.std(apart, axis=0) / np.sqrt(60) + 1e-4).all()


def test_logistic_functions_of_sums_are_known_after_one_round_of_slopes(monkeypatch):
    """A column's slope is told at the end where it is, so that without what slopes miss the second order would remain."""
    monkeypatch.setattr("medcore.explanation.shapley.pairs.EXACT", 0)
    rng = np.random.default_rng(1)
    background = 0.1 * rng.normal(size=(6, 60))
    row = 0.15 * np.sign(np.linspace(-1, 1, 60)) + 0.05 * rng.normal(size=60)
    model, true = Made(bend=0.0, by_slopes=True), np.zeros(60)
    for v, share in enumerate(SHARES):
        function = Surrogate(score(background, v, 0.0), turned(row - background, v), 0.0, 1.0)
        players = np.tile(np.arange(60, dtype=np.int32), (6, 1))
        true += share * function.shapley_values(players, np.full(6, 60)).mean(axis=0)
    values, errors = next(voices.rounds(game_of(model, row, background), seed=0, max_evaluations=0))
    np.testing.assert_allclose(values, true, atol=4e-5)
    assert (errors < 1e-6).all()
    monkeypatch.setattr(voices.Derivatives, "missed", lambda _self, weights: np.zeros(weights.shape))
    values, _errors = next(voices.rounds(game_of(model, row, background), seed=0, max_evaluations=0))
    assert np.abs(values - true).max() > 1e-4


def test_derivatives_are_means_over_coalitions():
    rng = np.random.default_rng(2)
    start, weights = rng.normal(size=3), 0.2 * rng.normal(size=(3, 200))
    weights[:, 0] = 2.0
    found = voices.Derivatives.of(start, weights)
    q = (np.arange(40_000) + 0.5) / 40_000
    drawn = rng.random((40_000, 200)) < q[:, None]
    risk = logistic(start[:, None] + weights @ drawn.T)
    steep = risk * (1 - risk)
    turned = (q - 0.5) * steep * (1 - 2 * risk)
    for mean, each in ((found.steep, steep), (found.turned, turned), (found.bent, steep * (1 - 6 * steep))):
        chance = each.std(axis=1) / np.sqrt(each.shape[1])
        assert (np.abs(mean - each.mean(axis=1)) < 4 * chance + 1e-4).all()


def test_columns_that_everybody_shares_contribute_nothing():
    rng = np.random.default_rng(3)
    row, background = rng.normal(size=9), rng.normal(size=(6, 9))
    background[:, 4], background[2] = row[4], row
    *_, (values, errors) = voices.rounds(game_of(Made(platt), row, background), seed=0, max_evaluations=100)
    assert values[4] == errors[4] == 0
