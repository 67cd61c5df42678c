"""Do the errors and sets that Explain states hold? ``python benchmarks/explanation_coverage.py [--table PATH,OUTCOME]…``.

On the sample tables and those given, with repeated splits: the share of held-out
patients whose outcome is in their 90 % conformal set, over all and for each class
(87–93 % is asked for over all; the binomial error of each figure is printed beside
it), and the share of 95 % intervals of contributions, from standard errors, that
hold a converged value. One logistic model a split for the sets; for the errors
the reference network of the first split. The script ends with code 1 when a share
of sets is outside by more than two binomial errors, or fewer than 92 % of all
intervals hold.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample, samples
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings
from medcore.explanation import explain
from medcore.explanation.patient.conformal import COVERAGE, ConformalSets
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.models.run.training import Trained

N_BACKGROUND, N_PATIENTS, EVALUATIONS, CONVERGED = 40, 3, 40_000, 1_000_000
LOWEST, HIGHEST, LEAST_HELD = 0.87, 0.93, 0.92


def trained(cohort: Cohort, model: Any, seed: int) -> tuple[Trained, np.ndarray]:
    """Train on one split; also the test patients as codes."""
    found = train_cohort(cohort, TrainSettings(model=model), split=SplitSettings(seed=seed))
    return found, found.bundle.codebook.transform(found.prepared.predictors[found.split.test]).codes


def sets_of(cohort: Cohort, n_splits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return classes (n,) and whether they were in their sets (n,), over all splits."""
    outcomes, inside = [], []
    for seed in range(n_splits):
        results = trained(cohort, "logistic", seed)[0].results
        assert results.test is not None
        sets = ConformalSets.fit(results.training.outcome, results.training.risk, results.classes)
        known = results.test.outcome >= 0
        outcome = results.test.outcome[known]
        outcomes.append(outcome)
        inside.append(sets.contains(results.test.risk[known])[np.arange(len(outcome)), outcome])
    return np.concatenate(outcomes), np.concatenate(inside)


def held(cohort: Cohort) -> np.ndarray:
    """Say of contributions of some patients whether their 95 % interval holds a converged value."""
    found, test = trained(cohort, "seed", 0)
    bundle, risk = found.bundle, BundleRisk(found.bundle)
    shares = []
    for row in test[:N_PATIENTS]:
        answers = [
            explain(
                risk, row, bundle.background.codes[:N_BACKGROUND], columns=bundle.predictors, max_evaluations=n, seed=seed,
                tolerance=tolerance,
            )
            for n, seed, tolerance in ((CONVERGED, 9, 0.001), *((EVALUATIONS // 4, s, 0.0) for s in range(4)))
        ]  # fmt: skip
        values = np.array([[c.contribution for c in a.contributions] for a in answers])
        errors = np.array([[c.standard_error for c in a.contributions] for a in answers])
        if any(a.method == "exact" for a in answers[1:]):
            continue
        error = np.sqrt(errors[1:] ** 2 + errors[0] ** 2)
        shares.append(np.abs(values[1:] - values[0]) <= 1.96 * error + 1e-12)
    return np.concatenate([s.ravel() for s in shares]) if shares else np.zeros(0, bool)


def cohorts(tables: list[str]) -> dict[str, Cohort]:
    """Read the samples and the tables given."""
    found = {sample.key: load_sample(sample.key) for sample in samples()}
    for table in tables:
        path, column = table.split(",")[:2]
        cohort = read_table((Path(path).name, Path(path).read_bytes()))
        found[Path(path).stem] = cohort.with_schema(choose_target(cohort.schema, cohort.frame, column))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="append", default=[])
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    wrong, everything = False, []
    print(
        "| table | held out | in their set | each class | contributions in their interval |\n| --- " * 1
        + "| --- " * 4
        + "|"
    )
    for name, cohort in cohorts(options.table).items():
        outcome, inside = sets_of(cohort, options.splits)
        error = np.sqrt(COVERAGE * (1 - COVERAGE) / len(outcome))
        share = inside.mean()
        wrong |= bool(share < LOWEST - 2 * error or share > HIGHEST + 2 * error)
        by_class = ", ".join(f"{inside[outcome == k].mean():.0%}" for k in np.unique(outcome))
        intervals = held(cohort)
        everything.append(intervals)
        told = f"{intervals.mean():.1%} of {len(intervals)}" if len(intervals) else "exact"
        print(f"| {name} | {len(outcome)} | {share:.1%} ± {error:.1%} | {by_class} | {told} |", flush=True)
    overall = np.concatenate(everything)
    print(f"All intervals: {overall.mean():.1%} of {len(overall)}")
    return int(wrong or overall.mean() < LEAST_HELD)


if __name__ == "__main__":
    sys.exit(main())
