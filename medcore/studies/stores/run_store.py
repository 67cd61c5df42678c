"""Runs: start, follow, stop, finish; and the looks at the locked test set."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from medcore.data.cohort import Cohort
from medcore.errors import MedcoreError, NotFoundError, SettingsError, from_dict
from medcore.i18n import N_
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.safe_files import private_folder, scratch_folder
from medcore.sealing import Folder, SealedFolder
from medcore.studies.audit import entries as audit
from medcore.studies.kept.cohorts import read_cohort
from medcore.studies.kept.files import first_patients_name, result_name
from medcore.studies.kept.seals import seal_result, whole_result
from medcore.studies.records import REMOVED, UNFINISHED, ProgressPoint, RunPlan, RunRecord, RunState
from medcore.studies.stores.fairness import check_runs, turn_for
from medcore.studies.stores.put_back import STATES_BEFORE
from medcore.studies.stores.release_store import refuse_while_in_use
from medcore.studies.stores.session import StoreBase, run_row, study_row
from medcore.studies.stores.study_store import identity_of, plan_of
from medcore.studies.tables import CohortRow, LookRow, ProgressRow, RunRow, StudyRow, now

RUNS_OF_STUDY = (
    select(RunRow)
    .where(RunRow.study_id == bindparam("study_id"), RunRow.state != REMOVED)
    .order_by(RunRow.number.desc())
)
Signal = Literal["go on", "stop", "superseded"]


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a worker needs to do a run: the rows as they were, the plan and the settings."""

    cohort: Cohort
    plan: RunPlan
    settings: TrainSettings


