"""Signing in with OpenID Connect in Chromium, at a real provider on this machine; and what a stranger then finds."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from medcore import jobs
from medcore.data.samples import load_sample
from medcore.settings import ROOT, Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.tables import SignInRow, now
from medcore.ui.kit.navigation import TITLES
from tests.browser.conftest import Visitor, wait_until_served
from tests.browser.windows import Windows

ANN, EVE, IDA, REX, TOM = (f"{name}@hospital.example" for name in ("ann", "eve", "ida", "rex", "tom"))
ROLES = {ANN: ["modeller"], EVE: ["modeller"], IDA: ["it"], REX: ["student"], TOM: ["cook"]}
PAGES = ["", *(name for name in TITLES if name != "studies")]
Enter = Callable[[str], Visitor]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """An OpenID provider with five people, of whom one has no role in medcore."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for person, roles in ROLES.items():
        command += ["--user-claims", json.dumps({"sub": person, "email": person, "groups": roles})]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://localhost:{port}/.well-known/openid-configuration", server)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The provider did not start.")


@pytest.fixture(scope="module")
def guarded(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store, Path]]:
    """The application behind the sign-in, listening where other machines reach it: its address, store and log."""
    port, folder = free_port(), tmp_path_factory.mktemp("guarded")
    address, log = f"http://localhost:{port}", folder / "log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MEDCORE_")} | {
        "MEDCORE_DATA": str(folder / "data"),
        "MEDCORE_ADDRESS": address,
        "MEDCORE_OIDC_URL": provider,
        "MEDCORE_OIDC_CLIENT": "medcore",
        "MEDCORE_OIDC_SECRET": "the client's own secret",
        "MEDCORE_OIDC_ROLES": "groups",
        "MEDCORE_ROLES": "administrator=it; modeller=modeller; reader=student",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", environment["MEDCORE_DATA"])
        settings = Settings.from_env()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", f"--server.port={port}"]
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out, text=True)
        try:
            wait_until_served(address, server)
            yield address, Store(settings), folder
        finally:
            server.terminate()
            server.wait(30)
            jobs.stop_local_cluster(settings)


@pytest.fixture
def enter(windows: Windows, guarded: tuple[str, Store, Path], request: pytest.FixtureRequest) -> Iterator[Enter]:
    """Open a browser of one's own and sign in as somebody."""
    visitors: list[Visitor] = []

    def entered(person: str) -> Visitor:
        visitor = Visitor(windows, guarded[0], width=1280)
        visitors.append(visitor)
        visitor.open().at("entry.in").get_by_role("button").first.click()
        visitor.page.get_by_role("button", name=person).click()
        visitor.page.wait_for_url(re.compile(re.escape(guarded[0])))
        return visitor.settled()

    failed = request.session.testsfailed
    yield entered
    for number, each in enumerate(visitors):
        if request.session.testsfailed > failed:
            folder = Path(tempfile.gettempdir()) / "medcore-browser"
            each.page.screenshot(path=folder / f"{request.node.name}-{number}.png", full_page=True)
        each.leave()


@pytest.fixture(scope="module")
def ward(guarded: tuple[str, Store, Path]) -> str:
    """Ann's study, which nobody else may see."""
    return guarded[1].create_study(ANN, "Ann’s own ward", load_sample("heart")).id


def actions(store: Store, person: str) -> list[str]:
    return [entry.action for entry in store.trail(LOCAL_OWNER, who=person)]


@pytest.mark.browser
def test_somebody_signs_in_sees_their_studies_and_is_out_for_good(
    enter: Enter, guarded: tuple[str, Store, Path], ward: str, windows: Windows
) -> None:
    address, store, folder = guarded
    ann = enter(ANN).sees("Ann’s own ward").sees(ANN)
    assert ann.page.get_by_text("Audit trail").count() == 0
    kept = ann.context.cookies(address)
    ann.at("frame.sign_out").get_by_role("button").first.click()
    ann.page.wait_for_url(re.compile("end_session|/$"))
    assert actions(store, ANN)[-2:] == ["session.began_modeller", "session.ended"]
    thief = Visitor(windows, address)
    thief.context.add_cookies(kept)  # type: ignore[arg-type]
    thief.open().sees("You were signed out")
    assert "Ann’s own ward" not in thief.page.content()
    thief.leave()
    written = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assert b"the client's own secret" not in written


