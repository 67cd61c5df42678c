"""Uploads are read in a process of their own, with limits on memory and time.

A file that a stranger made may take the reader down in native code, where no
``except`` helps: it takes down this child and nobody else. The child is forked from
a small server that has the readers imported, so that nobody waits for them; what
comes back is Parquet and JSON, never a pickle.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pandas as pd
import psutil

from medcore.data.cohort import Cohort, Schema, Source
from medcore.data.long import Pivot
from medcore.data.reading.measurements import read_measurements
from medcore.data.reading.notes import read_note_files
from medcore.data.reading.table import read_table
from medcore.errors import MedcoreError, UnreadableFileError, from_dict
from medcore.i18n import N_, Message
from medcore.jobs.logs import note
from medcore.jobs.stop import Stop
from medcore.safe_files import keep_new_files_private, private_folder, scratch_folder
from medcore.settings import Settings
from medcore.studies.kept.parquet import from_parquet, to_parquet

MEMORY_BYTES = 6 << 30
"""What reading one file may take on top of the readers themselves."""
READ_SECONDS = 180
Form = Literal["table", "measurements", "note files"]
"""What a file that somebody brings is."""
_starting = threading.Lock()
PRELOADED = ["medcore.jobs.web.uploads", "pyarrow.parquet", "pyreadstat", "python_calamine"]


def read_upload(
    name: str,
    data: bytes,
    *,
    overrides: Mapping[str, Any] | None = None,
    like: Schema | None = None,
    form: Form = "table",
    pivot: Pivot | None = None,
    sheet: str = "",
    stop: Stop | None = None,
) -> Cohort:
    """Read an uploaded table as :func:`~medcore.data.reading.table.read_table` does, safely; ``stop`` ends that.

    One of measurements over time is read as :func:`~medcore.data.reading.measurements.read_measurements` does, that
    takes ``pivot`` and ``sheet``, an archive of notes as :func:`~medcore.data.reading.notes.read_note_files`.

    Raises:
        CancelledError: somebody asked to stop.
        UnreadableFileError: the file is no table, or needs more memory or time than
            reading may take; nothing of it stays.

    """
    asked = {
        "overrides": dict(overrides or {}),
        "like": like.to_dict() if like else None,
        "form": form,
        "pivot": pivot.to_dict() if pivot else None,
        "sheet": sheet,
    }
    head, frame = _in_child(name, data, asked, stop)
    return Cohort(
        frame,
        Schema.from_dict(head["schema"]),
        head["sha256"],
        head["name"],
        Source.from_dict(head["source"]),
        tuple(Message.from_dict(m) for m in head["repairs"]),
    )


def read_rows(data: bytes, *, stop: Stop | None = None) -> pd.DataFrame:
    """Read the table of a study's archive, which a stranger may have made, as safely as an upload.

    Raises:
        UnreadableFileError: it is no table, or needs more memory or time than reading may take.

    """
    return _in_child("table.parquet", data, {"rows": True}, stop)[1]


def _in_child(
    name: str, data: bytes, asked: Mapping[str, Any], stop: Stop | None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Do the reading in a child with limits; return what it says of the table, and its rows."""
    with scratch_folder(private_folder(Settings.from_env().data_dir) / "scratch") as scratch:
        return _in_child_with(scratch, name, data, asked, stop or Stop())


def _in_child_with(
    scratch: Path, name: str, data: bytes, asked: Mapping[str, Any], stop: Stop
) -> tuple[dict[str, Any], pd.DataFrame]:
    with _reader(name, asked, scratch) as (child, ours):
        with stop.ends(child.kill):
            head, frame = _received(name, ours, data)
        note("table read", bytes=len(data), rows=len(frame), columns=len(frame.columns))
        return head, frame


