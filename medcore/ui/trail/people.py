"""Who signed in, and as what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from medcore.i18n import _
from medcore.studies.people.roles import ROLE_WORDS
from medcore.ui.kit.cache import store
from medcore.ui.kit.shown import components


def table(person: str) -> None:
    """List everybody who ever signed in, where people sign in."""
    known = store().people(person)
    if not known:
        return
    components.section(_("People"), _("Roles come from the provider, with each sign-in."))
    rows = [
        {
            _("Person"): one.name,
            _("Role"): _(ROLE_WORDS[one.role]),
            _("Last sign-in"): f"{one.signed_in_at:%Y-%m-%d %H:%M} UTC",
        }
        for one in known
    ]
    st.dataframe(rows, hide_index=True, key="trail.people", width="stretch")
    components.downloads(pd.DataFrame(rows), name="people", key="trail.people")
