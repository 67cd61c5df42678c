"""What goes wrong, said as one JSON object (RFC 9457) without any value that was sent."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from medcore.errors import InputError, MedcoreError, NotFoundError
from medcore.i18n import N_, _, best_language, use_language
from medcore.service.batching import BusyError
from medcore.service.entering import NotLetInError, TooManyError
from medcore.service.records.cds_hooks import NotPrefetchedError

logger = logging.getLogger("medcore.service")
LONGEST_BODY = 64 * 1024 * 1024
PROBLEM = "application/problem+json"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def status_of(error: MedcoreError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, NotLetInError):
        return 401
    if isinstance(error, TooManyError):
        return 429
    if isinstance(error, BusyError):
        return 503
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, NotPrefetchedError):
        return 412
    return 422 if isinstance(error, InputError) else 500


def add_faults(app: FastAPI) -> None:
    """Let every error be told as a problem in the reader's language."""

    @app.exception_handler(MedcoreError)
    async def told(_request: Request, error: MedcoreError) -> Response:
        status = status_of(error)
        headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "1"}}
        return _problem(status, str(error), headers.get(status))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        use_language(best_language(request.headers.get("accept-language")))
        where = [(".".join(map(str, fault["loc"][1:])), fault["msg"]) for fault in error.errors()[:3]]
        words = "; ".join(f"{place[:100]}: {message}" for place, message in where)
        return _problem(422, _("The request is not of the form that is expected: {what}", what=words))

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        return _problem(error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    async def failed(_request: Request, error: Exception) -> Response:
        logger.error("A request failed: %s", type(error).__name__)
        return _problem(500, _("The service failed ({kind}). Nothing was kept.", kind=type(error).__name__))

    app.add_middleware(LimitedBody)


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status, headers, PROBLEM)


class LimitedBody:
    """Ends a request whose body is longer than is read."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            await _too_long()(scope, receive, send)
            return
        n = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal n
            message = await receive()
            n += len(message.get("body", b""))
            if n > LONGEST_BODY:
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, send)


def _too_long() -> Response:
    text = N_("The request is longer than {mb} MB. Send the patients in several requests.")
    return _problem(413, _(text, mb=LONGEST_BODY // 1024**2))
