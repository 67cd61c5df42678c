"""Releases: a person gives a run's model out for use, and takes it back; nothing else of it ever changes."""

from __future__ import annotations

import uuid

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from medcore.errors import NotFoundError, RefusedError, SettingsError
from medcore.i18n import N_
from medcore.models.bundle.files import bundle_hash
from medcore.sealing import SealedFolder
from medcore.studies.audit import entries as audit
from medcore.studies.kept.seals import whole_result
from medcore.studies.people.access import access_of, require, visible_to
from medcore.studies.people.roles import ACCESS, Access
from medcore.studies.stores.session import StoreBase, run_row, study_row
from medcore.studies.tables import RunRow, StudyRow, now
from medcore.studies.use_records import LONGEST_TEXT, Release, Terms, checked_model_name
from medcore.studies.use_tables import ReleaseRow

NO_MODEL = N_(
    "There is no released model of this name, or it is not open to you. The list of models names those that are."
)


class ReleaseStore(StoreBase):
    """The part of the store that keeps releases."""

    def release(self, person: str, run_id: str, model: str, terms: Terms) -> Release:
        """Release a finished run as the next version of a model; the version before is succeeded by it.

        Raises:
            SettingsError: the run is not finished or its study has changed, or another owner has the name.

        """
        model = checked_model_name(model)
        with self._writing() as session:
            run = run_row(session, person, run_id, wants="change")
            study_row(session, person, run.study_id, wants="change", lock=True)
            if run.state != "done":
                raise SettingsError(N_("Only a finished training run can be released."))
            newest = session.scalars(_versions(model).limit(1)).first()
            if newest is not None and newest.owner != run.owner:
                raise SettingsError(N_("The name {model} is taken. Choose another one."), model=model)
            row = ReleaseRow(
                id=uuid.uuid4().hex,
                owner=run.owner,
                study_id=run.study_id,
                run_id=run.id,
                model=model,
                version=1 if newest is None else newest.version + 1,
                bundle_sha256=bundle_hash(whole_result(self.files, run)),
                terms=terms.to_dict(),
                released_by=person,
            )
            session.add(row)
            session.flush()
            _note(session, person, "model.released", row)
            return _release(row, person, newest=True)

    def withdraw(self, person: str, release_id: str, why: str) -> Release:
        """Take a version back: from now on it answers nothing, and the reason is said to whoever asks."""
        why = why.strip()
        if not why or len(why) > LONGEST_TEXT:
            raise SettingsError(N_("Say why the version is withdrawn: whoever asks it is told."))
        with self._writing() as session:
            row = release_row(session, person, release_id, wants="change")
            if row.withdrawn_at is None:
                row.withdrawn_at, row.withdrawn_by, row.withdrawn_why = now(), person, why
                _note(session, person, "model.withdrawn", row)
            return _of(session, row, person)

    def releases(self, person: str, *, model: str | None = None, study_id: str | None = None) -> tuple[Release, ...]:
        """Return the versions open to a person, by model, the newest first."""
        query = select(ReleaseRow).join(StudyRow, StudyRow.id == ReleaseRow.study_id)
        query = query.where(visible_to(person), StudyRow.deleted_at.is_(None))
        query = query if model is None else query.where(ReleaseRow.model == model)
        query = query if study_id is None else query.where(ReleaseRow.study_id == study_id)
        with self._reading() as session:
            rows = session.scalars(query.order_by(ReleaseRow.model, ReleaseRow.version.desc())).all()
            return tuple(_of(session, row, person) for row in rows)

    def models_released(self) -> tuple[tuple[str, str], ...]:
        """Return ``(owner, model)`` of every model that has a version in use: what a service opens before it is asked."""
        with self._reading() as session:
            query = select(ReleaseRow.owner, ReleaseRow.model).where(ReleaseRow.withdrawn_at.is_(None)).distinct()
            return tuple((owner, model) for owner, model in session.execute(query.order_by(ReleaseRow.model)))

    def get_release(self, person: str, release_id: str) -> Release:
        """Return a version; NotFoundError where there is none or it is not open to this person."""
        with self._reading() as session:
            return _of(session, release_row(session, person, release_id), person)

    def model_in_use(self, person: str, model: str) -> Release:
        """Return the version of a model that answers now.

        Raises:
            NotFoundError: there is no such model, or it is not open to this person.
            SettingsError: its newest version was withdrawn or its validity is over; it says why.

        """
        with self._reading() as session:
            found = row_in_use(session, person, model)
            return _of(session, found, person)

    def release_folder(self, person: str, release_id: str) -> SealedFolder:
        """Return the folder of a version's bundle, after seeing that it is the one that was released.

        Raises:
            SettingsError: it is another one.

        """
        with self._reading() as session:
            row = release_row(session, person, release_id)
            folder = whole_result(self.files, session.get_one(RunRow, row.run_id))
            if bundle_hash(folder) != row.bundle_sha256:
                raise SettingsError(
                    N_("The files of {model} {version} are not those that were released, so it answers nothing."),
                    model=row.model,
                    version=row.version,
                )
            return folder


