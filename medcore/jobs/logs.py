"""Logs that hold no patient's value: of an error only its kind and its place.

The text of an error often quotes the cell that caused it. ``MEDCORE_DEBUG=1``
lets the whole text through, for a developer with made-up data.
"""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path
from typing import Any

logger = logging.getLogger("medcore.jobs")

FRAMES = 4


def place_of(error: BaseException) -> str:
    """Name the kind of an error and where it came from, innermost first.

    >>> place_of(ValueError("could not convert 'Mrs Miller'"))
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}" if places else type(error).__name__


def log_without_values(error: BaseException) -> None:
    """Log what kind of error happened where."""
    logger.error("%s", place_of(error))


def keep_values_out_of_logs() -> None:
    """Make every logger of this process, also other people's, name errors without their text."""
    if os.environ.get("MEDCORE_DEBUG") or getattr(logging.getLogRecordFactory(), "__name__", "") == "_record":
        return
    usual = logging.getLogRecordFactory()

    def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return without_values(usual(*args, **kwargs))

    logging.setLogRecordFactory(_record)


def without_values(record: logging.LogRecord) -> logging.LogRecord:
    """Replace the errors in a log record by their kind and place."""
    if isinstance(record.args, tuple):
        record.args = tuple(place_of(a) if isinstance(a, BaseException) else a for a in record.args)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if error is not None:
        record.msg, record.args = f"{record.getMessage()} ({place_of(error)})", ()
        record.exc_info = record.exc_text = None
    return record
