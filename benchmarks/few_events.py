"""Coverage of the AUROC's interval with few events, of the chance limit of the calibration error, and of a chosen threshold.

``python benchmarks/few_events.py [--tables 1000] [--json FILE]``. The truth is known: scores of
patients with and without the outcome are normal, so that the true AUROC is Φ(d/√2). The
model is fixed and the patients are new (``coverage_truth.py`` is about out-of-fold risks). DeLong's
interval on its own scale, the one that was printed before, stands beside as the peer. Youden's threshold is chosen
on the table that it is judged by: its index, the one across folds, the true one, and how often the bounds that know
of the choice and Wilson's hold the true sensitivity and specificity.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from medcore.evaluation import confusion, evaluate
from medcore.evaluation.curves.thresholds import across_folds, choose_threshold, knowing_the_choice
from medcore.evaluation.figures.auroc import FEWEST_EVENTS, auroc
from medcore.statistics.proportions import Z95
from medcore.statistics.ranking import auroc_with_influence

EVENTS = (2, 3, 5, 7, 10, 15, 20, 40)
AREAS = (0.65, 0.75, 0.85, 0.93)


def fixed_model(rng: np.random.Generator, n: int, tables: int) -> list[dict[str, float]]:
    """Judge normal scores of known distance on ``tables`` tables of ``n`` patients."""
    rows = []
    for events in EVENTS:
        outcome = (np.arange(n) < events).astype(float)
        held, before, width, given = [], [], [], 0
        for true in AREAS:
            for _table in range(tables // len(AREAS)):
                score = rng.normal(size=n) + np.sqrt(2) * norm.ppf(true) * outcome
                area, influence = auroc_with_influence(outcome, score)
                half = Z95 * np.sqrt(influence @ influence)
                before.append(area - half <= true <= area + half)
                found = auroc(outcome, score)
                if np.isfinite(found.low):
                    given += 1
                    held.append(found.low <= true <= found.high)
                    width.append(found.high - found.low)
        rows.append(_row(events, held, before, width, given))
    return rows


def calibration_error(rng: np.random.Generator, tables: int) -> list[dict[str, float]]:
    """Count how often a perfectly calibrated model stays below the chance limit, and a bad one above."""
    rows = []
    for n in (200, 400, 1000):
        below, above = [], []
        for _table in range(tables):
            risk = rng.beta(2, 5, n)
            for true, kept, good in ((risk, below, True), (risk**1.6, above, False)):
                outcome = (rng.random(n) < true).astype(int)
                found = evaluate(outcome, np.column_stack([1 - risk, risk]), ("no", "yes"), n_boot=20).metrics
                kept.append((found["ici"].value <= found["ici_chance"].value) is good)
        rows.append({"n": n, "calibrated_below": float(np.mean(below)), "miscalibrated_above": float(np.mean(above))})
    return rows


def chosen_threshold(rng: np.random.Generator, tables: int) -> list[dict[str, float]]:
    """Choose Youden's threshold on normal scores ``distance`` apart, 30 % with the outcome (0: noise), and judge it there."""
    rows = []
    for n, distance in ((100, 0.0), (100, 1.0), (100, 2.0), (400, 0.0), (400, 1.0)):
        found = []
        for _table in range(tables):
            outcome = (rng.random(n) < 0.3).astype(float)
            score = rng.normal(size=n) + distance * outcome
            at = choose_threshold(outcome, expit(score), "youden").threshold
            true = {"sensitivity": norm.sf(logit(at) - distance), "specificity": norm.cdf(logit(at))}
            same = confusion(outcome, expit(score), at)
            others = across_folds(outcome, expit(score), np.arange(n) % 5, "youden")
            bounds = knowing_the_choice(outcome, expit(score), "youden")
            row = [c.sensitivity.value + c.specificity.value - 1 for c in (same, others)] + [sum(true.values()) - 1]
            for name in true:
                low, high = bounds[name]
                wilson = getattr(same, name)
                row += [low <= true[name] <= high, wilson.low <= true[name] <= wilson.high]
            found.append(row)
        names = ("index_here", "index_across_folds", "index_true", "sensitivity_held", "wilson", "specificity_held")
        rows.append({"n": n, "distance": distance, **dict(zip((*names, "wilson_too"), np.mean(found, 0), strict=True))})
    return rows


def _row(events: int, held: list[bool], before: list[bool], width: list[float], given: int) -> dict[str, float]:
    return {
        "events": events,
        "tables": len(before),
        "given": given / len(before),
        "coverage": float(np.mean(held)) if held else float("nan"),
        "width": float(np.mean(width)) if width else float("nan"),
        "delong_coverage": float(np.mean(before)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rng = np.random.default_rng(20261128)
    print(f"no interval below {FEWEST_EVENTS} events")
    parts = {
        "fixed_model": lambda: fixed_model(rng, 200, asked.tables),
        "calibration_error": lambda: calibration_error(rng, max(asked.tables // 5, 50)),
        "chosen_threshold": lambda: chosen_threshold(rng, max(asked.tables // 2, 50)),
    }
    found = {}
    for name, part in parts.items():
        found[name] = part()
        print(name)
        for row in found[name]:
            print("  " + "  ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
