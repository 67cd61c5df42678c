"""The register of a released model: its patients, what was predicted for them, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Result, Row, ScalarSelect, Select, Update, and_, delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_
from medcore.sealing import Keys
from medcore.studies.audit import entries as audit
from medcore.studies.stores.release_store import models_open_to
from medcore.studies.stores.session import StoreBase
from medcore.studies.tables import now
from medcore.studies.use_records import AskedPatient, PredictionRecord, Release, WorklistEntry
from medcore.studies.use_tables import PatientRow, PredictionRow, ReleaseRow, TaskRow, WatchRow

LONGEST_IDENTIFIER = 200
NO_PATIENT = N_("There is no such patient, or the patient was deleted, or the model is not open to you.")


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an asked patient: the number it is kept under, and whether it had been kept before."""

    id: int
    patient_id: str | None
    again: bool


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody asked a version about ``n`` patients by a ``route``; ``asked`` is what is to be kept of them, if anything."""

    person: str
    release: Release
    asked: tuple[AskedPatient, ...] = field(repr=False)
    n: int
    route: str


class RegisterStore(StoreBase):
    """The part of the store that keeps a model's patients and predictions."""

    def keep_answers(
        self, person: str, release: Release, asked: Sequence[AskedPatient], *, route: str
    ) -> tuple[Answered, ...]:
        """Keep what a version answered about some patients, and note it in the trail without values.

        Raises:
            SettingsError: a request's key was used before with other contents.

        """
        return self.keep_calls([Call(person, release, tuple(asked), len(asked), route)])[0]

    def keep_calls(self, calls: Sequence[Call]) -> tuple[tuple[Answered, ...], ...]:
        """Keep several calls in one transaction: all of them, or none.

        Raises:
            SettingsError: a request's key was used before with other contents.

        """
        with self._writing() as session:
            for person, model in {(call.person, call.release.model) for call in calls}:
                models_open_to(session, person, model)
            kept: dict[int, tuple[Answered, ...]] = {}
            for places in _together(calls):
                found = iter(self._keep(session, calls[places[0]].release, [a for i in places for a in calls[i].asked]))
                kept |= {i: tuple(next(found) for _asked in calls[i].asked) for i in places}
            audit.record_all(session, [_told(call) for call in calls])
            return tuple(kept[i] for i in range(len(calls)))

    def _keep(self, session: Session, release: Release, asked: Sequence[AskedPatient]) -> list[Answered]:
        """Keep what a version answered about patients, none of whom was asked about twice by one request."""
        owner = session.get_one(ReleaseRow, release.id).owner
        known = _known_requests(session, [a.request for a in asked if a.request])
        patients = self._patients(session, owner, release.model, [a.patient for a in asked])
        kept = [_answered(a, known) for a in asked]
        new = [place for place, answer in enumerate(kept) if answer is None]
        rows = [_prediction(owner, release, asked[p], patients.get(asked[p].patient or "")) for p in new]
        adding = insert(PredictionRow).returning(PredictionRow.id, sort_by_parameter_order=True)
        fresh = dict(zip(new, session.scalars(adding, rows), strict=True)) if rows else {}
        return [
            answer or Answered(fresh[place], patients.get(asked[place].patient or ""), again=False)
            for place, answer in enumerate(kept)
        ]

    def worklist(self, person: str, model: str) -> tuple[WorklistEntry, ...]:
        """Return a model's patients, the highest present risk first."""
        with self._reading() as session:
            models_open_to(session, person, model)
            return tuple(WorklistEntry(**row) for row in session.execute(_worklist(model)).mappings())

    def course(self, person: str, patient_id: str) -> tuple[PredictionRecord, ...]:
        """Return everything that was predicted for a patient, by the time of the visit."""
        with self._reading() as session:
            row = _patient(session, person, patient_id)
            query = _PREDICTIONS.where(PredictionRow.patient_id == row.id).order_by(PredictionRow.at, PredictionRow.id)
            return tuple(_record(*found) for found in session.execute(query))

    def predictions(
        self, person: str, model: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[PredictionRecord, ...]:
        """Return what a model's versions said of patients from ``since`` until before ``until``, by time of the visit."""
        query = _PREDICTIONS.where(PredictionRow.model == model)
        query = query if since is None else query.where(PredictionRow.at >= since)
        query = query if until is None else query.where(PredictionRow.at < until)
        with self._reading() as session:
            models_open_to(session, person, model)
            found = session.execute(query.order_by(PredictionRow.at, PredictionRow.id))
            return tuple(_record(*row) for row in found)

    def last_given(
        self, person: str, model: str, columns: Sequence[str], *, since: datetime
    ) -> dict[str, dict[str, datetime]]:
        """Return by patient when each of some columns was given last in visits from ``since`` on."""
        query = select(PredictionRow.patient_id, PredictionRow.at, PredictionRow.asked)
        query = query.where(PredictionRow.model == model, PredictionRow.at >= since)
        found: dict[str, dict[str, datetime]] = {}
        with self._reading() as session:
            models_open_to(session, person, model)
            rows = session.execute(query.where(PredictionRow.patient_id.is_not(None)).order_by(PredictionRow.at))
            for patient_id, at, asked in rows:
                values = asked["values"]
                given = {name: at for name in columns if values.get(name) not in (None, "")}
                found.setdefault(patient_id, {}).update(given)
        return found

    def identifier_of(self, person: str, patient_id: str) -> str:
        """Return a patient's identifier."""
        with self._reading() as session:
            return _patient(session, person, patient_id).identifier

    def find_patient(self, person: str, model: str, identifier: str) -> str:
        """Return the number of the patient with an identifier.

        Raises:
            NotFoundError: there is none.

        """
        with self._reading() as session:
            models_open_to(session, person, model)
            known = and_(PatientRow.model == model, PatientRow.digest == self._digest(model, identifier))
            found = session.scalar(select(PatientRow.id).where(known))
            if found is None:
                raise NotFoundError(NO_PATIENT)
            return found

    def enter_outcomes(
        self,
        person: str,
        model: str,
        outcomes: Mapping[str, float | None],
        *,
        days: Mapping[str, date] | None = None,
    ) -> tuple[int, tuple[str, ...]]:
        """Enter what came of patients, by identifier: the place of the class that came true (1, 0), or the number; None takes it back.

        It counts for every prediction made for the patient so far; with a day of its own (``days``, by identifier) for those of
        visits until that day. Returns how many patients there were, and the identifiers of those who are not in the register.

        Raises:
            SettingsError: a day has not come yet.

        """
        days = {} if days is None else days
        if any(day > now().date() + timedelta(days=1) for day in days.values()):  # it is tomorrow already east of here
            raise SettingsError(N_("The day of an outcome has not come yet."))
        with self._writing() as session:
            models_open_to(session, person, model)
            digests = {self._digest(model, name): name for name in outcomes}
            known = _known_patients(session, model, digests)
            for digest, patient_id in known.items():
                session.execute(_came(patient_id, outcomes[digests[digest]], days.get(digests[digest])))
            audit.record(session, person, "model.outcomes", details={"model": model, "n": len(known)})
            return len(known), tuple(name for digest, name in digests.items() if digest not in known)

    def forget_patient(self, person: str, patient_id: str) -> int:
        """Delete a patient for good, with predictions, notes and tasks; return how many predictions went."""
        with self._writing() as session:
            row = _patient(session, person, patient_id)
            models_open_to(session, person, row.model, wants="change")
            n = forget(session, [row.id])
            audit.record(session, person, "patient.forgotten", details={"model": row.model, "n": n})
            return n

    def _patients(self, session: Session, owner: str, model: str, identifiers: Iterable[str | None]) -> dict[str, str]:
        """Return the numbers of patients by identifier; whoever is new is entered."""
        wanted = {_checked(name): name for name in identifiers if name is not None}
        digests = {self._digest(model, name): name for name in wanted}
        known = _known_patients(session, model, digests)
        for digest, name in digests.items():
            if digest not in known:
                known[digest] = uuid.uuid4().hex
                session.add(PatientRow(id=known[digest], owner=owner, model=model, digest=digest, identifier=name))
        session.flush()
        return {wanted[name]: known[digest] for digest, name in digests.items()}

    def _digest(self, model: str, identifier: str) -> str:
        return patient_digest(self.files.keys, model, _checked(identifier))


def _known_patients(session: Session, model: str, digests: Collection[str]) -> dict[str, str]:
    """Return the numbers of those patients of a model who are in the register, by digest."""
    query = select(PatientRow.digest, PatientRow.id).where(PatientRow.model == model, PatientRow.digest.in_(digests))
    return dict(session.execute(query).all()) if digests else {}


def patient_digest(keys: Keys, model: str, identifier: str) -> str:
    """Return the keyed digest by which a patient is found again, under the newest key."""
    return keys.seal_of(f"patients/{model}", identifier)


def forget(session: Session, patients: Sequence[str]) -> int:
    """Delete patients with everything of theirs; return how many predictions went."""
    session.execute(delete(TaskRow).where(TaskRow.patient_id.in_(patients)))
    went = select(func.count()).select_from(PredictionRow).where(PredictionRow.patient_id.in_(patients))
    n = session.scalar(went) or 0
    session.execute(delete(PredictionRow).where(PredictionRow.patient_id.in_(patients)))
    session.execute(delete(PatientRow).where(PatientRow.id.in_(patients)))
    return n


def forget_releases(session: Session, study_id: str) -> int:
    """Delete a study's versions with their predictions, and patients of whom nothing is left; count the predictions."""
    releases = select(ReleaseRow.id).where(ReleaseRow.study_id == study_id)
    models = session.scalars(select(ReleaseRow.model).where(ReleaseRow.study_id == study_id).distinct()).all()
    n = session.scalar(select(func.count()).where(PredictionRow.release_id.in_(releases))) or 0
    session.execute(delete(PredictionRow).where(PredictionRow.release_id.in_(releases)))
    session.execute(delete(WatchRow).where(WatchRow.release_id.in_(releases)))
    session.execute(delete(ReleaseRow).where(ReleaseRow.study_id == study_id))
    for model in models:
        left = select(PredictionRow.patient_id).where(
            PredictionRow.model == model, PredictionRow.patient_id.is_not(None)
        )
        alone = select(PatientRow.id).where(PatientRow.model == model, PatientRow.id.not_in(left))
        session.execute(delete(TaskRow).where(TaskRow.patient_id.in_(alone)))
        session.execute(delete(PatientRow).where(PatientRow.model == model, PatientRow.id.not_in(left)))
    return n


def patient_of(session: Session, person: str, patient_id: str) -> PatientRow:
    """Return a patient's row, if the model is open to this person; NotFoundError otherwise."""
    return _patient(session, person, patient_id)


def _patient(session: Session, person: str, patient_id: str) -> PatientRow:
    row = session.get(PatientRow, patient_id)
    if row is None:
        raise NotFoundError(NO_PATIENT)
    models_open_to(session, person, row.model)
    return row


_PREDICTIONS = select(PredictionRow, ReleaseRow.version).join(ReleaseRow, ReleaseRow.id == PredictionRow.release_id)


def _record(row: PredictionRow, version: int) -> PredictionRecord:
    plain = ("id", "model", "patient_id", "at", "made_at", "risk", "called", "outcome", "outcome_at", "outcome_on")
    return PredictionRecord(
        **{name: getattr(row, name) for name in plain},
        version=version,
        values=row.asked["values"],
        risks=tuple(row.asked["risks"]),
        flags=tuple(row.asked["flags"]),
    )


def _prediction(owner: str, release: Release, asked: AskedPatient, patient_id: str | None) -> dict[str, Any]:
    moment = now()
    return {
        "owner": owner,
        "release_id": release.id,
        "model": release.model,
        "patient_id": patient_id,
        "at": asked.at or moment,
        "made_at": moment,
        "risk": asked.risk,
        "called": asked.called,
        "n_flags": len(asked.flags),
        "asked": {"values": dict(asked.values), "risks": list(asked.risks), "flags": list(asked.flags)},
        "request": asked.request,
        "request_body": asked.request_body,
    }


def _came(patient_id: str, outcome: float | None, day: date | None) -> Update:
    """Return the statement that enters, or takes back, what came of a patient; before the end of a ``day`` where there is one."""
    of_patient = update(PredictionRow).where(PredictionRow.patient_id == patient_id)
    if outcome is None:
        return of_patient.values(outcome=None, outcome_at=None, outcome_on=None)
    if day is not None:
        of_patient = of_patient.where(PredictionRow.at < datetime.combine(day + timedelta(days=1), time(), UTC))
    return of_patient.values(outcome=outcome, outcome_at=now(), outcome_on=day)


def _together(calls: Sequence[Call]) -> list[list[int]]:
    """Return which calls are kept in one statement: those of a version, unless a request is among them twice."""
    requests = [asked.request for call in calls for asked in call.asked if asked.request]
    if len(set(requests)) < len(requests):
        return [[place] for place in range(len(calls))]
    groups: dict[str, list[int]] = {}
    for place, call in enumerate(calls):
        groups.setdefault(call.release.id, []).append(place)
    return list(groups.values())


def _told(call: Call) -> audit.NewEntry:
    release = call.release
    details = {"model": release.model, "version": release.version, "n": call.n, "route": call.route}
    return audit.NewEntry(call.person, "model.asked", release.study_id, release.run_id, details)


def _known_requests(session: Session, requests: Sequence[str]) -> dict[str | None, Row[Any]]:
    """Return what was kept before under the keys of these requests."""
    if not requests:
        return {}
    columns = (PredictionRow.request, PredictionRow.id, PredictionRow.patient_id, PredictionRow.request_body)
    found: Result[Any] = session.execute(select(*columns).where(PredictionRow.request.in_(requests)))
    return {row.request: row for row in found}


def _answered(asked: AskedPatient, known: Mapping[str | None, Row[Any]]) -> Answered | None:
    """Return what was kept of this very request before, if it was."""
    before = known.get(asked.request or "")
    if before is None:
        return None
    if before.request_body != asked.request_body:
        raise SettingsError(
            N_("The key of this request was used before with other contents. Give every request a key of its own.")
        )
    return Answered(before.id, before.patient_id, again=True)


def _worklist(model: str) -> Select[Any]:
    """Build the question for every patient's last prediction, the risk before it, and what is open.

    Each patient is looked up in the index of patients and visits: predictions may be millions, patients are thousands.
    """
    one = aliased(PredictionRow)
    of_patient = one.patient_id == PatientRow.id
    newest = (one.at.desc(), one.id.desc())

    def found(column: Any, place: int) -> ScalarSelect[Any]:
        query = select(column).where(of_patient).order_by(*newest).offset(place).limit(1)
        return query.correlate(PatientRow).scalar_subquery()

    is_open = and_(
        TaskRow.patient_id == PatientRow.id,
        TaskRow.done_at.is_(None),
        TaskRow.taken_back_at.is_(None),
        TaskRow.kind != "note",
    )
    return (
        select(
            PatientRow.id.label("patient_id"),
            PatientRow.identifier,
            ReleaseRow.version,
            PredictionRow.at,
            PredictionRow.risk,
            PredictionRow.called,
            PredictionRow.n_flags,
            PredictionRow.outcome,
            found(one.risk, 1).label("before"),
            select(func.count())
            .select_from(one)
            .where(of_patient)
            .correlate(PatientRow)
            .scalar_subquery()
            .label("n_predictions"),
            select(func.min(one.at)).where(of_patient).correlate(PatientRow).scalar_subquery().label("first_at"),
            select(func.count()).where(is_open).correlate(PatientRow).scalar_subquery().label("n_open"),
            select(func.min(TaskRow.due_at)).where(is_open).correlate(PatientRow).scalar_subquery().label("due_at"),
        )
        .select_from(PatientRow)
        .join(PredictionRow, PredictionRow.id == found(one.id, 0))
        .join(ReleaseRow, ReleaseRow.id == PredictionRow.release_id)
        .where(PatientRow.model == model)
        .order_by(PredictionRow.risk.desc())
    )


def _checked(identifier: str) -> str:
    identifier = str(identifier).strip()
    if not identifier or len(identifier) > LONGEST_IDENTIFIER:
        raise SettingsError(N_("A patient's identifier has 1 to {longest} characters."), longest=LONGEST_IDENTIFIER)
    return identifier
