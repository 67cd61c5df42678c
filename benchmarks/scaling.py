"""How does training time grow? ``python benchmarks/scaling.py [--model auto] [--rows 500,1000,…] [--columns 10,20,…]``.

Generated tables (half the columns informative, a tenth of the cells missing, every
fifth column a category) are trained on with a fresh test set of a fifth. Seconds on the
wall and of the processor are printed with the exponent b of time ~ size^b, fitted on
logarithms; the first, small run only compiles and is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort
from medcore.data.inference import choose_target, infer_schema
from medcore.data.recipe import default_recipe, prepare
from medcore.data.splitting import SplitSettings, make_split
from medcore.models.settings import TrainSettings
from medcore.models.training import train


def table(n_rows: int, n_columns: int, seed: int = 0) -> Cohort:
    """Generate a ward as a file would hold it."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, n_columns))
    weights = np.where(np.arange(n_columns) % 2 == 0, rng.normal(size=n_columns), 0.0) / np.sqrt(n_columns)
    event = rng.random(n_rows) < 1 / (1 + np.exp(1.0 - 2.0 * values @ weights))
    columns: dict[str, Any] = {}
    for i in range(n_columns):
        texts = np.digitize(values[:, i], [-1, 0, 1]) if i % 5 == 4 else values[:, i].round(3)
        cells = pd.Series([f"g{v}" if i % 5 == 4 else str(v) for v in texts], dtype="str")
        columns[f"x{i}"] = cells.mask(rng.random(n_rows) < 0.1)
    columns["outcome"] = pd.Series(np.where(event, "yes", "no"), dtype="str")
    frame = pd.DataFrame(columns)
    schema = choose_target(infer_schema(frame), frame, "outcome", positive="yes")
    return Cohort(frame, schema, "0" * 64, f"{n_rows}x{n_columns}.csv")


def seconds(cohort: Cohort, model: str) -> tuple[float, float]:
    """Train once; return seconds on the wall and of the processor."""
    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings(test_size=0.2, seed=0))
    wall, processor = time.perf_counter(), time.process_time()
    train(prepared, split, TrainSettings.preset(model), schema=cohort.schema, recipe=recipe, cohort_sha256="0" * 64)
    return time.perf_counter() - wall, time.process_time() - processor


def exponent(sizes: list[int], times: list[float]) -> float:
    """Return b of time ~ size^b."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0]) if len(sizes) > 1 else float("nan")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--rows", default="500,1000,2000,4000,8000")
    parser.add_argument("--columns", default="10,20,40,80,160")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds(table(200, 5), options.model)
    found: dict[str, Any] = {"model": options.model}
    print("| rows | columns | seconds | processor seconds |\n| --- | --- | --- | --- |")
    for axis in ("rows", "columns"):
        sizes = [int(v) for v in getattr(options, axis).split(",") if v]
        if not sizes:
            continue
        times = []
        for size in sizes:
            n_rows, n_columns = (size, 20) if axis == "rows" else (1000, size)
            times.append(seconds(table(n_rows, n_columns), options.model))
            print(f"| {n_rows} | {n_columns} | {times[-1][0]:.1f} | {times[-1][1]:.1f} |", flush=True)
        found[axis] = {"sizes": sizes, "seconds": times, "exponent": exponent(sizes, [t[1] for t in times])}
        print(f"| processor time ~ {axis}^{found[axis]['exponent']:.2f} | | | |")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory {megabytes:.0f} MB.")
    if options.json:
        options.json.write_text(json.dumps(found | {"peak_megabytes": megabytes}, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
