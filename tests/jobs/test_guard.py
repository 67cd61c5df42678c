from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from medcore.errors import SettingsError
from medcore.jobs.web.entrance import refuse_unguarded
from medcore.jobs.web.guard import CONTENT_SECURITY_POLICY, HEADERS, Guard
from medcore.settings import Settings
from medcore.studies import COOKIE, LOCAL_OWNER, owner_cookie, owner_of
from medcore.studies.database import forget_engines
from tests.aside import run_aside


@pytest.fixture
def guard_settings(tmp_path: Path) -> Iterator[Settings]:
    yield Settings(tmp_path, f"sqlite:///{tmp_path / 'medcore.db'}", tmp_path.as_uri())
    forget_engines()


class Answer:
    """What came back for one request to a guarded page."""

    def __init__(self, settings: Settings, **request: Any) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.reached = False
        self.closed: int | None = None
        run_aside(self._ask(settings, **request))

    async def _ask(
        self,
        settings: Settings,
        *,
        kind: str = "http",
        host: str = "localhost:8501",
        path: str = "/",
        query: bytes = b"",
        cookie: str = "",
        server: tuple[str, int] = ("127.0.0.1", 8501),
        method: str = "GET",
        origin: str | None = "same",
    ) -> None:
        async def page(_scope: Any, _receive: Any, send: Any) -> None:
            self.reached = True
            if kind == "http":
                headers = [(b"content-type", b"text/html"), (b"X-Frame-Options", b"ALLOWALL")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"page"})

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = [(k.decode().lower(), v.decode()) for k, v in message["headers"]]
            if message["type"] == "websocket.close":
                self.closed = message["code"]

        async def receive() -> MutableMapping[str, Any]:
            return {"type": f"{kind}.request"}

        headers = [(b"host", host.encode())] + ([(b"cookie", cookie.encode())] if cookie else [])
        if origin is not None:
            headers.append((b"origin", (f"http://{host}" if origin == "same" else origin).encode()))
        scope = {
            "type": kind,
            "method": method,
            "path": path,
            "query_string": query,
            "headers": headers,
            "server": server,
        }
        await Guard(page, settings, pages={"evaluate"})(scope, receive, send)

    def cookies(self) -> dict[str, str]:
        found = [v.split(";")[0].split("=", 1) for k, v in self.headers if k == "set-cookie"]
        return dict(found)


def test_a_page_comes_with_every_header_once_and_ours_win(guard_settings: Settings) -> None:
    answer = Answer(guard_settings)
    assert answer.status == 200
    for name, value in HEADERS:
        assert [v for k, v in answer.headers if k == name] == [value]


def test_scripts_and_pictures_from_elsewhere_are_forbidden() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["script-src"] == "'self'"
    assert rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "http" not in CONTENT_SECURITY_POLICY


def test_a_new_browser_is_given_a_cookie_that_scripts_and_other_sites_cannot_use(guard_settings: Settings) -> None:
    answer = Answer(guard_settings)
    assert owner_of(guard_settings, answer.cookies()) == LOCAL_OWNER
    text = next(v for k, v in answer.headers if k == "set-cookie")
    assert "HttpOnly" in text and "SameSite=Strict" in text


def test_a_browser_that_has_the_cookie_is_not_given_another(guard_settings: Settings) -> None:
    known = f"{COOKIE}={owner_cookie(guard_settings)}"
    assert Answer(guard_settings, cookie=known).cookies() == {}
    assert COOKIE in Answer(guard_settings, cookie=f"{COOKIE}=local.forged").cookies()


def test_scripts_and_pictures_set_no_cookie(guard_settings: Settings) -> None:
    assert Answer(guard_settings, path="/static/js/index.js").cookies() == {}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example", "", "10.0.0.7:8501"])
def test_a_request_under_another_name_is_turned_away_before_any_page(guard_settings: Settings, host: str) -> None:
    answer = Answer(guard_settings, host=host)
    assert (answer.status, answer.reached) == (403, False)
    assert Answer(guard_settings, host=host, kind="websocket").closed == 1008


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "localhost:8600", "127.0.0.1:8501", "[::1]:8501"])
def test_a_request_under_this_machines_own_name_passes(guard_settings: Settings, host: str) -> None:
    assert Answer(guard_settings, host=host).reached
    assert Answer(guard_settings, host=host, kind="websocket").reached


FOREIGN = [
    "http://localhost:9999",
    "http://127.0.0.1:8501",
    "http://localhost",
    "https://evil.example",
    "null",
    "",
    None,
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_port_or_place_reaches_no_websocket_and_changes_nothing(
    guard_settings: Settings, origin: str | None
) -> None:
    known = f"{COOKIE}={owner_cookie(guard_settings)}"
    socket = Answer(guard_settings, kind="websocket", cookie=known, origin=origin)
    assert (socket.closed, socket.reached) == (1008, False)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = Answer(guard_settings, cookie=known, method=method, origin=origin)
        assert (answer.status, answer.reached) == (403, False)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_link_from_elsewhere_may_open_a_page(guard_settings: Settings, origin: str | None) -> None:
    assert Answer(guard_settings, origin=origin).reached


def test_our_own_page_reaches_its_websocket_and_may_upload(guard_settings: Settings) -> None:
    assert Answer(guard_settings, kind="websocket", origin="https://LOCALHOST:8501").reached
    assert Answer(guard_settings, method="PUT").reached


def test_a_server_that_listens_elsewhere_answers_nobody(guard_settings: Settings) -> None:
    answer = Answer(guard_settings, server=("10.0.0.7", 8501))
    assert (answer.status, answer.reached) == (403, False)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "10.0.0.7", "example.org"])
def test_an_address_that_others_reach_is_refused_with_the_reason(address: str | None) -> None:
    with pytest.raises(SettingsError, match="without a sign-in"):
        refuse_unguarded(address, signing_in=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]", "127.0.0.5"])
def test_a_loopback_address_is_accepted(address: str) -> None:
    assert refuse_unguarded(address, signing_in=False) is None


@pytest.mark.parametrize("path", ["/studies", "/evalute", "/data/columns"])
def test_who_asks_for_a_page_that_is_not_there_is_sent_to_the_first_one(guard_settings, path):
    answer = Answer(guard_settings, path=path, query=b"lang=zh_CN&study=ab")
    assert answer.status == 307 and not answer.reached
    assert ("location", "/?lang=zh_CN&study=ab") in answer.headers


@pytest.mark.parametrize("path", ["/", "/evaluate", "/evaluate/", "/auth/login", "/evaluate/_stcore/health"])
def test_what_is_there_is_answered_and_where_streamlit_looks_for_itself(guard_settings, path):
    assert Answer(guard_settings, path=path).reached


@pytest.mark.parametrize(
    ("sent", "heard"), [({"bytes": b"run"}, "websocket.receive"), ({"text": "run"}, "websocket.disconnect")]
)
def test_a_page_is_sent_bytes_and_whoever_sends_text_is_gone(
    guard_settings: Settings, sent: dict[str, Any], heard: str
) -> None:
    told: list[MutableMapping[str, Any]] = []

    async def page(_scope: Any, receive: Any, _send: Any) -> None:
        told.append(await receive())

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.receive", **sent}

    async def send(_message: MutableMapping[str, Any]) -> None:
        raise AssertionError

    headers = [(b"host", b"localhost:8501"), (b"origin", b"http://localhost:8501")]
    scope = {"type": "websocket", "path": "/", "headers": headers, "server": ("127.0.0.1", 8501)}
    run_aside(Guard(page, guard_settings)(scope, receive, send))
    assert [message["type"] for message in told] == [heard]
