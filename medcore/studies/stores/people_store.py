"""People who sign in: their role, how long a sign-in lasts, and with whom a study is shared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_
from medcore.studies.audit import entries as audit
from medcore.studies.people.access import require_role, role_of
from medcore.studies.people.roles import SHARES, Role, Share
from medcore.studies.people.sign_in import LONGEST_NAME, SIGN_IN_HOURS, Claimed
from medcore.studies.stores.put_back import SHARES_BEFORE, set_share
from medcore.studies.stores.session import StoreBase, study_row
from medcore.studies.tables import PersonRow, ShareRow, SignInRow, now

SEEN_EVERY_SECONDS = 20.0
"""How exactly it is remembered when somebody was last at it; each time is a write."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known to the installation."""

    name: str
    role: Role
    signed_in_at: datetime


class PeopleStore(StoreBase):
    """The part of the store that knows people."""

    def role(self, person: str) -> Role:
        """Return a person's role."""
        with self._reading() as session:
            return role_of(session, person)

    def require_administrator(self, person: str) -> None:
        """Let administrators pass; RefusedError for everybody else."""
        with self._reading() as session:
            require_role(session, person, "administrator")

    def signed_in(self, claimed: Claimed, idle_minutes: int, *, touch: bool) -> bool:
        """Say whether a sign-in holds: begun here at its first sight, over when idle too long, too old, or signed out.

        ``touch`` says that the person did something just now. The role is kept with the
        first sight of each sign-in: who has another one tomorrow signs in anew.
        """
        with self._reading() as session:
            known = session.get(SignInRow, claimed.id)
            holds = known is not None and _holds(known, idle_minutes)
            recent = known is not None and (now() - known.seen_at).total_seconds() < SEEN_EVERY_SECONDS
        if holds and (recent or not touch):
            return True
        if known is not None and known.ended_at is not None:
            return False
        with self._writing() as session:
            row = session.get(SignInRow, claimed.id)
            if row is None:
                return _begin(session, claimed)
            if not _holds(row, idle_minutes):
                if row.ended_at is None:
                    row.ended_at = now()
                    audit.record(session, claimed.name, "session.timed_out")
                return False
            row.seen_at = now()
            return True

    def sign_out(self, claimed: Claimed) -> None:
        """End a sign-in, also for whoever kept its cookie."""
        with self._writing() as session:
            row = session.get(SignInRow, claimed.id)
            if row is not None and row.ended_at is None:
                row.ended_at = now()
                audit.record(session, claimed.name, "session.ended")

    def refuse_entry(self, name: str) -> None:
        """Put into the trail that somebody proved who they are and has no role here."""
        self.note_of_installation(name[:LONGEST_NAME], "entry.refused")

    def people(self, person: str) -> tuple[Person, ...]:
        """Return everybody who ever signed in; administrators may ask."""
        with self._reading() as session:
            require_role(session, person, "administrator")
            rows = session.scalars(select(PersonRow).order_by(PersonRow.name)).all()
            return tuple(Person(row.name, role_of(session, row.name), row.signed_in_at) for row in rows)

    def share_study(self, owner: str, study_id: str, person: str, role: Share | None) -> None:
        """Share a study with somebody as reader or modeller, or no more (``None``); its owner may.

        Raises:
            SettingsError: with nobody, with its owner, or as something else.

        """
        person = person.strip()
        if not person or len(person) > LONGEST_NAME or person == owner or role not in (*SHARES, None):
            raise SettingsError(N_("Say with whom the study is shared, by the name that person signs in with."))
        with self._writing() as session:
            study_row(session, owner, study_id, wants="own", lock=True)
            row = session.get(ShareRow, (study_id, person))
            if role is None and row is None:
                raise NotFoundError(N_("The study is not shared with {person}."), person=person)
            before = None if row is None else row.role
            if role == before:
                return
            set_share(session, study_id, person, role)
            action = "study.unshared" if role is None else f"study.shared_{role}"
            details, shares = {"person": person}, {SHARES_BEFORE: {person: before}}
            audit.record(session, owner, action, study_id=study_id, details=details, before=shares)

    def shares(self, owner: str, study_id: str) -> dict[str, Share]:
        """Return with whom a study is shared, and as what; its owner may ask."""
        with self._reading() as session:
            study_row(session, owner, study_id, wants="own")
            rows = session.scalars(select(ShareRow).where(ShareRow.study_id == study_id).order_by(ShareRow.person))
            return {row.person: "modeller" if row.role == "modeller" else "reader" for row in rows}

    def note_of_installation(self, who: str, action: str) -> None:
        """Add an entry to the trail for what concerns no study."""
        with self._writing() as session:
            audit.record(session, who, action)


def _begin(session: Session, claimed: Claimed) -> bool:
    """Begin a sign-in, unless it is one of long ago whose row was cleared away."""
    old = now() - timedelta(hours=SIGN_IN_HOURS)
    if claimed.issued_at < old:
        return False
    session.execute(delete(SignInRow).where(SignInRow.started_at < old - timedelta(hours=SIGN_IN_HOURS)))
    session.add(SignInRow(id=claimed.id, person=claimed.name))
    session.merge(PersonRow(name=claimed.name, role=claimed.role, signed_in_at=now()))
    audit.record(session, claimed.name, f"session.began_{claimed.role}")
    return True


def _holds(row: SignInRow, idle_minutes: int) -> bool:
    moment = now()
    idle, age = moment - row.seen_at, moment - row.started_at
    return row.ended_at is None and idle < timedelta(minutes=idle_minutes) and age < timedelta(hours=SIGN_IN_HOURS)