@pytest.mark.browser
def test_no_page_shows_a_stranger_anything_until_it_is_shared(
    enter: Enter, guarded: tuple[str, Store, Path], ward: str
) -> None:
    _address, store, _folder = guarded
    eve = enter(EVE)
    for page in ("", *(name for name in TITLES if name != "studies")):
        eve.open(f"{page}?study={ward}")
        shown = eve.page.content()
        assert "Ann’s own ward" not in shown and "thalach" not in shown, page
    assert store.trail(LOCAL_OWNER, who=EVE, action="access.refused")[0].study_id == ward
    store.share_study(ANN, ward, EVE, "reader")
    eve.open(f"data?study={ward}").sees("Ann’s own ward").sees("You may read this study")
    store.share_study(ANN, ward, EVE, None)
    eve.open(f"data?study={ward}")
    assert "Ann’s own ward" not in eve.page.content()


@pytest.mark.browser
def test_a_reader_is_offered_only_what_a_reader_may_do(
    enter: Enter, guarded: tuple[str, Store, Path], ward: str
) -> None:
    rex = enter(REX).sees("No study has been shared with you yet")
    assert rex.page.get_by_role("button", name="Open this sample").count() == 0
    assert rex.page.get_by_test_id("stFileUploader").count() == 0
    guarded[1].share_study(ANN, ward, REX, "modeller")  # a reader reads, whatever is shared
    rex.open(f"evaluate?study={ward}").sees("No model has been trained in this study")
    assert rex.page.get_by_text("You may read this study and not change it").count() == 1


@pytest.mark.browser
def test_who_has_no_role_is_told_so_and_comes_no_further(enter: Enter, guarded: tuple[str, Store, Path]) -> None:
    tom = enter(TOM).sees(f"You are signed in as {TOM}, and have no role")
    assert tom.page.get_by_text("Studies").count() == 0
    assert actions(guarded[1], TOM) == ["entry.refused"]


@pytest.mark.browser
def test_an_administrator_sees_the_trail_and_nobodys_study(
    enter: Enter, guarded: tuple[str, Store, Path], ward: str
) -> None:
    ida = enter(IDA)
    ida.open(f"trail?study={ward}").press("trail.verify").sees("nothing was changed, removed or reordered")
    assert "Ann’s own ward" not in ida.page.content()


@pytest.mark.browser
def test_a_file_goes_to_the_person_whose_page_offers_it_and_to_nobody_else(
    enter: Enter, guarded: tuple[str, Store, Path], ward: str
) -> None:
    _address, store, _folder = guarded
    ann, eve = enter(ANN), enter(EVE)
    refused: list[str] = []
    ann.context.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    ann.open(f"data?study={ward}").choose("The table itself")
    with ann.page.expect_download() as taken:
        ann.at("data.rows.csv").get_by_role("button").first.click()
    assert taken.value.path().read_bytes().count(b"\n") > 300
    assert refused == []
    assert eve.context.request.get(taken.value.url).status == 403
    assert ann.context.request.get(taken.value.url).status == 200
    ann.settled()
    (entry,) = store.trail(LOCAL_OWNER, who=ANN, action="data.exported")
    assert entry.study_id == ward and "table.csv" in str(entry.sentence)
    assert "rows.viewed" in actions(store, ANN)


@pytest.mark.browser
def test_a_page_left_alone_clears_itself(enter: Enter, guarded: tuple[str, Store, Path], ward: str) -> None:
    ann = enter(ANN).sees("Ann’s own ward")
    with Session(guarded[1]._engine) as session, session.begin():
        session.execute(update(SignInRow).values(seen_at=now() - timedelta(minutes=31)))
    ann.sees("You were signed out")
    assert "Ann’s own ward" not in ann.page.content()
    assert actions(guarded[1], ANN)[-1] == "session.timed_out"


def test_nothing_private_is_fetched_without_a_sign_in(guarded: tuple[str, Store, Path]) -> None:
    address, store, _folder = guarded
    asked = [
        ("GET", "/media/0123.csv", {}),
        ("GET", "/_stcore/metrics", {}),
        ("PUT", "/_stcore/upload_file/session/file", {"Origin": address}),
        ("GET", "/", {"Host": "10.0.0.7"}),
    ]
    for method, path, headers in asked:
        wanted = urllib.request.Request(address + path, method=method, headers=headers)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(wanted, timeout=60)
    assert "request.refused" in [e.action for e in store.trail(LOCAL_OWNER)]
