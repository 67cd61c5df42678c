"""Notes in files of their own: a zip archive of text files, named after patients, becomes a column of the table."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.reading.archive import is_archive, read_archive
from medcore.data.reading.encodings import detect_encoding
from medcore.data.reading.text import RawFile
from medcore.data.values.folding import distinct
from medcore.errors import InputError, MissingColumnsError, SettingsError, UnreadableFileError
from medcore.i18n import N_, Message

NOTES = "notes"
"""The column that they become."""
ENDING = ".txt"
BETWEEN = "\n\n"
"""Stands between several files of one patient."""


@dataclass(slots=True)
class _Read:
    """What the files of an archive held, by patient, and what is told of them."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    encodings: Counter[str] = field(default_factory=Counter)
    n_others: int = 0
    n_strangers: int = 0
    n_broken: int = 0


def with_notes(
    cohort: Cohort, source: Path | str | tuple[str, bytes], *, patient: str | None = None, like: Schema | None = None
) -> Cohort:
    """Return a cohort with a column of notes, from a zip archive of text files.

    A file is of the patient whose identifier, in the column ``patient`` or else the one with that role,
    is its name, the name of its folder, or how its name begins before ``_``, ``-`` or a space; several of one patient follow
    one another by name. Each file has its own encoding; bytes that are no text in it are read as the replacement
    character. ``like`` is the schema of a model by which new patients are read.

    Raises:
        UnreadableFileError: the file is no archive, or one that cannot be read, or not safely.
        MissingColumnsError: the table has no column ``patient``.
        SettingsError: no column, or more than one, names patients, and none is said.
        InputError: the table has such a column already, or no file is of one of its patients.

    """
    raw = RawFile.of(source)
    if not is_archive(raw):
        raise UnreadableFileError(
            N_("{name} is no zip archive. Pack the notes as text files, one or several a patient, into one."),
            name=raw.name,
        )
    names = [str(name) for name in cohort.frame.columns]
    patient = patient or _identifier(like or cohort.schema)
    if patient not in names:
        raise MissingColumnsError.between(wanted=[patient], got=names)
    if NOTES in names:
        raise InputError(
            N_("The table has a column “{column}” already. Rename it, or leave the archive out."), column=NOTES
        )
    cells = distinct(cohort.frame[patient])
    words = [*cells.words(), None]
    read = _read(sorted(read_archive(raw)), {word for word in words if word is not None})
    if not read.texts and like is None:
        raise InputError(
            N_("No text file of the archive is named after a patient of the table (column “{column}”)."), column=patient
        )
    said = {whose: BETWEEN.join(texts) for whose, texts in read.texts.items()}
    notes = [said.get(words[code]) if code >= 0 else None for code in cells.codes]
    frame = cohort.frame.assign(**{NOTES: pd.Series(notes, index=cohort.frame.index, dtype="str")})
    frame.attrs = dict(cohort.frame.attrs)
    identity = json.dumps([cohort.sha256, raw.sha256, patient])
    column = Column(name=NOTES, kind="note", role="predictor")
    return replace(
        cohort,
        frame=frame,
        schema=replace(cohort.schema, columns=(*cohort.schema.columns, column)),
        sha256=hashlib.sha256(identity.encode()).hexdigest(),
        repairs=(*cohort.repairs, *_told(read, n_without=sum(note is None for note in notes))),
    )


def _identifier(schema: Schema) -> str:
    found = [column.name for column in schema.columns if column.role == "identifier"]
    if len(found) != 1:
        raise SettingsError(N_("Say with --note-id which column names the patient, as the text files are named."))
    return found[0]


def _read(members: Iterable[tuple[str, bytes]], patients: set[str]) -> _Read:
    read = _Read()
    for name, data in members:
        if not name.lower().endswith(ENDING):
            read.n_others += 1
            continue
        whose = next((word for word in _names(name) if word in patients), None)
        if whose is None:
            read.n_strangers += 1
            continue
        encoding = detect_encoding(RawFile.of((name, data)))
        text = data.decode(encoding, errors="replace").removeprefix("\ufeff")
        read.encodings[encoding] += 1
        read.n_broken += "\ufffd" in text
        read.texts.setdefault(whose, []).append(text.strip())
    return read


def _names(path: str) -> list[str]:
    """Return the identifiers that a file may be named after, the likeliest first, folded as cells are."""
    parts = PurePosixPath(path)
    stem = parts.stem
    cut = min((place for mark in "_- " if (place := stem.find(mark)) > 0), default=len(stem))
    return distinct(pd.Series([stem, parts.parent.name or stem, stem[:cut]], dtype="str"), exact=False).words()


def _told(read: _Read, *, n_without: int) -> list[Message]:
    n = sum(read.encodings.values())
    named = [f"{encoding}: {count}" for encoding, count in read.encodings.most_common()]
    told = [
        Message(
            N_("{n} text file(s) were read as notes of {patients} patient(s) ({encodings})."),
            {"n": n, "patients": len(read.texts), "encodings": named},
        )
    ]
    counted = (
        (
            read.n_broken,
            N_("{n} of the text files hold bytes that are no text in their encoding; the rest of them was read."),
        ),
        (read.n_strangers, N_("{n} text file(s) are of nobody in the table and were left out.")),
        (read.n_others, N_("{n} file(s) of the archive are no text files (.txt) and were left out.")),
        (n_without, N_("{n} row(s) of the table have no note.")),
    )
    return [*told, *(Message(words, {"n": count}) for count, words in counted if count)]
