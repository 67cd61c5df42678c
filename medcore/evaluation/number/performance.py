"""NumberPerformance: every summary figure of predicted numbers, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from medcore.evaluation.figures.estimates import CONSTANT_RISK, ONE_CLASS, Estimate, Floats, missing, wilson
from medcore.evaluation.figures.folds import tells_nobody_apart, widened
from medcore.evaluation.figures.resampling import Ints, by_patient, clustered_variance
from medcore.evaluation.figures.weighting import degrees_of_freedom, linearised
from medcore.evaluation.figures.words import METRICS as NAMES
from medcore.evaluation.figures.words import with_interval
from medcore.evaluation.number.calibration import smoothed
from medcore.i18n import N_, Message
from medcore.notebook import NotebookTable, ShownInNotebooks

#: The figures in the order of reading.
FIGURES = ("r2", "rmse", "mae", "median_ae", "calibration_intercept", "calibration_slope", "mean_calibration_error")
IN_UNIT = frozenset({"rmse", "mae", "median_ae", "calibration_intercept", "mean_calibration_error", "interval_width"})
"""Those that are in the outcome's unit."""
FEWEST = 10
"""Patients below which no figure has an interval."""
_LEAST_KNOWN = 0.1
TOO_FEW = N_("Fewer than {n} patients: no interval can be given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPerformance(ShownInNotebooks):
    """The figures by which predicted numbers are judged, by name in ``metrics``.

    ``mean`` and ``sd`` are those of what was measured, ``mean_predicted`` of what was predicted. With prediction
    intervals there are ``coverage`` and ``interval_width`` too. ``n_folds`` is there when the numbers were predicted out of
    fold: intervals are then for the model trained on all patients.
    """

    n: int
    n_patients: int | None
    mean: float
    sd: float
    mean_predicted: float
    metrics: Mapping[str, Estimate]
    n_folds: int | None = None

    def notebook_table(self) -> NotebookTable:
        """Show every figure with its 95 % interval."""
        caption = str(Message(N_("{n} patients judged"), {"n": f"{self.n:,}"}))
        header = (str(Message(N_("Measure"))), str(Message(N_("Value"))))
        rows = [(str(Message(NAMES[name])), with_interval(e)) for name, e in self.metrics.items()]
        return NotebookTable(caption, header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "metrics"}
        return plain | {"metrics": {name: e.to_dict() for name, e in self.metrics.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NumberPerformance:
        """Read what :meth:`to_dict` wrote."""
        return cls(**dict(data) | {"metrics": {name: Estimate.from_dict(e) for name, e in data["metrics"].items()}})


def evaluate_numbers(
    value: Floats,
    predicted: Floats,
    *,
    groups: Ints | None = None,
    folds: Ints | None = None,
    intervals: tuple[Floats, Floats] | None = None,
) -> NumberPerformance:
    """Judge predicted numbers (n,) against what was measured, ``value`` (n,).

    ``groups`` (n,) are patient codes where patients repeat, ``folds`` (n,) say which model predicted which number where
    these are out of fold, ``intervals`` the lower and upper ends (n,) of prediction intervals. Raises ValueError when the
    arrays do not fit each other or hold what is no number.
    """
    _checked(value, predicted, groups)
    metrics = _figures(value, predicted, groups)
    if intervals is not None:
        metrics |= interval_figures(value, intervals, groups)
    if folds is not None:
        metrics = widened(metrics, folds)
        if tells_nobody_apart(predicted, folds):
            metrics["calibration_slope"] = missing(CONSTANT_RISK)
    return NumberPerformance(
        n=len(value),
        n_patients=None if groups is None else len(np.unique(groups)),
        mean=float(value.mean()),
        sd=float(value.std(ddof=1)) if len(value) > 1 else float("nan"),
        mean_predicted=float(predicted.mean()),
        metrics=metrics,
        n_folds=None if folds is None else len(np.unique(folds)),
    )


def _figures(value: Floats, predicted: Floats, groups: Ints | None) -> dict[str, Estimate]:
    n, error = len(value), value - predicted
    size, squared = np.abs(error), error**2
    every = {
        "r2": _r2(value, squared, groups),
        "rmse": _root(squared, groups),
        "median_ae": _median(size, groups),
        **plain_figures(value, predicted, groups=groups),
        "mean_calibration_error": Estimate(float(np.abs(smoothed(value, predicted) - predicted).mean())),
    }
    found = {name: every[name] for name in FIGURES}
    if len(np.unique(groups)) < FEWEST if groups is not None else n < FEWEST:
        few = Message(TOO_FEW, {"n": FEWEST})
        return {name: Estimate(e.value, reason=e.reason or few) for name, e in found.items()}
    return found


def plain_figures(value: Floats, predicted: Floats, *, groups: Ints | None = None) -> dict[str, Estimate]:
    """Return those figures that are means or a line: mean absolute error, mean error (in the large) and slope; arrays (n,)."""
    n, error = len(value), value - predicted
    size = np.abs(error)
    return {
        "mae": _by_influence(float(size.mean()), (size - size.mean()) / n, groups, (0.0, np.inf)),
        "calibration_intercept": _by_influence(float(error.mean()), (error - error.mean()) / _free(n, groups), groups),
        "calibration_slope": _slope(value, predicted, groups),
    }


def _free(n: int, groups: Ints | None) -> int:
    """Return by what the sum of deviations from a mean is divided: where patients repeat, few of them are corrected for elsewhere."""
    return n - 1 if groups is None else n


def _by_influence(
    value: float, influence: Floats, groups: Ints | None, bounds: tuple[float, float] | None = None
) -> Estimate:
    method = "influence" if groups is None else "influence_cluster"
    return linearised(value, influence, groups, method, weighted=True, bounds=bounds)


def _r2(value: Floats, squared: Floats, groups: Ints | None) -> Estimate:
    """Return 1 − Σ(y − p)² / Σ(y − ȳ)², its interval on the scale of log(1 − R²)."""
    spread = (value - value.mean()) ** 2
    if not spread.sum() > 0:
        return missing(ONE_CLASS)
    left = float(squared.sum() / spread.sum())
    if not left > 0:
        return Estimate(1.0)
    pull = (squared - left * spread) / squared.sum()  # on log(1 − R²)
    found = _by_influence(float(np.log(left)), pull, groups)
    low, high = 1 - np.exp(found.high), 1 - np.exp(found.low)
    return Estimate(1 - left, float(low), float(high), _on_log(groups))


def _root(squared: Floats, groups: Ints | None) -> Estimate:
    """Return the root of the mean squared error, its interval on the scale of 1 over the mean square.

    A few large errors skew the mean square so much that on the log scale too the truth is above the interval too often
    (``benchmarks/numeric_coverage.py``); where half a mean square is not known, the log scale is all there is.
    """
    mean = float(squared.mean())
    if not mean > 0:
        return Estimate(0.0)
    root, found = float(np.sqrt(mean)), _by_influence(1.0, (squared / mean - 1) / len(squared), groups)
    if found.low < _LEAST_KNOWN:
        return Estimate(
            root, root * float(np.exp((1 - found.high) / 2)), root * float(np.exp((1 - found.low) / 2)), _on_log(groups)
        )
    method = "influence_inverse" if groups is None else "influence_inverse_cluster"
    return Estimate(root, root / float(np.sqrt(found.high)), root / float(np.sqrt(found.low)), method)


def _on_log(groups: Ints | None) -> str:
    return "influence_log" if groups is None else "influence_log_cluster"


def _median(size: Floats, groups: Ints | None) -> Estimate:
    """Return the median absolute error; its interval is read off the shares of smaller errors (Woodruff 1952, JASA 47:635)."""
    middle = float(np.median(size))
    influence = ((size <= middle) - 0.5) / len(size)
    quantile = float(stdtrit(degrees_of_freedom(by_patient(influence, groups)), 0.975))
    half = quantile * float(np.sqrt(clustered_variance(influence, groups)))
    low, high = (float(np.quantile(size, q)) for q in np.clip([0.5 - half, 0.5 + half], 0, 1))
    return Estimate(middle, low, high, "woodruff" if groups is None else "woodruff_cluster")


def _slope(value: Floats, predicted: Floats, groups: Ints | None) -> Estimate:
    """Return the slope of the least-squares line of what was measured over what was predicted.

    Its variance is robust to errors that grow: HC3 (MacKinnon & White 1985, J Econometrics 29:305), by patient where they repeat.
    """
    centred = predicted - predicted.mean()
    total = float(centred @ centred)
    if not total > 1e-12 * max(float(predicted @ predicted), 1e-300):
        return missing(CONSTANT_RISK)
    slope = float(centred @ value / total)
    left = value - value.mean() - slope * centred
    leverage = 1 / len(value) + centred**2 / total
    influence = centred * left / total / (1 - np.minimum(leverage, 0.99) if groups is None else 1.0)
    return _by_influence(slope, influence, groups)


def interval_figures(value: Floats, intervals: tuple[Floats, Floats], groups: Ints | None) -> dict[str, Estimate]:
    """Return the share of patients (rows) inside their prediction intervals, and the mean width of these."""
    low, high = intervals
    inside = (value >= low) & (value <= high)
    share, n = float(inside.mean()), len(value)
    covered = wilson(int(inside.sum()), n)
    if groups is not None and 0 < share < 1:
        covered = _by_influence(share, (inside - share) / n, groups, (0.0, 1.0))
    return {"coverage": covered, "interval_width": Estimate(float((high - low).mean()))}


def without_intervals(performance: NumberPerformance) -> NumberPerformance:
    """Return the same without the figures of prediction intervals."""
    kept = {name: e for name, e in performance.metrics.items() if name in FIGURES}
    return replace(performance, metrics=kept)


def _checked(value: Floats, predicted: Floats, groups: Ints | None) -> None:
    if value.ndim != 1 or value.shape != predicted.shape or len(value) < 2:
        raise ValueError(
            f"value has shape {value.shape} and predicted {predicted.shape}; expected both (n,), n at least 2"
        )
    if not (np.isfinite(value).all() and np.isfinite(predicted).all()):
        raise ValueError("value or predicted holds what is no number")
    if groups is not None and len(groups) != len(value):
        raise ValueError(f"groups has {len(groups)} entries; expected {len(value)}")
