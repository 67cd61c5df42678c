"""The released version that the Watch page is about, and what was found about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import streamlit as st

from medcore import jobs
from medcore.data.shown import Naming
from medcore.i18n import _
from medcore.jobs.queries.watching import MOST_GROUPS, NOT_USED, usual_groups, watch_release
from medcore.monitoring.watch import REFERENCE, Watch
from medcore.studies.use_records import Release
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state
from medcore.ui.patients import in_use
from medcore.ui.patients.in_use import InUse

MOST_SECONDS = 300.0
LATELY = timedelta(minutes=10)
"""How long a watch is shown again before the predictions since then are looked at too."""


@dataclass(frozen=True, slots=True)
class Version:
    """A released version, and the moment as of which it is watched."""

    in_use: InUse
    as_of: datetime

    @property
    def release(self) -> Release:
        """What was released."""
        return self.in_use.release

    @property
    def person(self) -> str:
        """Who looks at it."""
        return self.in_use.person

    @property
    def naming(self) -> Naming:
        """How its columns are shown."""
        return self.in_use.shown


def choose(person: str) -> Version | None:
    """Ask for a version that a person may see; None, with the way there, where none is released or was used."""
    newest = in_use.choose(person)
    if newest is None:
        return None
    releases = {r.version: r for r in cache.store().releases(person, model=newest.model)}

    def named(version: int) -> str:
        return f"{version} · {_(in_use.STATES[releases[version].state][0])}"

    chosen = newest.release.version
    if len(releases) > 1:
        key = f"watch.version.{newest.model}"
        links.take_up("version", key, list(releases), usual=chosen)
        picked = st.selectbox(
            _("Version"), list(releases), index=list(releases).index(chosen), format_func=named, key=key
        )
        links.keep("version", "" if picked == chosen else str(picked), picked)
        chosen = picked
    release = releases[chosen]
    if not cache.store().was_used(person, release.id):
        components.note(_(NOT_USED))
        components.link("patients", _("Bring patients in"), icon=":material/arrow_forward:")
        return None
    return Version(in_use.opened(person, release), _as_of(release.id))


def _as_of(release_id: str) -> datetime:
    """Return the moment as of which a version is watched in this session: that of the first look, or of one not long ago."""
    moments, now = state().watched, datetime.now(UTC)
    if release_id not in moments or now - moments[release_id] > LATELY:
        moments[release_id] = now
    return moments[release_id]


def look_again(version: Version) -> None:
    """Say as of when it is watched, and offer to watch again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        components.caption(_("As of {moment}, universal time.", moment=in_use.moment(version.as_of)))
        st.button(
            _("Look again"),
            key="watch.again",
            icon=":material/refresh:",
            on_click=lambda: state().watched.clear(),
        )


def found(version: Version) -> Watch | None:
    """Ask by which columns patients are watched apart, and watch; None as long as a worker is at it."""
    left, right = st.columns([3, 1])
    with left:
        groups = _groups(version)
    with right:
        months = st.number_input(
            _("Months of reference"),
            min_value=1,
            max_value=24,
            value=REFERENCE,
            key="watch.reference",
            persist_state="session",
        )
    settings = cache.store().settings
    return components.waited(
        lambda task: jobs.call(
            watch_release,
            settings,
            version.person,
            version.release.id,
            groups=groups,
            reference=int(months),
            timeout=MOST_SECONDS,
            stop=task.stop,
        ),
        *("watch", version.release.id, version.as_of, tuple(groups), int(months)),
        key="watch.found",
        doing=_("The predictions are watched."),
    )


def _groups(version: Version) -> list[str]:
    """Ask for the columns by which patients are watched apart; those marked as sensitive at first."""
    schema = version.in_use.schema
    columns = [c for c in schema.columns if (c.role in ("predictor", "site") or c.sensitive) and not c.free_text]
    return st.multiselect(
        _("Watch groups apart, by"),
        [c.name for c in columns],
        default=usual_groups(schema),
        max_selections=MOST_GROUPS,
        format_func=lambda name: components.one_line(version.naming(name).words),
        key=f"watch.groups.{version.release.id}",
        placeholder=_("Choose a column"),
        persist_state="session",
    )
