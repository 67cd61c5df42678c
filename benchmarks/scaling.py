"""How do time and memory grow? ``python benchmarks/scaling.py [--model auto] [--rows 1000,…] [--columns 10,…] [--plot PNG]``.

Generated tables (half the columns informative, a tenth of the cells missing, every
fifth column a category) are prepared and trained on, a fifth of the rows locked away:
rows at 20 columns, then columns at 1,000 rows. Every size has a process of its own, so
that its peak memory is its own; what is compiled at first use is counted, the making of
the table is not. Seconds on the wall and of the processor are printed with the
exponents b of time ~ size^b, of the processor's seconds and of memory: fitted on
logarithms over all sizes, and between the two largest, where fixed costs matter least.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.split import SplitSettings
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort


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


def measured(cohort: Cohort, model: str) -> dict[str, float]:
    """Prepare and train once; return seconds on the wall and of the processor, and peak megabytes."""
    wall, processor = time.perf_counter(), time.process_time()
    train_cohort(cohort, TrainSettings.preset(model), split=SplitSettings(test_size=0.2, seed=0))
    return {
        "seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - processor,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def alone(n_rows: int, n_columns: int, model: str) -> dict[str, float]:
    """Measure one size in a fresh process."""
    command = [sys.executable, __file__, "--model", model, "--one", f"{n_rows},{n_columns}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def exponents(sizes: list[int], values: list[float]) -> tuple[float, float]:
    """Return b of value ~ size^b over all sizes, and between the two largest."""
    if len(sizes) < 2:
        return float("nan"), float("nan")
    x, y = np.log(sizes), np.log(values)
    return float(np.polyfit(x, y, 1)[0]), float((y[-1] - y[-2]) / (x[-1] - x[-2]))


def along(axis: str, sizes: list[int], model: str) -> dict[str, Any]:
    """Measure growing sizes, and print a line each."""
    runs: list[dict[str, float]] = []
    for size in sizes:
        n_rows, n_columns = (size, 20) if axis == "rows" else (1000, size)
        run = alone(n_rows, n_columns, model)
        runs.append(run)
        print(
            f"| {n_rows} | {n_columns} | {run['seconds']:.1f} | {run['processor_seconds']:.1f} | {run['peak_megabytes']:.0f} |",
            flush=True,
        )
    names = ("processor_seconds", "peak_megabytes")
    found = {name: exponents(sizes, [run[name] for run in runs]) for name in names}
    for name, (whole, last) in found.items():
        print(f"| {name} ~ {axis}^{whole:.2f}, at the end {axis}^{last:.2f} | | | | |")
    return {"sizes": sizes, "runs": runs, "exponents": found}


def plot(found: dict[str, Any], path: Path) -> None:
    """Draw time and memory against rows and columns, on logarithmic axes, as PNG or SVG."""
    from matplotlib.figure import Figure

    axes = [axis for axis in ("rows", "columns") if axis in found]
    figure = Figure(figsize=(7, 5), layout="constrained")
    places = figure.subplots(2, len(axes), squeeze=False)
    words = {"processor_seconds": "processor seconds", "peak_megabytes": "peak memory (MB)"}
    for column, axis in enumerate(axes):
        for row, (name, word) in enumerate(words.items()):
            place, along_axis = places[row, column], found[axis]
            place.loglog(along_axis["sizes"], [run[name] for run in along_axis["runs"]], "o-")
            whole, last = along_axis["exponents"][name]
            place.set(xlabel=axis, ylabel=word)
            place.set_title(f"~ {axis}^{whole:.2f}, at the end ^{last:.2f}", fontsize=9)
            place.grid(alpha=0.3)
    figure.suptitle(f"medcore, model {found['model']}", fontsize=10)
    figure.savefig(path, dpi=90)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--rows", default="1000,10000,100000,1000000")
    parser.add_argument("--columns", default="10,100,1000,3000")
    parser.add_argument("--json", type=Path, help="write what was measured here")
    parser.add_argument("--plot", type=Path, help="draw it here, PNG or SVG by the name")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        n_rows, n_columns = (int(v) for v in options.one.split(","))
        print(json.dumps(measured(table(n_rows, n_columns), options.model)))
        return 0
    found: dict[str, Any] = {"model": options.model}
    print("| rows | columns | seconds | processor seconds | peak MB |\n| --- | --- | --- | --- | --- |")
    for axis in ("rows", "columns"):
        sizes = [int(v) for v in getattr(options, axis).split(",") if v]
        if sizes:
            found[axis] = along(axis, sizes, options.model)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if options.plot:
        plot(found, options.plot)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
