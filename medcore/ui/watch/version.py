"""The released version that the Watch page is about, and what was found about it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from medcore import jobs
from medcore.data.shown import Naming
from medcore.i18n import _
from medcore.jobs.queries.watching import MOST, watch_release
from medcore.monitoring.watch import REFERENCE, Watch
from medcore.studies.stores.watch_store import UseState
from medcore.studies.use_records import Release
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.patients import in_use
from medcore.ui.patients.in_use import InUse

MOST_SECONDS = 300.0
MOST_GROUPS = 3


@dataclass(frozen=True, slots=True)
class Version:
    """A released version, and how much it was used."""

    in_use: InUse
    use: UseState

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
    use = cache.store().use_state(person, release.id)
    if not use.n:
        components.note(_("This version has predicted for nobody yet, so there is nothing to watch."))
        components.link("patients", _("Bring patients in"), icon=":material/arrow_forward:")
        return None
    return Version(in_use.opened(person, release), use)


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
    if version.use.n > MOST:
        components.note(
            _("Watched are the latest {most} of {n} predictions.", most=f"{MOST:,}", n=f"{version.use.n:,}")
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
        *("watch", version.release.id, version.use, tuple(groups), int(months)),
        key="watch.found",
        doing=_("The predictions are watched."),
    )


def _groups(version: Version) -> list[str]:
    """Ask for the columns by which patients are watched apart; those marked as sensitive at first."""
    schema = version.in_use.schema
    columns = [c for c in schema.columns if (c.role in ("predictor", "site") or c.sensitive) and not c.free_text]
    usual = [c.name for c in columns if c.sensitive or c.role == "site"][:MOST_GROUPS]
    return st.multiselect(
        _("Watch groups apart, by"),
        [c.name for c in columns],
        default=usual,
        max_selections=MOST_GROUPS,
        format_func=lambda name: components.one_line(version.naming(name).words),
        key=f"watch.groups.{version.release.id}",
        placeholder=_("Choose a column"),
        persist_state="session",
    )
