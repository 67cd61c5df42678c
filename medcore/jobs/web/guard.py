"""What stands between the network and the pages: loopback only, own pages only, headers, the owner's cookie.

Pure ASGI, so that it works in front of any server. A page that another program on
this machine serves, on another port of the same name, brings the owner's cookie
along, for cookies know no ports: its ``Origin`` gives it away.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import SimpleCookie
from typing import Any

from medcore.errors import SettingsError
from medcore.i18n import N_, _
from medcore.settings import Settings
from medcore.studies import COOKIE, owner_cookie, owner_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ("localhost", "127.0.0.1", "[::1]")
HOME = "/studies"
"""The first page's name; Streamlit serves it at / only, and shows an English box of its own at this address."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110, 9.2.1); every other one, and every websocket, must come from our own page."""
COOKIE_SECONDS = 400 * 24 * 3600  # browsers keep none longer (RFC 6265bis)

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


def refuse_other_than_loopback(address: str | None) -> None:
    """Let medcore listen on this machine only.

    Raises:
        SettingsError: the address can be reached from elsewhere.

    """
    if address is None or not is_loopback(address):
        raise SettingsError(
            N_(
                "medcore does not listen on {address}: whoever reaches it could open every study, because nobody can sign in yet. Use 127.0.0.1, and an SSH tunnel to work from another machine."
            ),
            address=address or "0.0.0.0",  # noqa: S104 - what Streamlit takes when nothing is set
        )


def is_loopback(address: str) -> bool:
    """Whether an address can be reached from this machine only.

    >>> [is_loopback(a) for a in ("LOCALHOST", "127.0.0.1", "[::1]", "0.0.0.0", "10.0.0.7", "example.org")]
    [True, True, True, False, False, False]
    """
    if address.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Turns away what does not come over loopback, and adds headers and cookie to what is answered."""

    def __init__(self, app: App, settings: Settings, hosts: Iterable[str] = HOSTS) -> None:
        self._app, self._settings, self._hosts = app, settings, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it pass."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope.get("headers", [])}
        if not self._from_here(scope, headers):
            await _turn_away(scope, send, _("medcore answers on this machine only, at the address it printed."))
            return
        if not _from_own_page(scope, headers):
            await _turn_away(scope, send, _("medcore answers its own pages only; this request came from another one."))
            return
        if scope["type"] == "http" and scope["path"] == HOME:
            await _send_home(scope, send)
            return
        fresh = _page(scope) and owner_of(self._settings, cookies_of(headers.get("cookie", ""))) is None
        await self._app(scope, receive, _with_headers(send, self._cookie() if fresh else None))

    def _from_here(self, scope: Scope, headers: dict[str, str]) -> bool:
        server = scope.get("server")
        listening_here = server is None or server[1] is None or is_loopback(str(server[0]))
        return listening_here and _host_name(headers.get("host", "")) in self._hosts

    def _cookie(self) -> str:
        value = owner_cookie(self._settings)
        return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}"


def _with_headers(send: Send, cookie: str | None) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message.get("headers", []) if k.lower().decode("latin-1") not in dict(HEADERS)]
            added = [(k.encode(), v.encode()) for k, v in HEADERS]
            if cookie is not None:
                added.append((b"set-cookie", cookie.encode()))
            message = {**message, "headers": [*kept, *added]}
        await send(message)

    return sender


async def _send_home(scope: Scope, send: Send) -> None:
    """Send whoever asks for the first page by its name to its address, with the study and the language kept."""
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
    """Take a Cookie header to pieces."""
    return {name: morsel.value for name, morsel in SimpleCookie(header).items()}


def _host_name(host: str) -> str:
    """Return a Host header's name without its port, in lower case."""
    return (host.rsplit(":", 1)[0] if not host.endswith("]") else host).lower()


def _from_own_page(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether what may change or read something comes from a page of this very server: Origin equals Host."""
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    scheme, _colon, place = headers.get("origin", "").partition("://")
    return scheme in {"http", "https"} and place.lower() == headers.get("host", "").lower()
