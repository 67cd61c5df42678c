"""Tables of the Evaluate page: rates at a threshold, and differences between two models."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from medcore.evaluation import Comparison, Confusion, Estimate
from medcore.i18n import N_, _, number
from medcore.ui.kit.shown.tables import METRICS, said, table
from medcore.ui.kit.text import plain

RATES: Mapping[str, str] = {
    "sensitivity": N_("Sensitivity: of 100 with the outcome, found"),
    "specificity": N_("Specificity: of 100 without it, left alone"),
    "ppv": N_("Positive predictive value: of 100 alerts, true"),
    "npv": N_("Negative predictive value: of 100 without alert, rightly so"),
    "alert_rate": N_("Alerts per 100 patients"),
}

DIFFERENCES: Mapping[str, str] = {
    "auroc": METRICS["auroc"],
    "auroc_bootstrap": N_("AUROC, interval by resampling patients"),
    "auprc": METRICS["auprc"],
    "brier": METRICS["brier"],
    "log_loss": METRICS["log_loss"],
    "ici": METRICS["ici"],
    "net_benefit": N_("Net benefit at the threshold"),
}


def rates(
    confusions: Mapping[str, Confusion], elsewhere: Mapping[str, Confusion]
) -> tuple[list[dict[str, str]], list[str]]:
    """Return the rates at a threshold by model, accuracy last and beside what it is without skill, and what each means.

    ``elsewhere`` are the same counts at the prevalence that was asked for; where
    that is not the study's, predictive values are shown for it too.
    """
    head = _("At this threshold (95 % interval)")
    rows: list[dict[str, str]] = []
    why: list[str] = []
    first = next(iter(confusions.values()))
    for rate, label in RATES.items():
        rows.append({head: _(label)} | {n: per_hundred(getattr(c, rate)) for n, c in confusions.items()})
        why.append(said(rate, getattr(first, rate)))
        if rate in ("ppv", "npv") and _differs(confusions, elsewhere):
            share = next(iter(elsewhere.values())).prevalence or 0.0
            there = _("… where {percent} % have the outcome", percent=f"{100 * share:.1f}")
            rows.append({head: there} | {n: per_hundred(getattr(c, rate)) for n, c in elsewhere.items()})
            why.append(said(rate, getattr(next(iter(elsewhere.values())), rate)))
    needed, benefit = Estimate(first.number_needed_to_evaluate), Estimate(first.net_benefit)
    last: dict[str, tuple[str, Callable[[Confusion], str]]] = {
        _("Alerts looked into for each true one"): (
            said("number_needed_to_evaluate", needed),
            lambda c: _number(c.number_needed_to_evaluate, 1),
        ),
        _("Net benefit, true positives per 100 patients"): (
            said("net_benefit", benefit),
            lambda c: _number(100 * c.net_benefit, 1),
        ),
        _("Accuracy (without any skill: {n} %)", n=_no_skill(confusions)): (
            said("accuracy", first.accuracy),
            lambda c: per_hundred(c.accuracy),
        ),
    }
    for label, (meaning, cell) in last.items():
        rows.append({head: label} | {name: cell(c) for name, c in confusions.items()})
        why.append(meaning)
    return rows, why


def differences(comparison: Comparison, name_a: str, name_b: str) -> None:
    """Show the paired differences between two models with their intervals and methods."""
    table(
        [
            {
                _("{a} less {b}", a=plain(name_a), b=plain(name_b)): _(label),
                _("Difference (95 % interval)"): signed(comparison.differences[name]),
            }
            for name, label in DIFFERENCES.items()
            if name in comparison.differences
        ]
    )


def per_hundred(estimate: Estimate) -> str:
    """Write a share with its interval as a number of 100."""
    return f"{estimate.times(100):.1f}"


def signed(estimate: Estimate, digits: int = 4) -> str:
    """Write a difference with its sign and interval."""
    return f"{estimate:+.{digits}f}"


def _number(value: float, digits: int) -> str:
    return number(value, f".{digits}f") if np.isfinite(value) else "–"


def _no_skill(confusions: Mapping[str, Confusion]) -> str:
    return f"{100 * next(iter(confusions.values())).no_skill_accuracy:.1f}"


def _differs(confusions: Mapping[str, Confusion], elsewhere: Mapping[str, Confusion]) -> bool:
    here, there = next(iter(confusions.values())), next(iter(elsewhere.values()))
    return there.prevalence is not None and abs(there.prevalence - here.study_prevalence) >= 0.001
