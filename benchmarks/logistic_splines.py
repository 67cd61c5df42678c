"""Does logistic regression gain by bending? ``python benchmarks/logistic_splines.py PATH,TARGET[,POSITIVE[,DROP…]] …``.

Each table (and the built-in samples with ``--samples``) is cross-validated whole, five folds
with each of ``--seeds`` seeds: AUROC and log loss of the out-of-fold risks of ridge logistic regression
with straight lines only, as it was before, and with restricted cubic splines where they pay, as it is.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.samples import samples
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.evaluation import evaluate
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.learners import baselines
from medcore.models.run.training import task_of

MOST = baselines.MOST_COLUMNS_TO_BEND


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="PATH,TARGET[,POSITIVE[,DROP…]]")
    parser.add_argument("--samples", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    asked = [tuple(text.split(",")) for text in options.tables]
    asked += [(str(s.path), s.target, s.positive or "", *s.drop) for s in samples()] if options.samples else []
    found = [judge(*table, seeds=options.seeds) for table in asked]
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return 0


def judge(path: str, target: str, positive: str = "", *drop: str, seeds: int) -> dict[str, object]:
    """Cross-validate one table with and without splines and print a line of a table."""
    cohort = read_table(Path(path))
    schema = choose_target(cohort.schema, cohort.frame, target, positive=positive or None).drop(list(drop))
    cohort = cohort.with_schema(schema)
    prepared = prepare(cohort, default_recipe(schema))
    figures: dict[str, list[list[float]]] = {"straight": [], "splines": []}
    bends: list[int] = []
    for seed in range(seeds):
        split = make_split(prepared, SplitSettings(test_size=0.0, seed=seed))
        task = task_of(prepared, split, TrainSettings(model="logistic", seed=seed))
        for name, most in (("straight", -1), ("splines", MOST)):
            baselines.MOST_COLUMNS_TO_BEND = most
            began = time.perf_counter()
            fitted = baselines.fit_logistic(task, ProgressReporter(NullFollower(), {}))
            seconds = time.perf_counter() - began
            judged = evaluate(task.outcome, fitted.oof, prepared.classes, n_boot=0)
            figures[name].append([judged.metrics[m].value for m in ("auroc", "log_loss")] + [seconds])
        bends.append(len(set(fitted.part.splines.places)))
    before, after = (np.mean(figures[name], axis=0) for name in ("straight", "splines"))
    print(
        f"| {Path(path).stem} | {task.n} | {before[0]:.3f} → {after[0]:.3f} | {before[1]:.4f} → {after[1]:.4f} "
        f"| {', '.join(map(str, bends))} | {before[2]:.1f} → {after[2]:.1f} |",
        flush=True,
    )
    return {"table": Path(path).stem, "n": task.n, "bends": bends, **figures}


if __name__ == "__main__":
    raise SystemExit(main())
