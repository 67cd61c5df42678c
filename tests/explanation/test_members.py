"""A model that is the mean of others is explained member by member, and what a member knows exactly is exact."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from medcore.explanation import explain
from medcore.explanation.shapley import members, sampling
from medcore.explanation.shapley.game import Game
from medcore.features import Rows
from medcore.models.learners.forest import ForestPart

N, P = 40, 8
RNG = np.random.default_rng(0)
BACKGROUND, ROW = RNG.normal(size=(N, P)), RNG.normal(size=P)
WEIGHTS = (0.7, 0.3)


def bent(codes):
    """Two columns together, and a bend of all."""
    return 1 / (1 + np.exp(-codes @ np.linspace(-1, 1, P) - codes[:, 0] * codes[:, 1]))


def straight(codes):
    return 0.5 + codes @ np.linspace(0.02, 0.05, P)


@dataclass(frozen=True)
class Known:
    """A function of codes that knows patient and background."""

    function: object

    def risk(self, rows, present):
        p = self.function(np.where(present, ROW, BACKGROUND[rows]))
        return np.column_stack([1 - p, p])

    def grand_and_empty(self):
        p, others = self.function(ROW[None]), self.function(BACKGROUND)
        return np.append(1 - p, p), np.column_stack([1 - others, others])


@dataclass(frozen=True)
class One:
    weight: float
    share: float
    model: Known
    exact: np.ndarray | None


class Mean(Known):
    """The mean of both, of which the straight one may know its values."""

    def summands(self):
        steps = (ROW - BACKGROUND) * np.linspace(0.02, 0.05, P)
        exact = np.stack([-steps, steps], axis=2) if KNOWS[0] else None
        return (
            One(WEIGHTS[0], 0.9, Known(bent), None),
            One(WEIGHTS[1], 0.1, Known(straight), exact),
        )


KNOWS = [False]


class Model:
    def __call__(self, codes):
        p = pooled(codes)
        return np.column_stack([1 - p, p])

    def for_patient(self, _row, _background):
        return Mean(pooled)


def pooled(codes):
    return WEIGHTS[0] * bent(codes) + WEIGHTS[1] * straight(codes)


@pytest.mark.parametrize("knows", [False, True], ids=["both sampled", "one known"])
@pytest.mark.parametrize("seed", [0, 1])
def test_members_one_by_one_give_the_values_of_the_mean(knows, seed, monkeypatch) -> None:
    monkeypatch.setitem(globals(), "KNOWS", [knows])
    game = Game.of(Model(), ROW, BACKGROUND, class_index=1, scale="probability")
    *_, (values, errors, known) = members.sweeps(game, seed=seed, max_evaluations=8_000)
    names = [str(i) for i in range(P)]
    true = explain(lambda codes: Model()(codes), ROW, BACKGROUND, columns=names)
    assert true.method == "exact"
    truth = np.array([c.contribution for c in true.contributions])
    assert known
    assert game.counter.n <= 8_000
    assert abs(values.sum() - (game.grand_and_empty[0] - game.base_value)) < 1e-12
    assert (np.abs(values - truth) <= 4 * errors + 1e-12).all()
    assert errors.sum() < 0.02 * np.abs(truth).sum()


def test_the_errors_of_four_permutations_are_those_of_many_answers() -> None:
    model = Known(bent)
    answers, told = [], []
    for seed in range(30):
        game = Game.of(lambda codes: model.function(codes)[:, None], ROW, BACKGROUND, class_index=0, scale="value")
        walks = sampling.Walks(game, np.random.default_rng(seed))
        walks.from_each()
        walks.go_on(N)
        values, errors, _known = walks.answer()
        answers.append(values)
        told.append(errors)
    spread, mean = np.std(answers, axis=0, ddof=1), np.sqrt(np.mean(np.square(told), axis=0))
    assert 0.75 < spread.sum() / mean.sum() < 1.3


def test_a_forest_knows_its_values_exactly() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=(200, 5))
    outcome = (table[:, 0] * table[:, 1] + table[:, 2] > 0).astype(int)
    forest = ForestPart(RandomForestClassifier(20, random_state=0, min_samples_leaf=3).fit(table, outcome), (0, 1), 2)
    row, background = table[:1], table[1:15]
    patient = forest.coalitions().prepare(Rows.of(background), 14, kept=True).against(Rows.of(row))
    found = patient.shapley_values().mean(axis=0)
    true = explain(lambda codes: forest.risk(Rows.of(codes)), row[0], background, columns=list("abcde"))
    assert true.method == "exact"
    np.testing.assert_allclose(found[:, 1], [c.contribution for c in true.contributions], atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-12)
