"""Do 95 % intervals of predicted numbers' figures hold the truth? ``python benchmarks/numeric_coverage.py [--repeats N]``.

Numbers are predicted somewhat too extremely and too low; errors are normal, or skewed and growing with the
prediction, with one row a patient or three that belong together. The truth is that of a million rows. 93–97 %
is asked for; code 1 when a figure is outside by more than chance allows (two standard errors of the share counted).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter

import numpy as np

from medcore.evaluation import evaluate_numbers

LOWEST, HIGHEST, TRUTH = 0.93, 0.97, 1_000_000
FIGURES = ("r2", "rmse", "mae", "median_ae", "calibration_intercept", "calibration_slope")
DESIGNS = [(n, skewed, rows) for n in (100, 300, 1000) for skewed in (False, True) for rows in (1, 3)]


def patients(n: int, rng: np.random.Generator, *, skewed: bool, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what was measured, what was predicted, and whose row it is."""
    who = np.repeat(np.arange(n), rows)
    x = rng.normal(size=n)[who] + (rng.normal(size=n * rows) if rows > 1 else 0.0)
    shared = rng.normal(size=n)[who]
    own = rng.normal(size=len(who))
    error = own if rows == 1 else (shared + own) / math.sqrt(2)
    if skewed:
        error = np.exp(0.25 * x) * (np.exp(0.7 * error) - math.exp(0.7**2 / 2))
    return 10 + 2 * x + 2 * error, 9.8 + 2.4 * x, who


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines, outside = [], False
    for number, (n, skewed, rows) in enumerate(DESIGNS):
        y, p, _who = patients(TRUTH // rows, np.random.default_rng(10_000 + number), skewed=skewed, rows=rows)
        metrics = evaluate_numbers(y, p).metrics
        truth, held = {name: metrics[name].value for name in FIGURES}, Counter()
        for repeat in range(options.repeats):
            y, p, who = patients(n, np.random.default_rng([number, repeat]), skewed=skewed, rows=rows)
            found = evaluate_numbers(y, p, groups=who if rows > 1 else None).metrics
            held.update(name for name in FIGURES if found[name].low <= truth[name] <= found[name].high)
        shares = {name: held[name] / options.repeats for name in FIGURES}
        chance = 2 * math.sqrt(0.05 * 0.95 / options.repeats)
        outside |= any(
            not LOWEST - chance <= shares[name] <= HIGHEST + chance for name in ("r2", "rmse", "calibration_slope")
        )
        lines.append({"patients": n, "skewed": skewed, "rows": rows} | shares)
        if not options.json:
            print(
                n,
                "skewed" if skewed else "normal",
                rows,
                *(f"{k} {100 * v:.1f}" for k, v in shares.items()),
                flush=True,
            )
    if options.json:
        print(json.dumps(lines))
    return int(outside)


if __name__ == "__main__":
    sys.exit(main())
