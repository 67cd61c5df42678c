"""Shapley interaction of two columns: how much the contribution of one depends on the other.

The Shapley interaction index of Grabisch and Roubens (1999),

    I_ij = mean over sizes s and coalitions S of size s without i and j of
           v(S + i + j) - v(S + i) - v(S + j) + v(S),

with every size 0 … P − 2 equally likely and every coalition of a size equally
likely. It is drawn: a size, a coalition, a background row, together with the
complementary coalition, whose noise partly cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats, Game, RiskFunction
from medcore.explanation.shapley.results import Scale

N_DRAWS = 64


@dataclass(frozen=True, slots=True)
class Interactions:
    """Interactions of pairs of columns for n patients: values and standard errors (n, pairs)."""

    pairs: tuple[tuple[int, int], ...]
    values: Floats = field(repr=False)
    standard_errors: Floats = field(repr=False)

    @property
    def strengths(self) -> Floats:
        """The root mean square over patients of each pair (pairs,), less what is sampling noise."""
        return np.asarray(np.sqrt(np.clip((self.values**2 - self.standard_errors**2).mean(axis=0), 0, None)))

    def partner(self, column: int) -> int | None:
        """Return the column that a column interacts with most; None when with none."""
        mine = [(s, sum(p) - column) for p, s in zip(self.pairs, self.strengths, strict=True) if column in p]
        strength, other = max(mine, default=(0.0, -1))
        return other if strength > 0 else None


def pair_interactions(
    risk: RiskFunction,
    rows: Floats,
    background: Floats,
    pairs: Sequence[tuple[int, int]],
    *,
    class_index: int = -1,
    scale: Scale = "probability",
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Interactions:
    """Draw the interactions of pairs of columns for rows of codes (n, P) against background rows (m, P)."""
    rng = np.random.default_rng(seed)
    found = np.empty((len(rows), len(pairs), 2))
    for place, row in enumerate(rows):
        game = Game.of(risk, row, background, class_index=class_index, scale=scale)
        composites = [_composites(row, background, pair, n_draws, rng) for pair in pairs]
        outputs = game.value(np.concatenate(composites)).reshape(len(pairs), 4, -1)
        second = outputs[:, 0] - outputs[:, 1] - outputs[:, 2] + outputs[:, 3]
        drawn = second.reshape(len(pairs), 2, n_draws).mean(axis=1)
        found[place, :, 0] = drawn.mean(axis=1)
        found[place, :, 1] = drawn.std(axis=1, ddof=1) / np.sqrt(n_draws)
    return Interactions(tuple(pairs), found[..., 0], found[..., 1])


def _composites(
    row: Floats, background: Floats, pair: tuple[int, int], n_draws: int, rng: np.random.Generator
) -> Floats:
    """Lay out the rows (8 · draws, P): with both columns of the patient, the first, the second, neither."""
    others = np.array([c for c in range(len(row)) if c not in pair], dtype=int)
    sizes = rng.integers(0, len(others) + 1, n_draws)
    ranks = rng.random((n_draws, len(others))).argsort(axis=1)
    inside: NDArray[np.bool_] = ranks < sizes[:, None]
    own = np.zeros((2 * n_draws, len(row)), dtype=bool)
    own[:, others] = np.concatenate([inside, ~inside])
    base = np.tile(background[rng.integers(0, len(background), n_draws)], (2, 1))
    versions = []
    for first, second in ((True, True), (True, False), (False, True), (False, False)):
        own[:, pair[0]], own[:, pair[1]] = first, second
        versions.append(np.where(own, row, base))
    return np.concatenate(versions)
