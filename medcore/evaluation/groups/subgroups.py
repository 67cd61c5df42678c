"""Whether the model is as good, and as fair, for every kind of patient."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.shown import Naming
from medcore.evaluation.curves.utility import net_benefit
from medcore.evaluation.figures.auroc import auroc
from medcore.evaluation.figures.confusion import Confusion, confusion
from medcore.evaluation.figures.estimates import Estimate, Floats, missing, normal
from medcore.evaluation.figures.resampling import Ints, clustered_variance
from medcore.evaluation.groups.grouping import MAX_LEVELS, Grouping, GroupKey, grouping
from medcore.i18n import N_, Message
from medcore.statistics.calibration import in_the_large_fit, slope_fit

#: A group with fewer events or fewer non-events than this cannot be judged: the
#: number under which intervals of discrimination become meaninglessly wide (Collins 2016: 100 for validation).
FEW, HARDLY_ANY = 100, 20
#: Cells of a table smaller than this are not shown (CLINICAL.md, privacy).
SMALLEST_SHOWN = 5
NO_GAP = N_("Fewer than two groups are large enough to compare.")
NOT_JUDGED = N_("The outcomes in this group do not allow it to be computed.")
MEANING = N_(
    "Demographic parity compares how often groups are called positive; equalised odds compares sensitivity and false "
    "alarms; calibration within groups asks whether a risk means the same in each. When groups differ in how common "
    "the outcome is, no useful model can satisfy all three: decide which matters for this use."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """How the model does in one group of patients at a threshold.

    ``judgeable`` is "yes", "poorly" (fewer than 100 events or non-events) or "no"
    (fewer than 20 of either).
    """

    key: GroupKey
    n: int
    n_events: int
    auroc: Estimate
    calibration_intercept: Estimate
    calibration_slope: Estimate
    o_e_ratio: float
    miscalibration: Estimate
    net_benefit: Estimate
    confusion: Confusion

    @property
    def name(self) -> str:
        """The group's name in the reader's language."""
        return str(self.key)

    @property
    def judgeable(self) -> str:
        """Whether there are enough patients to say anything."""
        fewest = min(self.n_events, self.n - self.n_events)
        return "no" if fewest < HARDLY_ANY else "poorly" if fewest < FEW else "yes"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        estimates = ("auroc", "calibration_intercept", "calibration_slope", "miscalibration", "net_benefit")
        return {
            "name": self.name,
            "n": self.n,
            "n_events": self.n_events,
            "judgeable": self.judgeable,
            "o_e_ratio": None if np.isnan(self.o_e_ratio) else self.o_e_ratio,
            "confusion": self.confusion.to_dict(),
        } | {name: getattr(self, name).to_dict() for name in estimates}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """The largest gaps between groups at a threshold, among groups with at least 20 events and non-events.

    ``demographic_parity`` is the gap in alerts, ``equal_opportunity`` that in
    sensitivity, ``false_alarms`` that in false alarms, ``equalised_odds`` the
    larger of those two, ``calibration`` the gap in observed less mean predicted
    risk. Each has the interval of the difference between the two groups furthest
    apart (Newcombe 1998, Stat Med 17:873, method 10); as these were picked for being so,
    it flatters the gap. None with fewer than two such groups.
    """

    demographic_parity: Estimate
    equal_opportunity: Estimate
    false_alarms: Estimate
    equalised_odds: Estimate
    calibration: Estimate
    groups: tuple[GroupKey, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        gaps = ("demographic_parity", "equal_opportunity", "false_alarms", "equalised_odds", "calibration")
        return {name: getattr(self, name).to_dict() for name in gaps} | {
            "groups": [str(key) for key in self.groups],
            "meaning": str(Message(MEANING)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """All groups of one column (or of an intersection of columns), largest first."""

    columns: tuple[str, ...]
    threshold: float
    groups: tuple[Subgroup, ...]
    fairness: Fairness
    n_too_small: int = 0

    def shown(self, naming: Naming) -> Breakdown:
        """Return the same with the groups named as their columns' values are shown."""
        columns = [naming(c) for c in self.columns]
        groups = tuple(replace(g, key=g.key.shown(columns)) for g in self.groups)
        keys = tuple(key.shown(columns) for key in self.fairness.groups)
        return replace(self, groups=groups, fairness=replace(self.fairness, groups=keys))

    def left_out(self) -> Message | None:
        """Name the groups that no gap is of, for too few of their patients have (or lack) the outcome; None where there are none."""
        no = [g.key.message for g in self.groups if g.judgeable == "no"]
        words = N_("Too few patients with or without the outcome to judge: {groups}.")
        return Message(words, {"groups": no}) if no else None

    def warnings(self) -> tuple[Message, ...]:
        """Say which groups are too small to judge, and how many patients are in groups too small to show."""
        left_out = self.left_out()
        out = [] if left_out is None else [left_out]
        poorly = [g.key.message for g in self.groups if g.judgeable == "poorly"]
        if poorly:
            words = N_("Fewer than 100 patients with or without the outcome, so differences are uncertain: {groups}.")
            out.append(Message(words, {"groups": poorly}))
        if self.n_too_small:
            words = N_("Patients in groups of fewer than 5, which are not shown: {n}.")
            out.append(Message(words, {"n": self.n_too_small}))
        return tuple(out)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "columns": list(self.columns),
            "threshold": self.threshold,
            "groups": [g.to_dict() for g in self.groups],
            "fairness": self.fairness.to_dict(),
            "n_too_small": self.n_too_small,
            "warnings": [str(w) for w in self.warnings()],
        }


