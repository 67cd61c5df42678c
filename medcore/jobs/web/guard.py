"""What stands between the network and the pages: own address only, own pages only, private files, headers, cookie.

Pure ASGI, so that it works in front of any server. A page that another program on
this machine serves, on another port of the same name, brings the owner's cookie
along, for cookies know no ports: its ``Origin`` gives it away.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from medcore.errors import MedcoreError
from medcore.i18n import _
from medcore.jobs.web.entrance import LOOPBACK_NAMES, Entrance, LocalEntrance, is_loopback
from medcore.settings import Settings
from medcore.studies import Store

logger = logging.getLogger("medcore.jobs")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110, 9.2.1); every other one, and every websocket, must come from our own page."""
PRIVATE = ("/media/", "/_stcore/upload_file", "/_stcore/metrics", "/component/")
"""Where files lie that a page offered, and where uploads go."""
PROBED = ("/healthz", "/metrics", "/_stcore/health")
SERVED = frozenset({"_stcore", "media", "component", "static", "auth", "oauth2callback", "healthz", "metrics"})
"""Parts of addresses that are no page's and are answered all the same; a page looks for the first beneath itself too."""
TELL_SECONDS = 60.0
NOBODY = "–"

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS: tuple[tuple[str, str], ...] = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"),
)


class Guard:
    """Turns away what may not come in, and adds headers and cookie to what is answered.

    ``pages`` are the addresses of pages beside the first one, which is at ``/``. Whoever asks for another
    page is sent there: Streamlit would show an English box of its own, at the first page's name too.
    """

    def __init__(
        self, app: App, settings: Settings, entrance: Entrance | None = None, *, pages: Collection[str] = ()
    ) -> None:
        self._app, self._settings, self._pages = app, settings, pages
        self._entrance = entrance or LocalEntrance(settings)
        self._told = -TELL_SECONDS
        self._telling: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it pass."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope.get("headers", [])}
        cookies = cookies_of(headers.get("cookie", ""))
        reason = await self._reason_against(scope, headers, cookies)
        if reason is not None:
            self._tell()
            await _turn_away(scope, send, reason)
            return
        if _page(scope) and not self._known(scope["path"]):
            await _send_home(scope, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, _of_bytes(receive), send)
            return
        cookie = self._entrance.new_cookie(cookies) if _page(scope) else None
        await self._app(scope, receive, _with_headers(send, cookie, encrypted=self._entrance.encrypted))

    def _known(self, path: str) -> bool:
        """Whether something is served at this address, or Streamlit says itself that nothing is."""
        return path == "/" or path.strip("/") in self._pages or not SERVED.isdisjoint(path.split("/"))

    async def _reason_against(self, scope: Scope, headers: dict[str, str], cookies: dict[str, str]) -> str | None:
        """Say why a request may not pass, or ``None`` if it may."""
        if not self._from_here(scope, headers):
            return _("medcore answers only at its own address.")
        if not _from_own_page(scope, headers):
            return _("medcore answers its own pages only; this request came from another one.")
        if scope["type"] == "http" and scope["path"].startswith(PRIVATE):
            person = await asyncio.to_thread(self._entrance.person, cookies)
            if person is None or not self._entrance.may_fetch(person, scope["path"]):
                return _("This is for the person whose page offered it, while signed in.")
        return None

    def _from_here(self, scope: Scope, headers: dict[str, str]) -> bool:
        name = _host_name(headers.get("host", ""))
        if scope["type"] == "http" and scope["path"] in PROBED and name in LOOPBACK_NAMES:
            return True  # what a supervisor on this machine asks
        server = scope.get("server")
        inside = self._entrance.hosts is LOOPBACK_NAMES
        listening_here = not inside or server is None or server[1] is None or is_loopback(str(server[0]))
        return listening_here and name in self._entrance.hosts

    def _tell(self) -> None:
        """Put it into the trail that somebody was turned away; once a minute, however many there are."""
        moment = time.monotonic()
        if moment - self._told >= TELL_SECONDS:
            self._told = moment
            self._telling = asyncio.create_task(asyncio.to_thread(self._write))

    def _write(self) -> None:
        try:
            Store(self._settings).note_of_installation(NOBODY, "request.refused")
        except MedcoreError as error:
            logger.warning("A refused request is not in the audit trail: %s", error)


def _with_headers(send: Send, cookie: str | None, *, encrypted: bool) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message.get("headers", []) if k.lower().decode("latin-1") not in dict(HEADERS)]
            if encrypted:  # Streamlit's own cookies do not say that they go over https alone
                kept = [(k, v + b"; Secure" if k.lower() == b"set-cookie" else v) for k, v in kept]
            added = [(k.encode(), v.encode()) for k, v in HEADERS]
            if cookie is not None:
                added.append((b"set-cookie", cookie.encode()))
            message = {**message, "headers": [*kept, *added]}
        await send(message)

    return sender


def _of_bytes(receive: Receive) -> Receive:
    """End a websocket on which text is sent: pages send bytes, and the server would fail with a traceback in the log."""

    async def receiver() -> MutableMapping[str, Any]:
        message = await receive()
        if message["type"] == "websocket.receive" and message.get("bytes") is None:
            return {"type": "websocket.disconnect", "code": 1003}  # unsupported data (RFC 6455, 7.4.1)
        return message

    return receiver


async def _send_home(scope: Scope, send: Send) -> None:
    """Send whoever asks for a page that is not there to the first one, with the study and the language kept."""
    query = scope.get("query_string", b"")
    headers = [(b"location", b"/" + (b"?" + query if query else b"")), *((k.encode(), v.encode()) for k, v in HEADERS)]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _turn_away(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    text = reason.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *((k.encode(), v.encode()) for k, v in HEADERS)]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def _page(scope: Scope) -> bool:
    """Whether a person's browser asks for a page, not for a script or a picture."""
    return scope["type"] == "http" and scope["method"] == "GET" and "." not in scope["path"].rsplit("/", 1)[-1]


def cookies_of(header: str) -> dict[str, str]:
    """Take a Cookie header to pieces; what another program on this host set in a form of its own hinders no other.

    >>> cookies_of('a/b=1; prefs={"theme":"dark"}; seen; name=Jane Doe; medcore_owner="abc"')["medcore_owner"]
    'abc'
    """
    parts = (part.strip().partition("=") for part in header.split(";"))
    found: dict[str, str] = {}
    for name, equals, value in parts:
        if equals and name.strip() not in found:
            found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _host_name(host: str) -> str:
    """Return a Host header's name without its port, in lower case."""
    return (host.rsplit(":", 1)[0] if not host.endswith("]") else host).lower()


def _from_own_page(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether what may change or read something comes from a page of this very server: Origin equals Host."""
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    scheme, _colon, place = headers.get("origin", "").partition("://")
    return scheme in {"http", "https"} and place.lower() == headers.get("host", "").lower()
