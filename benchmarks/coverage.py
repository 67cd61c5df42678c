"""Do 95 % intervals hold the truth 95 times in 100? ``python benchmarks/coverage.py [--repeats N]``.

Patients are simulated from a known model: one normal predictor, the outcome's log
odds linear in it, and risks that are somewhat too extreme. The true AUROC, slope
and net benefit are known (from four million patients, or exactly), so the share
of intervals that hold them can be counted. 93–97 % is asked for; the script ends
with code 1 when a figure is outside. With patients of three rows each the same
is asked of the intervals that are told who is who, and the naive ones are shown.
The same is asked of weighted intervals: patients are drawn with a chance that
rises with their risk, and weighted by its inverse, so that the truth is that of all.
"""

from __future__ import annotations

if __name__ != "__main__":
    # Scripts beside this one have its folder on their path, and numba asks whether the package "coverage" is there.
    raise ImportError("This is a script; the package coverage is not installed.")

import argparse
import json
import sys

import numpy as np

from medcore.evaluation import evaluate
from medcore.evaluation.curves.utility import net_benefit
from medcore.evaluation.figures.auroc import auroc
from medcore.evaluation.groups.subgroups import calibration_in

THRESHOLD, SLOPE, SHIFT, INTERCEPT = 0.2, 1.3, 0.2, -1.2
DESIGNS = (("single", (200, 1000)), ("weighted", (200, 1000)), ("patients", (600, 3000)), ("naive", (3000,)))
LOWEST, HIGHEST = 0.93, 0.97


def patients(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and risks; the true calibration slope of the risks is 1/SLOPE."""
    x = rng.normal(size=n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-(INTERCEPT + 1.2 * x)))).astype(float)
    return outcome, 1 / (1 + np.exp(-(INTERCEPT * SLOPE + SHIFT + SLOPE * 1.2 * x)))


def repeated(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes, risks and patient codes: three alike rows a patient."""
    outcome, risk = patients(n // 3, rng)
    return np.repeat(outcome, 3), np.repeat(risk, 3), np.repeat(np.arange(n // 3), 3)


def sampled(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes, risks and weights of ``n`` patients drawn with chances from 0.1 to 1 that rise with risk."""
    outcome, risk = patients(20 * n, rng)
    chance = 0.1 + 0.9 * risk
    drawn = np.flatnonzero(rng.random(len(risk)) < chance)[:n]
    return outcome[drawn], risk[drawn], 1 / chance[drawn]


def truths() -> dict[str, float]:
    """Return the true figures, from four million patients and exactly for the slope."""
    outcome, risk = patients(4_000_000, np.random.default_rng(0))
    return {
        "auroc": auroc(outcome, risk).value,
        "calibration_slope": 1 / SLOPE,
        "net_benefit": net_benefit(outcome, risk, THRESHOLD).value,
        "brier": float(np.mean((risk - outcome) ** 2)),
    }


def intervals(
    outcome: np.ndarray, risk: np.ndarray, groups: np.ndarray | None, weights: np.ndarray | None, n_boot: int
) -> dict[str, tuple[float, float]]:
    """Return each figure's interval for one simulated table."""
    found = {"net_benefit": net_benefit(outcome, risk, THRESHOLD, groups=groups, weights=weights)}
    if n_boot or weights is not None:
        both, options = np.column_stack([1 - risk, risk]), {"groups": groups, "weights": weights}
        whole = evaluate(outcome.astype(np.int64), both, ("no", "yes"), n_boot=n_boot or 20, **options).metrics
        found |= {name: whole[name] for name in ("auroc", "calibration_slope", *(("brier",) if n_boot else ()))}
    else:
        found["auroc"] = auroc(outcome, risk, groups=groups)
        found["calibration_slope"] = calibration_in(outcome, risk, groups=groups)[0]
    return {name: (e.low, e.high) for name, e in found.items()}


def coverage(n: int, repeats: int, truth: dict[str, float], *, design: str, n_boot: int) -> dict[str, float]:
    """Return the share of intervals that hold the truth, by figure."""
    rng, hits, count = np.random.default_rng(n), dict.fromkeys(truth, 0), 0
    for _ in range(repeats):
        groups = weights = None
        if design == "single":
            outcome, risk = patients(n, rng)
        elif design == "weighted":
            outcome, risk, weights = sampled(n, rng)
        else:
            outcome, risk, codes = repeated(n, rng)
            groups = codes if design == "patients" else None
        count += 1
        for name, (low, high) in intervals(outcome, risk, groups, weights, n_boot).items():
            hits[name] += low <= truth[name] <= high
    return {name: h / count for name, h in hits.items() if h}


def main() -> int:
    """Print the coverage of every interval as JSON; 1 when one that is asked for is outside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    truth, rows, bad = truths(), [], 0
    for design, sizes in DESIGNS:
        for n in sizes:
            slow = min(repeats, 500)
            found = coverage(n, repeats, truth, design=design, n_boot=0)
            found |= {"brier": coverage(n, slow, truth, design=design, n_boot=200)["brier"]}
            rows.append(
                {"design": design, "n_rows": n, "repeats": repeats} | {k: round(v, 4) for k, v in found.items()}
            )
            asked = () if design == "naive" else ("auroc", "calibration_slope", "net_benefit")
            bad += sum(not LOWEST <= found[name] <= HIGHEST for name in asked)
    print(json.dumps({"truth": truth, "coverage": rows, "outside": bad}, indent=2))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
