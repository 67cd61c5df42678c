"""Pages where people sign in: the cookie that is believed, every page as a stranger, the trail for administrators."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from medcore.data.samples import load_sample
from medcore.errors import RefusedError
from medcore.i18n import _, language
from medcore.settings import ROOT, Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.people.sign_in import SignIn, sign_in_of
from medcore.ui.kit.frame import entry
from medcore.ui.kit.frame.entry import SignInEntrance
from medcore.ui.kit.navigation import ADMINISTRATORS, TITLES

ADDRESS = "https://medcore.example"
As = Callable[..., AppTest]


@pytest.fixture
def sign_in(page_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    given = {
        "ADDRESS": ADDRESS,
        "OIDC_URL": "https://id.example",
        "OIDC_CLIENT": "medcore",
        "OIDC_SECRET": "secret of the client",
        "ROLES": "administrator=ida@x; modeller=ann@x,eve@x; reader=rob@x",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"MEDCORE_{name}", value)
    sign_in_of.cache_clear()
    found = sign_in_of(page_settings)
    assert found is not None and "secret" not in repr(found)
    return found


def cookie(sign_in: SignIn, name: str, **claims: Any) -> dict[str, str]:
    """The cookie that Streamlit keeps after a sign-in."""
    said = {"is_logged_in": True, "origin": ADDRESS, "email": name, "sub": name, "iat": time.time()} | claims
    signed = create_signed_value(sign_in.cookie_secret, "_streamlit_user", json.dumps(said))
    return {"_streamlit_user": signed.decode()}


@pytest.fixture
def page_as(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> As:
    """Open a page with somebody's cookie."""

    def opened(who: str | None, page: str = "studies", *, study: str | None = None) -> AppTest:
        cookies = StreamlitCookies(cookie(sign_in, who) if who else {})
        monkeypatch.setattr(ContextProxy, "cookies", property(lambda _self: cookies))
        app = AppTest.from_file(str(ROOT / "medcore" / "ui" / "main.py"), default_timeout=180)
        app.query_params["lang"] = "en"
        if study:
            app.query_params["study"] = study
        app.run()
        reached = page == "studies" or not any("Sign in" in b.label for b in app.button)
        return app.switch_page(f"../../pages/{page}.py").run() if reached and page != "studies" else app

    return opened


def test_only_a_cookie_that_was_signed_here_for_this_address_proves_anybody(
    sign_in: SignIn, page_settings: Settings
) -> None:
    entrance = SignInEntrance(page_settings, sign_in)
    assert entrance.person(cookie(sign_in, "ann@x")) == "ann@x"
    other = replace(sign_in, cookie_secret="another")
    forged = [
        {},
        {"_streamlit_user": "nonsense"},
        cookie(other, "ann@x"),
        cookie(sign_in, "ann@x", origin="https://evil.example"),
        cookie(sign_in, "ann@x", is_logged_in=False),
        cookie(sign_in, "ann@x", iat=time.time() - 13 * 3600),
        cookie(sign_in, "ann@x", email_verified=False),
        cookie(sign_in, LOCAL_OWNER),
        cookie(sign_in, "nobody@elsewhere"),
        cookie(sign_in, ""),
    ]
    assert [entrance.person(each) for each in forged] == [None] * len(forged)


@pytest.mark.parametrize("page", TITLES)
def test_nobody_sees_a_page_without_a_sign_in(page_as: As, words: Any, page: str) -> None:
    app = page_as(None, page)
    assert [b.label for b in app.button] == ["Sign in"]
    assert "medcore holds patients’ data" in words(app)


@pytest.mark.parametrize("page", [page for page in TITLES if page not in ADMINISTRATORS])
def test_every_page_is_closed_to_a_stranger(page_as: As, page_store: Store, words: Any, page: str) -> None:
    study = page_store.create_study("ann@x", "Ann’s ward", load_sample("heart"))
    app = page_as("eve@x", page, study=study.id)
    assert not app.exception
    assert "Ann’s ward" not in words(app) and not app.dataframe and not app.get("plotly_chart")
    refused = page_store.trail(LOCAL_OWNER, who="eve@x", action="access.refused")
    assert refused and refused[0].study_id == study.id


def test_the_trail_tells_others_for_whom_it_is_and_shows_nothing(page_as: As, page_store: Store, words: Any) -> None:
    app = page_as("eve@x", "trail")
    assert "Only administrators" in words(app)
    assert [b.key for b in app.button] == ["frame.sign_out"] and not app.dataframe
    with pytest.raises(RefusedError, match="Only administrators"):
        page_store.require_administrator("eve@x")


def test_a_reader_sees_the_study_and_cannot_train(page_as: As, page_store: Store, words: Any) -> None:
    study = page_store.create_study("ann@x", "Ann’s ward", load_sample("heart"))
    page_store.share_study("ann@x", study.id, "rob@x", "reader")
    app = page_as("rob@x", "train", study=study.id)
    assert "Ann’s ward" in words(app) and "You may read this study" in words(app)
    assert "Start training" not in [b.label for b in app.button]


def test_what_one_person_left_in_a_session_is_gone_for_the_next(
    page_as: As, page_store: Store, sign_in: SignIn, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = page_store.create_study("ann@x", "Ann’s ward", load_sample("heart"))
    app = page_as("ann@x", study=study.id)
    assert app.session_state["medcore"].study_id == study.id
    cookies = StreamlitCookies(cookie(sign_in, "eve@x"))
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _self: cookies))
    app.query_params.clear()
    app.run()
    assert app.session_state["medcore"].study_id is None and "Ann’s ward" not in words(app)


def test_the_trail_is_an_administrators_page(page_as: As, page_store: Store, words: Any) -> None:
    page_store.create_study("ann@x", "Ann’s ward", load_sample("heart"))
    app = page_as("ida@x", "trail")
    assert {"ann@x", "ida@x"} <= set(app.dataframe[0].value["By whom"])
    app.button(key="trail.verify").click().run()
    assert "nothing was changed, removed or reordered" in words(app)
    assert "Ann’s ward" not in words(app)
    app.text_input(key="trail.who").set_value("ann@x").run()
    assert list(app.dataframe[0].value["What"]) == ["The study was created."]


def test_a_file_is_for_the_person_whose_page_offered_it(
    sign_in: SignIn, page_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrance = SignInEntrance(page_settings, sign_in)
    monkeypatch.setitem(entry._sessions, "s-ann", "ann@x")
    monkeypatch.setattr(entry, "_offered_to", lambda file_id: {"s-ann"} if file_id == "0123" else set())
    assert entrance.may_fetch("ann@x", "/media/0123.csv")
    assert not entrance.may_fetch("eve@x", "/media/0123.csv")
    assert not entrance.may_fetch("ann@x", "/media/4567.csv")
    assert entrance.may_fetch("ann@x", "/_stcore/upload_file/s-ann/file")
    assert not entrance.may_fetch("eve@x", "/_stcore/upload_file/s-ann/file")


def test_a_file_is_made_in_the_language_of_the_page_that_offers_it() -> None:
    with language("zh_CN"):
        make = entry.made_for(None, lambda: _("Row"), mime="text/csv", file_name="list.csv")
    with ThreadPoolExecutor(1) as elsewhere:  # as Streamlit makes it, without the session
        assert elsewhere.submit(make).result() == "行"
