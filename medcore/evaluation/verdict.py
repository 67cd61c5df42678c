"""The verdict on a model: does it rank, do its risks come true, does acting on it help, and what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medcore.evaluation.curves.utility import DecisionCurve
from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import N_, Message

Answer = Literal["yes", "no", "unclear"]

JUDGED_UNCLEAR = N_("Calibration cannot be judged on these patients")
TRUE_SLOPES = (0.8, 1.25)
"""Risks come true where the whole interval of the calibration slope lies within, as the limits of a report have it."""
TRUE_IN_THE_LARGE = (-0.22, 0.22)
"""The same for calibration in the large: the odds of all risks off by less than a quarter."""
RECALIBRATE = N_("Next: have it recalibrated, by training again or on patients of your own under New patients.")
NO_DEPARTURE = N_("No departure of predicted risks from what happened can be shown")
_DEPARTURES = {
    ("", ""): NO_DEPARTURE,
    ("extreme", ""): N_("Risks are too extreme: high ones too high, low ones too low"),
    ("timid", ""): N_("Risks are too timid: too close to the average"),
    ("", "high"): N_("Risks are too high on average"),
    ("", "low"): N_("Risks are too low on average"),
    ("extreme", "high"): N_("Risks are too high on average, and too far apart"),
    ("extreme", "low"): N_("Risks are too low on average, and too far apart"),
    ("timid", "high"): N_("Risks are too high on average, and too much alike"),
    ("timid", "low"): N_("Risks are too low on average, and too much alike"),
}
"""What calibration slope and calibration in the large say together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Three answers, the sentence that joins them, and the next step.

    ``gain`` is the net benefit per 100 patients over the better of treating everyone
    and no one (``over_all``: over everyone), at ``threshold`` (0–1).
    """

    ranks: Answer
    comes_true: Answer
    helps: Answer
    gain: Estimate
    over_all: bool
    threshold: float
    sentence: Message
    next_step: Message

    @property
    def level(self) -> Literal["success", "warning", "error"]:
        """How loudly it is to be said."""
        if self.ranks == "no":
            return "error"
        return "success" if {self.ranks, self.comes_true, self.helps} == {"yes"} else "warning"


def calibration_finding(metrics: Mapping[str, Estimate]) -> Message:
    """Say what calibration slope and calibration in the large mean together.

    A deviation is named only where the 95 % interval excludes the perfect value; one in the large beside
    a slope's only where it would matter.
    """
    slope, large = metrics["calibration_slope"], metrics["calibration_intercept"]
    if not (np.isfinite(slope.low) and np.isfinite(large.low)):
        return Message(JUDGED_UNCLEAR)
    spread = "extreme" if slope.high < 1 else "timid" if slope.low > 1 else ""
    level = "high" if large.high < 0 else "low" if large.low > 0 else ""
    if spread and TRUE_IN_THE_LARGE[0] < large.value < TRUE_IN_THE_LARGE[1]:
        level = ""
    return Message(_DEPARTURES[spread, level])


def verdict(
    metrics: Mapping[str, Estimate],
    curve: DecisionCurve,
    threshold: float,
    *,
    locked: bool,
    here: DecisionCurve | None = None,
) -> Verdict:
    """Judge a model by its AUROC, its calibration and its net benefit at a threshold (0–1).

    "Yes" and "no" are said only where a 95 % interval bears them out. ``locked`` says that the patients are
    those of the locked test set. ``here`` is the net benefit at that threshold alone, where the curve only comes near it.
    """
    auroc, finding = metrics["auroc"], calibration_finding(metrics)
    ranks: Answer = "unclear" if not np.isfinite(auroc.low) else "yes" if auroc.low > 0.5 else "no"
    comes_true: Answer = "no"
    if finding.template in (NO_DEPARTURE, JUDGED_UNCLEAR):
        comes_true = "yes" if _borne_out(metrics) else "unclear"
    here = here or curve
    i = int(np.argmin(np.abs(here.thresholds - threshold)))
    over_all = bool(here.treat_all[i] > 0)
    values = (
        (here.over_all, here.over_all_low, here.over_all_high) if over_all else (here.net_benefit, here.low, here.high)
    )
    value, low, high = (100 * float(array[i]) for array in values)
    gain = Estimate(value, low, high, "normal")
    helps: Answer = "yes" if gain.low > 0 else "no" if gain.high < 0 else "unclear"
    sentence, step = _said(ranks, comes_true, helps, curve, locked=locked)
    words = {"finding": finding, "threshold": f"{100 * here.thresholds[i]:.3g}"}
    useful = curve.useful_range()
    words |= {"low": f"{100 * useful[0]:.0f}", "high": f"{100 * useful[1]:.0f}"} if useful else {}
    return Verdict(
        ranks=ranks,
        comes_true=comes_true,
        helps=helps,
        gain=gain,
        over_all=over_all,
        threshold=threshold,
        sentence=Message(sentence, words),
        next_step=Message(step, words),
    )


def _borne_out(metrics: Mapping[str, Estimate]) -> bool:
    """Say whether the intervals leave no room for a departure that would matter; that none can be shown is not enough."""
    limits = {"calibration_slope": TRUE_SLOPES, "calibration_intercept": TRUE_IN_THE_LARGE}
    return all(least < metrics[name].low and metrics[name].high < most for name, (least, most) in limits.items())


def _said(ranks: Answer, comes_true: Answer, helps: Answer, curve: DecisionCurve, *, locked: bool) -> tuple[str, str]:
    """Choose the sentence and the next step: the first thing that is amiss decides."""
    if ranks != "yes":
        return (
            N_(
                "These patients do not show that the model tells those with the outcome from those without: do not act on its risks."
            ),
            N_(
                "Next: look for other predictors or more patients, and see on the Data page what is wrong with the table."
            ),
        )
    if comes_true == "no":
        return (
            N_("The model tells patients apart, but its risks cannot be taken at their word. {finding}."),
            RECALIBRATE,
        )
    if helps != "yes":
        step = N_(
            "Next: choose a threshold between {low} % and {high} %, where its 95 % interval shows that acting on it helps."
        )
        if curve.useful_range() is None:
            step = N_(
                "Next: let it inform a decision but not make one; over no range of thresholds do 95 % intervals show that acting on it helps."
            )
        return (
            N_(
                "The model tells patients apart, but at a threshold of {threshold} % acting on it cannot be shown to be better than treating everyone or no one."
            ),
            step,
        )
    if comes_true == "unclear":
        return (
            N_(
                "The model tells patients apart and acting on it at {threshold} % helps; whether its risks come true cannot be judged on so few patients."
            ),
            N_("Next: gather more patients with the outcome, or judge the model under New patients."),
        )
    return (
        N_(
            "The model tells patients apart, its risks come true, and at a threshold of {threshold} % acting on it is better than treating everyone or no one."
        ),
        N_("Next: judge it under New patients, on patients of another place, before anyone acts on it.")
        if locked
        else N_("Next: see whether that holds for every group of patients, then look once at the locked test set."),
    )
