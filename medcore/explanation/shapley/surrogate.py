"""A surrogate of a game: near every background row a logistic function of a sum over the columns.

Its Shapley values are known exactly, so that only what the model does otherwise
needs to be sampled. Most of what networks and ensembles do at risks near 0 and 1
is the bend of such a function, however many columns take part in it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats, Game
from medcore.models.contract.concurrency import portions
from medcore.models.contract.task import n_threads
from medcore.statistics.threads import one_blas_thread

Ints = NDArray[np.int64]

N_POOLED, N_NODES = 3_000, 32
LEAST_WEIGHT, RIDGE = 0.02, 0.3
MOST = 30.0
"""Log odds beyond are all the same."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Risks ``low`` + (``high`` − ``low``) · logistic(``start`` (m,) + the sum of ``weights`` (m, P) over a coalition)."""

    start: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    low: float
    high: float

    def risk(self, rows: Ints, masks: NDArray[np.uint8]) -> Floats:
        """Return the surrogate's risks (n,) of background rows (n,) with the columns ``masks`` (n, P) of the patient."""
        t = self.start[rows] + np.einsum("np,np->n", masks, self.weights[rows])
        return self.low + (self.high - self.low) * logistic(t)

    def shapley_values(self, players: NDArray[np.int32], counts: Ints, *, n_nodes: int = N_NODES) -> Floats:
        """Return its exact Shapley values against each background row (m, P), by at most so many nodes of an integral."""
        from medcore.explanation.shapley.subset_loops import logistic_values

        n = min(n_nodes, 2 * -(-int(counts.max(initial=1)) // 4))  # exact for so many players, and even: 1/2 is no node
        nodes, shares = np.polynomial.legendre.leggauss(max(2, n))
        found = np.zeros(self.weights.shape)

        def write(part: slice) -> None:
            arrays = (a[part] for a in (players, counts, self.start, self.weights))
            logistic_values(*arrays, (nodes + 1) / 2, shares / 2, found[part])

        with ThreadPoolExecutor(n_threads()) as threads:
            list(threads.map(write, portions(len(found))))
        return found * (self.high - self.low)


def logistic(t: Floats) -> Floats:
    """Return 1 / (1 + exp(−t))."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(t, -MOST, MOST))))


def fitted(game: Game, rows: Ints, masks: NDArray[np.uint8], risks: Floats) -> Surrogate:
    """Fit to risks (n,) of coalitions; ``rows`` are sorted.

    First one function for all background rows, linear in how far the patient is
    from them; then for each row its own, drawn towards it.
    """
    # The products are small: threads would wait for each other longer than they work.
    with one_blas_thread():
        return _fitted(game, rows, masks, risks)


def _fitted(game: Game, rows: Ints, masks: NDArray[np.uint8], risks: Floats) -> Surrogate:
    known = np.concatenate([risks, game.grand_and_empty[1], [game.grand_and_empty[0]]])
    low, high = float(known.min()), float(known.max())
    shares = (risks - low) / max(high - low, 1e-12)
    common = _common(game, rows, masks, shares)
    m, P = game.differs.shape
    own = common.copy()
    limits = np.searchsorted(rows, np.arange(m + 1))

    def fit(b: int) -> None:
        part = slice(limits[b], limits[b + 1])
        x = np.ones((limits[b + 1] - limits[b], P + 1), np.float32)
        x[:, :P] = masks[part]
        for _ in range(2):
            own[b] = _step(x, shares[part], own[b], common[b])

    with ThreadPoolExecutor(n_threads()) as threads:
        list(threads.map(fit, range(m)))
    own[:, :P][~game.differs] = 0.0
    return Surrogate(own[:, P].copy(), np.ascontiguousarray(own[:, :P]), low, high)


def _common(game: Game, rows: Ints, masks: NDArray[np.uint8], shares: Floats) -> Floats:
    """Return each background row's weights and start (m, P + 1) under one function for all."""
    _m, P = game.differs.shape
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(game.row - game.background)
    apart /= np.maximum(np.sqrt((apart**2).mean(axis=0)), 1e-9)
    features = np.hstack([apart, game.differs.astype(np.float64)])
    chosen = np.random.default_rng(0).permutation(len(rows))[:N_POOLED]
    absent = np.tile(1.0 - masks[chosen], 2)
    x = np.hstack([-absent * features[rows[chosen]], np.ones((len(chosen), 1))])
    theta = np.zeros(2 * P + 1)
    for _ in range(5):
        theta = _step(x, shares[chosen], theta, np.zeros(2 * P + 1))
    weights = apart * theta[:P] + game.differs * theta[P : 2 * P]
    return np.hstack([weights, (theta[-1] - weights.sum(axis=1))[:, None]])


def _step(x: NDArray[Any], shares: Floats, theta: Floats, towards: Floats) -> Floats:
    """Take one step of Newton's method for a logistic regression drawn towards ``towards``; certain rows count a little."""
    p = logistic(x @ theta.astype(x.dtype))
    hessian = (x.T @ (x * np.maximum(p * (1 - p), LEAST_WEIGHT)[:, None])).astype(np.float64)
    hessian[np.diag_indices_from(hessian)] += RIDGE
    gradient = (shares - p).astype(x.dtype) @ x - RIDGE * (theta - towards)
    return np.asarray(theta + np.linalg.solve(hessian, gradient))
