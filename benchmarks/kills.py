"""Two hundred kills at random moments while runs train: nothing is lost or torn, and the numbers stay.

``python benchmarks/kills.py`` trains two small models undisturbed and keeps their risks. Then it begins
run after run, in a web server of its own, and at a random moment of each kills one of: the scheduler, the
nanny, the worker, a worker that is just being started in a lost one's place, the web server (which is
started again, as a service manager does). The moments come from a seed. Each run must end by itself, done,
with the risks of the undisturbed one; the database, the trail and every file must be whole after it, and in
the end no process may be left over. The time that counts is from the kill to the end of the run; told
beside it is how much of it no process of the installation waited for a processor.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from installation import free_port, installation, person, start_server, stop_server

from medcore.data.samples import load_sample
from medcore.jobs.cluster.processes import LocalCluster
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import read_results
from medcore.safe_files import SCRATCH_PREFIX
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.upkeep.opening import try_to_open

OWNER = person(0)
MODELS = {"logistic": TrainSettings.preset("logistic"), "network": TrainSettings.seed_network(epochs=60)}
MOST_SECONDS = 240.0
"""When a run is given up that does not end; asked for is a minute, and its undisturbed time. Only time in which
none of the installation's processes waits for a processor counts: a machine full of other work is no fault of theirs."""
LOOK_EVERY_SECONDS = 0.2


class Site:
    """An installation with its web server, and what is done to it."""

    def __init__(self, settings: Settings, rng: random.Random) -> None:
        self.settings, self.rng = settings, rng
        self.store, self.port = Store(settings), free_port()
        self.server = start_server(self.port)
        self.study = self.store.create_study(OWNER, "Heart", load_sample("heart")).id
        self.kinds: dict[str, Callable[[], None]] = {
            "scheduler": self.kill_scheduler,
            "nanny": self.kill_nanny,
            "worker": self.kill_worker,
            "starting worker": self.kill_starting_worker,
            "web server": self.kill_web_server,
        }

    def cluster(self) -> LocalCluster:
        """Return the cluster there is; wait for one where the last was just lost."""
        return soon(lambda: LocalCluster.read(self.settings))

    def workers(self) -> list[psutil.Process]:
        """Return the nanny's children; a tracker of resources is none that computes."""
        return [p for p in self.cluster().worker.family()[1:] if "resource_tracker" not in " ".join(words(p))]

    def kill_scheduler(self) -> None:
        """Kill the scheduler; its worker loses it."""
        kill(soon(self.cluster().scheduler.family)[0])

    def kill_nanny(self) -> None:
        """Kill the worker's parent."""
        kill(soon(self.cluster().worker.family)[0])

    def kill_worker(self) -> None:
        """Kill the worker; its parent starts another."""
        kill(soon(self.workers)[0])

    def kill_starting_worker(self) -> None:
        """Kill the worker, and the one that is started in its place before it is ready."""
        first = soon(self.workers)[0]
        kill(first)
        second = soon(lambda: [p for p in self.workers() if p.pid != first.pid])[0]
        time.sleep(self.rng.uniform(0, 4))
        kill(second)

    def kill_web_server(self) -> None:
        """Kill the web server, and start another one soon after."""
        self.server.kill()
        self.server.wait()
        time.sleep(self.rng.uniform(0, 3))
        self.server = start_server(self.port)

    def begin(self, settings: TrainSettings) -> str:
        """Queue a run; the web server finds it, as it finds one that its predecessor took."""
        return self.store.create_run(OWNER, self.study, settings).id

    def until_ended(self, run_id: str, seconds: float) -> tuple[bool, float]:
        """Wait until a run has ended, or so many seconds of the installation's own; return whether it has, and these."""
        own, before, moment = 0.0, self.starved(), time.monotonic()
        while (unfinished := self.store.get_run(OWNER, run_id).unfinished) and own < seconds:
            time.sleep(LOOK_EVERY_SECONDS)
            now, later = self.starved(), time.monotonic()
            waited = max((now[task] - before.get(task, now[task]) for task in now), default=0.0)
            own += max(0.0, later - moment - waited)
            before, moment = now, later
        return not unfinished, own

    def starved(self) -> dict[str, float]:
        """Return for each thread of the installation how long it could have run and was given no processor (sched-stats)."""
        cluster, found = LocalCluster.read(self.settings), {}
        families = (*cluster.scheduler.family(), *cluster.worker.family()) if cluster else ()
        for pid in (self.server.pid, *(process.pid for process in families)):
            for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError, IndexError):  # it has just ended
                    found[path.parent.name] = int(path.read_text().split()[1]) / 1e9
        return found

    def faults(self, run_id: str, wanted: str) -> list[str]:
        """Say what is not as it should be after a run."""
        run, found = self.store.get_run(OWNER, run_id), []
        if run.state != "done":
            found.append(f"run is {run.state}: {run.error}")
        elif risks(self.store, run_id) != wanted:
            found.append("other numbers")
        points = [(p.progress.stage, p.progress.model, p.progress.epoch) for p in self.store.progress(OWNER, run_id)]
        if len(points) != len(set(points)):
            found.append("a moment twice")
        self.store.check()
        if not self.store.verify_trail().whole:
            found.append("the trail is broken")
        found += [f"{name} does not open" for name in try_to_open(self.settings).closed]
        return found

    def rest(self) -> dict[str, Any]:
        """Count processes that belong to nobody, and name the files that were not finished, without their digits."""
        cluster = self.cluster()
        ours = {p.pid for p in (*cluster.scheduler.family(), *cluster.worker.family())}
        ours |= {p.pid for p in (psutil.Process(self.server.pid), *psutil.Process(self.server.pid).children(True))}
        mark = str(self.settings.data_dir)
        strangers = [p for p in psutil.process_iter() if p.pid not in ours and any(mark in word for word in words(p))]
        half = list(self.settings.data_dir.rglob(f"{SCRATCH_PREFIX}*"))
        kept = list((self.settings.data_dir / "checkpoints").glob("*"))
        return {
            "processes left over": len(strangers),
            "unfinished files": dict(Counter(self.kind_of(path) for path in half)),
            "checkpoints": len(kept),
        }

    def kind_of(self, path: Path) -> str:
        """Return where a file lies and what it would have become; numbers and identifiers left out."""
        place = path.relative_to(self.settings.data_dir)
        return re.sub(r"[0-9a-f]{8,}|[0-9]+", "#", str(place)) + ("/" if path.is_dir() else "")


