"""What it would cost to treat groups alike: thresholds or recalibration by group, shown with their price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medcore.evaluation.curves.thresholds import choose_threshold
from medcore.evaluation.figures.confusion import Confusion, confusion
from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.groups.grouping import Grouping, GroupKey
from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.evaluation.recalibration.update import Update, update
from medcore.i18n import N_, Message

NEVER_SILENT = N_(
    "Nothing is changed: this shows what a change would cost. Treating groups by different thresholds is a decision "
    "for clinicians, patients and the law, not for a program."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One way to treat groups more alike, and what it does to all patients.

    ``before`` and ``after`` are confusion matrices by group; ``net_benefit_before``
    and ``net_benefit_after`` are of all patients, false positives weighed at the
    common threshold in both. ``thresholds`` and ``updates`` are what was changed,
    by group; a group too small to judge is left as it was.
    """

    kind: str
    before: Mapping[GroupKey, Confusion]
    after: Mapping[GroupKey, Confusion]
    thresholds: Mapping[GroupKey, float]
    updates: Mapping[GroupKey, Update]
    net_benefit_before: float
    net_benefit_after: float

    def gap(self, which: str, rate: str = "sensitivity") -> float:
        """Return the largest difference of a rate between the groups that can be judged, ``"before"`` or ``"after"``."""
        values = [getattr(getattr(self, which)[key], rate).value for key in (*self.thresholds, *self.updates)]
        return float(max(values) - min(values)) if len(values) > 1 else float("nan")

    def price(self) -> Message:
        """Say what it changes and what it costs."""
        return Message(
            N_(
                "The gap in sensitivity goes from {before} to {after} per 100 with the outcome; alerts go from "
                "{alerts_before} to {alerts_after} and net benefit from {benefit_before} to {benefit_after} per 100 "
                "patients."
            ),
            {
                "before": f"{100 * self.gap('before'):.1f}",
                "after": f"{100 * self.gap('after'):.1f}",
                "alerts_before": f"{100 * _alerts(self.before):.1f}",
                "alerts_after": f"{100 * _alerts(self.after):.1f}",
                "benefit_before": f"{100 * self.net_benefit_before:.1f}",
                "benefit_after": f"{100 * self.net_benefit_after:.1f}",
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "kind": self.kind,
            "before": {str(k): c.to_dict() for k, c in self.before.items()},
            "after": {str(k): c.to_dict() for k, c in self.after.items()},
            "thresholds": {str(k): t for k, t in self.thresholds.items()},
            "updates": {str(k): u.to_dict() for k, u in self.updates.items()},
            "net_benefit_before": self.net_benefit_before,
            "net_benefit_after": self.net_benefit_after,
            "price": str(self.price()),
        }


def equal_sensitivity(outcome: Floats, risk: Floats, groups: Grouping, *, threshold: float) -> Remedy:
    """Give each group its own threshold, at which it reaches the sensitivity of all patients together.

    ``groups`` has the group of each patient (n,).
    """
    wanted = confusion(outcome, risk, threshold).sensitivity.value
    thresholds = {
        name: choose_threshold(outcome[mask], risk[mask], "sensitivity", target=wanted).threshold
        for name, mask in _judgeable(outcome, groups).items()
    }
    return _remedy("equal_sensitivity", outcome, risk, risk, groups, threshold, thresholds, {})


def recalibrated(outcome: Floats, risk: Floats, groups: Grouping, *, threshold: float) -> Remedy:
    """Shift each group's risks so that they are right on average in it; the threshold stays the same."""
    updates, new = {}, risk.copy()
    for name, mask in _judgeable(outcome, groups).items():
        found = update(outcome[mask], risk[mask])
        if found is not None:
            updates[name], new[mask] = found, found.apply(risk[mask])
    return _remedy("recalibrated", outcome, risk, new, groups, threshold, {}, updates)


def _remedy(
    kind: str,
    outcome: Floats,
    old: Floats,
    new: Floats,
    groups: Grouping,
    threshold: float,
    thresholds: Mapping[GroupKey, float],
    updates: Mapping[GroupKey, Update],
) -> Remedy:
    before, after = {}, {}
    for name, mask in groups.masks().items():
        before[name] = confusion(outcome[mask], old[mask], threshold)
        after[name] = confusion(outcome[mask], new[mask], thresholds.get(name, threshold))
    odds = threshold / (1 - threshold)
    return Remedy(
        kind=kind,
        before=before,
        after=after,
        thresholds=dict(thresholds),
        updates=dict(updates),
        net_benefit_before=_benefit(before, odds),
        net_benefit_after=_benefit(after, odds),
    )


def _judgeable(outcome: Floats, groups: Grouping) -> dict[GroupKey, Any]:
    return {k: m for k, m in groups.masks().items() if HARDLY_ANY <= outcome[m].sum() <= m.sum() - HARDLY_ANY}


def _benefit(confusions: Mapping[GroupKey, Confusion], odds: float) -> float:
    n = sum(c.n for c in confusions.values())
    return sum(c.tp - c.fp * odds for c in confusions.values()) / n


def _alerts(confusions: Mapping[GroupKey, Confusion]) -> float:
    return sum(c.tp + c.fp for c in confusions.values()) / sum(c.n for c in confusions.values())
