"""A study as one file: taken to another installation, brought back, or copied, with everything of it.

The file is a zip archive: ``study.json`` says what the study is, ``table.parquet`` and
``attached/`` hold its rows, ``original/`` the file as it was brought, ``runs/NUMBER/``
each run's bundle with its results, ``SHA256SUMS`` the hash of every one of them. Nothing
in it is a pickle, and nothing is believed before it is checked. The hashes show damage,
not forgery: an archive is as trustworthy as who gave it.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from medcore.data.attachments import Attachments
from medcore.data.cohort import Cohort, Schema
from medcore.data.privacy import screen
from medcore.data.reading.archive import MAX_FILE, MAX_TOTAL, read_archive
from medcore.data.reading.text import RawFile
from medcore.errors import InputError, MedcoreError, UnreadableFileError
from medcore.i18n import N_, Message
from medcore.models.contract.settings import TrainSettings
from medcore.safe_files import scratch_folder
from medcore.sealing import Folder, SealedFolder, names_in, put
from medcore.studies.audit import entries as audit
from medcore.studies.kept.cohorts import cohort_parts, keep_cohort, source_from_dict
from medcore.studies.kept.files import result_name
from medcore.studies.kept.parquet import from_parquet
from medcore.studies.kept.seals import seal_result
from medcore.studies.people.access import require_role
from medcore.studies.records import REMOVED, UNFINISHED, RunPlan, StudyRecord
from medcore.studies.stores.fairness import check_studies, room_left
from medcore.studies.stores.session import StoreBase, study_row
from medcore.studies.stores.study_store import clean_name, study_record
from medcore.studies.tables import AuditRow, CohortRow, LookRow, ProgressRow, RunRow, StudyRow

FORMAT, VERSION = "medcore-study", 1
HEAD, SUMS, TABLE = "study.json", "SHA256SUMS", "table.parquet"
RUN_FILES = frozenset({".json", ".npy", ".npz", ".txt", ".skops", ".keras"})
"""What a bundle is made of. None of them is read in a way that could carry out what is written in it."""
STUDY_FIELDS = ("table_schema", "recipe", "split", "answers", "privacy")
RUN_FIELDS = ("number", "state", "identity", "plan", "settings", "summary", "error", "attempt")
MOMENTS = ("created_at", "started_at", "finished_at")
NOT_AS_WRITTEN = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    FileExistsError,
    NotADirectoryError,
    IntegrityError,
    DataError,
)
"""What goes wrong when an archive's parts do not fit each other as those that were exported do."""
REASONS = ("privacy.overridden", "privacy.protected", "attachments.kept")
"""Entries of the trail that go along: why something that may tell who a patient is was kept."""


