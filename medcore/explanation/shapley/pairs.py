"""Shapley values of wide games by coalitions that tell of every column at once.

A Shapley value is the mean, over q from 0 to 1, of what a column changes about a coalition that holds every other
column with chance q (Owen, 1972). Where a model says of a coalition what having each column changes, such a coalition
tells of all columns; permutations ask about a composite row for each. Coalitions come with their opposites, and the q
of a background row are spread over 0 to 1. What the changes of a pair lack to the difference of patient and
background row, which is known, is a control variate: what usually goes with it is taken from every column, so that
the contributions add up. A change may be told by a slope, of which in the mean of a pair the second order falls out;
the columns that change most are flipped exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import AskedPairs, Floats, Game
from medcore.explanation.shapley.sampling import MANY_ROWS

Ints = NDArray[np.intp]

FEWEST_ROUNDS = 2
"""With one, nothing tells how much a background row's own coalitions differ."""
EXACT = 16
"""So many columns, those that change most, are flipped exactly: a slope does not tell of a large change."""
MOST_LACKING = 0.1
"""Share of the contributions that changes may lack, beyond chance: more is a column that decides alone, whose slope is flat at both ends."""
CHANCE = 4.0
"""Standard errors that what changes lack may be chance."""
WORTH = 2
"""Composite rows that a coalition with all its changes takes as long as, about: forth and back."""


def cost(n_background: int, n_rounds: int) -> int:
    """Return how many composite rows so many rounds against so many background rows take as long as, about."""
    return 2 * WORTH * n_background * n_rounds


def rounds(game: Game, *, seed: int, max_evaluations: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield, after every round but the first, the values so far (P,) and their standard errors (P,).

    A round is one coalition with its opposite for every background row. Rounds end when so many have been asked
    about as take as long as ``max_evaluations`` composite rows; there are two at least. They also end, perhaps before
    anything is yielded, where slopes miss so much that changes do not add up by ``MOST_LACKING``.
    """
    generator = np.random.default_rng([seed, 2])
    able = np.flatnonzero(game.differs.any(axis=1))
    n_most = max(FEWEST_ROUNDS, max_evaluations // max(1, cost(len(able), 1)))
    shift = (generator.permutation(len(able)) + generator.random(len(able))) / max(1, len(able))
    found: _Pairs | None = None
    largest = np.zeros(0, np.intp)
    for n in range(n_most):
        pairs = _asked(game, able, (shift / 2 + _spread(n)) % 0.5, generator)
        changes = pairs.changes() * game.differs[able]
        if found is None:
            largest = np.sort(np.argsort(-(game.weights[able] @ np.abs(changes)))[:EXACT])
        changes[:, largest] = pairs.exactly(largest) * game.differs[able][:, largest]
        if found is None:
            found = _Pairs.of(changes)
            continue
        found.add(changes)
        if n + 1 >= FEWEST_ROUNDS:
            values, errors, lacking = found.adding_up(game, able)
            if lacking > MOST_LACKING * float(np.abs(values).sum()):
                return
            yield values, errors


def _spread(n: int) -> float:
    """Return the n-th of points that fill 0 to 1/2 evenly however many there are (van der Corput), for q and 1 − q go together.

    >>> [_spread(n) for n in range(4)]
    [0.0, 0.25, 0.125, 0.375]
    """
    found, step = 0.0, 0.25
    while n:
        found, n, step = found + step * (n & 1), n >> 1, step / 2
    return found


def _asked(game: Game, able: Ints, q: Floats, generator: np.random.Generator) -> AskedPairs:
    """Ask about a coalition of chance ``q`` (m,) and its opposite, one pair a background row."""
    present = (generator.random((len(able), len(game.row))) < q[:, None]) & game.differs[able]
    return game.pairs(able, present)


@dataclass(slots=True)
class _Pairs:
    """What pairs of coalitions tell of each column against each background row (m, P), as sums of deviations from the first pair.

    ``squares`` are of each column's change, ``crossed`` with the sum of all columns', whose own sums and squares are
    ``whole`` (m,) and ``whole_squares`` (m,).
    """

    first: Floats
    total: Floats
    squares: Floats
    crossed: Floats
    whole: Floats
    whole_squares: Floats
    n: int = 1

    @classmethod
    def of(cls, first: Floats) -> _Pairs:
        zero = np.zeros_like(first)
        return cls(first, zero, zero.copy(), zero.copy(), np.zeros(len(first)), np.zeros(len(first)))

    def add(self, pairs: Floats) -> None:
        """Take in a further pair for each background row."""
        apart = pairs - self.first
        whole = apart.sum(axis=1)
        self.total += apart
        self.squares += apart**2
        self.crossed += apart * whole[:, None]
        self.whole += whole
        self.whole_squares += whole**2
        self.n += 1

    def adding_up(self, game: Game, able: Ints) -> tuple[Floats, Floats, float]:
        """Return the values (P,) that add up to the patient's output, their standard errors (P,), and what they lacked beyond chance.

        The errors know of it: it is laid on the columns as what goes with the sum.
        """
        n, weights = self.n, game.weights[able]
        values = weights @ (self.first + self.total / n)
        squares = self.squares - self.total**2 / n
        crossed = self.crossed - self.total * self.whole[:, None] / n
        whole = self.whole_squares - self.whole**2 / n
        scale = weights**2 / (n * (n - 1))
        variance, sizes = float(scale @ whole), np.abs(values)
        shares = scale @ crossed / variance if variance > 0 else sizes / max(float(sizes.sum()), 1e-300)
        lacking = game.grand_and_empty[0] - game.base_value - float(values.sum())
        left = squares - 2 * shares * crossed + shares**2 * whole[:, None]
        judged = len(able) * (n - 1) >= MANY_ROWS  # fewer do not say what chance is
        beyond = float(np.sqrt(max(lacking**2 - CHANCE**2 * variance, 0.0))) if judged else 0.0
        errors = np.sqrt(scale @ np.maximum(left, 0.0) + (shares * beyond) ** 2)
        return values + shares * lacking, errors, beyond
