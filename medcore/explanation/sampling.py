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

from medcore.explanation.game import MAX_BATCH_CELLS, Floats, Game

Ints = NDArray[np.intp]


def sweep_cost(game: Game) -> int:
    """Return how many composite rows one sweep asks about."""
    return int(2 * np.maximum(game.differs.sum(axis=1) - 1, 0).sum())


def sweeps(game: Game, *, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield, after every sweep, the values so far (P,) and their standard errors (P,).

    The errors come from the spread between sweeps within each background row,
    pooled over the rows; after a single sweep they are infinite.
    """
    generator = np.random.default_rng(seed)
    mean, squares = np.zeros(game.differs.shape), np.zeros(game.differs.shape)
    n = 0
    while True:
        n += 1
        pair = _sweep(game, _orders(game, generator))
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


def _sweep(game: Game, orders: Ints) -> Floats:
    """Return each background row's contributions (m, P) from its order and the reversed order."""
    idle = (~game.differs).sum(axis=1)
    position = np.arange(orders.shape[1])
    turned = np.where(position >= idle[:, None], orders.shape[1] - 1 - position + idle[:, None], position)
    backwards = np.take_along_axis(orders, turned, axis=1)
    return (_walk(game, orders, idle) + _walk(game, backwards, idle)) / 2


def _walk(game: Game, orders: Ints, idle: Ints) -> Floats:
    """Walk from every background row to the patient in its order; return what each step changed (m, P)."""
    m, n_columns = orders.shape
    at_patient, at_background = game.ends
    worth = np.repeat(at_background[:, None], n_columns + 1, axis=1)
    worth[:, -1] = np.where(idle < n_columns, at_patient, at_background)
    n_chunk = max(1, MAX_BATCH_CELLS // max(1, n_columns**2))
    for start in range(0, m, n_chunk):
        rows = slice(start, start + n_chunk)
        _fill(game, worth[rows], orders[rows], idle[rows], game.background[rows])
    changed = np.zeros((m, n_columns))
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
