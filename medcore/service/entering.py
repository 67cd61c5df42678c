"""Who asks: a token in the Authorization header, in the name of the person who made it, so often a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from medcore.errors import MedcoreError
from medcore.i18n import N_
from medcore.jobs.web.entrance import LOOPBACK_NAMES
from medcore.service.records.clients import TrustedClient, person_of
from medcore.studies import Store
from medcore.studies.stores.token_store import PREFIX
from medcore.studies.use_records import TokenRecord

SURE_SECONDS = 2.0
"""How long a token is taken to hold: one that was ended opens nothing after that."""
PER_SECOND, AT_ONCE = 1_000.0, 2_000.0
"""Calls of one token: on average, and at once."""


class NotLetInError(MedcoreError):
    """No token, or one that opens nothing."""


class TooManyError(MedcoreError):
    """More calls of one token than are answered."""


class Entering:
    """Lets calls in by their tokens."""

    def __init__(
        self,
        store: Store,
        hosts: frozenset[str] = LOOPBACK_NAMES,
        clients: Sequence[TrustedClient] = (),
    ) -> None:
        self._store, self._hosts, self._clients = store, hosts, clients
        self._sure: dict[str, tuple[float, TokenRecord]] = {}
        self._left: dict[str, tuple[float, float]] = {}

    async def person(self, headers: Mapping[str, str], model: str | None = None, *, address: str | None = None) -> str:
        """Return in whose name a call is made; ``address`` is where records may show a token of their own.

        Raises:
            NotLetInError: no token that opens this model came with it, or it was sent to another name.
            TooManyError: the token was used too often.

        """
        host = headers.get("host", "").lower()
        if (host.rsplit(":", 1)[0] if not host.endswith("]") else host) not in self._hosts:
            raise NotLetInError(N_("This service answers only at its own name."))
        scheme, _gap, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and address is not None and self._clients and not token.startswith(PREFIX):
            person = await asyncio.to_thread(person_of, self._clients, token.strip(), address)
            if person is not None:
                return person
        found = await self._token(token.strip()) if scheme.lower() == "bearer" else None
        if found is None or (found.model is not None and model is not None and found.model != model):
            raise NotLetInError(
                N_("Send a token that holds: Authorization: Bearer mc_… (python -m medcore token makes one).")
            )
        self._count(found.id)
        return found.person

    async def _token(self, token: str) -> TokenRecord | None:
        moment, kept = time.monotonic(), self._sure.get(token)
        if kept is not None and moment - kept[0] <= SURE_SECONDS and kept[1].holds:
            return kept[1]
        self._sure.pop(token, None)
        found = await asyncio.to_thread(self._store.whose_token, token)
        if found is not None:
            if len(self._sure) > 1_000:
                self._sure.clear()
            self._sure[token] = (moment, found)
        return found

    def _count(self, token_id: str) -> None:
        """Let a call pass while the token has some left: they come back by the second (a token bucket)."""
        moment = time.monotonic()
        last, left = self._left.get(token_id, (moment, AT_ONCE))
        left = min(AT_ONCE, left + (moment - last) * PER_SECOND)
        if left < 1:
            raise TooManyError(
                N_("This token asks more often than {n} times a second. Wait a moment."), n=int(PER_SECOND)
            )
        self._left[token_id] = (moment, left - 1)
