"""The two addresses that a machine asks: ``/healthz`` whether medcore is well, ``/metrics`` what it does.

Health tells nothing but which part answers, and is open to whom the guard lets in.
The figures are for the holder of ``MEDCORE_METRICS_TOKEN`` (``Authorization: Bearer …``)
or of the owner's cookie.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from medcore.errors import MedcoreError
from medcore.i18n import _
from medcore.jobs.web.guard import App, Receive, Scope, Send, cookies_of
from medcore.settings import Settings
from medcore.studies import owner_of
from medcore.upkeep.health import Health, health
from medcore.upkeep.metrics import CONTENT_TYPE, metrics

HEALTH, METRICS = "/healthz", "/metrics"
FRESH_SECONDS = 1.0
"""Whoever asks more often is told the same: asking costs the database and the scheduler a question each."""


class Vitals:
    """Answers ``/healthz`` and ``/metrics``, and lets everything else pass."""

    def __init__(self, app: App, settings: Settings, *, ask: Callable[[Settings], Health] = health) -> None:
        self._app, self._settings, self._ask = app, settings, ask
        self._asked, self._health = 0.0, Health(database=False, files=False, computing="absent")
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it pass."""
        path = scope.get("path") if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        if path == HEALTH:
            found = await self._look()
            await _answer(send, 200 if found.well else 503, "application/json", json.dumps(found.to_dict()).encode())
        elif path == METRICS:
            await self._figures(scope, send)
        else:
            await self._app(scope, receive, send)

    async def _look(self) -> Health:
        async with self._lock:
            if time.monotonic() - self._asked >= FRESH_SECONDS:
                self._health = await asyncio.to_thread(self._ask, self._settings)
                self._asked = time.monotonic()
            return self._health

    async def _figures(self, scope: Scope, send: Send) -> None:
        if not self._may_see(scope):
            text = _("Figures are for whoever brings the token of MEDCORE_METRICS_TOKEN, or has opened medcore here.")
            await _answer(send, 401, "text/plain; charset=utf-8", text.encode(), (b"www-authenticate", b"Bearer"))
            return
        try:
            await _answer(send, 200, CONTENT_TYPE, await asyncio.to_thread(metrics, self._settings))
        except MedcoreError:
            await _answer(send, 503, "text/plain; charset=utf-8", _("The database does not answer.").encode())

    def _may_see(self, scope: Scope) -> bool:
        headers = {k.decode("latin-1").lower(): v for k, v in scope.get("headers", [])}
        token = self._settings.metrics_token
        scheme, _space, brought = headers.get("authorization", b"").partition(b" ")
        if token is not None and scheme.lower() == b"bearer":
            return hmac.compare_digest(brought.strip(), token.encode())
        return owner_of(self._settings, cookies_of(headers.get("cookie", b"").decode("latin-1"))) is not None


async def _answer(send: Send, status: int, content_type: str, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers: list[Any] = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
