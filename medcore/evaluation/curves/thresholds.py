"""From which risk on should one act? A threshold with the reason for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from medcore.errors import SettingsError
from medcore.evaluation.curves.discrimination import Ranked
from medcore.evaluation.figures.confusion import RATES, Confusion, confusion
from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import Ints, default_n_boot, draw, risk_bins, sums
from medcore.i18n import N_, Message

Rule = Literal["harm_ratio", "net_benefit", "sensitivity", "specificity", "youden", "by_hand"]
RULES: tuple[str, ...] = get_args(Rule)
#: Rules that look at what happened: on the patients they looked at, their threshold does too well.
FROM_OUTCOMES = frozenset({"net_benefit", "sensitivity", "specificity", "youden"})
SAME_ROWS = N_(
    "This threshold was chosen on these very patients, which flatters it: the intervals of the shares at it come from "
    "choosing anew in resampled patients. Chosen in the other folds each time, it has a sensitivity of {sensitivity} % "
    "and a specificity of {specificity} %."
)
#: How often patients are drawn for an interval that knows of the choice.
DRAWS = 500
LOWEST, HIGHEST = 0.001, 0.999

BY_HAND = N_("The threshold was set by hand.")
UNREACHED = N_("No threshold reaches it on these patients; the nearest was taken.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChoice:
    """A threshold (0–1), the rule and the number it came from, and the reason in words.

    ``reached`` is False when a target could not be met on these patients.
    """

    threshold: float
    rule: Rule
    target: float | None
    rationale: Message
    reached: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the reason in the current language."""
        return {
            "threshold": self.threshold,
            "rule": self.rule,
            "target": self.target,
            "rationale": str(self.rationale),
            "reached": self.reached,
        }


def harm_ratio_threshold(ratio: float) -> float:
    """Return the threshold at which ``ratio`` unnecessary treatments weigh as much as one missed case.

    One acts when the risk p outweighs: p·ratio ≥ (1 − p), so from 1/(1 + ratio) on
    (Pauker & Kassirer 1975, NEJM 293:229).

    >>> harm_ratio_threshold(9)
    0.1
    """
    if not np.isfinite(ratio) or ratio <= 0:
        raise SettingsError(N_("The harm ratio is {ratio}; it must be a number above 0."), ratio=ratio)
    return 1 / (1 + ratio)


def choose_threshold(outcome: Floats, risk: Floats, rule: Rule, *, target: float | None = None) -> ThresholdChoice:
    """Choose a threshold by a rule, on out-of-fold risks (n,) and 0/1 outcomes (n,).

    ``target`` is the harm ratio for ``harm_ratio`` and ``net_benefit``, a share
    (0–1) for ``sensitivity`` and ``specificity``, the threshold for ``by_hand``,
    and unused for ``youden``. Raises SettingsError for a target that cannot be.
    """
    if rule == "harm_ratio":
        return _harm(_needed(rule, target))
    if rule == "by_hand":
        value = _share(rule, target)
        return ThresholdChoice(threshold=_inside(value), rule=rule, target=value, rationale=Message(BY_HAND))
    ranked = Ranked.of(outcome, risk)
    if not 0 < ranked.n_events < ranked.n:
        raise SettingsError(N_("A threshold cannot be chosen by this rule: all patients have the same outcome."))
    if rule == "youden":
        return _youden(ranked)
    if rule == "net_benefit":
        return _net_benefit(ranked, _needed(rule, target))
    return _target(ranked, rule, _share(rule, target))


def across_folds(
    outcome: Floats,
    risk: Floats,
    folds: Ints,
    rule: Rule,
    *,
    target: float | None = None,
    groups: Ints | None = None,
) -> Confusion | None:
    """Judge a rule by patients who had no say in the threshold it chose: each fold by that of the others.

    All arrays are (n,), the risks out of fold. The result's ``threshold`` is the one
    chosen on all. None for rules that look at no outcome, and where the others of some
    fold all have the same outcome.
    """
    if rule not in FROM_OUTCOMES:
        return None
    called = np.zeros(len(risk))
    for fold in np.unique(folds):
        held = folds == fold
        if outcome[~held].min() == outcome[~held].max():
            return None
        called[held] = risk[held] >= choose_threshold(outcome[~held], risk[~held], rule, target=target).threshold
    chosen = choose_threshold(outcome, risk, rule, target=target).threshold
    return replace(confusion(outcome, called, 0.5, groups=groups), threshold=chosen)