@contextmanager
def _reader(name: str, asked: Mapping[str, Any], scratch: Path) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """Start a child that reads, and give it with our end of the pipe; it ends with the ``with`` block."""
    ours, theirs = _context().Pipe()
    with ours:
        with theirs, _no_main_module():
            child = _context().Process(target=_read, args=(theirs, name, asked, str(scratch)), daemon=True)
            try:
                child.start()
            except (OSError, EOFError):  # no more processes or files may be opened, or the server of readers is gone
                raise UnreadableFileError(
                    N_(
                        "The file {name} could not be read now: this machine can start no further program. Try again in a minute."
                    ),
                    name=name,
                ) from None
        try:
            yield child, ours
        finally:
            child.kill()
            child.join()


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Start a child that runs no main module again: here that is the script of a page, put there by Streamlit."""
    blank = ModuleType("__main__")
    with _starting:
        page, sys.modules["__main__"] = sys.modules["__main__"], blank
        try:
            yield
        finally:
            if sys.modules["__main__"] is blank:  # no other page began meanwhile
                sys.modules["__main__"] = page


def keep_uploads_in_memory(settings: Settings) -> None:
    """Let no upload pass through the system's temporary folder: Starlette would write what is above 1 MB there."""
    from starlette.formparsers import MultiPartParser  # not in the readers' own process

    MultiPartParser.spool_max_size = (settings.max_upload_mb + 1) << 20


def be_ready() -> None:
    """Start the server from which readers are forked, so that the first upload does not wait for it."""
    _context()
    forkserver.ensure_running()


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _received(name: str, ours: Connection, data: bytes) -> tuple[dict[str, Any], pd.DataFrame]:
    """Hand the bytes over and wait for the table."""
    try:
        ours.send_bytes(data)
        if not ours.poll(READ_SECONDS):
            raise UnreadableFileError(
                N_("Reading {name} takes longer than {seconds} seconds and was given up. Split the table."),
                name=name,
                seconds=READ_SECONDS,
            )
        head = json.loads(ours.recv_bytes())
        if "error" in head:
            raise from_dict(head)
        return head, from_parquet(ours.recv_bytes())
    except (EOFError, ConnectionError, OSError):  # the child was ended: by its limits, or by a fault of a reader
        raise UnreadableFileError(
            N_(
                "The file {name} could not be read: it is damaged, or needs more than the {n} GB of memory that reading may take. Save the table alone, as CSV."
            ),
            name=name,
            n=MEMORY_BYTES >> 30,
        ) from None


def _read(theirs: Connection, name: str, asked: Mapping[str, Any], scratch: str) -> None:
    """Read one table in the child; nothing it writes on the way is left anywhere but in ``scratch``."""
    keep_new_files_private()
    tempfile.tempdir = scratch
    data = theirs.recv_bytes()
    most = psutil.Process().memory_info().vms + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (READ_SECONDS, READ_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        head, rows = ({}, to_parquet(from_parquet(data))) if asked.get("rows") else _table(name, data, asked)
    except MedcoreError as error:
        theirs.send_bytes(json.dumps(error.to_dict()).encode())
        return
    except Exception:  # its text may hold a cell, and would be printed; that nothing comes back says enough
        return
    theirs.send_bytes(json.dumps(head).encode())
    theirs.send_bytes(rows)


def _table(name: str, data: bytes, asked: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    like = Schema.from_dict(asked["like"]) if asked["like"] else None
    if asked["form"] == "measurements":
        pivot = Pivot.from_dict(asked["pivot"]) if asked["pivot"] else None
        cohort = read_measurements((name, data), pivot=pivot, sheet=asked["sheet"])
    elif asked["form"] == "note files":
        cohort = read_note_files((name, data))
    else:
        cohort = read_table((name, data), overrides=asked["overrides"], like=like)
    head = {
        "schema": cohort.schema.to_dict(),
        "sha256": cohort.sha256,
        "name": cohort.name,
        "source": cohort.source.to_dict(),
        "repairs": [message.to_dict() for message in cohort.repairs],
    }
    return head, to_parquet(cohort.frame)
