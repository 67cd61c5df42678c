"""SurvivalPerformance: every summary figure of risks by one horizon or more, with follow-up censored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.evaluation.figures.auroc import TOO_FEW_EVENTS
from medcore.evaluation.figures.estimates import CONSTANT_RISK, Estimate, Floats, missing
from medcore.evaluation.figures.folds import FEWEST_EVENTS, tells_nobody_apart, widened
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.figures.words import METRICS as NAMES
from medcore.evaluation.figures.words import with_interval
from medcore.evaluation.survival.accuracy import brier_at, integrated_brier, scaled_brier_at
from medcore.evaluation.survival.calibration import calibration_figures
from medcore.evaluation.survival.discrimination import auroc_at, concordance_at
from medcore.evaluation.survival.horizon import BEYOND, Horizon, known_by
from medcore.evaluation.survival.utility import net_benefit_at_horizon
from medcore.i18n import N_, Message
from medcore.notebook import NotebookTable, ShownInNotebooks
from medcore.statistics.survival.censoring import Censoring
from medcore.statistics.survival.concordance import harrell_c, uno_c
from medcore.statistics.survival.incidence import Incidence
from medcore.statistics.survival.rates import Rate

#: The figures at a horizon, in the order of reading.
AT_HORIZON = (
    "auroc",
    "uno_c",
    "harrell_c",
    "brier",
    "scaled_brier",
    "calibration_slope",
    "calibration_intercept",
    "o_e_ratio",
    "ici",
    "e50",
    "e90",
)
_RANKS = ("auroc", "uno_c", "harrell_c", "calibration_slope")


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonPerformance:
    """The figures of risks by one ``horizon``.

    ``observed`` is the share with the event by then (Kaplan–Meier, or Aalen–Johansen where events compete) and
    ``mean_risk`` what was predicted. ``n_events`` and ``n_competing`` happened by then, ``n_free`` were followed to
    it without an event, ``n_unknown`` censored before. ``metrics`` holds the figures named in :data:`AT_HORIZON`,
    and ``net_benefit`` where a threshold was given.
    """

    horizon: float
    n_events: int
    n_competing: int
    n_free: int
    n_unknown: int
    observed: Estimate
    mean_risk: float
    metrics: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        counts = ("horizon", "n_events", "n_competing", "n_free", "n_unknown", "mean_risk")
        return {name: getattr(self, name) for name in counts} | {
            "observed": self.observed.to_dict(),
            "metrics": {name: e.to_dict() for name, e in self.metrics.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> HorizonPerformance:
        """Read what :meth:`to_dict` wrote."""
        metrics = {name: Estimate.from_dict(e) for name, e in data["metrics"].items()}
        return cls(**{**data, "observed": Estimate.from_dict(data["observed"]), "metrics": metrics})


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalPerformance(ShownInNotebooks):
    """The figures by which risks of an event by some horizons are judged.

    ``at`` has one entry a horizon, ascending. ``overall`` holds ``integrated_brier`` and
    ``integrated_scaled_brier`` over the horizons, or over the finer times that were given. ``median_follow_up`` is by
    the reverse Kaplan–Meier estimator (NaN where half were not followed so long), ``rate`` events by person-time.
    ``n_folds`` is there when the risks were out of fold: intervals are then for the model trained on all patients.
    """

    n: int
    n_events: int
    n_competing: int
    n_patients: int | None
    longest_follow_up: float
    median_follow_up: float
    rate: Rate
    at: tuple[HorizonPerformance, ...]
    overall: Mapping[str, Estimate] = field(default_factory=dict)
    n_folds: int | None = None

    @property
    def horizons(self) -> tuple[float, ...]:
        """The horizons judged."""
        return tuple(h.horizon for h in self.at)

    @property
    def n_censored(self) -> int:
        """Rows whose follow-up ended without an event."""
        return self.n - self.n_events - self.n_competing

    def by(self, horizon: float) -> HorizonPerformance:
        """Return the figures by one of the horizons; KeyError for another."""
        found = {h.horizon: h for h in self.at}
        return found[horizon]

    def notebook_table(self) -> NotebookTable:
        """Show every figure with its 95 % interval, a column a horizon."""
        caption = str(Message(N_("{n} patients judged"), {"n": f"{self.n:,}"}))
        header = (str(Message(N_("Measure"))), *(f"{h:g}" for h in self.horizons))
        rows = [
            (str(Message(NAMES.get(name, name))), *(with_interval(h.metrics[name]) for h in self.at))
            for name in self.at[0].metrics
            if all(name in h.metrics for h in self.at)
        ]
        return NotebookTable(caption, header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        counts = ("n", "n_events", "n_competing", "n_censored", "n_patients", "n_folds", "longest_follow_up")
        return {name: getattr(self, name) for name in counts} | {
            "median_follow_up": None if np.isnan(self.median_follow_up) else self.median_follow_up,
            "person_time": self.rate.person_time,
            "horizons": [h.to_dict() for h in self.at],
            "overall": {name: e.to_dict() for name, e in self.overall.items()},
            "rate": Estimate(self.rate.rate, self.rate.low, self.rate.high, "poisson").to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SurvivalPerformance:
        """Read what :meth:`to_dict` wrote."""
        rate, median = Estimate.from_dict(data["rate"]), data["median_follow_up"]
        return cls(
            **{
                name: data[name]
                for name in ("n", "n_events", "n_competing", "n_patients", "n_folds", "longest_follow_up")
            },
            median_follow_up=float("nan") if median is None else median,
            rate=Rate(data["n_events"], data["person_time"], rate.value, rate.low, rate.high),
            at=tuple(HorizonPerformance.from_dict(h) for h in data["horizons"]),
            overall={name: Estimate.from_dict(e) for name, e in data["overall"].items()},
        )


def evaluate_at_horizons(
    duration: Floats,
    event: Ints,
    risk: Floats,
    horizons: Sequence[float],
    *,
    groups: Ints | None = None,
    folds: Ints | None = None,
    threshold: float | None = None,
    over_time: tuple[Floats, Floats] | None = None,
) -> SurvivalPerformance:
    """Judge risks of an event by each horizon against what happened, every figure with its 95 % interval.

    ``duration`` (n,) is the time to the first event or the end of follow-up, ``event`` (n,) 0 censored, 1 the
    event, 2 and above competing events; ``risk`` (n, H) the cumulative incidence of the event by each of the
    ascending ``horizons`` (H,). ``groups`` (n,) are patient codes where patients repeat; ``folds`` (n,) say which
    model gave which risk where these are out of fold. ``over_time``, times (M,) and risks (n, M), are for the
    integrated Brier score, by default over the horizons. A figure that cannot be had is NaN with its reason: a
    horizon beyond the follow-up, too few events. Raises ValueError when the arrays do not fit each other.
    """
    asked = np.asarray(horizons, dtype=np.float64)
    _checked(duration, risk, asked, groups)
    censoring, incidence = Censoring.of(duration, event), Incidence.of(duration, event)
    at = []
    for time, by_then in zip(asked, risk.T, strict=True):
        here = Horizon.after(censoring, incidence, float(time), groups)
        at.append(_at(here, duration, event, by_then, folds, threshold))
    times, curve = (asked, risk) if over_time is None else over_time
    whole = integrated_brier(duration, event, times, curve, groups=groups)
    overall = {"integrated_brier": whole.brier, "integrated_scaled_brier": whole.scaled}
    return SurvivalPerformance(
        n=len(duration),
        n_events=int(np.sum(event == 1)),
        n_competing=int(np.sum(event > 1)),
        n_patients=None if groups is None else len(np.unique(groups)),
        longest_follow_up=float(duration.max()),
        median_follow_up=censoring.median_follow_up(),
        rate=Rate.of(duration, event),
        at=tuple(at),
        overall=overall if folds is None else widened(overall, folds),
        n_folds=None if folds is None else len(np.unique(folds)),
    )


def _at(
    here: Horizon, duration: Floats, event: Ints, risk: Floats, folds: Ints | None, threshold: float | None
) -> HorizonPerformance:
    by_then = duration <= here.time
    known = known_by(here.incidence, here.time)
    events, competing = int(here.event.sum()), int(np.sum(by_then & (event > 1)))
    metrics = (
        _metrics(here, duration, event, risk) if here.within_follow_up else dict.fromkeys(AT_HORIZON, missing(BEYOND))
    )
    if folds is not None:
        metrics = _out_of_fold(metrics, risk, folds, min(events, int(here.known.sum()) - events))
    if threshold is not None:
        metrics["net_benefit"] = net_benefit_at_horizon(
            duration, event, risk, here.time, threshold, groups=here.groups, folds=folds
        )
    return HorizonPerformance(
        horizon=here.time,
        n_events=events,
        n_competing=competing,
        n_free=known - events - competing,
        n_unknown=here.n - known,
        observed=here.observed(),
        mean_risk=float(risk.mean()),
        metrics=metrics,
    )


def _metrics(here: Horizon, duration: Floats, event: Ints, risk: Floats) -> dict[str, Estimate]:
    order = {
        name: concordance_at(figure, duration, event, risk, here.time, here.groups)
        for name, figure in (("uno_c", uno_c), ("harrell_c", harrell_c))
    }
    return {
        "auroc": auroc_at(here, risk),
        **order,
        "brier": brier_at(here, risk),
        "scaled_brier": scaled_brier_at(here, risk),
        **calibration_figures(here, risk),
    }


def _out_of_fold(metrics: Mapping[str, Estimate], risk: Floats, folds: Ints, fewest: int) -> dict[str, Estimate]:
    """Give out-of-fold figures intervals for the model that learnt from all patients."""
    found = widened(metrics, folds)
    if tells_nobody_apart(risk, folds):
        return found | {name: missing(CONSTANT_RISK) for name in _RANKS}
    if fewest >= FEWEST_EVENTS:
        return found
    few = Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS})
    return found | {n: Estimate(found[n].value, reason=found[n].reason or few) for n in _RANKS}


def _checked(duration: Floats, risk: Floats, horizons: Floats, groups: Ints | None) -> None:
    if horizons.ndim != 1 or not len(horizons) or horizons[0] <= 0 or (np.diff(horizons) <= 0).any():
        raise ValueError("horizons must be one time or more above 0, ascending")
    if risk.shape != (len(duration), len(horizons)):
        raise ValueError(
            f"risk has shape {risk.shape}; expected ({len(duration)}, {len(horizons)}): a row a patient, a column a horizon"
        )
    if not np.isfinite(risk).all() or risk.min() < 0 or risk.max() > 1 + 1e-6:
        raise ValueError("risk holds values that are missing or outside 0 to 1")
    if groups is not None and len(groups) != len(duration):
        raise ValueError(f"groups has {len(groups)} entries; expected {len(duration)}")
