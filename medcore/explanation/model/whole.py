"""What a model uses over many patients: importance with intervals, and patients with the same reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.model.tables import Explanations
from medcore.explanation.shapley.game import Floats

N_BOOTSTRAP = 1_000
FEWEST = 5
"""Groups of fewer patients, and counts below, are not told."""
MOST_GROUPS = 5
N_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """Mean absolute contribution of each column over n patients, with 95 % bootstrap intervals, on one scale."""

    columns: tuple[str, ...]
    mean: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    n: int

    @property
    def order(self) -> NDArray[np.intp]:
        """The places of the columns, the most important first."""
        return np.argsort(-self.mean, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"columns": list(self.columns), "n": self.n} | {
            name: getattr(self, name).tolist() for name in ("mean", "low", "high")
        }


def importance(found: Explanations, *, n_bootstrap: int = N_BOOTSTRAP, seed: int = 0) -> Importance:
    """Average the absolute contributions over patients; the percentile bootstrap draws patients.

    Raises:
        ValueError: no patient was explained.

    """
    sizes = np.abs(found.contributions)
    if not len(sizes):
        raise ValueError("there is no patient to average over")
    rng = np.random.default_rng(seed)
    shares = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=n_bootstrap) / len(sizes)
    low, high = np.quantile(shares @ sizes, [0.025, 0.975], axis=0)
    return Importance(columns=found.columns, mean=sizes.mean(axis=0), low=low, high=high, n=len(sizes))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportanceStability:
    """Importance of each column (models, P) by each of the models a bundle combines, as shares of their sums."""

    columns: tuple[str, ...]
    models: tuple[str, ...]
    shares: Floats = field(repr=False)

    @property
    def agreement(self) -> float:
        """The mean rank correlation (Spearman) between two models; 1 when there is only one."""
        ranks = self.shares.argsort(axis=1).argsort(axis=1)
        pairs = [
            np.corrcoef(ranks[i], ranks[j])[0, 1] for i in range(len(ranks)) for j in range(i) if ranks.shape[1] > 1
        ]
        return float(np.mean(pairs)) if pairs else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGroup:
    """Patients whose risks have the same reasons; ``reasons`` are columns with their mean contribution.

    ``observed`` is the share (0–1) that had the outcome, None when it is not known
    or too few had it, or had it not, to be told.
    """

    n: int
    share: float
    mean_risk: float
    observed: float | None
    reasons: tuple[tuple[str, float], ...]


def reason_groups(
    found: Explanations, events: NDArray[np.bool_] | None = None, *, seed: int = 0
) -> tuple[ReasonGroup, ...]:
    """Group patients by their contributions (k-means; 2 to 5 groups, by silhouette), highest risk first.

    ``events`` (n,) says who had the outcome. Groups of fewer than five patients
    are left out; patients too few or too much alike to part make one group.
    """
    labels = _labels(found.contributions, seed)
    groups = []
    for label in np.unique(labels):
        inside = labels == label
        n = int(inside.sum())
        if n < FEWEST:
            continue
        means = found.contributions[inside].mean(axis=0)
        strongest = [int(i) for i in np.argsort(-np.abs(means), kind="stable")[:N_REASONS] if means[i] != 0]
        groups.append(
            ReasonGroup(
                n=n,
                share=n / len(labels),
                mean_risk=float(found.prediction[inside].mean()),
                observed=None if events is None else _told(events[inside]),
                reasons=tuple((found.columns[i], float(means[i])) for i in strongest),
            )
        )
    return tuple(sorted(groups, key=lambda g: -g.mean_risk))


def _labels(contributions: Floats, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    alone = np.zeros(len(contributions), dtype=np.int64)
    most = min(MOST_GROUPS, len(contributions) // (2 * FEWEST), len(np.unique(contributions, axis=0)))
    tried = [
        KMeans(k, n_init=4, random_state=seed).fit_predict(contributions).astype(np.int64) for k in range(2, most + 1)
    ]
    return max(tried, key=lambda labels: float(silhouette_score(contributions, labels)), default=alone)


def _told(events: NDArray[np.bool_]) -> float | None:
    n = int(events.sum())
    return n / len(events) if min(n, len(events) - n) >= FEWEST else None
