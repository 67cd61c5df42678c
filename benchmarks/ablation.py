"""What does each piece of the network bring? ``python benchmarks/ablation.py [TABLE.csv:TARGET[:DROPPED,…] …]``.

Each table (the built-in samples when none is named) is divided 70/30 by seeded
splits, by patient where patients repeat; five members are trained on the folds of
the training part, a fifth of their rows choosing the epoch, and their mean is judged on the test part.
A variant changes one thing of ``NetworkSettings.for_table``. Prints a Markdown table
of the mean test AUROC (macro-averaged for more than two classes), log loss and
processor seconds a table: the table of ``docs/ablation.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe
from medcore.data.preparation.replay import prepare
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample, samples
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.features import CodeBook, FeatureMaker
from medcore.models.trainer.train import NetworkSettings, members_for, train_networks

VARIANTS: dict[str, dict[str, object]] = {
    "as it is": {},
    "no pieces": {"n_bins": 0},
    "twice the pieces": {"n_bins": 16},
    "no linear path": {"linear_path": False},
    "linear path only": {"layers": ()},
    "one sub-model": {"n_submodels": 1},
    "twice the sub-models": {"n_submodels": 16},
    "patients resampled for each sub-model": {"bagging": True},
    "wider layers": {"layers": (128, 128)},
    "less dropout": {"dropout": 0.1},
    "hardly any weight decay": {"weight_decay": 0.03},
    "a fifth of the learning rate": {"learning_rate": 2e-3},
    "twice the learning rate": {"learning_rate": 2e-2},
    "last epoch kept": {"early_stopping": 0},
    "labels smoothed": {"label_smoothing": 0.05},
}


def cohorts(named: list[str]) -> Iterator[tuple[str, Cohort]]:
    """Read the tables that were named, or the samples."""
    for key in [] if named else [sample.key for sample in samples()]:
        yield key, load_sample(key)
    for text in named:
        path, target, *dropped = text.split(":")
        cohort = read_table(Path(path))
        schema = choose_target(cohort.schema.drop(dropped[0].split(",") if dropped else ()), cohort.frame, target)
        yield Path(path).stem, cohort.with_schema(schema)


def judge(cohort: Cohort, changes: dict[str, object], seed: int) -> tuple[float, float, float]:
    """Return AUROC, log loss and processor seconds of one variant on one split."""
    prepared = prepare(cohort, default_recipe(cohort.schema))
    kind = "random" if prepared.groups is None else "group"
    split = make_split(prepared, SplitSettings(kind=kind, test_size=0.3, n_folds=5, seed=seed))
    train, test = np.flatnonzero(~split.test), np.flatnonzero(split.test)
    book = CodeBook.fit(prepared.predictors.iloc[train], prepared.kinds)
    codes = book.transform(prepared.predictors).codes
    maker = FeatureMaker(book.kinds, scaling="robust").fit(codes[train])
    matrix, y = maker.transform(codes), prepared.outcome
    settings = NetworkSettings.for_table(len(train), **changes)
    members = members_for(y, folds=split.folds, seed=seed, validation_share=0.2 if settings.early_stopping else 0.0)
    begun = time.process_time()
    risk = train_networks(matrix, y, len(prepared.classes), members, settings).risk(matrix[test])
    seconds = time.process_time() - begun
    several = len(prepared.classes) > 2
    auroc = roc_auc_score(y[test], risk, multi_class="ovr") if several else roc_auc_score(y[test], risk[:, 1])
    return float(auroc), float(log_loss(y[test], risk, labels=np.arange(len(prepared.classes)))), seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE.csv:TARGET[:DROPPED,…]")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=sorted(VARIANTS), default=list(VARIANTS))
    asked = parser.parse_args()
    tables = list(cohorts(asked.tables))
    print(f"Tables: {', '.join(name for name, _ in tables)}; {asked.splits} splits each.\n")
    print("| variant | AUROC | log loss | CPU s a table |\n| --- | --- | --- | --- |", flush=True)
    for variant in asked.only:
        runs = [judge(cohort, VARIANTS[variant], seed) for _, cohort in tables for seed in range(asked.splits)]
        auroc, loss, seconds = np.mean(runs, axis=0)
        print(f"| {variant} | {auroc:.4f} | {loss:.4f} | {seconds:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
