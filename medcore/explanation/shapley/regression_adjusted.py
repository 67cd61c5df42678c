"""Regression-adjusted Shapley values: a surrogate exactly, its residual by paired coalitions.

The contributions are those of a ``surrogate``, which are exact, plus
those of the rest of the game, which are sampled: regression adjustment (Witter,
Liu and Musco, 2025). A coalition S tells of every player i at once,

    d(S) / chance of its size · (1 / |S| for i inside, −1 / (d − |S|) outside),

and with its opposite only what is odd about the middle is left. Coalitions of
which the surrogate is certain are mostly passed over, and count the more when not.
Nothing of this biases the answer; the errors come from the spread of the terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats, Game
from medcore.explanation.shapley.surrogate import Ints, Surrogate, fitted
from medcore.models.contract.concurrency import portions
from medcore.models.contract.task import n_threads

_Drawn = tuple[Ints, NDArray[np.uint8], Ints, Ints, Floats, Floats]

PAIRS_A_PLAYER = 5
"""Pairs of coalitions the surrogate is fitted to for each background row, for every player."""
MOST_PLAYERS = 128
"""Fitting the surrogate to more takes longer than it saves."""
FEWEST_PAIRS = 4_000
MOST_PAIRS = 100_000
CAREFUL = 0.9
"""Share of what is left that a round may spend: how many coalitions are kept is chance."""
N_EDGES = 11
LEAST = 0.1
"""No kind of coalition is kept more rarely than by this share of the mean."""
MOST_SHARE = 2.5
"""A kind whose terms are so many times as large as the mean is always kept."""


def pilot_cost(game: Game) -> int:
    """Return how many composite rows the surrogate is fitted to."""
    counts = game.differs.sum(axis=1)
    return int(2 * PAIRS_A_PLAYER * counts.max(initial=0) * (counts > 1).sum())


def rounds(game: Game, *, seed: int, max_evaluations: int, wanted: float) -> Iterator[tuple[Floats, Floats]]:
    """Yield, after every round, the values so far (P,) and their standard errors (P,).

    ``wanted`` is the sum of standard errors that is aimed at, relative to the sum
    of the absolute values. Rounds end when ``max_evaluations`` composite rows are spent.
    """
    generator = np.random.default_rng([seed, 1])
    sampler = _Sampler.fit(game, generator)
    n = FEWEST_PAIRS
    while True:
        left = (max_evaluations - game.counter.n) // 2
        n = min(n, int(CAREFUL * left), MOST_PAIRS)
        if n < max(len(game.background), FEWEST_PAIRS // 8):
            return
        sampler.take(n, generator)
        values, errors = sampler.answer()
        yield values, errors
        factor = (float(errors.sum()) / max(wanted * float(np.abs(values).sum()), 1e-12)) ** 2 - 1
        n = int(np.clip(1.05 * factor * sampler.n_pairs, FEWEST_PAIRS, max(FEWEST_PAIRS, sampler.n_pairs * 4)))


@dataclass(slots=True)
class _Sampler:
    """Draws coalitions of one game; sums and squares (m, P) of the terms of ``n_drawn`` coalitions a background row."""

    game: Game
    players: NDArray[np.int32]
    counts: Ints
    chances: Floats
    surrogate: Surrogate
    edges: Floats
    accepted: Floats
    share: float
    known: Floats
    sums: Floats = field(init=False)
    squares: Floats = field(init=False)
    n_drawn: int = 0
    n_pairs: int = 0

    def __post_init__(self) -> None:
        self.sums, self.squares = np.zeros(self.game.differs.shape), np.zeros(self.game.differs.shape)

    @classmethod
    def fit(cls, game: Game, generator: np.random.Generator) -> _Sampler:
        """Draw a pilot, fit the surrogate to it, and see which kinds of coalitions it is wrong about."""
        from medcore.explanation.shapley.subset_loops import N_SIZES

        counts = game.differs.sum(axis=1).astype(np.int64)
        players = np.argsort(~game.differs, axis=1, kind="stable").astype(np.int32)
        m, P = game.differs.shape
        blank = Surrogate(np.zeros(m), np.zeros((m, P)), 0.0, 1.0)
        n_kinds = (N_EDGES + 1) * (N_SIZES + 1)
        self = cls(
            game, players, counts, _chances(P), blank, np.full(N_EDGES, np.inf), np.ones(n_kinds), 1.0, np.zeros((m, P))
        )
        rows, masks, sizes, _kinds, factors, _leans = self._draw(PAIRS_A_PLAYER * int(counts.max(initial=0)), generator)
        risks, opposite = self._asked(rows, masks)
        both = np.concatenate([rows, rows])
        order = np.argsort(both, kind="stable")
        others = self._opposite(rows, masks)
        fit = fitted(game, both[order], np.concatenate([masks, others])[order], np.append(risks, opposite)[order])
        own, theirs = fit.risk(rows, masks), fit.risk(rows, others)
        scaled = [(r - fit.low) / max(fit.high - fit.low, 1e-12) for r in (own, theirs)]
        undecided = sum(r * (1 - r) for r in scaled)
        self.surrogate = fit
        self.edges = np.quantile(undecided, np.linspace(0, 1, N_EDGES + 2)[1:-1])
        smaller = np.minimum(np.minimum(sizes, counts[rows] - sizes), N_SIZES)
        kinds = np.searchsorted(self.edges, undecided) * (N_SIZES + 1) + smaller
        odd = (risks - opposite - own + theirs) / 2
        squares = (odd * factors) ** 2 * (1 / sizes + 1 / (counts[rows] - sizes))
        self._choose(kinds, squares, n_kinds)
        self.known = self._completed(fit.shapley_values(players, counts))
        return self

    def _choose(self, kinds: Ints, squares: Floats, n_kinds: int) -> None:
        """Keep kinds of coalitions in proportion to the size of their terms, which is optimal."""
        n = np.bincount(kinds, minlength=n_kinds)
        typical = np.sqrt((np.bincount(kinds, squares, n_kinds) + squares.mean()) / (n + 1))
        mean = max(float(n @ typical) / n.sum(), 1e-300)
        self.accepted = np.clip(typical / (MOST_SHARE * mean), LEAST / MOST_SHARE, 1.0)
        self.share = float(n @ self.accepted / n.sum())

    def _completed(self, values: Floats) -> Floats:
        """Give each player an equal part of what the surrogate's values (m, P) lack to the sum of the game's."""
        lacking = self.game.grand_and_empty[0] - self.game.grand_and_empty[1] - values.sum(axis=1)
        return values + np.where(self.game.differs, (lacking / np.maximum(self.counts, 1))[:, None], 0.0)

    def _draw(self, n: int, generator: np.random.Generator) -> _Drawn:
        """Draw for a part of the background rows on every core."""
        from medcore.explanation.shapley.subset_loops import draw

        fit = self.surrogate
        seeds = generator.integers(1, 2**63, len(self.counts), dtype=np.uint64)

        def drawn(part: slice) -> _Drawn:
            players, counts, start, weights = (a[part] for a in (self.players, self.counts, fit.start, fit.weights))
            found = draw(players, counts, self.chances, start, weights, self.edges, self.accepted, n, seeds[part])
            return (found[0] + part.start, *found[1:])

        with ThreadPoolExecutor(n_threads()) as threads:
            parts = list(threads.map(drawn, portions(len(seeds))))
        rows, masks, sizes, kinds, factors, leans = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return rows, masks, sizes, kinds, factors, leans

    def _opposite(self, rows: Ints, masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray((1 - masks) * self.game.differs[rows], np.uint8)

    def _asked(self, rows: Ints, masks: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Ask about coalitions and about their opposites."""
        present = masks.astype(bool)
        answers = self.game.coalition_values(np.concatenate([rows, rows]), np.concatenate([present, ~present]))
        return answers[: len(rows)], answers[len(rows) :]

    def take(self, n_pairs: int, generator: np.random.Generator) -> None:
        """Ask about so many more pairs of coalitions, about."""
        from medcore.explanation.shapley.subset_loops import add

        n = max(2, int(n_pairs / (self.share * len(self.counts))))
        rows, masks, sizes, _kinds, factors, leans = self._draw(n, generator)
        risks, opposite = self._asked(rows, masks)
        odd = (risks - opposite - (self.surrogate.high - self.surrogate.low) * leans) / 2
        add(rows, masks, sizes, odd * factors, self.players, self.counts, self.sums, self.squares)
        self.n_drawn += n
        self.n_pairs += len(rows)

    def answer(self) -> tuple[Floats, Floats]:
        """Return the values (P,) and their standard errors (P,)."""
        mean = self.sums / self.n_drawn
        variance = np.maximum(self.squares / self.n_drawn - mean**2, 0.0) / (self.n_drawn - 1)
        weights = self.game.weights
        return weights @ (self.known + mean), np.sqrt(weights**2 @ variance)


def _chances(n_columns: int) -> Floats:
    """Return the cumulative chance of each size for every number of players, (P + 1, P + 1): as 1 / (s · (d − s))."""
    found = np.zeros((n_columns + 1, n_columns + 1))
    for d in range(2, n_columns + 1):
        s = np.arange(1, d)
        share = 1.0 / (s * (d - s))
        found[d, 1:d] = np.cumsum(share / share.sum())
    return found