class StudyArchive(StoreBase):
    """The part of the store that writes a study as one file and reads it again."""

    def export_study(self, owner: str, study_id: str) -> bytes:
        """Return a study as one archive, which :meth:`import_study` reads; runs that are not over stay behind.

        It holds the patients' rows: whoever has the file has the table.

        Raises:
            NotFoundError: no such study, it is somebody else's, or a file of it is gone.
            InputError: it is larger than can be read again.

        """
        with self._writing() as session:
            study = study_row(session, owner, study_id, wants="change")
            table = session.get_one(CohortRow, study.cohort_id)
            runs = session.scalars(select(RunRow).where(RunRow.study_id == study_id).order_by(RunRow.number)).all()
            kept = [run for run in runs if run.state not in (*UNFINISHED, REMOVED)]
            members = cohort_parts(self.files, table)
            for run in kept:
                name = result_name(study.owner, run.id)
                if self.files.exists(name):
                    folder = self.files.folder(name)
                    members |= {f"runs/{run.number}/{file}": (folder / file).read_bytes() for file in names_in(folder)}
            head = _head(session, study, table, kept)
            audit.record(session, owner, "data.exported", study_id=study_id, details={"what": FORMAT})
        return _packed({HEAD: json.dumps(head, ensure_ascii=False, indent=1).encode()} | members)

    def import_study(
        self,
        owner: str,
        data: bytes,
        *,
        name: str | None = None,
        read_rows: Callable[[bytes], pd.DataFrame] = from_parquet,
    ) -> StudyRecord:
        """Keep a study from an archive as a new one of this owner's, whole or not at all.

        ``read_rows`` reads the table; a server gives one that works in a limited process.

        Raises:
            UnreadableFileError: the archive is damaged, too large, or none of a study's.
            InputError: its table may tell who the patients are, and no reason for it came along.

        """
        try:
            members = _checked(data)
            head = json.loads(members[HEAD])
            cohort = _cohort(head["table"], head["study"]["table_schema"], members, read_rows)
            _check_privacy(cohort, head["reasons"])
            with scratch_folder(self.settings.data_dir / "scratch") as scratch, self._writing() as session:
                folders = _unpacked(members, SealedFolder(scratch, "scratch", self.files.keys))
                return self._kept(session, owner, head, cohort, folders, members, name=name)
        except MedcoreError:
            raise
        except NOT_AS_WRITTEN as error:
            raise _damaged() from error

    def duplicate_study(self, owner: str, study_id: str, name: str) -> StudyRecord:
        """Make a second study of the same table, plan and finished runs; what is done to one leaves the other alone."""
        return self.import_study(owner, self.export_study(owner, study_id), name=name)

    def _kept(
        self,
        session: Session,
        owner: str,
        head: Mapping[str, Any],
        cohort: Cohort,
        folders: Mapping[int, Folder],
        members: Mapping[str, bytes],
        *,
        name: str | None,
    ) -> StudyRecord:
        """Write the rows of the database and the files of a checked archive."""
        require_role(session, owner, "modeller")
        check_studies(session, self.settings, owner)
        room = room_left(session, self.settings, owner)
        original = next((content for path, content in members.items() if path.startswith("original/")), None)
        told = [entry for entry in head["reasons"] if entry["action"] in REASONS]
        if any(not audit.places_of(entry["action"]) <= {*entry["details"]} for entry in told):
            raise _damaged()
        reason = next((e["details"].get("reason") for e in told if e["action"] == "attachments.kept"), None)
        table = keep_cohort(session, self.files, owner, cohort, original=original, reason=reason, room=room)
        session.flush()
        fields = {field: head["study"][field] for field in STUDY_FIELDS}
        study = StudyRow(
            id=uuid.uuid4().hex,
            owner=owner,
            cohort_id=table.id,
            name=clean_name(name or head["study"]["name"]),
            **fields,
        )
        session.add(study)
        session.flush()
        ids = {run["number"]: uuid.uuid4().hex for run in head["runs"]}
        if len(ids) != len(head["runs"]):
            raise _damaged()
        for run in head["runs"]:
            row = _add_run(session, study, run, ids)
            if run["number"] in folders:
                self.files.put_folder(folders[run["number"]], result_name(owner, row.id))
                row.seal = seal_result(self.files, row)
        choice = head["study"]["choice"]
        study.choice = choice and {k: v for k, v in choice.items() if k != "run"} | {"run_id": ids[choice["run"]]}
        looks = (LookRow(owner=owner, study_id=study.id, run_id=ids[run]) for run in head["looks"])
        session.add_all(looks)
        audit.record(session, owner, "study.imported", study_id=study.id, details={"n": len(ids)})
        for entry in told:
            audit.record(session, owner, entry["action"], study_id=study.id, details=entry["details"])
        session.flush()
        return study_record(session, study)


def is_study_archive(data: bytes) -> bool:
    """Say whether a file is a study's archive, so that it is not taken for a table; it may be damaged all the same."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {HEAD, SUMS, TABLE} <= set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _head(session: Session, study: StudyRow, table: CohortRow, runs: list[RunRow]) -> dict[str, Any]:
    from medcore.models.run.manifest import package_version

    numbers = {run.id: run.number for run in runs}
    choice = dict(study.choice or {})
    choice["run"] = numbers.get(choice.pop("run_id", ""))
    looks = session.scalars(select(LookRow.run_id).where(LookRow.study_id == study.id).order_by(LookRow.id))
    told = select(AuditRow).where(AuditRow.study_id == study.id, AuditRow.action.in_(REASONS)).order_by(AuditRow.id)
    return {
        "format": FORMAT,
        "version": VERSION,
        "medcore": package_version("medcore"),
        "study": {"name": study.name, "choice": choice if choice["run"] else None}
        | {field: getattr(study, field) for field in STUDY_FIELDS},
        "table": {
            field: getattr(table, field) for field in ("sha256", "name", "source", "repairs", "n_rows", "attachments")
        },
        "runs": [_run(session, run) for run in runs],
        "looks": [numbers[run_id] for run_id in looks if run_id in numbers],
        "reasons": [{"action": entry.action, "details": entry.details} for entry in session.scalars(told)],
    }


def _run(session: Session, run: RunRow) -> dict[str, Any]:
    """Write a run; the run it is a version of is named by its number, for ids are an installation's own."""
    points = session.scalars(select(ProgressRow).where(ProgressRow.run_id == run.id).order_by(ProgressRow.id))
    written = {field: getattr(run, field) for field in RUN_FIELDS}
    origin = (run.summary or {}).get("version_of")
    if origin:
        written["summary"] = dict(run.summary or {}) | {"version_of": origin | {"run_id": None}}
    return (
        written
        | {moment: _iso(getattr(run, moment)) for moment in MOMENTS}
        | {"progress": [point.point for point in points]}
    )


