"""Shapley values by antithetic permutations, for games too large to count out.

Each sweep draws, for every background row on its own, an order of the columns
and its reverse, walks from the background row to the patient in both, and
credits each column with what its step changed. A pair of reversed orders is
exact for a game of single columns and pairs of columns (only interactions of
three and more leave an error), and because every background row has its own
orders, their errors average out (the game is a mean over background rows).
Every walk begins at the background row and ends at the patient, so the sum of
the contributions is right at any time.
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
STRETCH = 5
"""Places of a walk between two posts; found with the two below by trials on the networks of benchmarks/explanation.py."""
CERTAIN = 0.003
"""A risk is certain when it is this near to 0 or 1, as a share of how far the patient is from the background."""
GLANCE = 0.1
"""The chance with which a stretch of certain risks is asked about all the same."""


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
    """Walk once from every background row, from every second one in the reverse order of the row before."""
    keys = generator.random(game.differs.shape)
    keys[1::2] = 1.0 - keys[0::2][: len(keys) // 2]
    orders = np.argsort(np.where(game.differs, keys, -1.0), axis=1, kind="stable")
    changed = _walk(game, orders, (~game.differs).sum(axis=1), generator)
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
    turned = np.where(position >= idle[:, None], n_columns - 1 - position + idle[:, None], position)
    both = [walk for order in orders for walk in (order, np.take_along_axis(order, turned, axis=1))]
    changed = _walk(game, np.concatenate(both), np.tile(idle, len(both)), generator)
    for start in range(0, len(changed), 2 * m):
        yield (changed[start : start + m] + changed[start + m : start + 2 * m]) / 2


def _walk(game: Game, orders: Ints, idle: Ints, generator: np.random.Generator) -> Floats:
    """Walk from the background rows (one or several times over) to the patient; return what each step changed."""
    n_walks, n_columns = orders.shape
    at_patient, at_background = game.ends
    rows = np.tile(np.arange(len(at_background)), n_walks // len(at_background))
    worth = np.repeat(at_background[rows, None], n_columns + 1, axis=1)
    worth[:, -1] = np.where(idle < n_columns, at_patient, at_background[rows])
    turn = np.empty(orders.shape, np.int32)
    np.put_along_axis(turn, orders, np.broadcast_to(np.arange(n_columns, dtype=np.int32), orders.shape), axis=1)
    n_chunk = max(1, MAX_CELLS // max(1, n_columns**2))
    for start in range(0, n_walks, n_chunk):
        part = slice(start, start + n_chunk)
        _fill(_Walks(game, rows[part], turn[part], idle[part], worth[part]), generator)
    changed = np.zeros((n_walks, n_columns))
    np.put_along_axis(changed, orders, np.diff(worth, axis=1), axis=1)
    return changed


@dataclass(frozen=True, slots=True)
class _Walks:
    """Walks from background rows (w,): each column's turn (w, P), idle columns (w,), outputs on the way (w, P + 1)."""

    game: Game
    rows: Ints
    turn: NDArray[np.int32]
    idle: Ints
    worth: Floats

    def ask(self, where: NDArray[np.bool_]) -> None:
        """Ask about the places ``where`` (w, P + 1) that lie between both ends, and write down the answers."""
        walk, step = np.nonzero(where)
        if not walk.size:  # both ends certain of the same everywhere
            return
        present = self.turn[walk] < step.astype(np.int32)[:, None]
        self.worth[walk, step] = self.game.mixed(self.rows[walk], present)


def _fill(walks: _Walks, generator: np.random.Generator) -> None:
    """Ask about every place of the walks, or on the probability scale of the stretches that matter.

    Many networks are certain (a risk near 0 or 1) along most of a walk. Where both
    ends of a stretch are certain of the same, it is asked about with the chance
    ``GLANCE`` only, and what was found then counts 1/``GLANCE`` times; else it is
    taken as even. So no answer is biased, and ends stay ends.
    """
    game, n_columns = walks.game, walks.turn.shape[1]
    place = np.arange(n_columns + 1)
    between = (place > walks.idle[:, None]) & (place < n_columns)
    if game.scale != "probability" or n_columns < 4 * STRETCH:
        walks.ask(between)
        return
    posts = (place % STRETCH == 0) & (place <= n_columns - STRETCH)
    walks.ask(between & posts)
    knots = np.append(np.flatnonzero(posts), n_columns)
    stretch = np.searchsorted(knots, place, side="right") - 1
    low, high = walks.worth[:, knots[:-1]], walks.worth[:, knots[1:]]
    near = CERTAIN * float(game.weights @ np.abs(game.ends[1] - game.ends[0]))
    certain = (np.maximum(low, high) < near) | (np.minimum(low, high) > 1 - near)
    asked = ~certain | (generator.random(certain.shape) < GLANCE)
    inner = np.flatnonzero(~posts[:-1])
    of = stretch[inner]
    share = (inner - knots[of]) / (knots[of + 1] - knots[of])
    even = low[:, of] + share * (high - low)[:, of]
    where = np.zeros_like(between)
    where[:, inner] = asked[:, of] & between[:, inner]
    walks.ask(where)
    found = even + np.where(certain, 1 / GLANCE, 1.0)[:, of] * (walks.worth[:, inner] - even)
    kept = between[:, inner]
    walks.worth[:, inner] = np.where(kept, np.where(asked[:, of], found, even), walks.worth[:, inner])
