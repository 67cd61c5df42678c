"""Who may do what with a study: one function, which every query of the store asks."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from medcore.errors import RefusedError
from medcore.i18n import N_
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.people.roles import ACCESS, ROLES, Access, Role
from medcore.studies.tables import PersonRow, ShareRow, StudyRow


class Whose(NamedTuple):
    """As much of a study as decides who may see it."""

    id: str
    owner: str
    deleted_at: datetime | None


ROLE = "role"
"""By what a session remembers people's roles."""


def role_of(session: Session, person: str) -> Role:
    """Return a person's role: the one of their last sign-in.

    Where nobody signs in, the one local owner is the administrator; others who never
    signed in exist only in an installation's own code and are modellers.
    """
    kept: dict[str, Role] = session.info.setdefault(ROLE, {})  # asked of every row, and the same in a transaction
    if person not in kept:
        known = session.get(PersonRow, person)
        if known is not None:
            kept[person] = next(role for role in ROLES if role == known.role)
        else:
            kept[person] = "administrator" if person == LOCAL_OWNER else "modeller"
    return kept[person]


def access_of(session: Session, person: str, study: StudyRow | Whose) -> Access | None:
    """Return the most that a person may do with a study; ``None`` when it does not exist for them.

    The owner may do everything, others what was shared with them until it is deleted, and a reader reads.
    """
    granted: Access
    if study.owner == person:
        granted = "own"
    else:
        share = session.get(ShareRow, (study.id, person))
        if share is None or study.deleted_at is not None:
            return None
        granted = "change" if share.role == "modeller" else "read"
    return "read" if role_of(session, person) == "reader" else granted


def require(
    session: Session, person: str, study: StudyRow | Whose, wants: Access, *, run_id: str | None = None
) -> Access:
    """Return what a person may do with a study, when it is at least what they want.

    Raises:
        RefusedError: it is not.

    """
    granted = access_of(session, person, study)
    if granted is None and run_id is not None:
        raise RefusedError(
            N_("There is no such training run, or it is not yours. Open one from its study."),
            who=person,
            study_id=study.id,
            run_id=run_id,
        )
    if granted is None:
        raise RefusedError(
            N_("There is no such study, or it is not yours. Open one from the list of studies."),
            who=person,
            study_id=study.id,
        )
    if ACCESS.index(granted) < ACCESS.index(wants):
        raise RefusedError(
            N_("You may read this study and not change it. Ask its owner to share it with you as a modeller.")
            if wants == "change"
            else N_("Only the owner of this study may do that."),
            who=person,
            study_id=study.id,
            run_id=run_id,
        )
    return granted


def require_role(session: Session, person: str, role: Role) -> None:
    """Let a person pass whose role is at least the one that is needed.

    Raises:
        RefusedError: it is not.

    """
    if ROLES.index(role_of(session, person)) < ROLES.index(role):
        raise RefusedError(
            N_("Only administrators may see the audit trail.")
            if role == "administrator"
            else N_("Your role here is reader: you may look at studies that were shared with you, and make none."),
            who=person,
        )


def visible_to(person: str) -> ColumnElement[bool]:
    """Return the condition that a study is a person's own or was shared with them."""
    shared = select(ShareRow.study_id).where(ShareRow.person == person)
    return or_(StudyRow.owner == person, StudyRow.id.in_(shared))
