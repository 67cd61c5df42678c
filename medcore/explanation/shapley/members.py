"""Shapley values of a model that is the weighted mean of others: each member by itself, with as much care as it needs.

Shapley values of a sum are the sums of Shapley values. What a member knows exactly is not sampled. The others are
walked from every background row once, some again, and from then on always that member whose next walks take most
from the variance for what they cost: a member of little weight that is slow to ask is asked little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medcore.explanation.shapley.game import Floats, Game, Summand
from medcore.explanation.shapley.sampling import MANY_ROWS, Answer, Walks, moderated, permutations_seen

LITTLE = 0.25
"""A member that makes less than this share of how patient and background rows differ is walked by two permutations, not four."""

LEAST = 0.1
"""Of a member that has less than this share of the variance nothing more is asked."""


@dataclass(slots=True)
class _Member:
    """A sampled member: its weight, its share of the work of a composite row, its walks, and its last answer."""

    weight: float
    share: float
    walks: Walks
    values: Floats
    errors: Floats
    known: bool = False

    @classmethod
    def of(cls, game: Game, summand: Summand, seed: int, place: int) -> _Member:
        walks = Walks(game.of_summand(summand), np.random.default_rng([seed, 3, place]))
        nothing = np.zeros(len(game.row))
        return cls(summand.weight, summand.share, walks, nothing, nothing)

    @property
    def moves(self) -> float:
        """How far it moves the patient from a background row, in the mean."""
        patient, others = self.walks.game.grand_and_empty
        return self.weight * float(self.walks.game.weights @ np.abs(patient - others))

    @property
    def spent(self) -> float:
        """Composite rows of the whole that it took the work of."""
        return self.share * self.walks.game.counter.n

    @property
    def cost(self) -> float:
        """What a walk takes, in composite rows of the whole."""
        return self.share * self.walks.cost

    @property
    def variance(self) -> float:
        """Its squared errors together."""
        return float((self.errors**2).sum())

    @property
    def gain(self) -> float:
        """What its next walk takes from the variance, for what it costs."""
        return self.variance / ((float(self.walks.n.sum()) + 1) * max(self.cost, 1e-9))

    def look(self) -> None:
        """Take in what its walks say."""
        values, errors, self.known = self.walks.answer()
        errors = moderated(self.walks.game, errors, permutations_seen(self.walks.game))
        self.values, self.errors = self.weight * values, self.weight * errors


def first_cost(game: Game) -> float:
    """Return how many composite rows walks from every row, and some of them again, take at most."""
    counts = np.maximum(game.differs.sum(axis=1) - 1, 0)
    return float(4 * counts.sum() * (1 + MANY_ROWS / len(game.background)))


def sweeps(game: Game, *, seed: int, max_evaluations: int) -> Iterator[Answer]:
    """Yield, once the error of every member is known, the values so far, their standard errors, and that these are known."""
    exact = np.zeros(len(game.row))
    members: list[_Member] = []
    for place, summand in enumerate(game.summands):
        if summand.exact is None:
            members.append(_Member.of(game, summand, seed, place))
        else:
            exact += summand.weight * (game.weights @ summand.exact[:, :, game.class_index])
    whole = sum(member.moves for member in members)
    for member in members:
        walks = member.walks
        walks.in_fours = member.moves >= LITTLE * whole
        walks.from_each()
        while not member.known:
            walks.go_on(walks.next_portion)
            member.look()
    before = game.counter.n
    while True:
        spent = sum(member.spent for member in members)
        game.counter.n = before + int(np.ceil(spent))
        values = exact + sum(member.values for member in members)
        errors = np.sqrt(sum((member.errors**2 for member in members), start=np.zeros(len(exact))))
        yield _adding_up(game, values), errors, True
        least = LEAST * float((errors**2).sum())
        able = [m for m in members if game.counter.n + m.cost * MANY_ROWS <= max_evaluations and m.variance > least]
        if not able:
            return
        best = max(able, key=lambda member: member.gain)
        left = int((max_evaluations - game.counter.n) / max(best.cost, 1e-9))
        best.walks.go_on(min(best.walks.next_portion, left))
        best.look()


def _adding_up(game: Game, values: Floats) -> Floats:
    """Spread what members were rounded by, which is next to nothing."""
    lacking = game.grand_and_empty[0] - game.base_value - float(values.sum())
    sizes = np.abs(values)
    return values + lacking * sizes / max(float(sizes.sum()), 1e-300)
