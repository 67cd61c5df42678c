"""Tokens: what a program shows to be let in, in a person's name. Only their digests are kept."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta

from sqlalchemy import select

from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_
from medcore.studies.audit import entries as audit
from medcore.studies.stores.release_store import models_open_to
from medcore.studies.stores.session import StoreBase
from medcore.studies.tables import now
from medcore.studies.use_records import TokenRecord
from medcore.studies.use_tables import TokenRow

PREFIX = "mc_"
LONGEST_DAYS = 366
SECRET_BYTES = 32


class TokenStore(StoreBase):
    """The part of the store that keeps tokens."""

    def new_token(
        self, person: str, label: str, *, days: int = 90, model: str | None = None
    ) -> tuple[str, TokenRecord]:
        """Make a token that speaks in a person's name for some days; it is said once and never again.

        Raises:
            SettingsError: it has no label, or would hold for longer than a year.
            NotFoundError: there is no such model, or it is not open to this person.

        """
        if not label.strip() or len(label) > 100 or not 1 <= days <= LONGEST_DAYS:
            raise SettingsError(
                N_("Say what the token is for, and for how many days it holds (1 to {longest})."), longest=LONGEST_DAYS
            )
        token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        with self._writing() as session:
            if model is not None:
                models_open_to(session, person, model)
            row = TokenRow(
                id=uuid.uuid4().hex,
                digest=_digest(token),
                person=person,
                label=label.strip(),
                model=model,
                expires_at=now() + timedelta(days=days),
            )
            session.add(row)
            audit.record(session, person, "token.made", details={"number": row.id[:8]})
            return token, _record(row)

    def tokens(self, person: str) -> tuple[TokenRecord, ...]:
        """Return a person's tokens, the newest first."""
        query = select(TokenRow).where(TokenRow.person == person).order_by(TokenRow.created_at.desc())
        with self._reading() as session:
            return tuple(_record(row) for row in session.scalars(query))

    def end_token(self, person: str, token_id: str) -> TokenRecord:
        """End one of a person's tokens, named by its number or the first eight characters of it."""
        with self._writing() as session:
            mine = session.scalars(select(TokenRow).where(TokenRow.person == person)).all()
            row = next(
                (r for r in mine if r.id == token_id or (len(token_id) >= 8 and r.id.startswith(token_id))), None
            )
            if row is None:
                raise NotFoundError(N_("You have no token of this number."))
            row.ended_at = row.ended_at or now()
            audit.record(session, person, "token.ended", details={"number": row.id[:8]})
            return _record(row)

    def whose_token(self, token: str) -> TokenRecord | None:
        """Return what a token is, or None where it opens nothing (any more)."""
        if not token.startswith(PREFIX):
            return None
        with self._reading() as session:
            row = session.scalars(select(TokenRow).where(TokenRow.digest == _digest(token))).first()
            found = None if row is None else _record(row)
            return found if found is not None and found.holds else None


def _digest(token: str) -> str:
    """Return a token's digest: it holds 256 random bits, so that nobody tries them out against it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _record(row: TokenRow) -> TokenRecord:
    names = ("id", "person", "label", "model", "created_at", "expires_at", "ended_at")
    return TokenRecord(**{name: getattr(row, name) for name in names})
