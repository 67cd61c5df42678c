"""Loess: the observed share of events as a smooth function of the predicted risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.evaluation.figures.estimates import Floats

#: Share of the patients in each local line, as in lowess (Cleveland 1979) and rms::val.prob.
SPAN = 2 / 3
MAX_KNOTS = 100


@dataclass(frozen=True, slots=True)
class Smoother:
    """A local-linear smoother with tricube weights and no robustness steps.

    ``knots`` (M,) are the risks at which a line is fitted; between them the curve
    is interpolated. ``kernel`` (M, bins) are the weights of the ``centres``.
    """

    knots: Floats
    centres: Floats
    kernel: Floats

    @classmethod
    def over(cls, risk: Floats, centres: Floats, weights: Floats | None = None, *, span: float = SPAN) -> Smoother:
        """Prepare a smoother for patients with these risks, gathered at ``centres``.

        Each local line reaches as far as the nearest patients who make up ``span`` of
        them all, or of their ``weights`` (mean 1).
        """
        order = np.argsort(risk, kind="stable")
        ordered = risk[order]
        knots = np.unique(ordered)
        if len(knots) > MAX_KNOTS:
            even = np.linspace(ordered[0], ordered[-1], MAX_KNOTS // 2)
            knots = np.unique(np.concatenate([np.quantile(ordered, np.linspace(0, 1, MAX_KNOTS // 2)), even]))
        starts, ends = _windows(ordered, None if weights is None else weights[order], span)
        reach = np.array([np.maximum(x - starts, ends - x).min() for x in knots])
        distance = np.abs(centres[None, :] - knots[:, None])
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = np.where(reach[:, None] > 0, distance / reach[:, None], np.where(distance > 0, 2.0, 0.0))
        kernel = np.where(scaled < 1, (1 - np.minimum(scaled, 1) ** 3) ** 3, 0.0)
        return cls(knots, centres, kernel)

    def at_knots(self, weight: Floats, events: Floats) -> Floats:
        """Fit the lines for weights and events a bin of shape (B, bins); returns (B, M)."""
        gap = self.centres[None, :] - self.knots[:, None]
        first = self.kernel * gap
        if weight.strides[0] == 0:  # one row for all tables
            weight = weight[:1]
        s0, s1, s2 = weight @ self.kernel.T, weight @ first.T, weight @ (first * gap).T
        t0, t1 = events @ self.kernel.T, events @ first.T
        determinant = s0 * s2 - s1 * s1
        with np.errstate(invalid="ignore", divide="ignore"):
            line = (s2 * t0 - s1 * t1) / determinant
            return np.where(determinant > 1e-12 * np.maximum(s0 * s0, 1e-300), line, t0 / s0)

    def between(self, fitted: Floats, risk: Floats) -> Floats:
        """Interpolate curves at the knots (B, M) to any risks (n,); returns (B, n)."""
        if len(self.knots) == 1:
            return np.repeat(fitted, len(risk), axis=1)
        right = np.clip(np.searchsorted(self.knots, risk), 1, len(self.knots) - 1)
        share = np.clip((risk - self.knots[right - 1]) / (self.knots[right] - self.knots[right - 1]), 0, 1)
        out: Floats = fitted[:, right - 1] * (1 - share) + fitted[:, right] * share
        return out


def _windows(ordered: Floats, weights: Floats | None, span: float) -> tuple[Floats, Floats]:
    """Return the first and last risk of every run of neighbours who make up ``span`` of the patients."""
    n = len(ordered)
    k = max(min(int(span * n + 1e-10), n), 1)
    if weights is None:
        return ordered[: n - k + 1], ordered[k - 1 :]
    total = np.concatenate([[0.0], np.cumsum(weights)])
    ends = np.searchsorted(total, total[:-1] + k * total[-1] / n - 1e-9)
    inside = ends <= n
    return ordered[inside], ordered[ends[inside] - 1]


def weighted_quantiles(values: Floats, weight: Floats, *quantiles: float) -> list[Floats]:
    """Return quantiles of each row of ``values`` (B, bins) under ``weight`` (B, bins), which are sorted once for all.

    With whole-number weights they are numpy's linear quantiles of the repeated values.
    """
    order = np.argsort(values, axis=1)
    v, cumulative = np.take_along_axis(values, order, 1), np.cumsum(np.take_along_axis(weight, order, 1), axis=1)
    last, rows = v.shape[1] - 1, np.arange(len(v))
    found = []
    for q in quantiles:
        position = q * (cumulative[:, -1:] - 1)
        lower = np.minimum((cumulative <= np.floor(position)).sum(1), last)
        upper = np.minimum((cumulative <= np.ceil(position)).sum(1), last)
        share = (position - np.floor(position))[:, 0]
        found.append(v[rows, lower] * (1 - share) + v[rows, upper] * share)
    return found
