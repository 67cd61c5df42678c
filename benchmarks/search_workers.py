"""How many trials a search makes in the same minutes with one worker and with several.

``python benchmarks/search_workers.py`` searches on the heart sample for half a minute
with one worker, then with two; each in an installation of its own, workers warm.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from typing import Any

from medcore import jobs
from medcore.data.samples import load_sample
from medcore.jobs.cluster.processes import LocalCluster
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import read_results
from medcore.settings import Settings
from medcore.studies import Store


def measure(n_workers: int, settings: TrainSettings) -> dict[str, Any]:
    """Start that many workers, train once, and return what the search did and how long the run took."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEDCORE_DATA": folder, "MEDCORE_WORKERS": str(n_workers)}
        installation = Settings.from_env()
        store = Store(installation)
        study = store.create_study("ann", "Heart", load_sample("heart"))
        try:
            while jobs.ensure_cluster(installation).n_workers() < n_workers:
                time.sleep(0.1)
            before = processor_seconds(installation)
            run_id = jobs.start_run(store, "ann", study.id, settings)
            while store.get_run("ann", run_id).unfinished:
                time.sleep(0.2)
            used = processor_seconds(installation) - before
            run = store.get_run("ann", run_id)
            results = read_results(store.result_folder("ann", run_id))
            seconds = {c.name: c.seconds for c in results.candidates}
            search = results.manifest["search"]
        finally:
            jobs.disconnect(installation)
            jobs.stop_local_cluster(installation)
    return {
        "workers": n_workers,
        "trials": search["n_trials"],
        "fits": search["n_fits"],
        "search seconds": round(seconds["searched"], 1),
        "run seconds": round(run.summary["seconds"], 1),
        "processor seconds": round(used, 1),
        "losses": [trial["loss"] for trial in search["trials"]],
    }


def processor_seconds(installation: Settings) -> float:
    """Return what the workers have used of the processor so far."""
    cluster = LocalCluster.read(installation)
    assert cluster is not None
    times = [process.cpu_times() for process in cluster.worker.family()]
    return sum(t.user + t.system for t in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    settings = TrainSettings.preset(options.model, search_minutes=options.minutes)
    found = [measure(n, settings) for n in options.workers]
    losses = [one.pop("losses") for one in found]
    fewest = min(map(len, losses))
    for one in found:
        print(one)
    print("the same trials:", all(some[:fewest] == losses[0][:fewest] for some in losses))


if __name__ == "__main__":
    main()
