"""Exact Shapley values by asking about every coalition.

The game is a mean over background rows, and so are its Shapley values. Against
one background row only the columns in which the patient differs from it are
players, so that row needs 2^d questions, d being their number, however many
columns the table has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import MAX_CELLS, Floats, Game

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
    """Return the exact Shapley values (P,) of the game.

    The empty and the full coalition are both ends of the game, as the model itself
    answers them: a faster way to composite rows may round differently.
    """
    total = np.zeros(len(game.row))
    at_patient, at_background = game.grand_and_empty
    for blocks in _portions(game):
        rows = np.concatenate([np.repeat(block.rows, 2 ** block.players.shape[1]) for block in blocks])
        outputs = game.coalition_values(rows, np.concatenate([_coalitions(block, len(game.row)) for block in blocks]))
        start = 0
        for block in blocks:
            stop = start + block.n_composites
            of_block = outputs[start:stop].reshape(len(block.rows), -1)
            of_block[:, 0], of_block[:, -1] = at_background[block.rows], at_patient
            values = values_of(of_block)
            np.add.at(total, block.players, values * game.weights[block.rows, None])
            start = stop
    return total


@dataclass(frozen=True, slots=True)
class _Block:
    """Some background rows that all have d players, and who these are (r, d)."""

    rows: NDArray[np.intp]
    players: NDArray[np.intp]

    @property
    def n_composites(self) -> int:
        return int(len(self.rows) * 2 ** self.players.shape[1])


def _portions(game: Game) -> Iterator[list[_Block]]:
    """Yield the background rows in portions whose composite rows fit into memory together."""
    counts = game.differs.sum(axis=1)
    most = max(1, MAX_CELLS // max(1, len(game.row)))
    portion: list[_Block] = []
    for d in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == d)
        n_chunk = max(1, most >> int(d))
        for i in range(0, len(rows), n_chunk):
            chunk = rows[i : i + n_chunk]
            block = _Block(chunk, np.nonzero(game.differs[chunk])[1].reshape(len(chunk), int(d)))
            if portion and sum(b.n_composites for b in portion) + block.n_composites > most:
                yield portion
                portion = []
            portion.append(block)
    if portion:
        yield portion


def values_of(coalition_values: Floats) -> Floats:
    """Turn the values of all coalitions of games (r, 2^d) into Shapley values (r, d); bit k is player k's presence."""
    joined, left_out, bits = _coefficients(int(coalition_values.shape[1]).bit_length() - 1)
    return np.asarray(coalition_values @ (bits * (joined + left_out)[:, None]) - (coalition_values @ left_out)[:, None])


def _coalitions(block: _Block, n_columns: int) -> NDArray[np.bool_]:
    """Write all 2^d coalitions of each background row (r · 2^d, P): bit k of the position is player k's presence."""
    r, d = block.players.shape
    present = np.zeros((r, 2**d, n_columns), dtype=bool)
    for k in range(d):
        bit = (np.arange(2**d) >> k & 1).astype(bool)
        present[np.arange(r), :, block.players[:, k]] = bit
    return present.reshape(-1, n_columns)


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
