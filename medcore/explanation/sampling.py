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

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.game import BATCHES, MAX_CELLS, Floats, Game

Ints = NDArray[np.intp]


def sweep_cost(game: Game) -> int:
    """Return how many composite rows one sweep asks about."""
    return int(2 * np.maximum(game.differs.sum(axis=1) - 1, 0).sum())


def sweeps(game: Game, *, seed: int, max_evaluations: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield, after every sweep, the values so far (P,) and their standard errors (P,).

    The errors come from the spread between sweeps within each background row,
    pooled over the rows; after a single sweep they are infinite. There are at
    least two sweeps, and then as many as ``max_evaluations`` composite rows pay for.
    """
    generator = np.random.default_rng(seed)
    mean, squares = np.zeros(game.differs.shape), np.zeros(game.differs.shape)
    n, cost = 0, sweep_cost(game)
    while n < 2 or game.counter.n + cost <= max_evaluations:
        affordable = (max_evaluations - game.counter.n) // max(1, cost)
        together = max(1, min(n, -(-2 * BATCHES[0] // max(1, cost)), affordable))
        for pair in _several(game, [_orders(game, generator) for _ in range(together)]):
            n += 1
            change = pair - mean
            mean += change / n
            squares += change * (pair - mean)
            yield game.weights @ mean, _standard_errors(game.weights, squares, n)


def _standard_errors(weights: Floats, squares: Floats, n: int) -> Floats:
    if n < 2:
        return np.where(squares.shape[0] > 0, np.full(squares.shape[1], np.inf), 0.0)
    return np.asarray(np.sqrt(weights**2 @ (squares / (n - 1)) / n))


def _orders(game: Game, generator: np.random.Generator) -> Ints:
    """Draw an order of the columns for each background row (m, P): columns that cannot matter first."""
    keys = generator.random(game.differs.shape)
    return np.argsort(np.where(game.differs, keys, -1.0), axis=1, kind="stable")


def _several(game: Game, orders: list[Ints]) -> Iterator[Floats]:
    """Yield each background row's contributions (m, P) for every sweep: its orders and the reversed ones."""
    m, n_columns = game.differs.shape
    idle = (~game.differs).sum(axis=1)
    position = np.arange(n_columns)
    turned = np.where(position >= idle[:, None], n_columns - 1 - position + idle[:, None], position)
    both = [walk for order in orders for walk in (order, np.take_along_axis(order, turned, axis=1))]
    changed = _walk(game, np.concatenate(both), np.tile(idle, len(both)))
    for start in range(0, len(changed), 2 * m):
        yield (changed[start : start + m] + changed[start + m : start + 2 * m]) / 2


def _walk(game: Game, orders: Ints, idle: Ints) -> Floats:
    """Walk from the background rows (one or several times over) to the patient; return what each step changed."""
    n_walks, n_columns = orders.shape
    at_patient, at_background = game.ends
    rows = np.tile(np.arange(len(at_background)), n_walks // len(at_background))
    worth = np.repeat(at_background[rows, None], n_columns + 1, axis=1)
    worth[:, -1] = np.where(idle < n_columns, at_patient, at_background[rows])
    n_chunk = max(1, MAX_CELLS // max(1, n_columns**2))
    for start in range(0, n_walks, n_chunk):
        part = slice(start, start + n_chunk)
        _fill(game, worth[part], orders[part], idle[part], game.background[rows[part]])
    changed = np.zeros((n_walks, n_columns))
    np.put_along_axis(changed, orders, np.diff(worth, axis=1), axis=1)
    return changed


def _fill(game: Game, worth: Floats, orders: Ints, idle: Ints, background: Floats) -> None:
    """Ask about the composite rows between both ends of the walks, and write the answers into ``worth``."""
    n_columns = orders.shape[1]
    turn = np.empty_like(orders)
    np.put_along_axis(turn, orders, np.broadcast_to(np.arange(n_columns), orders.shape), axis=1)
    walk, step = np.nonzero(np.arange(n_columns) > idle[:, None])
    composites = np.where(turn[walk] < step[:, None], game.row, background[walk])
    worth[walk, step] = game.value(composites)
