"""A register of millions of predictions: list, course, watching. ``python benchmarks/register.py [--database sqlite|postgresql] [--n 1000000]``.

The heart sample's logistic regression is released and asked about 5,000 patients through the store; the other predictions are
copies of those made inside the database (a sealed value is sealed once and copied as it lies), spread over a year, one in
a hundred for a patient of the register, with outcomes of eleven months that follow the risks. PostgreSQL is a server of
its own in a temporary folder, reached by a socket (Debian: ``apt install postgresql``). Each figure is the median of
repeated calls, told as seconds by the clock, of this process's processor and of the server's.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import text

from medcore.jobs.queries.watching import watch_release
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import open_database
from medcore.studies.use_records import AskedPatient, Release
from tests.pages.used_model import used_model

N_PATIENTS, HOURS, BATCH = 5_000, 8_760, 250_000
FILL = """
INSERT INTO predictions
    (owner, release_id, model, patient_id, at, made_at, risk, called, n_flags, asked, outcome, outcome_at)
WITH RECURSIVE g(i) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM g WHERE i < :last)
SELECT p.owner, p.release_id, p.model, CASE WHEN g.i % 100 = 0 THEN p.patient_id END, m.at, m.at, p.risk, p.called,
    p.n_flags, p.asked,
    CASE WHEN m.k < 8016 THEN CASE WHEN (g.i * 2654435761) % 1000003 < p.risk * 1000003 THEN 1.0 ELSE 0.0 END END,
    CASE WHEN m.k < 8016 THEN m.at END