def median_and_most(seconds: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {kind: [round(float(np.median(some)), 1), round(max(some), 1)] for kind, some in sorted(seconds.items())}


def risks(store: Store, run_id: str) -> str:
    """Return a digest of every risk that a run found, out of fold and locked away."""
    found = read_results(store.result_folder(OWNER, run_id))
    assert found.test is not None
    return hashlib.sha256(np.concatenate([found.training.risk, found.test.risk]).tobytes()).hexdigest()


def words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        print("it had just ended by itself", flush=True)


def soon(ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return the first answer that is one; a lost process is back within seconds."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, "it did not come back"
        time.sleep(0.02)
    return found


def undisturbed(site: Site) -> dict[str, tuple[str, float]]:
    """Train each model in peace, twice: the second time tells how long it takes when all is warm."""
    found = {}
    for name, settings in MODELS.items():
        digests = []
        for _ in range(2):
            run_id = site.begin(settings)
            ended, seconds = site.until_ended(run_id, MOST_SECONDS)
            assert ended, "an undisturbed run does not end"
            digests.append(risks(site.store, run_id))
        assert len(set(digests)) == 1, "the same run twice has other numbers"
        found[name] = digests[0], seconds
    return found


def disturb(site: Site, options: argparse.Namespace) -> dict[str, Any]:
    wanted = undisturbed(site)
    seconds: dict[str, list[float]] = defaultdict(list)
    own_seconds: dict[str, list[float]] = defaultdict(list)
    faults: list[str] = []
    attempts, began = 0, time.monotonic()
    for number in range(options.kills):
        kind, model = sorted(site.kinds)[number % len(site.kinds)], site.rng.choice(sorted(MODELS))
        run_id = site.begin(MODELS[model])
        time.sleep(site.rng.uniform(0, 1.2 * wanted[model][1]))
        killed = time.monotonic()
        site.kinds[kind]()
        ended, own = site.until_ended(run_id, MOST_SECONDS)
        if ended:
            seconds[kind].append(time.monotonic() - killed)
            own_seconds[kind].append(own)
            found = site.faults(run_id, wanted[model][0])
        else:
            found = ["it does not end"]
        attempts += site.store.get_run(OWNER, run_id).attempt
        faults += [f"{number} {kind}, {model}: {fault}" for fault in found]
        print(number + 1, kind, model, f"{time.monotonic() - killed:.1f} s, own {own:.1f} s", *found, flush=True)
        if time.monotonic() - began > 60 * options.minutes:
            break
    return {
        "kills": number + 1,
        "seconds undisturbed": {model: round(one[1], 1) for model, one in wanted.items()},
        "seconds from kill to end, median and most": median_and_most(seconds),
        "of these the installation's own": median_and_most(own_seconds),
        "attempts": attempts,
        "faults": faults,
        **site.rest(),
        "load of the machine": [round(x, 1) for x in os.getloadavg()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with installation() as settings:
        site = Site(settings, random.Random(options.seed))
        try:
            print(json.dumps(disturb(site, options), indent=1))
        finally:
            stop_server(site.server)


if __name__ == "__main__":
    main()
