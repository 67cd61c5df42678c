"""A web server that is sent what no browser sends: addresses, headers, websocket messages, and names to be shown."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from contextlib import suppress
from typing import Any

import psutil
from files import as_csv, plain
from installation import PAGES, Session, person
from names import NAMES
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.errors import MedcoreError
from medcore.settings import Settings
from medcore.studies import COOKIE, Store

PATHS = ("/{}", "/?study={}", "/_stcore/{}", "/static/{}", "/media/{}", "/component/{}", "/../{}", "//{}", "/evaluate?study={}&lang={}")  # fmt: skip
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
ESCAPED = {"\r": "%0d", "\n": "%0a", " ": "%20", "\0": "%00"}
MORE = (
    "", "Origin: http://evil.example\r\n", "Cookie: medcore_owner=local.x\r\n", "Content-Length: -1\r\n",
    "Transfer-Encoding: chunked\r\n", UPGRADE,
)  # fmt: skip
WAIT_SECONDS = 20


def requests(n: int, seed: int, host: str) -> dict[str, Any]:
    """Send addresses and headers that no browser sends."""
    answers: Counter[str] = Counter()
    for number in range(n):
        rng = random.Random(seed + number)
        answer = sent(host, request(rng, host))
        answers[answer[9:12].decode("latin-1") if answer.startswith(b"HTTP") else "closed"] += 1
    return {"requests": n, "answers": dict(answers)}


def request(rng: random.Random, host: str) -> bytes:
    name = "".join(ESCAPED.get(c, c) for c in rng.choice(NAMES)[:4000])
    method = rng.choice(["GET", "GET", "POST", "PUT", "DELETE", "TRACE", "G" * 3000])
    to = rng.choice([host] * 4 + ["evil.example", "", "localhost\t"])
    more = rng.choice((*MORE, f"X: {'y' * rng.choice([10, 100_000])}\r\n"))
    head = f"{method} {rng.choice(PATHS).replace('{}', name)} HTTP/1.1\r\nHost: {to}\r\n{more}Connection: close\r\n\r\n"
    return head.encode("utf-8", "surrogatepass") + rng.randbytes(rng.choice([0, 50]))


def sent(host: str, data: bytes) -> bytes:
    """Send bytes and return the beginning of the answer; nothing where the server closed the connection."""
    name, _colon, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=WAIT_SECONDS) as link:
        try:
            link.sendall(data)
            return link.recv(200)
        except ConnectionError:
            return b""


def messages(n: int, seed: int, settings: Settings, host: str) -> dict[str, Any]:
    """Open websockets with and without the right to, and send what no page sends; ask each for a page afterwards."""
    answers: Counter[str] = Counter()
    session = Session(settings, 0, "none", host)
    for number in range(n):
        answers[asyncio.run(one_socket(random.Random(seed + number), session))] += 1
    return {"websockets": n, "answers": dict(answers)}


async def one_socket(rng: random.Random, session: Session) -> str:
    cookie = rng.choice([session.cookie] * 4 + ["", "person1.x", "a" * 5000])
    origin = rng.choice([f"http://{session.host}"] * 6 + ["http://evil.example", "null", f"http://{session.host}9"])
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    try:
        async with connect(
            f"ws://{session.host}/_stcore/stream",
            origin=origin,  # type: ignore[arg-type]
            additional_headers=headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        ) as link:
            for _ in range(rng.randint(1, 5)):
                await link.send(message(rng))
            with suppress(TimeoutError):
                while True:
                    await asyncio.wait_for(link.recv(), 0.3)
        return "heard"
    except (WebSocketException, ConnectionError) as error:
        return type(error).__name__


def message(rng: random.Random) -> bytes | str:
    """Make what a browser would not send: noise, text, or a rerun with a strange address, page, part or widget."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randbytes(rng.choice([0, 1, 100, 1_000_000]))
    if kind == 1:
        return rng.choice(NAMES)
    asked, name = BackMsg(), rng.choice(NAMES)[:5000].encode("utf-8", "replace").decode()
    rerun = asked.rerun_script
    rerun.query_string = rng.choice(["study={}", "lang={}", "tour={}", "{}", "study={}&study={}"]).replace("{}", name)
    rerun.page_name = rng.choice(["", "data", "trail", name, "../app", "/etc/passwd"])
    if kind == 2:
        rerun.page_script_hash = name
    elif kind == 3:
        rerun.fragment_id = name
    elif kind == 4:
        for _ in range(rng.choice([1, 1000])):
            state = rerun.widget_states.widgets.add()
            state.id, state.string_value = rng.choice([name, "frame.language", "medcore"]), name
    elif rng.random() < 0.5:
        asked.app_heartbeat = True
    else:
        asked.file_urls_request.request_id = name
        asked.file_urls_request.file_names.extend([name] * rng.choice([1, 500]))
    return asked.SerializeToString()


def names(n: int, seed: int, settings: Settings, host: str) -> dict[str, Any]:
    """Keep tables whose names, headers and cells are hostile, and draw every page that shows them."""
    store, answers, faults = Store(settings), Counter[str](), Counter[str]()
    for number in range(n):
        rng = random.Random(seed + number)
        header, cell, name = rng.choice(NAMES), rng.choice(NAMES)[:5000], rng.choice(NAMES)
        try:
            cohort = read_table((f"{name[:200]}.csv".replace("\0", ""), as_csv(plain(rng, header, cell))))
            cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "event", positive="1"))
            study = store.create_study(person(0), name, cohort)
        except MedcoreError:
            answers["one sentence"] += 1
            continue
        session = Session(settings, 0, study.id, host)
        asyncio.run(session.look_at(*PAGES))
        answers["shown"] += 1
        faults += session.faults
        store.delete_study(person(0), study.id)
        store.purge_study(person(0), study.id)
    return {"names": n, "answers": dict(answers), "faults": dict(faults)}


def lives(host: str, pid: int) -> dict[str, Any]:
    """Say whether the server still answers, and how much memory it holds."""
    answer = sent(host, f"GET /_stcore/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return {"server lives": b"200" in answer, "server MB": round(psutil.Process(pid).memory_info().rss / 1e6)}