def row_in_use(session: Session, person: str, model: str) -> ReleaseRow:
    """Return the row of the version that answers now; the errors are those of :meth:`ReleaseStore.model_in_use`."""
    row = session.scalars(_versions(model).limit(1)).first()
    if row is None:
        raise NotFoundError(NO_MODEL)
    _require(session, person, row, "read")
    in_use = next((r for r in session.scalars(_versions(model)) if r.withdrawn_at is None), None)
    if in_use is None:
        raise SettingsError(
            N_("{model} {version} was withdrawn: {why}"), model=model, version=row.version, why=row.withdrawn_why
        )
    if _of(session, in_use, person).state == "expired":
        raise SettingsError(
            N_("{model} {version} was released until {date}. Judge it on new patients and release it anew."),
            model=model,
            version=in_use.version,
            date=in_use.terms["valid_until"],
        )
    return in_use


def models_open_to(session: Session, person: str, model: str, *, wants: Access = "read") -> None:
    """Let a person pass who may do so much with a model, whichever of its versions answers.

    Raises:
        NotFoundError: there is no such model, or it is not open to this person.

    """
    row = session.scalars(_versions(model).limit(1)).first()
    if row is None:
        raise NotFoundError(NO_MODEL)
    _require(session, person, row, wants)


def n_in_use(session: Session, *, study_id: str | None = None, run_id: str | None = None) -> int:
    """Count the versions of a study or run that were not withdrawn."""
    query = select(func.count()).select_from(ReleaseRow).where(ReleaseRow.withdrawn_at.is_(None))
    query = query if study_id is None else query.where(ReleaseRow.study_id == study_id)
    query = query if run_id is None else query.where(ReleaseRow.run_id == run_id)
    return session.scalar(query) or 0


def refuse_while_in_use(session: Session, *, study_id: str | None = None, run_id: str | None = None) -> None:
    """Let nobody remove what is in use.

    Raises:
        SettingsError: a version of it is.

    """
    if n_in_use(session, study_id=study_id, run_id=run_id):
        raise SettingsError(
            N_(
                "A released model rests on this. Withdraw it first (Evaluate › Release): patients may be judged by it now."
            )
        )


def _versions(model: str) -> Select[ReleaseRow]:
    return select(ReleaseRow).where(ReleaseRow.model == model).order_by(ReleaseRow.version.desc())


def release_row(session: Session, person: str, release_id: str, *, wants: Access = "read") -> ReleaseRow:
    """Return a version's row, if this person may do so much with it; NotFoundError otherwise."""
    row = session.get(ReleaseRow, release_id)
    if row is None:
        raise NotFoundError(NO_MODEL)
    _require(session, person, row, wants)
    return row


def _require(session: Session, person: str, row: ReleaseRow, wants: Access) -> None:
    """Ask the one rule of access about a release's study; a study in the bin has none in use."""
    study = session.get_one(StudyRow, row.study_id)
    granted = access_of(session, person, study)
    if granted is None or study.deleted_at is not None:
        raise RefusedError(NO_MODEL, who=person, study_id=study.id)
    if ACCESS.index(granted) < ACCESS.index(wants):
        require(session, person, study, wants)


def _of(session: Session, row: ReleaseRow, person: str) -> Release:
    later = select(func.count()).select_from(ReleaseRow)
    later = later.where(ReleaseRow.model == row.model, ReleaseRow.version > row.version)
    return _release(row, person, newest=not session.scalar(later.where(ReleaseRow.withdrawn_at.is_(None))))


def _release(row: ReleaseRow, person: str, *, newest: bool) -> Release:
    names = ("id", "study_id", "run_id", "model", "version", "bundle_sha256", "released_by", "released_at")
    withdrawn = ("withdrawn_by", "withdrawn_at", "withdrawn_why")
    kept = {name: getattr(row, name) for name in (*names, *withdrawn)}
    return Release(**kept, owner=person, terms=Terms.from_dict(row.terms), newest=newest)


def _note(session: Session, person: str, action: str, row: ReleaseRow) -> None:
    details = {"model": row.model, "version": row.version}
    audit.record(session, person, action, study_id=row.study_id, run_id=row.run_id, details=details)
