"""Fifty people at once, over the pages' own protocol, while a model trains.

``python benchmarks/load.py`` starts a web server of its own with a study and a trained model for each
person, opens a websocket for each (Streamlit's protocol, a signed cookie, ``Origin`` as a browser sends it),
and lets each run a page every two seconds for two minutes: half of them the page they are on, half another
one. Before that everybody looks at every page once, which computes what a session keeps; this is not in the
times, only in "first visits". Measured is the time from the request to the end of the page's run. No page may
fail, and no person may be sent a word of another one's study.

``python benchmarks/load.py --cost`` has one person run each page so many times instead, and tells the
processor milliseconds of the web server a run: these do not depend on who else uses the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
from installation import PAGES, Session, installation, person, processes, studies_with_models, used, web_server

from medcore import jobs
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store


async def crowd(
    store: Store, sessions: list[Session], seconds: float, every: float, warm: Callable[[], None]
) -> list[str]:
    """Let everybody click while one of them trains one model after the other; return those trainings.

    ``warm`` is called when everybody has seen every page, before the times begin.
    """
    trainings: list[str] = []
    owner, study_id = person(0), sessions[0].study_id

    async def train_all_the_while() -> None:
        while True:
            settings = TrainSettings(epochs=200, seed=len(trainings))
            run_id = await asyncio.to_thread(jobs.start_run, store, owner, study_id, settings)
            trainings.append(run_id)
            while (await asyncio.to_thread(store.get_run, owner, run_id)).unfinished:
                await asyncio.sleep(0.5)

    training, ready = asyncio.create_task(train_all_the_while()), asyncio.Barrier(len(sessions) + 1)
    living = [asyncio.create_task(s.live(ready, seconds, every)) for s in sessions]
    await ready.wait()
    warm()
    await asyncio.gather(*living)
    training.cancel()
    return trainings


def load(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    with web_server(settings) as (server, host):
        studies = studies_with_models(settings, options.sessions)
        sessions = [Session(settings, n, study, host) for n, study in enumerate(studies)]
        some, store = processes(settings, server.pid), Store(settings)
        moments = []

        def look() -> None:
            moments.append((used(some), psutil.cpu_times(), time.monotonic()))

        look()
        trainings = asyncio.run(crowd(store, sessions, options.seconds, options.every, warm=look))
        look()
        (cold, _, arrived), (before, idle_before, began), (after, idle_after, ended) = moments
        megabytes = some["web"].memory_info().rss / 1e6
        for run_id in trainings:
            jobs.cancel_run(store, person(0), run_id)
    by_page: dict[str, list[float]] = defaultdict(list)
    for session in sessions:
        for page, t in session.times:
            by_page[page].append(1000 * t)
    every_time = [t for times in by_page.values() for t in times]
    ours = sum(after.values()) - sum(before.values())
    return {
        "sessions": len(sessions),
        "first visits, seconds and processor seconds": [round(began - arrived), round(before["web"] - cold["web"], 1)],
        "runs of pages": len(every_time),
        "p50, p95, p99 ms": quantiles(every_time, 50, 95, 99),
        "by page, p50 and p95": {page: quantiles(times, 50, 95) for page, times in by_page.items()},
        "faults": dict(sum((s.faults for s in sessions), Counter())),
        "words of others": sorted(set().union(*(s.strangers for s in sessions))),
        "trainings begun": len(trainings),
        "processor seconds": {name: round(after[name] - before[name], 1) for name in before},
        "processor ms of the web server a run": round(
            1000 * (after["web"] - before["web"]) / max(1, len(every_time)), 1
        ),
        "processor seconds of others": round(sum(idle_after[:3]) - sum(idle_before[:3]) - ours, 1),
        "seconds": round(ended - began),
        "load of the machine": [round(x, 1) for x in os.getloadavg()],
        "web MB": round(megabytes),
    }


def quantiles(values: list[float], *which: int) -> list[int]:
    return [round(float(np.percentile(values, q))) for q in which]


def cost(settings: Settings, runs: int) -> dict[str, Any]:
    """Return the web server's processor milliseconds a run of each page, and of a change of page."""
    with web_server(settings) as (server, host):
        session = Session(settings, 0, studies_with_models(settings, 1)[0], host)
        web = psutil.Process(server.pid)

        async def measure() -> dict[str, float]:
            found = {}
            async with session.tab() as socket_:
                for pages in (*((page,) for page in PAGES), PAGES):
                    for page in PAGES + pages:  # everything that is computed once is there
                        await session.run(socket_, page)
                    await asyncio.sleep(1)
                    before = sum(web.cpu_times()[:2])
                    for number in range(runs):
                        await session.run(socket_, pages[number % len(pages)])
                    name = pages[0] if len(pages) == 1 else "change of page"
                    found[name] = round(1000 * (sum(web.cpu_times()[:2]) - before) / runs, 1)
            return found

        found = asyncio.run(measure())
    return {"processor ms a run": found, "faults": dict(session.faults)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--every", type=float, default=2)
    parser.add_argument("--cost", type=int, nargs="?", const=50, default=0, help="run each page so many times instead")
    options = parser.parse_args()
    with installation() as settings:
        found = cost(settings, options.cost) if options.cost else load(settings, options)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