class RunStore(StoreBase):
    """The part of the store that keeps runs."""

    def create_run(self, owner: str, study_id: str, settings: TrainSettings) -> RunRecord:
        """Queue a run of a study as it is now; later edits of the study do not touch it."""
        with self._writing() as session:
            study = study_row(session, owner, study_id, wants="change", lock=True)
            check_runs(session, self.settings, owner)
            newest = session.scalar(select(func.max(RunRow.number)).where(RunRow.study_id == study_id))
            row = RunRow(
                id=uuid.uuid4().hex,
                owner=study.owner,
                person=owner,
                turn=turn_for(session, owner),
                study_id=study_id,
                number=(newest or 0) + 1,
                state="queued",
                identity=identity_of(session, study),
                plan=plan_of(study).to_dict(),
                settings=settings.to_dict(),
            )
            session.add(row)
            session.flush()
            audit.record(
                session, owner, "run.created", study_id=study_id, run_id=row.id, details={"number": row.number}
            )
            return _record(session, row, owner)

    def add_version(
        self, owner: str, run_id: str, folder: Folder, *, summary: Mapping[str, Any], link: Mapping[str, Any]
    ) -> RunRecord:
        """Add a recalibrated version of a finished run, with its results in ``folder``, as a run of its own.

        ``link`` says how it was made (``strength``, ``n_patients``, ``data_sha256``)
        and is kept in the summary with the run it came from, which is not touched.
        """
        with self._writing() as session:
            parent = run_row(session, owner, run_id, wants="change")
            study_row(session, owner, parent.study_id, wants="change", lock=True)
            newest = session.scalar(select(func.max(RunRow.number)).where(RunRow.study_id == parent.study_id))
            origin = dict(link) | {"run_id": run_id, "number": parent.number}
            row = RunRow(
                id=uuid.uuid4().hex,
                owner=parent.owner,
                person=owner,
                study_id=parent.study_id,
                number=(newest or 0) + 1,
                state="done",
                identity=parent.identity,
                plan=parent.plan,
                settings=parent.settings,
                summary=dict(summary) | {"version_of": origin},
                started_at=now(),
                finished_at=now(),
            )
            self.files.put_folder(folder, result_name(row.owner, row.id))
            row.seal = seal_result(self.files, row)
            session.add(row)
            session.flush()
            details = {"of": parent.number, "number": row.number, "n": link["n_patients"]}
            before = {STATES_BEFORE: {row.id: REMOVED}}
            audit.record(session, owner, "run.recalibrated", before=before, **_about(row) | {"details": details})
            return _record(session, row, owner)

    def get_run(self, owner: str, run_id: str) -> RunRecord:
        """Return a run; NotFoundError when it does not exist or is somebody else's."""
        with self._reading() as session:
            return _record(session, run_row(session, owner, run_id), owner)

    def list_runs(self, owner: str, study_id: str) -> tuple[RunRecord, ...]:
        """Return a study's runs, the newest first."""
        with self._reading() as session:
            study_row(session, owner, study_id)
            rows = session.scalars(RUNS_OF_STUDY, {"study_id": study_id})
            return tuple(_record(session, row, owner) for row in rows)

    def unfinished_runs(self) -> tuple[tuple[str, str], ...]:
        """Return ``(owner, run_id)`` of every run that waits or works, in the order of their turns."""
        with self._reading() as session:
            query = select(RunRow.owner, RunRow.id).where(RunRow.state.in_(UNFINISHED))
            query = query.order_by(RunRow.turn, RunRow.created_at)
            return tuple((owner, run_id) for owner, run_id in session.execute(query))

    def run_inputs(self, owner: str, run_id: str) -> RunInputs:
        """Return what a worker needs to do a run."""
        with self._reading() as session:
            row = run_row(session, owner, run_id)
            study = session.get_one(StudyRow, row.study_id)
            plan = RunPlan.from_dict(row.plan)
            cohort = read_cohort(self.files, session.get_one(CohortRow, study.cohort_id), plan.schema)
            return RunInputs(cohort, plan, TrainSettings.from_dict(row.settings))

    def begin_attempt(self, owner: str, run_id: str) -> int | None:
        """Take a run on, and return the number of this attempt; ``None`` when it is over already.

        A newer attempt supersedes an older one that may still be at work
        somewhere: only the newest may report and finish.
        """
        with self._writing() as session:
            row = run_row(session, owner, run_id, lock=True)
            if row.state not in UNFINISHED:
                return None
            row.attempt += 1
            row.state = "running"
            row.started_at = row.started_at or now()
            row.heartbeat_at = now()
            return row.attempt

    def beat(self, owner: str, run_id: str, attempt: int) -> None:
        """Note a sign of life of an attempt, if it is still the newest."""
        with self._writing() as session:
            row = run_row(session, owner, run_id)
            if row.attempt == attempt and row.state in UNFINISHED:
                row.heartbeat_at = now()

    def silent_runs(self, seconds: float) -> tuple[tuple[str, str, int], ...]:
        """Return ``(owner, run_id, attempt)`` of every run at work that gave no sign of life for so long."""
        with self._reading() as session:
            query = select(RunRow.owner, RunRow.id, RunRow.attempt, RunRow.heartbeat_at, RunRow.started_at)
            rows = session.execute(query.where(RunRow.state == "running").order_by(RunRow.created_at)).all()
        last = now() - timedelta(seconds=seconds)
        return tuple((row.owner, row.id, row.attempt) for row in rows if (row.heartbeat_at or row.started_at) < last)

    def signal(self, owner: str, run_id: str, attempt: int) -> Signal:
        """Tell a worker whether to go on with its attempt."""
        with self._reading() as session:
            query = select(RunRow.attempt, RunRow.state, RunRow.cancel_requested)
            found = session.execute(query.where(RunRow.id == run_id, RunRow.owner == owner)).first()  # of its worker
        if found is None or found.attempt != attempt or found.state not in UNFINISHED:
            return "superseded"
        return "stop" if found.cancel_requested else "go on"

    def append_progress(self, owner: str, run_id: str, points: Sequence[Progress]) -> None:
        """Keep moments of a run; a moment that is there already is kept as it was."""
        if not points:
            return
        with self._writing() as session:
            run_row(session, owner, run_id)
            query = select(ProgressRow.stage, ProgressRow.model, ProgressRow.epoch)
            wanted = {p.epoch for p in points}
            known = {
                tuple(k)
                for k in session.execute(query.where(ProgressRow.run_id == run_id, ProgressRow.epoch.in_(wanted)))
            }
            for point in points:
                key = (point.stage, point.model, point.epoch)
                if key not in known:
                    known.add(key)
                    session.add(
                        ProgressRow(
                            owner=owner,
                            run_id=run_id,
                            stage=point.stage,
                            model=point.model,
                            epoch=point.epoch,
                            point=point.to_dict(),
                        )
                    )

    def progress(self, owner: str, run_id: str, since: int = 0) -> tuple[ProgressPoint, ...]:
        """Return the moments of a run after the one numbered ``since``, in order."""
        query = select(ProgressRow).where(ProgressRow.run_id == run_id, ProgressRow.id > since)
        with self._reading() as session:
            run_row(session, owner, run_id)
            rows = session.scalars(query.order_by(ProgressRow.id))
            return tuple(ProgressPoint(row.id, Progress.from_dict(row.point)) for row in rows)

    def latest_progress(self, owner: str, run_id: str) -> ProgressPoint | None:
        """Return the newest moment of a run."""
        query = select(ProgressRow).where(ProgressRow.run_id == run_id)
        with self._reading() as session:
            run_row(session, owner, run_id)
            row = session.scalars(query.order_by(ProgressRow.id.desc()).limit(1)).first()
            return None if row is None else ProgressPoint(row.id, Progress.from_dict(row.point))

    def request_cancel(self, owner: str, run_id: str) -> RunRecord:
        """Ask a run to stop: at once if it waits, at the end of the epoch if it works."""
        with self._writing() as session:
            row = run_row(session, owner, run_id, wants="change", lock=True)
            if row.state in UNFINISHED and not row.cancel_requested:
                row.cancel_requested = True
                audit.record(session, owner, "run.cancel_requested", **_about(row))
                if row.state == "queued":
                    _finish(session, row, "cancelled")
            return _record(session, row, owner)

    def remove_run(self, owner: str, run_id: str) -> None:
        """Take a run that has ended off its study's list; undo brings it back. Its files go with the study.

        Raises:
            SettingsError: it has not ended.

        """
        with self._writing() as session:
            row = run_row(session, owner, run_id, wants="change", lock=True)
            if row.state in UNFINISHED:
                raise SettingsError(N_("Run {number} has not ended; stop it first."), number=row.number)
            refuse_while_in_use(session, run_id=row.id)
            before = {STATES_BEFORE: {row.id: row.state}}
            row.state = REMOVED
            audit.record(session, owner, "run.removed", before=before, **_about(row))

    def finish_run(
        self,
        owner: str,
        run_id: str,
        state: Literal["done", "failed", "cancelled"],
        *,
        attempt: int | None = None,
        summary: Mapping[str, Any] | None = None,
        error: MedcoreError | None = None,
    ) -> bool:
        """End a run; ``False`` when it was over already or a newer attempt has taken it on."""
        with self._writing() as session:
            row = run_row(session, owner, run_id, lock=True)
            if row.state not in UNFINISHED or (attempt is not None and row.attempt != attempt):
                return False
            row.summary = None if summary is None else dict(summary)
            row.error = None if error is None else error.to_dict()
            _finish(session, row, state)
            return True

    def keep_result(self, owner: str, run_id: str, folder: Folder) -> None:
        """Store the folder of a run's results, whole or not at all."""
        with self._reading() as session:
            name = result_name(run_row(session, owner, run_id).owner, run_id)
        self.files.put_folder(folder, name)
        with self._writing() as session:
            row = run_row(session, owner, run_id)
            row.seal = seal_result(self.files, row)

    def result_folder(self, owner: str, run_id: str) -> SealedFolder:
        """Return a local folder with a run's results.

        Raises:
            NotFoundError: the run has none (yet), they were changed, or it is somebody else's.

        """
        with self._reading() as session:
            return whole_result(self.files, run_row(session, owner, run_id))

    def keep_first_patients(self, owner: str, run_id: str, data: bytes) -> None:
        """Store what a run's model says of the first patients of its list; never of a study that is gone.

        Raises:
            NotFoundError: there is no such run (any more), or it is somebody else's.

        """
        with self._writing() as session:  # held until it is written: who deletes the study comes after, and removes it
            row = run_row(session, owner, run_id, lock=True)
            self.files.write(first_patients_name(row.owner, run_id), data)

    def first_patients(self, owner: str, run_id: str) -> bytes | None:
        """Return what :meth:`keep_first_patients` stored; ``None`` where nothing is, or it was changed."""
        with self._reading() as session:
            name = first_patients_name(run_row(session, owner, run_id).owner, run_id)
        try:
            return self.files.read(name)
        except (FileNotFoundError, NotFoundError):
            return None

    def checkpoint_dir(self, run_id: str) -> SealedFolder:
        """Return the folder in which a run keeps what it needs to go on after an interruption."""
        name = f"checkpoints/{run_id}"
        return SealedFolder(private_folder(self.settings.data_dir / name), name, self.files.keys)

    @contextmanager
    def scratch_folder(self) -> Iterator[SealedFolder]:
        """Give a folder of sealed files for the length of a ``with`` block, for what is not finished."""
        with scratch_folder(self.settings.data_dir / "scratch") as path:
            yield SealedFolder(path, "scratch", self.files.keys)

    def count_look(self, owner: str, study_id: str, run_id: str) -> int:
        """Note a look at the locked test set and return how many there have been in this study."""
        with self._writing() as session:
            study_row(session, owner, study_id, lock=True)
            run_row(session, owner, run_id)
            session.add(LookRow(owner=owner, study_id=study_id, run_id=run_id))
            session.flush()
            looks = session.scalar(select(func.count()).where(LookRow.study_id == study_id)) or 0
            details = {"number": looks}
            audit.record(session, owner, "test.looked", study_id=study_id, run_id=run_id, details=details)
            return looks


def _finish(session: Session, row: RunRow, state: RunState) -> None:
    row.state = state
    row.finished_at = now()
    audit.record(session, row.person or row.owner, f"run.{state}", **_about(row))


def _about(row: RunRow) -> dict[str, Any]:
    return {"study_id": row.study_id, "run_id": row.id, "details": {"number": row.number}}


def _record(session: Session, row: RunRow, person: str) -> RunRecord:
    study = session.get_one(StudyRow, row.study_id)
    state: Any = row.state
    return RunRecord(
        id=row.id,
        owner=person,
        study_id=row.study_id,
        number=row.number,
        state=state,
        settings=TrainSettings.from_dict(row.settings),
        identity=row.identity,
        out_of_date=row.identity != identity_of(session, study),
        summary=row.summary or {},
        error=from_dict(row.error) if row.error else None,
        cancel_requested=row.cancel_requested,
        attempt=row.attempt,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
