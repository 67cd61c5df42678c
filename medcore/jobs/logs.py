"""Logs that hold no patient's value: of an error only its kind and its place.

The text of an error often quotes the cell that caused it. ``MEDCORE_DEBUG=1``
lets the whole text through, for a developer with made-up data. ``MEDCORE_LOG=json`` writes a JSON
object a line, and then also what happened: runs, uploads, workers, by number and count.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from datetime import UTC, datetime
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


def note(event: str, **facts: str | float) -> None:
    """Log something that happened, with what it happened to: numbers and ids, never a patient's value or a name.

    It is written where ``MEDCORE_LOG`` is ``json``; as text, logs hold warnings only.
    """
    logger.info(event, extra={"facts": facts})


class JsonLines(logging.Formatter):
    """Writes each record as one JSON object on a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: moment, level, logger, message, process, and what :func:`note` was told."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        return json.dumps(line | getattr(record, "facts", {}), ensure_ascii=False, default=str)


def write_json_lines() -> None:
    """Make every handler of this process, also other people's, write JSON lines; called again it takes in new ones."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    logging.getLogger("medcore").setLevel(logging.INFO)
    loggers = [one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    for handler in (handler for one in (root, *loggers) for handler in one.handlers):
        handler.setFormatter(JsonLines())