def _add_run(session: Session, study: StudyRow, run: Mapping[str, Any], ids: Mapping[int, str]) -> RunRow:
    """Add a run's row and its moments; what cannot be understood of them is refused before anything is kept."""
    RunPlan.from_dict(run["plan"])
    TrainSettings.from_dict(run["settings"])
    fields = {field: run[field] for field in RUN_FIELDS}
    origin = (run["summary"] or {}).get("version_of")
    if origin:
        fields["summary"] = run["summary"] | {"version_of": origin | {"run_id": ids[origin["number"]]}}
    if run["state"] not in ("done", "failed", "cancelled"):
        raise _damaged()
    moments = {moment: run[moment] and datetime.fromisoformat(run[moment]) for moment in MOMENTS}
    row = RunRow(id=ids[run["number"]], owner=study.owner, study_id=study.id, **fields, **moments)
    session.add(row)
    session.flush()
    for point in run["progress"]:
        place = {field: point[field] for field in ("stage", "model", "epoch")}
        session.add(ProgressRow(owner=study.owner, run_id=row.id, point=point, **place))
    return row


def _packed(members: Mapping[str, bytes]) -> bytes:
    """Pack files with the list of their hashes; the same files give the same bytes."""
    if sum(map(len, members.values())) > MAX_TOTAL or max(map(len, members.values())) > MAX_FILE:
        raise InputError(
            N_(
                "The study is larger than an archive that can be read again: {n} MB a file, {most} GB in all. Copy the installation's data folder instead."
            ),
            n=MAX_FILE >> 20,
            most=MAX_TOTAL >> 30,
        )
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in members.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, SUMS: sums.encode()}.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _checked(data: bytes) -> dict[str, bytes]:
    """Unpack an archive in memory and check every file of it against its hash; none may lack or be more."""
    members = dict(read_archive(RawFile.of(("study.zip", data)), nested=True))
    sums = members.pop(SUMS, b"").decode("ascii", errors="replace")
    told = {name: digest for digest, _gap, name in (line.partition("  ") for line in sums.splitlines())}
    if told != {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}:
        raise _damaged()
    head = json.loads(members.get(HEAD, b"{}"))
    if not isinstance(head, dict) or head.get("format") != FORMAT or TABLE not in members:
        raise _damaged()
    if head.get("version") != VERSION:
        raise UnreadableFileError(
            N_(
                "The archive was written by medcore {theirs}, in a form that this version does not know. Update medcore."
            ),
            theirs=str(head.get("medcore"))[:20],
        )
    strange = [n for n in members if n.startswith("runs/") and PurePosixPath(n).suffix not in RUN_FILES]
    if any(PurePosixPath(name).name != SUMS for name in strange):
        raise _damaged()
    return members


def _cohort(
    table: Mapping[str, Any],
    schema: Mapping[str, Any],
    members: Mapping[str, bytes],
    read_rows: Callable[[bytes], pd.DataFrame],
) -> Cohort:
    frame = read_rows(members[TABLE])
    if len(frame) != table["n_rows"]:
        raise _damaged()
    attached = Attachments.from_list(table["attachments"] or (), partial(_attached, members))
    for file in attached.files:
        if hashlib.sha256(attached.contents(file.sha256)).hexdigest() != file.sha256:
            raise _damaged()
    return Cohort(
        frame=frame,
        schema=Schema.from_dict(schema),
        sha256=table["sha256"],
        name=table["name"],
        source=source_from_dict(table["source"]),
        repairs=tuple(Message.from_dict(m) for m in table["repairs"]),
        attachments=attached,
    ).with_schema(Schema.from_dict(schema))


def _attached(members: Mapping[str, bytes], sha256: str) -> bytes:
    return members[f"attached/{sha256}"]


def _check_privacy(cohort: Cohort, told: list[Mapping[str, Any]]) -> None:
    """Look at an archive's table as at an upload; a reason that was given for keeping a column came along."""
    kept = {entry["details"].get("column") for entry in told if entry["action"] == "privacy.overridden"}
    risky = {c for f in screen(cohort.frame, cohort.schema) if f.severity == "error" for c in f.columns}
    if risky - kept:
        raise InputError(
            N_(
                "The study’s table has columns that may tell who the patients are, without a reason for keeping them: {columns}. Nothing was kept. Bring the table itself and decide about them."
            ),
            columns=sorted(risky - kept),
        )


def _unpacked(members: Mapping[str, bytes], scratch: Folder) -> dict[int, Folder]:
    """Write each run's files into a folder of its own, and read them as a page would; return the folders by number."""
    # With it comes all that results are made of: nothing that a store needs.
    from medcore.models.run.any_results import read_any_results

    folders: dict[int, Folder] = {}
    for name, content in members.items():
        if name.startswith("runs/"):
            put(scratch / name, content)  # the parts of its name were checked: none is absolute or leads upwards
            number = int(PurePosixPath(name).parts[1])
            folders[number] = scratch / "runs" / str(number)
    for folder in folders.values():
        read_any_results(folder)
    return folders


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _damaged() -> UnreadableFileError:
    return UnreadableFileError(
        N_(
            "The file is no study exported from medcore, or it was damaged or changed on the way. Export the study again."
        )
    )
