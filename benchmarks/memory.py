"""Whether web server and worker keep to their memory over many studies that come and go.

``python benchmarks/memory.py --studies 100`` uploads a table, trains (logistic regression, every fifth time
a network of a few epochs), looks at every page and removes the study for good, so many times, and
tells the memory of each process along the way. Streamlit keeps a closed tab's session for two minutes, in
case it comes back, so that the web server holds what the last two minutes brought, more where studies are
brought faster: ``--lapses`` times along the way it waits until they are gone, and tells the memory again.
With ``--minutes`` it stops after so long.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

import numpy as np
from installation import PAGES, Session, installation, mark, person, processes, wait_for, web_server

from medcore import jobs
from medcore.data.samples import load_sample
from medcore.jobs.queries.deletion import purge_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store

SESSION_SECONDS = 125.0
"""A little longer than Streamlit keeps the session of a closed tab (MemorySessionStorage)."""


def one_study(store: Store, settings: Settings, host: str, number: int) -> None:
    """Bring a table, train on it, look at every page, and remove everything of it."""
    heart = load_sample("heart")
    study = store.create_study(person(0), mark(0), heart, original=heart.frame.to_csv(index=False).encode())
    model = (
        TrainSettings.seed_network(epochs=5, seed=number)
        if number % 5 == 4
        else TrainSettings.preset("logistic", seed=number)
    )
    run_id = jobs.start_run(store, person(0), study.id, model)
    wait_for(store, person(0), run_id)
    session = Session(settings, 0, study.id, host)
    asyncio.run(session.look_at(*PAGES))
    assert not session.faults, session.faults
    store.delete_study(person(0), study.id)
    purge_study(store, person(0), study.id)


def megabytes(settings: Settings, web: int) -> dict[str, int]:
    found = processes(settings, web)
    return {name: round(p.memory_info().rss / 1e6) for name, p in found.items() if name != "people"}


def let_sessions_lapse(settings: Settings, host: str) -> None:
    """Wait until every closed tab is forgotten; the next one that closes makes room."""
    time.sleep(SESSION_SECONDS)
    asyncio.run(Session(settings, 0, "", host).look_at(PAGES[0]))


def measure(settings: Settings, n: int, lapses: int, minutes: float) -> dict[str, Any]:
    curve, lapsed, end = [], {}, time.monotonic() + 60 * minutes
    with web_server(settings) as (server, host):
        store = Store(settings)
        for number in range(1, n + 1):
            one_study(store, settings, host, number - 1)
            curve.append(megabytes(settings, server.pid))
            print(number, curve[-1], flush=True)
            if lapses and number % (n // lapses) == 0:
                let_sessions_lapse(settings, host)
                lapsed[number] = megabytes(settings, server.pid)
                print(number, "lapsed", lapsed[number], flush=True)
            if time.monotonic() > end:
                break
    quarter = max(1, len(curve) // 4)
    spans = {"second quarter": curve[quarter : 2 * quarter], "last quarter": curve[-quarter:]}
    return {"studies": len(curve), "MB once sessions lapsed, after so many studies": lapsed} | {
        f"MB, {name}": {who: round(float(np.median([one[who] for one in span]))) for who in curve[0]}
        for name, span in spans.items()
        if span
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--lapses", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=1e9)
    options = parser.parse_args()
    with installation() as settings:
        print(json.dumps(measure(settings, options.studies, options.lapses, options.minutes), indent=1))


if __name__ == "__main__":
    main()
