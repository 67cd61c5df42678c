"""How exact and how fast are one patient's contributions by a horizon? ``python benchmarks/explanation_by_when.py [--patients N]``.

A drawn table of 15 columns with a time, and one with a competing event, each learnt by ``auto``; patients are explained
at every horizon as the page does it, against the 100 background patients of the bundle. The error is the sum of absolute
differences from a converged reference (1 million evaluations, by permutations alone) over the sum of the absolute
values. Seconds are of the processor, all threads together, and on the clock; one patient is explained first. The script
ends with code 1 when a claim does not hold: within 0.5 s of one cause, an error of 2 % in the mean, a residual of 1e-6.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.reading.table import read_table
from medcore.explanation import explain
from medcore.explanation.patient.effort import live_evaluations
from medcore.explanation.shapley import regression_adjusted
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort

N_BACKGROUND, REFERENCE_EVALUATIONS, HORIZONS = 100, 1_000_000, (1.0, 2.0, 4.0)


def drawn(*, competing: bool, n: int = 800) -> Cohort:
    """Draw 14 numbers and a category, of which nine drive the hazard of death, two of them together and one bent."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 14))
    score = x[:, :6] @ rng.normal(size=6) * 0.5 + 0.6 * x[:, 6] * x[:, 7] + 0.5 * np.abs(x[:, 8])
    death, left = 3 * rng.exponential(np.exp(-score)), rng.uniform(0.5, 8, n)
    other = rng.exponential(6 * np.exp(-0.5 * x[:, 0])) if competing else np.full(n, np.inf)
    ends = np.column_stack([left, death, other])
    frame = pd.DataFrame(x, columns=[f"marker_{i:02}" for i in range(14)]).round(3)
    frame = frame.assign(sex=rng.choice(["m", "f"], n), years=ends.min(axis=1).round(4) + 0.001)
    frame["status"] = np.array(["alive", "dead", "transplant"])[ends.argmin(axis=1)]
    cohort = read_table(("drawn.csv", frame.to_csv(index=False).encode()))
    others = ["transplant"] if competing else []
    asked = {"event": "dead", "competing": others, "horizons": HORIZONS, "unit": "years"}
    return cohort.with_schema(choose_event_time(cohort, "status", when="years", **asked))


def contributions(model: BundleRisk, row: np.ndarray, **options: object) -> tuple[np.ndarray, float]:
    """Explain one row of codes; return the contributions and the residual."""
    bundle = model.bundle
    others = bundle.background.codes[:N_BACKGROUND]
    found = explain(model, row, others, columns=bundle.predictors, class_index=1, **options)
    return np.array([c.contribution for c in found.contributions]), found.additivity_residual


def measured(bundle: Bundle, n_patients: int) -> dict[str, float]:
    """Return the mean and worst relative error, the largest residual, and median seconds at one horizon."""
    model = BundleRisk(bundle)
    evaluations = live_evaluations(bundle)
    patients = bundle.background.codes[N_BACKGROUND : N_BACKGROUND + n_patients + 1]
    contributions(model, patients[0], max_evaluations=evaluations)
    errors, residuals, processor, clock = [], [], [], []
    for row in patients[1:]:
        began, on_clock = time.process_time(), time.perf_counter()
        values, residual = contributions(model, row, max_evaluations=evaluations)
        processor.append(time.process_time() - began)
        clock.append(time.perf_counter() - on_clock)
        most, regression_adjusted.MOST_PLAYERS = regression_adjusted.MOST_PLAYERS, 0
        true, _ = contributions(model, row, max_evaluations=REFERENCE_EVALUATIONS, tolerance=0.001, seed=99)
        regression_adjusted.MOST_PLAYERS = most
        errors.append(np.abs(values - true).sum() / np.abs(true).sum())
        residuals.append(residual)
    return {
        "evaluations": evaluations,
        "mean error": float(np.mean(errors)),
        "worst error": float(np.max(errors)),
        "residual": float(np.max(residuals)),
        "processor seconds": float(np.median(processor)),
        "clock seconds": float(np.median(clock)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=4)
    parser.add_argument("--bundle", type=Path, help="explain this bundle's own patients instead")
    options = parser.parse_args()
    if options.bundle:
        bundles = {str(options.bundle): load_bundle(options.bundle)}
    else:
        tables = {"one cause": drawn(competing=False), "competing": drawn(competing=True)}
        bundles = {name: train_cohort(cohort, TrainSettings()).bundle for name, cohort in tables.items()}
    holds = True
    for name, bundle in bundles.items():
        print(name, ", ".join(f"{part.kind} {weight:.2f}" for weight, part in bundle.parts))
        for horizon in bundle.target.horizons:
            found = measured(bundle.at(horizon), options.patients)
            print(f"  by {horizon:g}:", ", ".join(f"{key} {value:.3g}" for key, value in found.items()), flush=True)
            holds &= found["mean error"] <= 0.02 and found["residual"] <= 1e-6
            holds &= name == "competing" or found["processor seconds"] <= 0.5
    print("holds" if holds else "FAILS")
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