def breakdown(
    outcome: Floats,
    risk: Floats,
    sensitive: pd.DataFrame,
    columns: Sequence[str],
    *,
    threshold: float,
    groups: Ints | None = None,
) -> Breakdown:
    """Judge the risks within each group of one sensitive column, or of the intersection of several.

    ``sensitive`` has a row a patient (n,); numeric columns are cut at their
    tertiles (ages at 40, 65 and 80 where they fit). ``groups`` are patient codes
    where patients repeat. Groups of fewer than 5 patients are counted, not shown.
    Bands of numbers come in their order, other groups by size.
    """
    parted = grouping(sensitive, columns)
    found, hidden = [], 0
    for key, mask in parted.masks().items():
        if mask.sum() < SMALLEST_SHOWN:
            hidden += int(mask.sum())
            continue
        within = None if groups is None else groups[mask]
        found.append(subgroup(key, outcome[mask], risk[mask], threshold=threshold, groups=within))
    found.sort(key=_order(sensitive, columns, parted))
    return Breakdown(
        columns=tuple(columns), threshold=threshold, groups=tuple(found), fairness=fairness(found), n_too_small=hidden
    )


def _order(sensitive: pd.DataFrame, columns: Sequence[str], parted: Grouping) -> Callable[[Subgroup], float]:
    """Order bands by their lowest value (missing values last), everything else by size."""
    column = sensitive[columns[0]]
    if len(columns) > 1 or not pd.api.types.is_numeric_dtype(column) or column.nunique() <= MAX_LEVELS:
        return lambda group: -group.n
    values, masks = column.to_numpy(dtype=float), parted.masks()
    return lambda group: float(np.nan_to_num(values[masks[group.key]], nan=np.inf).min())


def subgroup(key: GroupKey, outcome: Floats, risk: Floats, *, threshold: float, groups: Ints | None = None) -> Subgroup:
    """Judge one group of patients: ``outcome`` (n,) of 0 and 1, ``risk`` (n,)."""
    slope, large = calibration_in(outcome, risk, groups=groups)
    return Subgroup(
        key=key,
        n=len(risk),
        n_events=int(outcome.sum()),
        auroc=auroc(outcome, risk, groups=groups),
        calibration_intercept=large,
        calibration_slope=slope,
        o_e_ratio=float(outcome.sum() / risk.sum()) if risk.sum() > 0 else float("nan"),
        miscalibration=_miscalibration(outcome - risk, groups),
        net_benefit=net_benefit(outcome, risk, threshold, groups=groups),
        confusion=confusion(outcome, risk, threshold, groups=groups),
    )


def _miscalibration(miss: Floats, groups: Ints | None) -> Estimate:
    """Return the observed share less the mean predicted risk."""
    mean = float(miss.mean())
    return normal(mean, clustered_variance((miss - mean) / len(miss), groups))


def calibration_in(outcome: Floats, risk: Floats, *, groups: Ints | None = None) -> tuple[Estimate, Estimate]:
    """Return calibration slope and calibration in the large with Wald intervals, without any resampling."""
    found = []
    for fit in (slope_fit(outcome, risk), in_the_large_fit(outcome, risk)):
        if fit is None:
            found.append(missing(NOT_JUDGED))
            continue
        variance = float(fit.covariance[-1, -1])
        if groups is not None:
            variance = clustered_variance(fit.influence[:, -1], groups)
        found.append(normal(float(fit.coefficients[-1]), variance, "wald" if groups is None else "wald_cluster"))
    return found[0], found[1]


def fairness(found: Sequence[Subgroup]) -> Fairness:
    """Return the largest gaps between the groups that can be judged at all."""
    judged = [g for g in found if g.judgeable != "no"]
    opportunity = widest_gap([g.confusion.sensitivity for g in judged])
    false_alarms = widest_gap([g.confusion.specificity for g in judged])
    return Fairness(
        demographic_parity=widest_gap([g.confusion.alert_rate for g in judged]),
        equal_opportunity=opportunity,
        false_alarms=false_alarms,
        equalised_odds=max(opportunity, false_alarms, key=lambda gap: gap.value),
        calibration=widest_gap([g.miscalibration for g in judged]),
        groups=tuple(g.key for g in judged),
    )


def widest_gap(figures: Sequence[Estimate]) -> Estimate:
    """Return the largest less the smallest of some groups' figures, with the interval that follows from their own."""
    known = sorted((e for e in figures if e.exists), key=lambda e: e.value)
    if len(known) < 2:
        return missing(NO_GAP)
    low, high = known[0], known[-1]
    gap = high.value - low.value
    return Estimate(
        gap,
        gap - math.hypot(high.value - high.low, low.high - low.value),
        gap + math.hypot(high.high - high.value, low.value - low.low),
        "hybrid",
    )
