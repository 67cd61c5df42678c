"""Exact Shapley values by asking about every coalition.

The game is a mean over background rows, and so are its Shapley values. Against
one background row only the columns in which the patient differs from it are
players, so that row needs 2^d questions, d being their number, however many
columns the table has.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.game import MAX_BATCH_ROWS, Floats, Game

MAX_PLAYERS = 18


def cost(game: Game) -> int:
    """Return how many composite rows the exact answer needs, besides both ends of the game."""
    if not game.differs.size:
        return 0
    counts = game.differs.sum(axis=1)
    if counts.max(initial=0) > MAX_PLAYERS:
        return 2**62
    return int(np.sum(2**counts))


def shapley_values(game: Game) -> Floats:
    """Return the exact Shapley values (P,) of the game."""
    values = np.zeros(len(game.row))
    counts = game.differs.sum(axis=1)
    for d in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == d)
        n_chunk = max(1, MAX_BATCH_ROWS >> int(d))
        for i in range(0, len(rows), n_chunk):
            values += _of_rows(game, rows[i : i + n_chunk], int(d))
    return values


def _of_rows(game: Game, rows: NDArray[np.intp], d: int) -> Floats:
    """Sum the weighted Shapley values (P,) against background rows that all have d players."""
    players = np.nonzero(game.differs[rows])[1].reshape(len(rows), d)
    worth = game.value(_composites(game, rows, players)).reshape(len(rows), -1)
    joined, left_out, bits = _coefficients(d)
    values = worth @ (bits * (joined + left_out)[:, None]) - (worth @ left_out)[:, None]
    total = np.zeros(len(game.row))
    np.add.at(total, players, values * game.weights[rows, None])
    return total


def _composites(game: Game, rows: NDArray[np.intp], players: NDArray[np.intp]) -> Floats:
    """Build all 2^d composite rows of each background row: bit k of the position is player k's presence."""
    composites = game.background[rows][:, None, :]
    index = np.arange(len(rows))
    for k in range(players.shape[1]):
        joined = composites.copy()
        joined[index, :, players[:, k]] = game.row[players[:, k]][:, None]
        composites = np.concatenate([composites, joined], axis=1)
    return composites.reshape(-1, len(game.row))


@lru_cache(maxsize=4)
def _coefficients(d: int) -> tuple[Floats, Floats, Floats]:
    """Return, a coalition each, Shapley's weight as the larger and as the smaller side of a step, and its members.

    The weight of the step from a coalition of s players is 1 / (d · C(d−1, s)) (Shapley, 1953).
    """
    bits = ((np.arange(2**d)[:, None] >> np.arange(d)) & 1).astype(np.float64)
    size = bits.sum(axis=1).astype(int)
    step = np.array([1 / (d * comb(d - 1, s)) for s in range(d)] + [0.0])
    joined = np.where(size > 0, step[size - 1], 0.0)
    return joined, step[size], bits
