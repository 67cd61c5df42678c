"""Risks by a horizon within groups of patients, and two models' risks by it side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.evaluation.figures.estimates import Estimate, Floats
from medcore.evaluation.figures.folds import tells_nobody_apart, widened
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.groups.grouping import GroupKey, grouping
from medcore.evaluation.groups.mistakes import Condition, Mistakes, Region, parted
from medcore.evaluation.groups.subgroups import SMALLEST_SHOWN
from medcore.evaluation.survival.accuracy import brier_difference
from medcore.evaluation.survival.calibration import calibration_coefficients
from medcore.evaluation.survival.discrimination import auroc_at, auroc_difference
from medcore.evaluation.survival.horizon import Horizon, observed
from medcore.i18n import N_, Message
from medcore.statistics.scores import log_loss_terms
from medcore.statistics.survival.incidence import Incidence


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAtHorizon:
    """How risks by a horizon do in one group: ``observed`` is its incidence, ``n_events`` were seen by then."""

    key: GroupKey
    n: int
    n_events: int
    observed: Estimate
    mean_risk: float
    auroc: Estimate
    o_e_ratio: Estimate
    calibration_slope: Estimate


def mistakes_at_horizon(
    duration: Floats, event: Ints, risk: Floats, horizon: float, columns: pd.DataFrame, *, n_worst: int = 10
) -> Mistakes:
    """Find where risks by a horizon (n,) miss what happened, told by ``columns`` (n rows), as for classes.

    The loss is the log loss of patients whose outcome by then is known, weighted for censoring; shares are
    Kaplan–Meier's or Aalen–Johansen's within each region, whose ``gap`` takes mean risks as given.
    """
    at = Horizon.of(duration, event, horizon)
    loss = log_loss_terms(at.event.astype(np.float64), risk)

    def region(conditions: tuple[Condition, ...], mask: npt.NDArray[np.bool_]) -> Region:
        seen, mean = observed(Incidence.of(duration[mask], event[mask]), horizon, None), float(risk[mask].mean())
        weight = at.weight[mask]
        return Region(
            conditions=conditions,
            n=int(mask.sum()),
            share=float(mask.mean()),
            n_events=int(at.event[mask].sum()),
            mean_risk=mean,
            gap=replace(seen, value=seen.value - mean, low=seen.low - mean, high=seen.high - mean),
            loss=float(loss[mask] @ weight / weight.sum()) if weight.any() else 0.0,
            observed=seen.value,
        )

    return parted(loss, columns, region, n_worst=n_worst, weight=at.weight)


def groups_at_horizon(
    duration: Floats,
    event: Ints,
    risk: Floats,
    horizon: float,
    sensitive: pd.DataFrame,
    columns: Sequence[str],
    *,
    groups: Ints | None = None,
) -> tuple[GroupAtHorizon, ...]:
    """Judge risks (n,) by a ``horizon`` within the groups of some sensitive columns; those of under 5 patients are left out.

    Censoring is estimated within each group, which may be followed for another time than the others.
    """
    found = []
    for key, mask in grouping(sensitive, columns).masks().items():
        if mask.sum() < SMALLEST_SHOWN:
            continue
        at = Horizon.of(duration[mask], event[mask], horizon, None if groups is None else groups[mask])
        figures = calibration_coefficients(at, risk[mask])
        found.append(
            GroupAtHorizon(
                key=key,
                n=int(mask.sum()),
                n_events=int(at.event.sum()),
                observed=at.observed(),
                mean_risk=float(risk[mask].mean()),
                auroc=auroc_at(at, risk[mask]),
                o_e_ratio=figures["o_e_ratio"],
                calibration_slope=figures["calibration_slope"],
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonAtHorizon:
    """Model A less model B by a horizon, on the same patients: each difference with its paired interval."""

    horizon: float
    auroc: Estimate
    brier: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON-ready form."""
        return {"horizon": self.horizon, "auroc": self.auroc.to_dict(), "brier": self.brier.to_dict()}

    def verdict(self, name_a: str, name_b: str) -> Message:
        """Say which model tells patients apart better, if that can be shown."""
        values = {"a": name_a, "b": name_b}
        if self.auroc.exists and self.auroc.low > 0:
            return Message(N_("{a} tells patients apart better than {b} by this horizon."), values)
        if self.auroc.exists and self.auroc.high < 0:
            return Message(N_("{b} tells patients apart better than {a} by this horizon."), values)
        return Message(N_("Neither {a} nor {b} can be shown to tell patients apart better by this horizon."), values)


def compare_at_horizon(
    duration: Floats,
    event: Ints,
    risk_a: Floats,
    risk_b: Floats,
    horizon: float,
    *,
    groups: Ints | None = None,
    folds: Ints | None = None,
) -> ComparisonAtHorizon:
    """Compare risks (n,) of two models by a horizon; those out of fold (``folds``) for the models trained on all patients."""
    at = Horizon.of(duration, event, horizon, groups)
    # The same risk for everybody differs between folds, which tells nobody apart.
    apart = [np.zeros_like(r) if folds is not None and tells_nobody_apart(r, folds) else r for r in (risk_a, risk_b)]
    found = {
        "difference_auroc": auroc_difference(at, *apart),
        "difference_brier": brier_difference(at, risk_a, risk_b),
    }
    found = found if folds is None else widened(found, folds)  # a difference is no area, and may be below 0
    return ComparisonAtHorizon(horizon=horizon, auroc=found["difference_auroc"], brier=found["difference_brier"])