def knowing_the_choice(
    outcome: Floats, risk: Floats, rule: Rule, *, target: float | None = None, groups: Ints | None = None, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return 95 % bounds of every rate, among new patients, at the threshold that a rule chooses here.

    Patients are drawn with replacement and the rule chooses anew each time: by how much its threshold does better
    among the drawn than among all is the error to expect of the shares seen here (basic bootstrap on the arcsine
    scale, which holds the truth in 92–97 % of tables of 60 to 400 patients; ``benchmarks/few_events.py``). Wilson's
    bounds, which take the threshold for given, hold it in 79–94 %.
    """
    bins, n_bins = risk_bins(risk)
    cell, n_cells = 2 * bins + (outcome == 1), 2 * n_bins
    drawn = draw(len(risk), groups, n_boot=min(DRAWS, default_n_boot(len(risk))), seed=seed).by_cell(cell, n_cells)
    whole = sums(cell, np.ones(len(risk)), n_cells)[None, :]
    at = {name: _from_the_top(counts) for name, counts in (("drawn", drawn), ("whole", whole))}
    here, there = (_stop(rule, target, *at[name]) for name in ("whole", "drawn"))
    found = {}
    for name in RATES:
        angle, all_angles = (_angles(name, *at[which]) for which in ("drawn", "whole"))
        error = np.take_along_axis(angle, there[:, None], 1)[:, 0] - all_angles[0, there]
        middle = all_angles[0, here[0]]
        low, high = (
            float(np.sin(np.clip(middle - q, 0, np.pi / 2)) ** 2) for q in np.nanpercentile(error, [97.5, 2.5])
        )
        found[name] = (low, high)
    return found


def _from_the_top(counts: Floats) -> tuple[Floats, Floats]:
    """Add up true and false positives from the highest risk down, of counts by risk and outcome (B, 2M); each (B, M)."""
    return np.cumsum(counts[:, ::-2], axis=1), np.cumsum(counts[:, -2::-2], axis=1)


def _angles(name: str, tp: Floats, fp: Floats) -> Floats:
    cells = {"tp": tp, "fp": fp, "fn": tp[:, -1:] - tp, "tn": fp[:, -1:] - fp}
    hit, of = (np.sum([cells[cell] for cell in part], axis=0) for part in RATES[name])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hit / of
    out: Floats = np.arcsin(np.sqrt(np.clip(share, 0, 1)))
    return out


def _stop(rule: Rule, target: float | None, tp: Floats | Ints, fp: Floats | Ints) -> Ints:
    """Return at which of falling thresholds a rule stops, by the true and false positives at each (B, M); (B,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found, alarmed = tp / tp[:, -1:], fp / fp[:, -1:]
    if rule == "youden":
        return np.asarray((found - alarmed).argmax(1))
    if rule == "net_benefit":
        return np.asarray((tp - fp * (1 / _needed(rule, target))).argmax(1))
    share = _share(rule, target) - 1e-12
    if rule == "sensitivity":
        return np.asarray((found >= share).argmax(1))
    reached = 1 - alarmed >= share
    return np.asarray(np.where(reached.any(1), reached.shape[1] - 1 - reached[:, ::-1].argmax(1), 0))


def _harm(ratio: float) -> ThresholdChoice:
    return ThresholdChoice(
        threshold=_inside(harm_ratio_threshold(ratio)),
        rule="harm_ratio",
        target=ratio,
        rationale=Message(
            N_("Missing one patient with the outcome was judged as bad as treating {ratio} patients without need."),
            {"ratio": f"{ratio:g}"},
        ),
    )


def _youden(ranked: Ranked) -> ThresholdChoice:
    called, tp = (a[1:] for a in ranked.steps())
    best = int(_stop("youden", None, tp[None], (called - tp)[None])[0])
    index = tp[best] / ranked.n_events - (called[best] - tp[best]) / (ranked.n - ranked.n_events)
    return ThresholdChoice(
        threshold=_inside(float(ranked.risk[called[best] - 1])),
        rule="youden",
        target=None,
        rationale=Message(
            N_(
                "Sensitivity plus specificity is largest here (Youden's index {index}): a missed case was taken to be "
                "as bad as a false alarm in proportion to how common each is."
            ),
            {"index": f"{index:.2f}"},
        ),
    )


def _net_benefit(ranked: Ranked, ratio: float) -> ThresholdChoice:
    harm_ratio_threshold(ratio)
    called, tp = (a[1:] for a in ranked.steps())
    best = int(_stop("net_benefit", ratio, tp[None], (called - tp)[None])[0])
    benefit = (tp[best] - (called[best] - tp[best]) / ratio) / ranked.n
    return ThresholdChoice(
        threshold=_inside(float(ranked.risk[called[best] - 1])),
        rule="net_benefit",
        target=ratio,
        rationale=Message(
            N_(
                "Net benefit is largest here on the training patients when one missed case is as bad as {ratio} "
                "unnecessary treatments ({benefit} true positives per 100 patients)."
            ),
            {"ratio": f"{ratio:g}", "benefit": f"{100 * benefit:.1f}"},
        ),
    )


def _target(ranked: Ranked, rule: Rule, share: float) -> ThresholdChoice:
    called, tp = (a[1:] for a in ranked.steps())
    best = int(_stop(rule, share, tp[None], (called - tp)[None])[0])
    if rule == "sensitivity":
        met = bool(tp[best] / ranked.n_events >= share - 1e-12)
        words = N_("It is the highest threshold that finds at least {percent} % of those with the outcome.")
    else:
        met = bool(1 - (called[best] - tp[best]) / (ranked.n - ranked.n_events) >= share - 1e-12)
        words = N_("It is the lowest threshold that leaves alone at least {percent} % of those without the outcome.")
    return ThresholdChoice(
        threshold=_inside(float(ranked.risk[called[best] - 1])),
        rule=rule,
        target=share,
        rationale=Message(words if met else UNREACHED, {"percent": f"{100 * share:g}"} if met else {}),
        reached=met,
    )


def _needed(rule: str, target: float | None) -> float:
    if target is None:
        raise SettingsError(N_("The rule {rule} needs a number."), rule=rule)
    return float(target)


def _share(rule: str, target: float | None) -> float:
    value = _needed(rule, target)
    if not 0 <= value <= 1:
        raise SettingsError(
            N_("The number for the rule {rule} is {value}; it must lie between 0 and 1."), rule=rule, value=value
        )
    return value


def _inside(threshold: float) -> float:
    return float(min(max(threshold, LOWEST), HIGHEST))
