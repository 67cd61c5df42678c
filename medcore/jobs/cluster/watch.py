"""Preloaded by the scheduler: it ends, and the worker with it, when nobody needs it any more.

A web server keeps a connection as long as it lives. With no web server about and
no run waiting or working, the cluster ends after a while; and at once when its
data folder is gone or names another cluster.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from medcore.jobs.logs import keep_values_out_of_logs, write_json_lines
from medcore.safe_files import keep_new_files_private
from medcore.settings import Settings

LOOK_EVERY_SECONDS = 2.0
FIRST_SECONDS = 60.0


def dask_setup(scheduler: Any) -> None:
    """Look every few seconds whether the cluster is still of use."""
    from tornado.ioloop import PeriodicCallback

    keep_new_files_private()
    keep_values_out_of_logs()
    started = last_used = time.monotonic()
    settings = Settings.from_env()
    idle_seconds = settings.idle_seconds
    if settings.log == "json":
        write_json_lines()
    folder = os.environ.get("MEDCORE_JOBS")

    async def look() -> None:
        nonlocal last_used
        moment = time.monotonic()
        if in_use(scheduler):
            last_used = moment
        replaced = moment - started > FIRST_SECONDS and not current(folder)
        if moment - last_used > idle_seconds or replaced:
            callback.stop()
            await scheduler.close(reason="medcore-idle")

    callback = PeriodicCallback(look, LOOK_EVERY_SECONDS * 1000)
    callback.start()


def in_use(scheduler: Any) -> bool:
    """Whether a web server is connected, or something waits or works."""
    people = [name for name in scheduler.clients if name != "fire-and-forget"]
    return bool(people or scheduler.tasks)


def current(folder: str | None) -> bool:
    """Whether the data folder still names this process as its scheduler."""
    if folder is None:
        return True
    try:
        named = json.loads((Path(folder) / "cluster.json").read_text())["scheduler"]["pid"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(named == os.getpid())
