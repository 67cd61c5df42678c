"""Shapley values by antithetic permutations, for games too large to count out.

Each sweep draws, for every background row on its own, an order of the columns
and its reverse, evaluates the model along both, from the background row to the
patient, and credits each column with its marginal change. A pair of reversed orders is
exact for a game of single columns and pairs of columns (only interactions of
three and more leave an error), and because every background row has its own
orders, their errors average out (the game is a mean over background rows).
Every permutation begins at the background row and ends at the patient, so that the
contributions sum to the difference of both at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import MAX_CELLS, Floats, Game

Ints = NDArray[np.intp]

TOGETHER = 100_000
"""Composite rows that are asked about together, about."""
MANY_ROWS = 30
"""So many background rows and more tell of errors by themselves."""
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


def sweeps(game: Game, *, seed: int, max_evaluations: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield, after every sweep, the values so far (P,) and their standard errors (P,).

    The errors come from the spread between sweeps within each background row,
    pooled over the rows. After a single sweep they come from the spread between the
    rows, which is larger: an upper estimate. With few background rows there are at
    least two sweeps, and then as many as ``max_evaluations`` composite rows pay for;
    with many rows and less than a sweep to spend there is half a one.
    """
    generator = np.random.default_rng(seed)
    mean, squares = np.zeros(game.differs.shape), np.zeros(game.differs.shape)
    n, cost = 0, sweep_cost(game)
    many = len(game.background) >= MANY_ROWS
    if many and game.counter.n + cost > max_evaluations:
        yield _half(game, generator)
        return
    least = 1 if many else 2
    while n < least or game.counter.n + cost <= max_evaluations:
        affordable = (max_evaluations - game.counter.n) // max(1, cost)
        together = max(1, min(max(n, 2), -(-TOGETHER // max(1, cost)), affordable))
        for pair in _several(game, [_orders(game, generator) for _ in range(together)], generator):
            n += 1
            change = pair - mean
            mean += change / n
            squares += change * (pair - mean)
            yield game.weights @ mean, _standard_errors(game.weights, mean, squares, n)


def _half(game: Game, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Evaluate one permutation per background row, for every second one the reverse of the row before."""
    keys = generator.random(game.differs.shape)
    keys[1::2] = 1.0 - keys[0::2][: len(keys) // 2]
    orders = np.argsort(np.where(game.differs, keys, -1.0), axis=1, kind="stable")
    changed = _marginal_changes(game, orders, (~game.differs).sum(axis=1), generator)
    first = np.arange(0, len(changed), 2)
    weights = np.add.reduceat(game.weights, first)
    pairs = np.add.reduceat(game.weights[:, None] * changed, first) / weights[:, None]
    return weights @ pairs, _standard_errors(weights, pairs, pairs, 1)


def _standard_errors(weights: Floats, mean: Floats, squares: Floats, n: int) -> Floats:
    if n > 1:
        return np.asarray(np.sqrt(weights**2 @ (squares / (n - 1)) / n))
    if len(weights) < MANY_ROWS / 2:
        return np.where(len(weights) > 0, np.full(squares.shape[1], np.inf), 0.0)
    return np.asarray(np.sqrt(weights**2 @ (mean - weights @ mean) ** 2 / (1 - weights @ weights)))


def _orders(game: Game, generator: np.random.Generator) -> Ints:
    """Draw an order of the columns for each background row (m, P): columns that cannot matter first."""
    keys = generator.random(game.differs.shape)
    return np.argsort(np.where(game.differs, keys, -1.0), axis=1, kind="stable")


def _several(game: Game, orders: list[Ints], generator: np.random.Generator) -> Iterator[Floats]:
    """Yield each background row's contributions (m, P) for every sweep: its orders and the reversed ones."""
    m, n_columns = game.differs.shape
    idle = (~game.differs).sum(axis=1)
    position = np.arange(n_columns)
    reversed_ = np.where(position >= idle[:, None], n_columns - 1 - position + idle[:, None], position)
    both = [permutation for order in orders for permutation in (order, np.take_along_axis(order, reversed_, axis=1))]
    changed = _marginal_changes(game, np.concatenate(both), np.tile(idle, len(both)), generator)
    for start in range(0, len(changed), 2 * m):
        yield (changed[start : start + m] + changed[start + m : start + 2 * m]) / 2


def _marginal_changes(game: Game, orders: Ints, idle: Ints, generator: np.random.Generator) -> Floats:
    """Return the marginal change of every column along permutations, one or several for each background row."""
    n_permutations, n_columns = orders.shape
    at_patient, at_background = game.grand_and_empty
    rows = np.tile(np.arange(len(at_background)), n_permutations // len(at_background))
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
