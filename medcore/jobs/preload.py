"""Preloaded by the worker: what a first click would otherwise wait for.

Importing TensorFlow takes 3–10 s and compiling a first program one more. Dask
lets a worker answer only after this, so a worker that is there is a warm one.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from medcore.jobs.logs import keep_values_out_of_logs

logger = logging.getLogger("medcore.jobs")


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - Dask's signature
    """Import what runs and predictions need."""
    keep_values_out_of_logs()
    warm_up()


def warm_up() -> None:
    """Import the rooms that compute; a failure is logged and shows itself at first use."""
    try:
        from medcore.models.warmth import warm_up as warm_up_models

        warm_up_models()
        import_module("medcore.explanation.answers")
    except Exception as error:
        logger.warning("Warming up failed: %s", type(error).__name__)
