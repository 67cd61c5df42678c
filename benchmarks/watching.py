"""Does watching find what changes, and nothing else? ``python benchmarks/watching.py [--seeds 200] [--first 0] [--json FILE] [--picture SVG]``.

A model of 20 columns is trained on 20,000 visits of diabetes-130 (readmitted within 30 days). From the other 81,000 a
year of 24,000 visits is drawn with replacement for each seed, dealt to four sites; the first three months are
the reference. Three changes are planted, and put right after a month or two:

- months 5 and 6: site C sends the time in hospital in hours instead of days;
- month 8: readmissions are twice as frequent (patients with one are drawn twice as often);
- months 10 and 11: among African American patients the odds of readmission are 2.5 times those of
  patients with the same values before.

Months 4, 7 and 12 are quiet. A second year for each seed has no change at all: its nine judged months say
how often chance gives an alarm, all charts together, beside the rate that is stated.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import beta

from medcore.charts.drawing.static import to_svg
from medcore.charts.watching import cusum_chart
from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.monitoring.alarms import Alarm
from medcore.monitoring.table import inputs_of, watched_table
from medcore.monitoring.watch import Watch, WatchPlan, watch
from medcore.monitoring.watched import Inputs, Watched

TABLE = Path(os.environ.get("MEDCORE_TABLES", "/work/shared/data")) / "diabetes130_hospitals.csv.gz"
N_TRAIN, N_YEAR, SITES = 20_000, 24_000, np.array(["A", "B", "C", "D"])
COLUMNS = (
    *("race", "gender", "age", "admission_type_id", "discharge_disposition_id", "admission_source_id"),
    *("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications", "number_outpatient"),
    *("number_emergency", "number_inpatient", "number_diagnoses", "max_glu_serum", "A1Cresult", "metformin"),
    *("insulin", "change", "diabetesMed"),
)
GROUP, GROUP_VALUE, SITE, COLUMN = "race", "AfricanAmerican", "C", "time_in_hospital"
ODDS = 2.5
PLANTED = {"units": (5, 6), "prevalence": (8,), "calibration": (10, 11)}
QUIET = (4, 7, 12)


@dataclass(frozen=True)
class Pool:
    """Visits to draw from: as they are, and (risk, values) as they would be in hours."""

    watched: Watched
    in_hours: tuple[np.ndarray, Inputs]
    threshold: float


def parts(folder: Path) -> tuple[Cohort, Cohort]:
    """Return the visits that are trained on and all others, as files would give them, each with a day."""
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False).assign(day="2025-01-01")
    order = np.random.default_rng(0).permutation(len(table))
    found = []
    for name, rows in (("trained", order[:N_TRAIN]), ("others", order[N_TRAIN:])):
        table.iloc[rows].to_csv(folder / f"{name}.csv", index=False)
        found.append(read_table(folder / f"{name}.csv"))
    return found[0], found[1]


def pool() -> Pool:
    """Train the model and predict for everybody else, in days and in hours."""
    with tempfile.TemporaryDirectory() as folder:
        trained, others = parts(Path(folder))
    schema = choose_target(trained.schema, trained.frame, "readmitted", positive="<30")
    used = {*COLUMNS, "readmitted"}
    columns = tuple(c if c.name in used else replace(c, role="ignored") for c in schema.columns)
    settings = TrainSettings.preset("logistic")
    cohort = trained.with_schema(replace(schema, columns=columns))
    bundle = train_cohort(cohort, settings, split=SplitSettings(test_size=0.0, seed=0)).bundle
    watched = watched_table(bundle, others, time="day", groups=[GROUP, "gender"])
    hours = pd.Series([str(24 * int(days)) for days in others.frame[COLUMN]], dtype=others.frame[COLUMN].dtype)
    frame = others.frame.assign(**{COLUMN: hours})
    rows = bundle.encode(frame)
    return Pool(watched, (bundle.risk(rows)[:, 1], inputs_of(bundle, frame, rows)), bundle.threshold)


def year(source: Pool, seed: int, *, planted: bool) -> Watched:
    """Draw a year of visits, with or without the changes."""
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, 365, N_YEAR))
    date = np.datetime64("2025-01-01", "s") + day.astype("timedelta64[D]")
    month = date.astype("datetime64[M]").astype(int) % 12 + 1
    event = source.watched.outcome == 1
    rows = rng.integers(0, len(event), N_YEAR)
    if planted:
        twice = np.isin(month, PLANTED["prevalence"])
        rows[twice] = _with_share(rng, event, 2 * event.mean(), int(twice.sum()))
    drawn = source.watched.take(rows)
    site = rng.choice(SITES, N_YEAR)
    risk, outcome, inputs = drawn.risk.copy(), drawn.outcome.copy(), drawn.inputs
    if planted:
        there = np.isin(month, PLANTED["units"]) & (site == SITE)
        hours_risk, hours = source.in_hours
        risk[there, 1] = hours_risk[rows[there]]
        other = hours.take(rows[there])
        for name in ("codes", "unused", "unseen", "outside"):
            getattr(inputs, name)[there] = getattr(other, name)
        worse = np.isin(month, PLANTED["calibration"]) & (drawn.places[GROUP] == GROUP_VALUE).to_numpy()
        more = (expit(logit(risk[:, 1]) + np.log(ODDS)) - risk[:, 1]) / (1 - risk[:, 1])
        outcome[worse & (outcome == 0) & (rng.random(N_YEAR) < more)] = 1.0
    return replace(
        drawn,
        time=date,
        risk=risk,
        outcome=outcome,
        known=date + np.timedelta64(30, "D"),
        places=drawn.places.assign(site=site).reset_index(drop=True),
        site="site",
    )


def _with_share(rng: np.random.Generator, event: np.ndarray, share: float, n: int) -> np.ndarray:
    chosen = rng.random(n) < share
    return np.where(chosen, rng.choice(np.flatnonzero(event), n), rng.choice(np.flatnonzero(~event), n))


def month_of(text: str) -> int:
    return int(text[5:7])


def meant(alarm: Alarm, what: str) -> bool:
    """Say whether an alarm is the one that a planted change asks for: its figure, at its place."""
    level = None if alarm.place.key is None else str(alarm.place.key)
    about_outcomes = alarm.figure.startswith(("calibration", "cusum"))
    if what == "units":
        return level == SITE and alarm.column == COLUMN
    if what == "prevalence":
        return level is None and about_outcomes
    return level == GROUP_VALUE and about_outcomes


def found(watch_: Watch) -> dict[str, int | None]:
    """Return the first month of the alarm meant for each change, from the change on; None where none came."""
    first = {}
    for what, months in PLANTED.items():
        came = [m for a in watch_.alarms if meant(a, what) for m in [month_of(a.month)] if months[0] <= m <= months[-1]]
        first[what] = min(came, default=None)
    return first


def one(source: Pool, plan: WatchPlan, seed: int) -> dict[str, Any]:
    """Replay both years of a seed."""
    changed, quiet = (watch(year(source, seed, planted=planted), plan) for planted in (True, False))
    false = Counter((month_of(a.month), a.figure) for a in quiet.alarms)
    return {
        "seed": seed,
        "found": found(changed),
        "quiet_between": sorted({month_of(a.month) for a in changed.alarms if month_of(a.month) in QUIET}),
        "false_months": sorted({m for m, _figure in false}),
        "false_figures": dict(Counter(figure for _m, figure in false)),
        "alarms": {what: sum(month_of(a.month) in months for a in changed.alarms) for what, months in PLANTED.items()},
        "charts": len(changed.charts),
    }


def summary(results: list[dict[str, Any]], plan: WatchPlan) -> dict[str, Any]:
    """Sum the seeds up."""
    n = len(results)
    months = [m for r in results for m in r["false_months"]]
    judged = n * (12 - plan.reference)
    low, high = beta.ppf(
        [0.025, 0.975], [len(months), len(months) + 1], [judged - len(months) + 1, judged - len(months)]
    )
    return {
        "seeds": n,
        "stated_rate": plan.rate,
        "quiet_months": judged,
        "false_alarm_months": len(months),
        "false_alarm_rate": len(months) / judged,
        "false_alarm_interval": [float(np.nan_to_num(low)), float(high)],
        "false_by_figure": dict(sum((Counter(r["false_figures"]) for r in results), Counter())),
        "quiet_between_rate": sum(len(r["quiet_between"]) for r in results) / (n * len(QUIET)),
        "found": {
            what: {
                "in_its_month": sum(r["found"][what] == m[0] for r in results) / n,
                "within_a_month": sum(r["found"][what] is not None for r in results) / n,
            }
            for what, m in PLANTED.items()
        },
    }


def picture(found_: Watch) -> str:
    """Draw the CUSUMs of the group that loses calibration."""
    both = [one for one in found_.running if one.place.key is not None and str(one.place.key) == GROUP_VALUE]
    return to_svg(cusum_chart(both, [m.name for m in found_.months]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seeds", type=int, default=200)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--json", type=Path)
    options.add_argument("--picture", type=Path, help="draw the first seed's CUSUMs of the group as SVG, and no more")
    asked = options.parse_args()
    began = time.perf_counter()
    source = pool()
    plan = WatchPlan(threshold=source.threshold)
    if asked.picture:
        asked.picture.write_text(picture(watch(year(source, asked.first, planted=True), plan)), encoding="utf-8")
        return
    print(f"trained and predicted in {time.perf_counter() - began:.0f} s", flush=True)
    results = []
    for seed in range(asked.first, asked.first + asked.seeds):
        results.append(one(source, plan, seed))
        if len(results) % 10 == 0 or len(results) == asked.seeds:
            print(f"{time.perf_counter() - began:.0f} s", json.dumps(summary(results, plan)), flush=True)
            if asked.json:
                asked.json.write_text(json.dumps({"summary": summary(results, plan), "results": results}))


if __name__ == "__main__":
    main()
