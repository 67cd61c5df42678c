"""Preloaded by the worker: what a first click would otherwise wait for.

Importing TensorFlow takes 3–10 s and compiling a first program one more. Dask
lets a worker answer only after this, so a worker that is there is a warm one.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from medcore.jobs.cluster.growth import watch_growth
from medcore.jobs.cluster.processes import note_start
from medcore.jobs.logs import keep_values_out_of_logs, write_json_lines
from medcore.safe_files import keep_new_files_private
from medcore.settings import Settings

ROOMS = ("medcore.explanation.patient.worker_queries", "medcore.jobs.runs.perform", "medcore.jobs.cluster.answer")
logger = logging.getLogger("medcore.jobs")


def dask_setup(worker: Any) -> None:
    """Import what runs and predictions need, and let them know how much memory they have."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keep_new_files_private()
    keep_values_out_of_logs()
    if Settings.from_env().log == "json":
        write_json_lines()
    limit = worker.memory_manager.memory_limit
    if limit:
        os.environ["MEDCORE_WORKER_MEMORY"] = f"{limit / 2**20:.0f}MiB"
    warm_up()
    watch_growth(worker)
    if "MEDCORE_JOBS" in os.environ:  # one of our own
        with suppress(OSError, psutil.Error):
            note_start(Path(os.environ["MEDCORE_JOBS"]))


def warm_up() -> None:
    """Import the rooms that compute; a failure is logged and shows itself at first use."""
    try:
        from medcore.models.run.warmth import warm_up as warm_up_models

        warm_up_models()
        for name in ROOMS:
            import_module(name)
    except Exception as error:
        logger.warning("Warming up failed: %s", type(error).__name__)
