"""Do 95 % intervals hold the truth by a horizon? ``python benchmarks/survival_coverage.py [--repeats N]``.

Patients are simulated from proportional hazards with one normal predictor and risks by the horizon that are
somewhat too extreme; follow-up ends at random and at a last day, so that 30 or 60 % are censored. The truth is
that of 400,000 patients followed to the horizon. Tables of 300 and of 1,000 patients, with and without a
competing event, and of three rows a patient. 93–97 % is asked for; code 1 when a figure is outside by more than
chance allows (two standard errors of the share counted).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter

import numpy as np

from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.survival.accuracy import brier_at, scaled_brier_at
from medcore.evaluation.survival.calibration import calibration_figures
from medcore.evaluation.survival.discrimination import auroc_at, concordance_at
from medcore.evaluation.survival.horizon import Horizon
from medcore.evaluation.survival.utility import net_benefit_at_horizon
from medcore.statistics.survival.concordance import uno_c

HORIZON, THRESHOLD, HAZARD, SLOPE, OTHER = 5.0, 0.3, 0.08, 1.25, 0.05
LOWEST, HIGHEST, TRUTH = 0.93, 0.97, 400_000
#: Mean time to random censoring and the last day, by the share censored and whether another event competes.
FOLLOW_UP = {(30, False): (60.0, 25.0), (60, False): (11.0, 12.0), (30, True): (25.0, 25.0), (60, True): (7.0, 12.0)}
Table = tuple[np.ndarray, np.ndarray, np.ndarray]


def patients(n: int, rng: np.random.Generator, *, competing: bool, share: int | None) -> Table:
    """Return durations, events and risks by the horizon; nobody is censored where ``share`` is None."""
    x = rng.normal(size=n)
    first = rng.exponential(1 / (HAZARD * np.exp(x)))
    second = rng.exponential(1 / OTHER, n) if competing else np.full(n, np.inf)
    risk = -np.expm1(-np.exp(SLOPE * (np.log(HAZARD * HORIZON) + x) - 0.1))
    duration, event = np.minimum(first, second), np.where(first <= second, 1, 2)
    if share is None:
        return duration, event, risk
    mean, last = FOLLOW_UP[share, competing]
    end = np.minimum(rng.exponential(mean, n), last)
    return np.minimum(duration, end), np.where(duration <= end, event, 0), risk


def figures(table: Table, groups: np.ndarray | None) -> dict[str, Estimate]:
    """Return the figures of one table."""
    duration, event, risk = table
    at = Horizon.of(duration, event, HORIZON, groups)
    calibration = calibration_figures(at, risk)
    return {
        "auroc": auroc_at(at, risk),
        "brier": brier_at(at, risk),
        "calibration_slope": calibration["calibration_slope"],
        "net_benefit": net_benefit_at_horizon(duration, event, risk, HORIZON, THRESHOLD, groups=groups),
        "uno_c": concordance_at(uno_c, duration, event, risk, HORIZON, groups),
        "scaled_brier": scaled_brier_at(at, risk),
        "calibration_intercept": calibration["calibration_intercept"],
        "o_e_ratio": calibration["o_e_ratio"],
        "incidence": at.observed(),
    }


def line(truth: dict[str, float], n: int, share: int, repeats: int, *, competing: bool, rows: int) -> dict[str, object]:
    """Count how often intervals hold the truth in one design."""
    held: Counter[str] = Counter()
    censored = 0.0
    for seed in range(repeats):
        table = patients(n // rows, np.random.default_rng([n, share, rows, seed]), competing=competing, share=share)
        groups = None if rows == 1 else np.repeat(np.arange(n // rows), rows)
        censored += float(np.mean(table[1] == 0)) / repeats
        for name, e in figures(tuple(np.repeat(x, rows) for x in table), groups).items():
            held[name] += e.low <= truth[name] <= e.high
    shares = {name: held[name] / repeats for name in truth}
    return {"patients": n // rows, "rows": n, "censored": round(censored, 3), "competing": competing, **shares}


def main() -> int:
    """Run every design and say which figures are outside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=500)
    repeats = parser.parse_args().repeats
    slack = 2 * math.sqrt(0.95 * 0.05 / repeats)
    outside = []
    for competing in (False, True):
        whole = patients(TRUTH, np.random.default_rng(0), competing=competing, share=None)
        truth = {name: e.value for name, e in figures(whole, None).items()}
        print(json.dumps({"truth": truth, "competing": competing}), flush=True)
        designs = [(n, share, 1) for share in (30, 60) for n in (300, 1000)] + [(900, 60, 3)]
        for n, share, rows in designs:
            found = line(truth, n, share, repeats, competing=competing, rows=rows)
            print(json.dumps(found), flush=True)
            outside += [(n, share, rows, k) for k in truth if not LOWEST - slack <= float(found[k]) <= HIGHEST + slack]
    print(f"outside {LOWEST:.0%} to {HIGHEST:.0%} by more than chance: {outside or 'none'}")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
