"""Cohorts at rest: rows as Parquet, addressed by content, private to their owner."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcore.data.attachments import Attachments
from medcore.data.cohort import Cohort, Schema, Source
from medcore.data.privacy.attachments import check_attachments
from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_, Message
from medcore.studies.kept.files import FileStore, owner_folder, rows_name
from medcore.studies.kept.identity import content_key
from medcore.studies.kept.parquet import from_parquet, to_parquet
from medcore.studies.kept.seals import rows_are_whole, seal_rows
from medcore.studies.tables import CohortRow


def keep_cohort(
    session: Session,
    files: FileStore,
    owner: str,
    cohort: Cohort,
    *,
    original: bytes | None = None,
    reason: str | None = None,
    room: int | None = None,
) -> CohortRow:
    """Store a cohort's rows once for each owner; the same table again takes no more room.

    ``original`` are the bytes of the uploaded file, kept beside the rows when given.
    Attached files are looked at first and are kept by their content, in a folder of the cohort's.
    ``room`` is how many bytes its owner may still take.

    Raises:
        SettingsError: there is too little room for it.
        InputError: an attached file seems to tell who a patient is, and no ``reason`` to keep it was given.

    """
    if len(cohort.attachments) and not reason:
        check_attachments(cohort.attachments)
    key = content_key(cohort)
    row = session.scalars(select(CohortRow).where(CohortRow.owner == owner, CohortRow.content_key == key)).first()
    if row is None:
        row = _new_row(owner, key, cohort)
        session.add(row)
    if not _whole(files, row):
        _write_rows(files, row, cohort, len(original or b""), room)
    _write_attached(files, row, cohort)
    if original is not None and (row.original is None or not _is(files, row.original, row.sha256)):
        row.original = row.original or f"{_folder(owner)}/{cohort.sha256}{_suffix(cohort.name)}"
        files.write(row.original, original)
    return row


def _new_row(owner: str, key: str, cohort: Cohort) -> CohortRow:
    """Return the row of a table that was not kept before."""
    return CohortRow(
        id=uuid.uuid4().hex,
        owner=owner,
        content_key=key,
        sha256=cohort.sha256,
        name=cohort.name,
        source=cohort.source.to_dict(),
        repairs=[message.to_dict() for message in cohort.repairs],
        n_rows=cohort.n_rows,
        n_columns=len(cohort.schema.columns),
        original=None,
        attachments=cohort.attachments.to_list() or None,
    )


def _write_rows(files: FileStore, row: CohortRow, cohort: Cohort, n_original: int, room: int | None) -> None:
    """Write a table's rows and note their seal, if what is kept of it leaves its owner's ``room`` (bytes)."""
    rows = to_parquet(cohort.frame)
    row.n_bytes = len(rows) + n_original + sum(f.n_bytes for f in cohort.attachments.files)
    if room is not None and row.n_bytes > room:
        raise SettingsError(
            N_(
                "The table takes {n} MB, and {room} MB are left of what one person may store here. Remove a study for good, also from the deleted ones, and try again."
            ),
            n=-(-row.n_bytes >> 20),
            room=room >> 20,
        )
    files.write(_rows(row), rows)
    row.seal = seal_rows(files, row, rows)


def _write_attached(files: FileStore, row: CohortRow, cohort: Cohort) -> None:
    """Write the files attached to a table that are not there yet."""
    if len(cohort.attachments) and not row.attachments:  # the same table was kept before without them
        row.attachments = cohort.attachments.to_list()
        row.n_bytes = (row.n_bytes or 0) + cohort.attachments.n_bytes
    for attached in cohort.attachments.files:
        if not _is(files, f"{_attached(row)}/{attached.sha256}", attached.sha256):
            files.write(f"{_attached(row)}/{attached.sha256}", cohort.attachments.contents(attached.sha256))


def read_cohort(files: FileStore, row: CohortRow, schema: Schema) -> Cohort:
    """Return a stored cohort under a schema.

    Raises:
        NotFoundError: its rows are gone from the file store, or were changed or cut there.

    """
    return Cohort(
        frame=from_parquet(_sealed_rows(files, row)),
        schema=schema,
        sha256=row.sha256,
        name=row.name,
        source=source_from_dict(row.source),
        repairs=tuple(Message.from_dict(m) for m in row.repairs),
        attachments=Attachments.from_list(row.attachments or (), partial(_read_attached, files, _attached(row))),
    ).with_schema(schema)


def cohort_files(row: CohortRow) -> tuple[str, ...]:
    """Name what is a cohort's in the file store: its rows, the folder of attached files, and the file as it was brought."""
    attached = (_attached(row),) if row.attachments else ()
    return (_rows(row), *attached, *((row.original,) if row.original else ()))


def cohort_parts(files: FileStore, row: CohortRow) -> dict[str, bytes]:
    """Return a cohort's files as an archive names them: rows, attached files, the file as it was brought.

    Raises:
        NotFoundError: one of them is gone from the file store, or was changed there.

    """
    parts = {"table.parquet": _sealed_rows(files, row)}
    parts |= {
        f"attached/{f['sha256']}": _read_attached(files, _attached(row), f["sha256"]) for f in row.attachments or ()
    }
    original = read_original(files, row)
    return parts if original is None else parts | {f"original/table{_suffix(row.name)}": original}


def read_original(files: FileStore, row: CohortRow) -> bytes | None:
    """Return the file as it was brought, or None where it was not kept.

    Raises:
        NotFoundError: it was changed or cut in the file store.

    """
    if not row.original or not files.exists(row.original):
        return None
    data = files.read(row.original)
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise _changed()
    return data


def _sealed_rows(files: FileStore, row: CohortRow) -> bytes:
    try:
        rows = files.read(_rows(row))
    except FileNotFoundError:
        raise NotFoundError(
            N_("The rows of this study are no longer in the file store. Restore them from a backup, or upload again.")
        ) from None
    if not rows_are_whole(files, row, rows):
        raise _changed()
    return rows


def _whole(files: FileStore, row: CohortRow) -> bool:
    """Whether the rows' file is there as it was kept; one that is not is written anew by who brings the table again."""
    try:
        return rows_are_whole(files, row, files.read(_rows(row)))
    except (FileNotFoundError, NotFoundError):
        return False


def _is(files: FileStore, name: str, sha256: str) -> bool:
    """Whether a file is kept and has the contents it should have."""
    try:
        return hashlib.sha256(files.read(name)).hexdigest() == sha256
    except (FileNotFoundError, NotFoundError):
        return False


def _changed() -> NotFoundError:
    return NotFoundError(
        N_(
            "The rows of this study were changed or damaged in the file store after they were kept. Restore them from a backup, or upload the same file again."
        )
    )


def source_from_dict(data: Mapping[str, Any]) -> Source:
    """Read what ``Source.to_dict`` wrote."""
    return Source.from_dict(data)


def _folder(owner: str) -> str:
    return f"{owner_folder(owner)}/cohorts"


def _rows(row: CohortRow) -> str:
    return rows_name(row.owner, row.content_key)


def _attached(row: CohortRow) -> str:
    return f"{_folder(row.owner)}/{row.content_key}.files"


def _read_attached(files: FileStore, folder: str, sha256: str) -> bytes:
    try:
        data = files.read(f"{folder}/{sha256}")
    except FileNotFoundError:
        data = b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NotFoundError(
            N_(
                "An attached file of this study is no longer in the file store, or was changed there. Restore it from a backup, or upload again."
            )
        )
    return data


def _suffix(name: str) -> str:
    """Return a file's ending if it is a plain one; nothing else of its name is kept on disk."""
    match = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return match.group().lower() if match else ""
