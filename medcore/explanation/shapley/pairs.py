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

from medcore.explanation.shapley.game import Floats, Game
from medcore.explanation.shapley.leading import FLATTEST, FirstLeads, Lead, ToldPairs, first_leads, steepness
from medcore.explanation.shapley.sampling import MANY_ROWS

Ints = NDArray[np.intp]

FEWEST_ROUNDS = 2
"""With one, nothing tells how much a background row's own coalitions differ."""
EXACT, FAR = 16, 0.15
"""So many columns at most, those that change most, are flipped exactly: a slope does not tell of a large change. One of
less than this on log odds is told by the slopes at both its ends to a hundredth or two of itself (w² / 12 of it, about)."""
AT_ONCE = 100
"""Pairs that are asked about before it is seen whether they are enough."""
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

    A round is one coalition with its opposite for every background row, in the first two; then more often for
    those rows about which columns change most, for a few rows may make most of the errors. Rounds end when so many have been asked
    about as take as long as ``max_evaluations`` composite rows; there are two at least. They also end, perhaps before
    anything is yielded, where slopes miss so much that changes do not add up by ``MOST_LACKING``.
    """
    asking = _Asking.of(game, np.random.default_rng([seed, 2]))
    able, everybody = asking.able, np.arange(len(asking.able))
    n_most = max(FEWEST_ROUNDS * len(able), max_evaluations // cost(1, 1))
    first, second = (asking.told(everybody) for _ in range(FEWEST_ROUNDS))
    led = first_leads(game, able, first, second)
    found, lead = _Pairs.of(led), None
    worth = worth_of(game.weights[able], found.first + found.total / 2)
    while True:
        values, errors, lacking = found.adding_up(game, able)
        if lacking > MOST_LACKING * float(np.abs(values).sum()):
            return
        yield values, errors
        n_next = min(AT_ONCE, len(able), n_most - int(found.n.sum()))
        if n_next <= 0:
            return
        rows = next_rows(worth, found.n, n_next)
        lead = lead or Lead.of(game, able, [first, second], led.share)
        found.add(rows, lead.leads(asking.told(rows), rows))


@dataclass(slots=True)
class _Asking:
    """Asks about pairs of coalitions of the background rows ``able``; ``n`` (m,) were asked about each, and ``largest`` columns are flipped."""

    game: Game
    generator: np.random.Generator
    able: Ints
    shift: Floats
    n: Ints
    largest: Ints | None = None

    @classmethod
    def of(cls, game: Game, generator: np.random.Generator) -> _Asking:
        able = np.flatnonzero(game.differs.any(axis=1))
        shift = (generator.permutation(len(able)) + generator.random(len(able))) / max(1, len(able))
        return cls(game, generator, able, shift, np.zeros(len(able), np.intp))

    def told(self, rows: Ints) -> ToldPairs:
        """Ask about one coalition and its opposite for each of ``rows`` (k,) of the able ones, of which one may be there several times."""
        game, before = self.game, np.array([(rows[:at] == row).sum() for at, row in enumerate(rows)])
        q = (self.shift[rows] / 2 + [spread_of(int(n)) for n in self.n[rows] + before]) % 0.5
        np.add.at(self.n, rows, 1)
        differs = game.differs[self.able[rows]]
        present = (self.generator.random(differs.shape) < q[:, None]) & differs
        pairs = game.pairs(self.able[rows], present)
        slopes = pairs.changes() * differs
        if self.largest is None:
            self.largest = largest_changes(game, self.able, pairs.outputs, slopes)
        changes, by_slopes = slopes.copy(), np.full(slopes.shape[1], pairs.by_slopes)
        by_slopes[self.largest] = 0.0
        if len(self.largest):
            changes[:, self.largest] = pairs.exactly(self.largest) * differs[:, self.largest]
        return ToldPairs(present, pairs.outputs, slopes, changes, by_slopes)


def worth_of(weights: Floats, changes: Floats) -> Floats:
    """Return what share of further pairs background rows (m,) are to have: half alike, half by how much columns change about them.

    The errors go by that, and it is not how far the first pairs were apart, so that the errors stay what they are said to be.
    """
    sizes = weights * np.abs(changes).sum(axis=1)
    return np.asarray(0.5 / len(sizes) + 0.5 * sizes / max(float(sizes.sum()), 1e-300))


def next_rows(worth: Floats, n: Ints, n_next: int) -> Ints:
    """Return the rows (n_next,) that lack most to their share of all pairs, a row as often as it does."""
    counts, chosen = n.astype(np.float64), []
    for _ in range(n_next):
        chosen.append(int(np.argmax(worth / counts)))
        counts[chosen[-1]] += 1.0
    return np.asarray(chosen, np.intp)


def largest_changes(game: Game, able: Ints, outputs: Floats, slopes: Floats) -> Ints:
    """Return the columns that are flipped exactly: those that change most, of which on log odds each moves a patient ``FAR``."""
    changed = game.weights[able] @ np.abs(slopes)
    most = np.argsort(-changed)[:EXACT]
    if game.scale == "probability":
        changed = changed / max(float(game.weights[able] @ steepness(outputs).mean(axis=0)), FLATTEST)
    return np.sort(most if game.scale == "value" else most[changed[most] >= FAR])


def spread_of(n: int) -> float:
    """Return the n-th of points that fill 0 to 1/2 evenly however many there are (van der Corput), for q and 1 − q go together.

    >>> [spread_of(n) for n in range(4)]
    [0.0, 0.25, 0.125, 0.375]
    """
    found, step = 0.0, 0.25
    while n:
        found, n, step = found + step * (n & 1), n >> 1, step / 2
    return found


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
    n: Ints
    moved: tuple[Floats, Floats]

    @classmethod
    def of(cls, led: FirstLeads) -> _Pairs:
        """Begin with two pairs of each row, each of which was led by the other.

        So they are not independent: what they have in common does not show in how far they are apart, but in the mean
        product of what they were ``moved`` by, which is 0 for any other two.
        """
        first, second = led.changes
        zero, alone = np.zeros_like(first), np.zeros(len(first))
        found = cls(first, zero, zero.copy(), zero.copy(), alone, alone.copy(), np.ones(len(first), np.intp), led.moved)
        found.add(np.arange(len(first)), second)
        return found

    def add(self, rows: Ints, pairs: Floats) -> None:
        """Take in further pairs (k, P) of background rows (k,)."""
        apart = pairs - self.first[rows]
        whole = apart.sum(axis=1)
        np.add.at(self.total, rows, apart)
        np.add.at(self.squares, rows, apart**2)
        np.add.at(self.crossed, rows, apart * whole[:, None])
        np.add.at(self.whole, rows, whole)
        np.add.at(self.whole_squares, rows, whole**2)
        np.add.at(self.n, rows, 1)

    def adding_up(self, game: Game, able: Ints) -> tuple[Floats, Floats, float]:
        """Return the values (P,) that add up to the patient's output, their standard errors (P,), and what they lacked beyond chance.

        The errors know of it: it is laid on the columns as what goes with the sum.
        """
        n, weights = self.n[:, None], game.weights[able]
        values = weights @ (self.first + self.total / n)
        squares = self.squares - self.total**2 / n
        crossed = self.crossed - self.total * self.whole[:, None] / n
        whole = self.whole_squares - self.whole**2 / self.n
        scale = weights**2 / (self.n * (self.n - 1))
        variance, sizes = float(scale @ whole), np.abs(values)
        shares = scale @ crossed / variance if variance > 0 else sizes / max(float(sizes.sum()), 1e-300)
        lacking = game.grand_and_empty[0] - game.base_value - float(values.sum())
        left = squares - 2 * shares * crossed + shares**2 * whole[:, None]
        judged = int((self.n - 1).sum()) >= MANY_ROWS  # fewer do not say what chance is
        beyond = float(np.sqrt(max(lacking**2 - CHANCE**2 * variance, 0.0))) if judged else 0.0
        one, other = (each - shares * each.sum(axis=1)[:, None] for each in self.moved)
        in_common = np.maximum(2 * scale @ (one * other), 0.0)
        errors = np.sqrt(scale @ np.maximum(left, 0.0) + in_common + (shares * beyond) ** 2)
        return values + shares * lacking, errors, beyond
