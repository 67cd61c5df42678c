"""What two workers do in the time of one: a search, several people's runs, bootstrap refits, a table explained.

``python benchmarks/scale_out.py`` starts an installation with one worker and then one with two. Each worker is
pinned to a core of its own, as if it were a machine of one core, so that a library's threads cannot lend a
single worker the other one's core. Told are seconds on the wall, the ratio of the two, and the processor
seconds of the workers; for the search the trials made in the same time, and whether they are the same.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import psutil
from installation import installation, person, wait_for

from medcore import jobs
from medcore.data.cohort import Cohort
from medcore.data.samples import load_sample
from medcore.jobs.cluster.processes import LocalCluster
from medcore.jobs.queries.stability import refits_of
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import read_results
from medcore.settings import Settings
from medcore.studies import Store
from medcore.ui.patient.many.batch import Batch

N_RUNS, N_REFITS, N_EXPLAINED = 4, 24, 160


def workers(settings: Settings, n: int) -> list[psutil.Process]:
    """Wait until so many workers are ready, and pin each to a core of its own."""
    while jobs.ensure_cluster(settings).n_workers() < n:
        time.sleep(0.2)
    cluster = LocalCluster.read(settings)
    assert cluster is not None
    family = [p for p in cluster.worker.family()[1:] if "spawn_main" in " ".join(p.cmdline())]
    assert len(family) == n, family
    for number, process in enumerate(family):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {number % (os.cpu_count() or 1)})
    return family


def timed(family: list[psutil.Process], work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    before, began = sum(sum(p.cpu_times()[:2]) for p in family), time.monotonic()
    found = work()
    seconds = {"seconds": round(time.monotonic() - began, 1)}
    print(len(family), seconds, flush=True)
    return seconds | {"processor": round(sum(sum(p.cpu_times()[:2]) for p in family) - before, 1)}, found


def run_all(store: Store, study_id: str, some: list[TrainSettings]) -> list[str]:
    runs = [jobs.start_run(store, person(0), study_id, settings) for settings in some]
    for run_id in runs:
        wait_for(store, person(0), run_id)
    return runs


def together(asks: list[Callable[[], Any]], n: int) -> list[Any]:
    """Ask the workers so many things, as many at a time as there are workers."""
    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(lambda ask: ask(), asks))


def explained(model: jobs.ResultOf, frame: pd.DataFrame, cohort: Cohort) -> None:
    """Have a table explained as the Patient page does."""
    batch = Batch(model, frame, str(cohort.schema.positive), piece_seconds=0.5)
    batch.start()
    while not batch.finished:
        batch.look()
        time.sleep(0.05)


def measure(n: int, options: argparse.Namespace) -> dict[str, Any]:
    """Do the four kinds of work with so many workers."""
    os.environ["MEDCORE_WORKERS"] = str(n)
    with installation() as settings:
        store, heart = Store(settings), load_sample("heart")
        study = store.create_study(person(0), "Heart", heart).id
        family, found = workers(settings, n), {}
        several = [TrainSettings.preset("logistic", seed=seed) for seed in range(N_RUNS)]
        (run_id, *_others) = run_all(store, study, [TrainSettings.preset("logistic", seed=99)] * n)  # all imported
        found["runs"], _ = timed(family, lambda: run_all(store, study, several))
        searched = TrainSettings.preset("logistic", search_minutes=options.minutes)
        found["search"], (with_search,) = timed(family, lambda: run_all(store, study, [searched]))
        trials = read_results(store.result_folder(person(0), with_search)).manifest["search"]["trials"]
        refits = [
            lambda first=first: jobs.call(refits_of, settings, person(0), run_id, first, 1) for first in range(N_REFITS)
        ]
        together(refits[: 2 * n], n)  # each has refitted before
        found["refits"], _ = timed(family, lambda: together(refits, n))
        model, frame = jobs.ResultOf(settings, person(0), run_id), heart.frame.head(N_EXPLAINED)
        explained(model, frame.head(8 * n), heart)  # each has opened the model
        found["explanations"], _ = timed(family, lambda: explained(model, frame, heart))
    return {"work": found, "losses": [trial["loss"] for trial in trials]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.25, help="of the search")
    options = parser.parse_args()
    one, two = (measure(n, options) for n in (1, 2))
    ratios = {name: round(one["work"][name]["seconds"] / two["work"][name]["seconds"], 2) for name in one["work"]}
    ratios["search"] = round(len(two["losses"]) / len(one["losses"]), 2)  # its time is given
    fewest = min(len(one["losses"]), len(two["losses"]))
    print(
        json.dumps(
            {
                "one worker": one["work"],
                "two workers": two["work"],
                "times as fast": ratios,
                "trials": [len(one["losses"]), len(two["losses"])],
                "the same trials": one["losses"][:fewest] == two["losses"][:fewest],
                "load of the machine": [round(x, 1) for x in os.getloadavg()],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
