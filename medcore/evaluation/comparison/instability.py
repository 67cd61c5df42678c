"""How much one patient's risk depends on who happened to be in the training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import risk_bins


@dataclass(frozen=True, slots=True, eq=False)
class Instability:
    """The spread of each patient's risk over models fitted again (other folds, seeds or samples).

    ``mean`` and ``ninth_decile`` are of the standard deviations, in risk (0–1).
    ``risk``, ``middle`` and ``high`` (bins,) give the median and the 90th centile
    of the spread among patients of similar risk.
    """

    mean: float
    ninth_decile: float
    risk: Floats
    middle: Floats
    high: Floats
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        arrays = {name: getattr(self, name).tolist() for name in ("risk", "middle", "high")}
        return arrays | {"mean": self.mean, "ninth_decile": self.ninth_decile, "n": self.n}


def instability(risk: Floats, spread: Floats, *, n_bins: int = 20) -> Instability:
    """Summarise the standard deviation ``spread`` (n,) of each patient's ``risk`` (n,) over refitted models."""
    bins, n = risk_bins(risk, n_bins)
    if n > n_bins:
        bins = bins * n_bins // n
    rows = [bins == k for k in np.unique(bins)]
    return Instability(
        mean=float(spread.mean()),
        ninth_decile=float(np.quantile(spread, 0.9)),
        risk=np.array([risk[m].mean() for m in rows]),
        middle=np.array([np.median(spread[m]) for m in rows]),
        high=np.array([np.quantile(spread[m], 0.9) for m in rows]),
        n=len(risk),
    )
