"""False alarms, and what is found, whatever is predicted. ``python benchmarks/watching_targets.py [--seeds 100] [--n 6000]``.

Made-up years (``tests/monitoring/years.py``) of three classes, of an event within 90 days of which a third of patients is
followed for less, without and with a competing event, and of a number: six numbers, four categories, two sites, two
sexes; the first three months are the reference. In quiet years nothing changes, and the nine judged months say how often
chance gives an alarm, all charts together, where at most 5 % is stated. In changed years August differs: of classes every
second mild case is severe, an event by a time comes 1.6 times as often, a number is half a standard deviation of its error higher.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from scipy.stats import beta

from medcore.monitoring.watch import WatchPlan, watch
from medcore.monitoring.watched import Watched, WatchedPlace
from tests.monitoring.years import month_of, year_by_time, year_of_classes, year_of_numbers

PLAN = WatchPlan(threshold=0.3)
MAKE: dict[str, Callable[[int, int], Watched]] = {
    "classes": year_of_classes,
    "by time": year_by_time,
    "by time, competing": lambda seed, n: year_by_time(seed, n, competing=True),
    "number": year_of_numbers,
}


def changed(year: Watched, seed: int) -> Watched:
    """Change August."""
    rng, there = np.random.default_rng(1_000_000 + seed), month_of(year) == 8
    if year.interval is not None:
        return replace(year, outcome=year.outcome + np.where(there, 1.0, 0.0))
    if year.duration is None:
        return replace(
            year, outcome=np.where(there & (year.outcome == 1) & (rng.random(len(year)) < 0.5), 2.0, year.outcome)
        )
    had = (year.outcome == 1) & (year.duration <= 90)
    lacked = there & ~had
    more = lacked & (rng.random(len(year)) < 0.6 * had[there].mean() / lacked[there].mean())
    when = np.where(more, np.minimum(year.duration, rng.uniform(1, 90, len(year))), year.duration)
    return replace(year, outcome=np.where(more, 1.0, year.outcome), duration=when)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seeds", type=int, default=100)
    options.add_argument("--n", type=int, default=6_000)
    asked = options.parse_args()
    for name, make in MAKE.items():
        began, months, found = time.process_time(), 0, 0
        for seed in range(asked.seeds):
            year = make(seed, asked.n)
            months += len({alarm.month for alarm in watch(year, PLAN).alarms})
            alarms = watch(changed(year, seed), PLAN).alarms
            outcomes = ("calibration_intercept", "o_e_ratio", "mean_error", "cusum_more", "cusum_fewer")
            found += any(a.month == "2025-08" and a.figure in outcomes and a.place == WatchedPlace() for a in alarms)
        judged = 9 * asked.seeds
        low, high = beta.ppf([0.025, 0.975], [months, months + 1], [judged - months + 1, judged - months])
        told = {
            "predicts": name,
            "quiet_months": judged,
            "false_alarm_months": months,
            "rate": round(months / judged, 4),
            "interval": [round(float(np.nan_to_num(low)), 4), round(float(high), 4)],
            "found_in_its_month": found / asked.seeds,
            "cpu_seconds": round(time.process_time() - began, 1),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
