"""Shapley values by permutations that balance one another, for games too large to count out.

Each walk draws, for one background row, an order of the columns and its reverse, evaluates the model along both, from
the background row to the patient, and credits each column with its marginal change. A pair of reversed orders is
exact for a game of single columns and pairs of columns (only interactions of three and more leave an error), and
because every background row has its own orders, their errors average out (the game is a mean over background rows).
Where they are paid for, the same order with each of its halves reversed goes with it, and the reverse of that: a
column that was changed first or last is then changed in the middle too, which takes a third to three quarters of the
variance away. Every permutation begins at the background row and ends at the patient, so that the
contributions sum to the difference of both at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import MAX_CELLS, Floats, Game

Ints = NDArray[np.intp]

TOGETHER = 100_000
"""Composite rows that are asked about together, about."""
MANY_ROWS = 30
"""So many background rows and more tell of errors by themselves; so many further walks tell of the error of walks."""
SEGMENT_LENGTH = 5
"""Length of the segments into which a permutation is cut; found with the two below by trials on the networks of benchmarks/explanation.py."""
SATURATED = 0.003
"""A risk is saturated when it is this near to 0 or 1, as a share of how far the patient is from the background."""
LEAST_PROBABILITY = 0.1
"""Minimum probability of evaluating a saturated segment."""


def sweep_cost(game: Game) -> int:
    """Return how many composite rows one sweep asks about at most."""
    return int(2 * np.maximum(game.differs.sum(axis=1) - 1, 0).sum())


def most_sweep_cost(n_rows: int, n_columns: int) -> int:
    """Return how many composite rows a sweep and the patient's and the background's own risks take at most.

    >>> most_sweep_cost(100, 30)
    5901
    """
    return n_rows * (2 * (n_columns - 1) + 1) + 1


Answer = tuple[Floats, Floats, bool]
"""Values so far (P,), their standard errors (P,), and whether the spread of walks tells these: else they are upper estimates."""


def sweeps(game: Game, *, seed: int, max_evaluations: int) -> Iterator[Answer]:
    """Yield, after every portion of walks, the values so far.

    First every background row is walked from once; then some again, in turns. With few background rows
    each is walked from twice at least; with many rows and less than a walk from each to spend there is half of one.
    """
    walks = Walks(game, np.random.default_rng(seed))
    cost, m = sweep_cost(game), len(game.background)
    if m >= MANY_ROWS and game.counter.n + cost > max_evaluations:
        yield (*_half(game, walks.generator), False)
        return
    walks.in_fours = game.counter.n + 2 * cost * (1 + MANY_ROWS / m) <= max_evaluations
    walks.from_each()
    yield walks.answer()
    while True:
        affordable = int((max_evaluations - game.counter.n) // max(1.0, walks.cost))
        n = min(walks.next_portion, affordable)
        if m < MANY_ROWS and walks.n.min() < 2:
            n = m
        if n < 1:
            return
        walks.go_on(n)
        yield walks.answer()


@dataclass(slots=True)
class Walks:
    """Walks from the background rows of a game, ``n`` (m,) of each: their mean (m, P) and the squares of what they differ from it by.

    ``in_fours`` says whether a walk is four permutations, else it is two.
    """

    game: Game
    generator: np.random.Generator
    in_fours: bool = True
    n: Ints = field(init=False)
    mean: Floats = field(init=False)
    squares: Floats = field(init=False)
    turns: Ints = field(init=False)
    """The order in which rows have their turns, the next one first."""

    def __post_init__(self) -> None:
        shape = self.game.differs.shape
        self.n, self.mean, self.squares = np.zeros(shape[0], np.intp), np.zeros(shape), np.zeros(shape)
        self.turns = self.generator.permutation(shape[0])

    @property
    def cost(self) -> float:
        """How many composite rows one walk asks about, in the mean."""
        return (1 + self.in_fours) * sweep_cost(self.game) / len(self.n)

    @property
    def next_portion(self) -> int:
        """How many walks to take together: half as many as there are, but no more than one from each row."""
        n = min(max(MANY_ROWS, int(self.n.sum()) // 2), int(TOGETHER / max(1.0, self.cost)), len(self.n))
        return max(1, n)

    def from_each(self) -> None:
        """Walk from every row once."""
        size = max(1, int(TOGETHER / max(1.0, self.cost)))
        for start in range(0, len(self.n), size):
            self._take(np.arange(start, min(start + size, len(self.n))))

    def go_on(self, n: int) -> None:
        """Walk from the ``n`` rows whose turn it is."""
        rows, self.turns = np.sort(self.turns[:n]), np.roll(self.turns, -n)
        self._take(rows)

    def _take(self, rows: Ints) -> None:
        found = _walks(self.game, rows, self.generator, in_fours=self.in_fours)
        self.n[rows] += 1
        change = found - self.mean[rows]
        self.mean[rows] += change / self.n[rows, None]
        self.squares[rows] += change * (found - self.mean[rows])

    def answer(self) -> Answer:
        """Return the values so far, their standard errors, and whether enough rows were walked from again to tell these.

        The errors come from the spread of walks from the same row, pooled over the rows. Before any row was walked
        from again they come from the spread between the rows, which is larger.
        """
        weights, again = self.game.weights, self.n > 1
        values = weights @ self.mean
        if not again.any():
            return values, between_rows(weights, self.mean), False
        squares = weights[again] ** 2
        spread = squares @ self.squares[again] / (squares @ (self.n[again] - 1))
        errors = np.sqrt(float((weights**2 / self.n).sum()) * spread)
        return values, errors, int((self.n - 1).sum()) >= MANY_ROWS


def _half(game: Game, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Evaluate one permutation per background row, for every second one the reverse of the row before."""
    keys = generator.random(game.differs.shape)
    keys[1::2] = 1.0 - keys[0::2][: len(keys) // 2]
    orders = np.argsort(np.where(game.differs, keys, -1.0), axis=1, kind="stable")
    changed = _marginal_changes(game, np.arange(len(orders)), orders, generator)
    first = np.arange(0, len(changed), 2)
    weights = np.add.reduceat(game.weights, first)
    pairs = np.add.reduceat(game.weights[:, None] * changed, first) / weights[:, None]
    return weights @ pairs, between_rows(weights, pairs)


def between_rows(weights: Floats, found: Floats) -> Floats:
    """Return standard errors (P,) from the spread of what was ``found`` (m, P) between the rows: an upper estimate."""
    if len(weights) < MANY_ROWS / 2:
        return np.where(len(weights) > 0, np.full(found.shape[1], np.inf), 0.0)
    return np.asarray(np.sqrt(weights**2 @ (found - weights @ found) ** 2 / (1 - weights @ weights)))


def permutations_seen(game: Game) -> float:
    """Return how often a column has been seen to change, about."""
    return float(game.counter.n / game.differs.sum(axis=1).mean())


def moderated(game: Game, errors: Floats, n: float) -> Floats:
    """Draw each column's variance towards the mean of all by one time, as if it had been seen once among n.

    A column that matters only together with a rare value of another may show no
    spread at all in n permutations; that is no proof that it never matters. (Moderated
    variances: Smyth, 2004.) Columns that the patient shares with every background
    row keep an error of 0.
    """
    active = game.differs.any(axis=0)
    if not active.any():
        return errors
    squares = errors**2
    return np.where(active, np.sqrt((n * squares + squares[active].mean()) / (n + 1)), errors)


def _walks(game: Game, rows: Ints, generator: np.random.Generator, *, in_fours: bool) -> Floats:
    """Return each background row's contributions (w, P) from an order and its reverse, and the same of its halves reversed."""
    differs = game.differs[rows]
    keys = generator.random(differs.shape)
    order = np.argsort(np.where(differs, keys, -1.0), axis=1, kind="stable")  # columns that cannot matter first
    place, idle = np.arange(differs.shape[1]), (~differs).sum(axis=1)[:, None]
    middle, last = idle + (len(place) - idle) // 2, len(place) - 1
    back = np.where(place >= idle, last - place + idle, place)
    halves = np.where(place < idle, place, np.where(place < middle, idle + middle - 1 - place, middle + last - place))
    orders = [order, np.take_along_axis(order, back, axis=1)]
    if in_fours:
        orders += [np.take_along_axis(each, halves, axis=1) for each in orders]
    changed = _marginal_changes(game, np.tile(rows, len(orders)), np.concatenate(orders), generator)
    return np.asarray(changed.reshape(len(orders), *differs.shape).mean(axis=0))


def _marginal_changes(game: Game, rows: Ints, orders: Ints, generator: np.random.Generator) -> Floats:
    """Return the marginal change of every column along permutations, ``orders`` (w, P) from background rows (w,)."""
    n_permutations, n_columns = orders.shape
    at_patient, at_background = game.grand_and_empty
    idle = (~game.differs).sum(axis=1)[rows]
    outputs = np.repeat(at_background[rows, None], n_columns + 1, axis=1)
    outputs[:, -1] = np.where(idle < n_columns, at_patient, at_background[rows])
    position = np.empty(orders.shape, np.int32)
    np.put_along_axis(position, orders, np.broadcast_to(np.arange(n_columns, dtype=np.int32), orders.shape), axis=1)
    n_chunk = max(1, MAX_CELLS // max(1, n_columns**2))
    for start in range(0, n_permutations, n_chunk):
        part = slice(start, start + n_chunk)
        _fill(_Permutations(game, rows[part], position[part], idle[part], outputs[part]), generator)
    changed = np.zeros((n_permutations, n_columns))
    np.put_along_axis(changed, orders, np.diff(outputs, axis=1), axis=1)
    return changed


@dataclass(frozen=True, slots=True)
class _Permutations:
    """Permutations from background rows (w,): each column's position (w, P), number of idle columns (w,), outputs along them (w, P + 1)."""

    game: Game
    rows: Ints
    position: NDArray[np.int32]
    idle: Ints
    outputs: Floats

    def ask(self, where: NDArray[np.bool_]) -> None:
        """Evaluate the places ``where`` (w, P + 1) that lie between both ends, and keep the outputs."""
        permutation, step = np.nonzero(where)
        if not permutation.size:  # both ends saturated alike everywhere
            return
        present = self.position[permutation] < step.astype(np.int32)[:, None]
        self.outputs[permutation, step] = self.game.coalition_values(self.rows[permutation], present)


def _fill(permutations: _Permutations, generator: np.random.Generator) -> None:
    """Evaluate the permutations everywhere, or on the probability scale in the segments that matter.

    Many networks are saturated (a risk near 0 or 1) along most of a permutation. A
    segment that is saturated alike at both ends is evaluated with probability
    ``LEAST_PROBABILITY`` only, and its deviations from the straight line between its
    ends are then weighted by the inverse; else it is interpolated. So no contribution
    is biased, and the ends of the permutation are exact.
    """
    game, n_columns = permutations.game, permutations.position.shape[1]
    place = np.arange(n_columns + 1)
    between = (place > permutations.idle[:, None]) & (place < n_columns)
    if game.scale != "probability" or n_columns < 4 * SEGMENT_LENGTH:
        permutations.ask(between)
        return
    starts = (place % SEGMENT_LENGTH == 0) & (place <= n_columns - SEGMENT_LENGTH)
    permutations.ask(between & starts)
    knots = np.append(np.flatnonzero(starts), n_columns)
    segment = np.searchsorted(knots, place, side="right") - 1
    low, high = permutations.outputs[:, knots[:-1]], permutations.outputs[:, knots[1:]]
    near = SATURATED * float(game.weights @ np.abs(game.grand_and_empty[1] - game.grand_and_empty[0]))
    saturated = (np.maximum(low, high) < near) | (np.minimum(low, high) > 1 - near)
    asked = ~saturated | (generator.random(saturated.shape) < LEAST_PROBABILITY)
    inner = np.flatnonzero(~starts[:-1])
    of = segment[inner]
    share = (inner - knots[of]) / (knots[of + 1] - knots[of])
    interpolated = low[:, of] + share * (high - low)[:, of]
    where = np.zeros_like(between)
    where[:, inner] = asked[:, of] & between[:, inner]
    permutations.ask(where)
    found = interpolated + np.where(saturated, 1 / LEAST_PROBABILITY, 1.0)[:, of] * (
        permutations.outputs[:, inner] - interpolated
    )
    kept = between[:, inner]
    permutations.outputs[:, inner] = np.where(
        kept, np.where(asked[:, of], found, interpolated), permutations.outputs[:, inner]
    )
