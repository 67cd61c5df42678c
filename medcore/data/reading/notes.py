"""Notes in files of their own: a zip archive of text files, named after patients, becomes a column of the table."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema, Source
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
FILE, TEXT, ENCODING = "file", "text", "encoding"
"""The columns of an archive that was read: its files by name, the text of those that are text files, how it was written."""


def read_note_files(source: Path | str | tuple[str, bytes]) -> Cohort:
    """Return the files of a zip archive as rows, by name, each text in its own encoding; no text where it is no text file.

    Bytes that are no text in a file's encoding are read as the replacement character.

    Raises:
        UnreadableFileError: the file is no archive, or one that cannot be read, or not safely.

    """
    raw = RawFile.of(source)
    if not is_archive(raw):
        raise UnreadableFileError(
            N_("{name} is no zip archive. Pack the notes as text files, one or several a patient, into one."),
            name=raw.name,
        )
    rows: list[tuple[str, str | None, str | None]] = []
    for name, data in sorted(read_archive(raw)):
        if not name.lower().endswith(ENDING):
            rows.append((name, None, None))
            continue
        encoding = detect_encoding(RawFile.of((name, data)))
        rows.append((name, data.decode(encoding, errors="replace").removeprefix("\ufeff").strip(), encoding))
    frame = pd.DataFrame(rows, columns=[FILE, TEXT, ENCODING], dtype="str")
    columns = tuple(Column(name=name, kind="text", role="ignored") for name in frame.columns)
    return Cohort(frame, Schema(columns), raw.sha256, raw.name, Source(format="zip"))


def with_notes(cohort: Cohort, files: Cohort, *, patient: str | None = None, like: Schema | None = None) -> Cohort:
    """Return a cohort with a column of notes, from the ``files`` of an archive (:func:`read_note_files`).

    A file is of the patient whose identifier, in the column ``patient`` or else the one with that role,
    is its name, the name of its folder, or how its name begins before ``_``, ``-`` or a space; several of one patient follow
    one another by name. ``like`` is the schema of a model by which new patients are read. What was found is told in
    ``repairs``.

    Raises:
        MissingColumnsError: the table has no column ``patient``.
        SettingsError: no column, or more than one, names patients, and none is said.
        InputError: the table has such a column already, or no file is of one of its patients.

    """
    names = [str(name) for name in cohort.frame.columns]
    patient = patient or _identifier(like or cohort.schema)
    if patient not in names:
        raise MissingColumnsError.between(wanted=[patient], got=names)
    if NOTES in names:
        raise InputError(
            N_("The table has a column “{column}” already. Rename it, or leave the archive out."), column=NOTES
        )
    files_frame = files.frame.assign(whose=pd.Series(_patients(_named(files), cohort.frame[patient]), dtype="str"))
    own = files_frame[files_frame["whose"].notna()]
    if own.empty and like is None:
        raise InputError(
            N_("No text file of the archive is named after a patient of the table (column “{column}”)."), column=patient
        )
    said = own.groupby("whose")[TEXT].agg(BETWEEN.join)
    cells = distinct(cohort.frame[patient])
    words = [*cells.words(), None]
    notes = [said.get(words[code]) if code >= 0 else None for code in cells.codes]
    frame = cohort.frame.assign(**{NOTES: pd.Series(notes, index=cohort.frame.index, dtype="str")})
    frame.attrs = dict(cohort.frame.attrs)
    identity = json.dumps([cohort.sha256, files.sha256, patient])
    column = Column(name=NOTES, kind="note", role="predictor")
    return replace(
        cohort,
        frame=frame,
        schema=replace(cohort.schema, columns=(*cohort.schema.columns, column)),
        sha256=hashlib.sha256(identity.encode()).hexdigest(),
        repairs=(*cohort.repairs, *_told(files, own, n_without=sum(note is None for note in notes))),
    )


def named_after(files: Cohort, cohort: Cohort) -> str:
    """Return the column of a table after which most text files of an archive are named; of equals an identifier, or the first.

    Raises:
        InputError: no file is named after a cell of any column.

    """
    named, columns = _named(files), cohort.schema.columns
    found = [sum(whose is not None for whose in _patients(named, cohort.frame[c.name])) for c in columns]
    place = max(range(len(columns)), key=lambda k: (found[k], columns[k].role == "identifier"))
    if not found[place]:
        raise InputError(N_("No text file (.txt) of the archive is named after a patient of the table."))
    return columns[place].name


def _identifier(schema: Schema) -> str:
    found = [column.name for column in schema.columns if column.role == "identifier"]
    if len(found) != 1:
        raise SettingsError(N_("Say with --note-id which column names the patient, as the text files are named."))
    return found[0]


def _named(files: Cohort) -> list[tuple[str, ...]]:
    """Return the identifiers that each file may be named after, the likeliest first, folded as cells are; none for what is no text."""
    texts = files.frame[TEXT].notna()
    paths = [PurePosixPath(name) for name in files.frame[FILE][texts]]
    stems = [path.stem for path in paths]
    cuts = [min((at for mark in "_- " if (at := stem.find(mark)) > 0), default=len(stem)) for stem in stems]
    folders = [path.parent.name or path.stem for path in paths]
    folded = distinct(
        pd.Series([*stems, *folders, *(s[:cut] for s, cut in zip(stems, cuts, strict=True))], dtype="str")
    )
    words = [*folded.words(), ""]
    each = iter(folded.codes.reshape(3, -1).T)
    return [tuple(words[code] for code in next(each)) if text else () for text in texts]


def _patients(named: list[tuple[str, ...]], identifiers: pd.Series) -> list[str | None]:
    """Return whose each file is, as a column of ``identifiers`` says it; None where it is nobody's."""
    known = set(distinct(identifiers).words())
    return [next((word for word in names if word in known), None) for names in named]


def _told(files: Cohort, own: pd.DataFrame, *, n_without: int) -> list[Message]:
    """Count the ``own`` files of patients, and what was left out."""
    named = [f"{encoding}: {count}" for encoding, count in own[ENCODING].value_counts().items()]
    told = [
        Message(
            N_("{n} text file(s) were read as notes of {patients} patient(s) ({encodings})."),
            {"n": len(own), "patients": int(own["whose"].nunique()), "encodings": named},
        )
    ]
    n_texts = int(files.frame[TEXT].notna().sum())
    counted = (
        (
            int(own[TEXT].str.contains("\ufffd").sum()),
            N_("{n} of the text files hold bytes that are no text in their encoding; the rest of them was read."),
        ),
        (n_texts - len(own), N_("{n} text file(s) are of nobody in the table and were left out.")),
        (len(files.frame) - n_texts, N_("{n} file(s) of the archive are no text files (.txt) and were left out.")),
        (n_without, N_("{n} row(s) of the table have no note.")),
    )
    return [*told, *(Message(words, {"n": count}) for count, words in counted if count)]
