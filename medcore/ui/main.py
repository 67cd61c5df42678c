"""The frame around every page: navigation, language, the study at hand, the caveat.

``app.py`` points Streamlit at this file. It runs before each page, in the
session's language, and is the only place that draws the sidebar.
"""

from __future__ import annotations

import json

import streamlit as st

from medcore import jobs
from medcore.i18n import LANGUAGES, N_, _
from medcore.settings import ASSETS
from medcore.studies.people.roles import ROLE_WORDS, Role
from medcore.studies.people.sign_in import sign_in_of
from medcore.ui.kit import guards, links, navigation
from medcore.ui.kit.cache import role as role_of
from medcore.ui.kit.cache import store
from medcore.ui.kit.frame import entry
from medcore.ui.kit.frame.turns import turn
from medcore.ui.kit.notices import error, errors_shown
from medcore.ui.kit.shown.fragments import fragment
from medcore.ui.kit.state import from_address, speak, state, to_address, write_again
from medcore.ui.kit.text import markup
from medcore.ui.kit.words import duration
from medcore.ui.studies import tour

WATCH_SECONDS = 15.0
DRAWN = '<span class="mc-drawn"></span>'
"""The last thing of a page: the stylesheet shows the page when this is there, and not piece by piece."""
CAVEAT = N_("For research use; not a medical device.")


@turn()
def main() -> None:
    """Draw the frame and run the page the person asked for."""
    st.set_page_config(
        page_title="medcore",
        page_icon=str(ASSETS / "logo.svg"),
        layout="wide",
        menu_items={"About": "medcore"},
    )
    from_address()
    _language()
    speak()
    _uploader_words()
    st.logo(str(ASSETS / "wordmark.svg"), size="large", icon_image=str(ASSETS / "logo.svg"))
    try:
        _page()
    finally:  # also where a guard ends the page
        st.sidebar.html(DRAWN)


def _page() -> None:
    """Let a person enter, and draw the frame and the page."""
    entry.enter()
    role = role_of(state().person or "")
    page = st.navigation(navigation.pages(administrator=role == "administrator"))
    with st.sidebar:
        with errors_shown():
            _study()
        _language_switch()
        if jobs.worker_ready(store().settings):
            _worker()
        else:
            fragment(_worker, every=2.0)()
        _signed_in(role)
        st.html(f'<p class="mc-caveat">{markup(_(CAVEAT))}</p>')
    to_address()
    tour.banner(page.url_path or "studies")
    links.begin(page.url_path or "studies")
    problem, state().problem, state().about = state().problem, None, None
    if problem is not None:
        error(problem)
    with errors_shown():
        page.run()
    links.finish()


def _language() -> None:
    """Take up a language chosen in the switch before anything is drawn in the old one."""
    chosen = st.session_state.get("frame.language")
    if isinstance(chosen, str) and chosen in LANGUAGES and chosen != state().language:
        state().language = chosen
        write_again()


def _language_switch() -> None:
    languages = list(LANGUAGES)
    st.session_state["frame.language"] = state().language
    st.segmented_control(
        "Language · 语言",
        languages,
        required=True,
        format_func=lambda code: LANGUAGES[code],
        key="frame.language",
        label_visibility="collapsed",
    )


def _uploader_words() -> None:
    """Put Streamlit's own English words in its uploader into the session's language."""
    words = {
        "button p": _("Choose a file"),
        "[data-testid=stFileUploaderDropzoneInstructions] span": _(
            "or drop it here; up to {n} MB", n=st.get_option("server.maxUploadSize")
        ),
    }
    rules = "".join(
        f"[data-testid=stFileUploaderDropzone] {place} {{font-size: 0}}"
        f"[data-testid=stFileUploaderDropzone] {place}::after {{content: {json.dumps(text, ensure_ascii=False)}; font-size: 0.9rem}}"
        for place, text in words.items()
    )
    st.html(f"<style>{rules}</style>")


def _signed_in(role: Role) -> None:
    """Say who is signed in and as what, offer the way out, and clear the page when the sign-in is over."""
    if sign_in_of(store().settings) is None:
        return
    who, what = markup(state().person or ""), markup(_(ROLE_WORDS[role]))
    st.html(f'<p class="mc-sidebar-study"><span>{what}</span>{who}</p>')
    if st.button(_("Sign out"), key="frame.sign_out", icon=":material/logout:"):
        entry.sign_out()
    fragment(_watch, every=WATCH_SECONDS)()


def _watch() -> None:
    """Do nothing: a fragment looks by itself whether its person is still signed in."""


def _study() -> None:
    study = guards.current_study()
    if study is None:
        nothing = markup(_("No study is open."))
        st.html(f'<p class="mc-sidebar-study mc-muted">{nothing}</p>')
        return
    label = markup(_("Study"))
    st.html(f'<p class="mc-sidebar-study"><span>{label}</span>{markup(study.name, limit=60)}</p>')


def _worker() -> None:
    status = jobs.worker_status(store().settings)
    ready = status.state == "ready"
    text = _("Ready to compute") if ready else str(status.problem or _getting_ready(status.left))
    look = "mc-ready" if ready else "mc-waking"
    st.html(f'<p class="mc-worker {look}" role="status"><span></span>{markup(text)}</p>')


def _getting_ready(left: float | None) -> str:
    if left is None:
        return _("Getting ready to compute …")
    return _("Getting ready to compute; time left: {left}", left=duration(left))


if __name__ == "__main__":
    main()
