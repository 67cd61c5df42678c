"""Is a model of measurements over time better than LightGBM over the same summaries? ``python benchmarks/series.py [--models auto,logistic] [--late 12] [--take first|last] [--test-size 0] [--folder DIR] [--json FILE]``.

4,000 intensive care stays with 1.7 million measurements of their first 48 hours (``icu_2012_a``, PhysioNet/CinC
2012): the second table is read, joined and checked; then each model, and LightGBM and a logistic regression over
the same summaries of the same training patients, are judged on the same folds and on the same locked fifth: AUROC,
average precision, score1 (the challenge's: the best smaller one of sensitivity and precision over all thresholds)
and medcore's calibration slope. The tower reads the measurements themselves, in the order of time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from medcore.data.cohort import Cohort
from medcore.data.long import FORMS, Pivot
from medcore.data.preparation.recipe import default_recipe
from medcore.data.quality import inspect
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.data.schema.long import propose_series
from medcore.data.splitting.split import SplitSettings
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import split_cohort, train_cohort

DATA = Path(__file__).resolve().parent.parent / "shared" / "data"
UNTIL = 48
OUTCOME = "In-hospital_death"
AFTER = ("SAPS-I", "SOFA", "Length_of_stay", "Survival")
"""Columns that are known only later, or are scores of the same measurements."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DATA)
    parser.add_argument("--models", default="auto,logistic")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--late", type=float, default=0.0, help="hours of the last part; 0 for none")
    parser.add_argument("--take", default="|".join(FORMS), help="what is taken of a series")
    parser.add_argument("--test-size", type=float, default=0.2, help="share locked away; 0 trains and folds all 4,000")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cohort = joined(options.folder, late=options.late, forms=options.take.split("|"))
    split = SplitSettings(test_size=options.test_size, seed=options.seed)
    prepared, parts = split_cohort(cohort, default_recipe(cohort.schema), split)
    table = prepared.predictors[[name for name, kind in prepared.kinds.items() if kind != "series"]]
    numbers = np.column_stack(
        [table[c].astype("category").cat.codes if table[c].dtype == "str" else table[c] for c in table]
    )
    numbers = numbers.astype(np.float64)
    rows = [peer(name, make, numbers, prepared.outcome, parts) for name, make in PEERS.items()]
    rows += [ours(cohort, split, TrainSettings(model=m, seed=options.seed)) for m in options.models.split(",")]
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def joined(folder: Path, *, late: float, forms: Sequence[str]) -> Cohort:
    """Read both tables, join them and look for what is wrong, with the seconds of each."""
    began = time.perf_counter()
    patients = read_table(folder / "icu_2012_a_patients.csv")
    long = read_table(folder / "icu_2012_a_measurements.csv.gz")
    read = time.perf_counter()
    columns = propose_series(long.schema, patients.schema, long.frame)
    cohort = with_series(patients, long, Pivot.of_series(columns, until=UNTIL, late=late, forms=forms))
    schema = cohort.schema.change(OUTCOME, role="outcome")
    for name in AFTER:
        schema = schema.change(name, role="ignored")
    cohort = cohort.with_schema(schema.__class__(schema.columns, "1", series=schema.series))
    made = time.perf_counter()
    findings = inspect(cohort)
    done = time.perf_counter()
    print(
        f"{len(long.frame):,} measurements of {len(patients.frame):,} patients: read {read - began:.1f} s, "
        f"joined {made - read:.1f} s, {len(findings)} findings {done - made:.1f} s"
    )
    return cohort


def _regression() -> Any:
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.01, max_iter=2000),
    )


PEERS: dict[str, Callable[[], Any]] = {
    "LightGBM": lambda: LGBMClassifier(
        n_estimators=400, learning_rate=0.03, num_leaves=15, min_child_samples=30, colsample_bytree=0.3, verbose=-1
    ),
    "scikit-learn regression": _regression,
}


def peer(name: str, make: Callable[[], Any], numbers: np.ndarray, outcome: np.ndarray, parts: Any) -> dict[str, Any]:
    """Judge a peer out of fold and on the locked patients."""
    began = time.perf_counter()
    x, y, folds, test = numbers[parts.train], outcome[parts.train], parts.folds[parts.train], parts.test
    risk = np.zeros(len(y))
    for fold in range(folds.max() + 1):
        inside = folds == fold
        risk[inside] = make().fit(x[~inside], y[~inside]).predict_proba(x[inside])[:, 1]
    locked = make().fit(x, y).predict_proba(numbers[test])[:, 1] if test.any() else np.zeros(0)
    return told(name, (y, risk), (outcome[test], locked), time.perf_counter() - began)


def ours(cohort: Cohort, split: SplitSettings, settings: TrainSettings) -> dict[str, Any]:
    began, worked = time.perf_counter(), time.process_time()
    run = train_cohort(cohort, settings, split=split)
    training, test = run.results.training, run.results.test
    slope = run.results.cross_validated.metrics["calibration_slope"].value
    for found in run.results.candidates if settings.model == "auto" else ():
        figures = {
            name: found.cross_validated.metrics[name].value for name in ("auroc", "calibration_slope", "log_loss")
        }
        print(
            f"  {found.name} weight {found.weight:.2f}",
            {k: None if v is None else round(v, 4) for k, v in figures.items()},
        )
    locked = (test.outcome, test.risk[:, 1]) if test else (np.zeros(0), np.zeros(0))
    seconds = time.perf_counter() - began
    own = {"slope": slope, "processor seconds": time.process_time() - worked}
    return told(settings.model, (training.outcome, training.risk[:, 1]), locked, seconds, **own)


Judged = tuple[np.ndarray, np.ndarray]


def told(name: str, folds: Judged, locked: Judged, seconds: float, **more: float) -> dict[str, Any]:
    """Print and return the figures of outcomes and risks, out of fold and of the locked patients where there are any."""
    found: dict[str, Any] = {"model": name, "seconds": seconds, **more}
    for place, (outcome, said) in (("folds", folds), ("locked", locked)):
        if not len(outcome):
            continue
        found |= {
            f"{place} AUROC": roc_auc_score(outcome, said),
            f"{place} AP": average_precision_score(outcome, said),
            f"{place} score1": score1(outcome, said),
        }
    print(", ".join(f"{k} {v:.3f}" if isinstance(v, float) else str(v) for k, v in found.items()), flush=True)
    return found


def score1(outcome: np.ndarray, risk: np.ndarray) -> float:
    """Return the best smaller one of sensitivity and precision over all thresholds."""
    precision, sensitivity, _cuts = precision_recall_curve(outcome, risk)
    return float(np.minimum(precision, sensitivity).max())


if __name__ == "__main__":
    raise SystemExit(main())