FROM g JOIN pool p ON p.k = (g.i / 100) % :patients JOIN moments m ON m.k = (g.i * 7919) % :hours
"""


@contextmanager
def postgresql() -> Iterator[tuple[str, int]]:
    """Start a server of our own; yield its address and the number of its process."""
    found = shutil.which("initdb")
    programs = Path(found).parent if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    folder, who = Path(tempfile.mkdtemp(prefix="medcore-pg-")), {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        who = {"user": account.pw_uid, "group": account.pw_gid}
    data, options = folder / "data", f"-c listen_addresses='' -c shared_buffers=512MB -c max_wal_size=4GB -k {folder}"

    def pg(*words: str) -> None:
        subprocess.run([str(programs / words[0]), *words[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)

    try:
        pg("initdb", "-D", str(data), "-A", "trust", "-U", "medcore", "--encoding=UTF8", "--no-locale")
        pg("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            yield f"postgresql://medcore@/postgres?host={folder}", int((data / "postmaster.pid").read_text().split()[0])
        finally:
            pg("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def server_seconds(parent: int | None) -> float:
    """Return the processor seconds of a server's process and of all that it started."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat") if parent else ():
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if parent in (int(stat.parent.name), int(fields[1])):
            ticks += sum(map(int, fields[11:15] if int(stat.parent.name) == parent else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def fill(settings: Settings, store: Store, release: Release, n: int) -> None:
    """Ask about 5,000 patients, and copy what was kept of them until there are ``n`` predictions."""
    known = store.predictions(LOCAL_OWNER, release.model)
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    asked = [
        AskedPatient(
            values=(one := known[i % len(known)]).values,
            risk=one.risk,
            risks=one.risks,
            called=one.called,
            at=begin + timedelta(hours=i),
            patient=f"R{i:05d}",
        )
        for i in range(N_PATIENTS)
    ]
    store.keep_answers(LOCAL_OWNER, release, asked, route="benchmark")
    engine = open_database(settings)
    with engine.begin() as c:
        c.execute(text("CREATE TABLE moments AS SELECT CAST(0 AS BIGINT) AS k, at FROM predictions WHERE 1 = 0"))
        columns = "owner, release_id, model, patient_id, risk, called, n_flags, asked"
        c.execute(
            text(
                f"CREATE TABLE pool AS SELECT row_number() OVER (ORDER BY id) - 1 AS k, {columns} FROM predictions WHERE patient_id IN (SELECT patient_id FROM predictions ORDER BY id DESC LIMIT {N_PATIENTS})"
            )
        )
        written = "INSERT INTO moments VALUES (:k, :at)"
        sqlite = engine.dialect.name == "sqlite"
        days = [begin + timedelta(hours=k) for k in range(HOURS)]
        told = [f"{d:%Y-%m-%d %H:%M:%S}.000000" if sqlite else d for d in days]
        c.execute(text(written), [{"k": k, "at": at} for k, at in enumerate(told)])
        for table in ("pool", "moments"):
            c.execute(text(f"CREATE UNIQUE INDEX {table}_k ON {table} (k)"))
    for first in range(0, n, BATCH):
        last = min(first + BATCH, n) - 1
        with engine.begin() as c:
            c.execute(text(FILL), {"first": first, "last": last, "patients": N_PATIENTS, "hours": HOURS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.execute(text("ANALYZE" if sqlite else "VACUUM ANALYZE"))


def measured(name: str, work: Callable[[], Any], server: int | None, *, times: int = 5) -> dict[str, float]:
    """Call some times; return the medians of the clock, of this processor and of the server's."""
    found = []
    for _again in range(times):
        clock, own, theirs = time.perf_counter(), time.process_time(), server_seconds(server)
        work()
        found.append((time.perf_counter() - clock, time.process_time() - own, server_seconds(server) - theirs))
    told = dict(
        zip(
            ("seconds", "cpu", "server_cpu"),
            (statistics.median(part) for part in zip(*found, strict=True)),
            strict=True,
        )
    )
    print(name, {k: round(v, 3) for k, v in told.items()}, f"load {os.getloadavg()[0]:.0f}", flush=True)
    return told


def run(settings: Settings, server: int | None, n: int) -> dict[str, Any]:
    """Fill and measure."""
    store = Store(settings)
    _study, release = used_model(settings)
    began = time.perf_counter()
    fill(settings, store, release, n)
    print(f"{n:,} predictions filled in {time.perf_counter() - began:.0f} s", flush=True)
    patient = store.find_patient(LOCAL_OWNER, release.model, "R00007")
    one = AskedPatient(values={"age": 60}, risk=0.4, risks=(0.6, 0.4), called=True, patient="R00007")
    found = {
        "worklist": measured("worklist", lambda: store.worklist(LOCAL_OWNER, release.model), server),
        "course": measured("course", lambda: store.course(LOCAL_OWNER, patient), server),
        "kept": measured("one answer kept", lambda: store.keep_answers(LOCAL_OWNER, release, [one], route="b"), server),
        "outcome": measured(
            "outcome entered", lambda: store.enter_outcomes(LOCAL_OWNER, release.model, {"R00007": 1.0}), server
        ),
        "used": measured("Watch: whether it was used", lambda: store.was_used(LOCAL_OWNER, release.id), server),
        "read": measured(
            "Watch: months counted, 50,000 read",
            lambda: store.in_time(LOCAL_OWNER, release.id, most=50_000),
            server,
            times=2,
        ),
        "watch": measured(
            "Watch: all of it", lambda: watch_release(settings, LOCAL_OWNER, release.id), server, times=1
        ),
        "standing": measured("what stands, for the list of studies", lambda: store.standing(LOCAL_OWNER), server),
    }
    found["visits_of_the_patient"] = len(store.course(LOCAL_OWNER, patient))
    found["memory_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options.add_argument("--n", type=int, default=1_000_000)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="medcore-register-") as home:
        os.environ["MEDCORE_DATA"] = home
        settings = Settings.from_env()
        if asked.database == "sqlite":
            found = run(settings, None, asked.n)
        else:
            with postgresql() as (address, server):
                found = run(replace(settings, database_url=address), server, asked.n)
    print(json.dumps({"database": asked.database, "n": asked.n, **found}))
    if asked.json:
        asked.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
