"""The stylesheet in the page itself: the first thing that is drawn stands where it stays.

Streamlit sends a page's styles with its elements, so that the first of them move when
the styles arrive. Here they are part of the document; pure ASGI, as the guard is.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache
from typing import Any

from medcore.jobs.web.guard import App, Receive, Scope, Send
from medcore.settings import ASSETS

STYLES = ASSETS / "styles" / "medcore.css"
END = b"</body>"
"""Styles come last, or Streamlit's own of the same weight would win."""


class FirstPaint:
    """Puts the stylesheet into every page that is answered."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no page passes as it is."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_a_page(scope):
            await self._app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _styled(send))


def _asks_for_a_page(scope: Scope) -> bool:
    return any(name.lower() == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _styled(send: Send) -> Send:
    start: MutableMapping[str, Any] = {}
    parts: list[bytes] = []

    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts).replace(END, _style() + END, 1)
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return sender


@cache
def _style() -> bytes:
    return b"<style>" + STYLES.read_bytes() + b"</style>"
