"""Who is at the page: the one local owner, or somebody who signed in; asked anew at every run of a page.

Streamlit's own sign-in keeps what the provider said in a signed cookie of a month.
It is read here, not from ``st.user``, so that pages, files and uploads ask one
function, and it counts only while the sign-in holds (:meth:`Store.signed_in`).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NoReturn

import streamlit as st
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.runtime import exists, get_instance
from streamlit.runtime.memory_media_file_storage import _calculate_file_id
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from medcore.errors import RefusedError
from medcore.i18n import _, current_language, language
from medcore.settings import Settings
from medcore.studies.owners import owner_of
from medcore.studies.people.sign_in import Claimed, SignIn, sign_in_of
from medcore.ui.kit.cache import asked, store
from medcore.ui.kit.layout import header
from medcore.ui.kit.notices import error
from medcore.ui.kit.state import state

_sessions: OrderedDict[str, str] = OrderedDict()
"""Whose a browser's session is, so that nobody else is given its files; the last so many that ran a page."""
_made: OrderedDict[str, str] = OrderedDict()
"""For whom a file was made that a page makes only when it is asked for; the last so many of them."""
REMEMBERED = 10_000


class SignInEntrance:
    """What the guard asks where people sign in."""

    def __init__(self, settings: Settings, sign_in: SignIn) -> None:
        self._settings, self._sign_in = settings, sign_in
        self.hosts = frozenset({sign_in.host})
        self.encrypted = sign_in.address.startswith("https://")

    def person(self, cookies: Mapping[str, str], /) -> str | None:
        """Return who is signed in, or ``None``."""
        return _person(self._settings, self._sign_in, cookies, touch=False)

    def may_fetch(self, person: str, path: str, /) -> bool:
        """Whether a session of this person was offered the file, or is the one that uploads."""
        name = path.rsplit("/", 1)[-1].split(".", 1)[0]
        sessions = {part for part in path.split("/") if part in _sessions} | _offered_to(name)
        return _made.get(name) == person or any(_sessions.get(session) == person for session in sessions)

    def new_cookie(self, cookies: Mapping[str, str], /) -> str | None:  # noqa: ARG002
        """Give none: the provider says who somebody is."""
        return None


def person(*, touch: bool = False) -> str | None:
    """Return whom this browser's cookies prove, or ``None``; ``touch`` says that the person did something just now."""
    return asked(lambda: _asked_now(touch=touch), "person", touch)


def enter() -> None:
    """Let in whom the cookies prove; where people sign in, show everybody else the way in and nothing more."""
    sign_in = sign_in_of(store().settings)
    found = person(touch=True)
    if found is None and sign_in is not None:
        _way_in(sign_in)
    state().bind(found)
    context = get_script_run_ctx()
    if context is not None and found is not None:
        _remember(_sessions, context.session_id, found)


def still_in(*, touch: bool) -> bool:
    """Whether the person this page was drawn for is still the one at it."""
    return person(touch=touch) == state().person


def claimed() -> Claimed | None:
    """Return this browser's sign-in; ``None`` where nobody signs in, or nobody has."""
    sign_in = sign_in_of(store().settings)
    claims = None if sign_in is None else _claims(sign_in, st.context.cookies)
    return sign_in.claimed(claims) if sign_in is not None and claims is not None else None


def sign_out() -> NoReturn:
    """End the sign-in here and at the provider."""
    ended = claimed()
    if ended is not None:
        store().sign_out(ended)
    st.logout()
    st.stop()


def made_for(
    person: str | None, data: Callable[[], bytes | str], *, mime: str, file_name: str
) -> Callable[[], bytes | str]:
    """Return what makes a file for one person, in the language of the page that offers it.

    It is made in a thread without a session: Streamlit does not remember there for whom, and
    nothing that is kept for a session can be asked for.
    """
    spoken = current_language()

    def make() -> bytes | str:
        with language(spoken):
            made = data()
        if person is not None:
            content = made.encode() if isinstance(made, str) else made
            _remember(_made, _calculate_file_id(content, mime, file_name), person)
        return made

    return make


def _remember(whose: OrderedDict[str, str], what: str, person: str) -> None:
    whose[what] = person
    whose.move_to_end(what)
    while len(whose) > REMEMBERED:
        whose.popitem(last=False)


def _way_in(sign_in: SignIn) -> NoReturn:
    """Show the one page there is for somebody who is not signed in."""
    claims = _claims(sign_in, st.context.cookies)
    problem = None
    try:
        before = None if claims is None else sign_in.claimed(claims)
    except RefusedError as refused:
        before, problem = None, refused
    if problem is not None:
        error(problem)
        _note_refused(problem)
        if st.button(_("Sign in as somebody else"), key="entry.out", type="primary"):
            st.logout()
        st.stop()
    header(
        _("Sign in") if before is None else _("You were signed out"),
        _("medcore holds patients’ data. Sign in with your account of this house.")
        if before is None
        else _("Nothing was done for a while, or the day is over. What you kept in studies is there; sign in again."),
    )
    if st.button(_("Sign in"), key="entry.in", type="primary", icon=":material/login:"):
        st.login()
    st.stop()


def _note_refused(problem: RefusedError) -> None:
    if not st.session_state.get("entry.refused"):
        st.session_state["entry.refused"] = True
        store().refuse_entry(problem.who or "–")


def _asked_now(*, touch: bool) -> str | None:
    settings = store().settings
    sign_in = sign_in_of(settings)
    if sign_in is None:
        return owner_of(settings, st.context.cookies)
    return _person(settings, sign_in, st.context.cookies, touch=touch)


def _person(settings: Settings, sign_in: SignIn, cookies: Mapping[str, str], *, touch: bool) -> str | None:
    claims = _claims(sign_in, cookies)
    try:
        found = None if claims is None else sign_in.claimed(claims)
    except RefusedError:
        return None
    if found is None or not store().signed_in(found, settings.sign_out_minutes, touch=touch):
        return None
    return found.name


def _claims(sign_in: SignIn, cookies: Mapping[str, str]) -> dict[str, object] | None:
    """Read what the provider said, from the cookie that Streamlit signed for this very address."""

    def signed(name: str) -> bytes | None:
        return decode_signed_value(sign_in.cookie_secret, name, cookies.get(name, "").encode("latin-1", "ignore"))

    text = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    try:
        claims = dict(json.loads(text)) if text else {}
    except ValueError:
        return None
    return claims if claims.get("is_logged_in") is True and claims.get("origin") == sign_in.address else None


def _offered_to(file_id: str) -> set[str]:
    """Return the sessions whose pages offer a file."""
    if not exists():
        return set()
    offered = get_instance().media_file_mgr._files_by_session_and_coord
    return {session for session, files in list(offered.items()) if file_id in list(files.values())}
