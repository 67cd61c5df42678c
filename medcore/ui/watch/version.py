"""The released version that the Watch page is about, and what was found about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from medcore import jobs
from medcore.data.cohort import Schema
from medcore.data.shown import Naming
from medcore.i18n import N_, _
from medcore.jobs.queries.watching import MOST, watch_release
from medcore.models.bundle.bundle import read_manifest
from medcore.monitoring.watch import REFERENCE, Watch
from medcore.studies.stores.watch_store import UseState
from medcore.studies.use_records import Release
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components

MOST_SECONDS = 300.0
STATES = {
    "in use": N_("in use"),
    "succeeded": N_("succeeded by a later version"),
    "expired": N_("its validity is over"),
    "withdrawn": N_("withdrawn"),
}
MOST_GROUPS = 3


@dataclass(frozen=True, slots=True)
class Version:
    """A released version, the schema of its model, and how much it was used."""

    person: str = field(repr=False)
    release: Release
    schema: Schema = field(repr=False)
    use: UseState

    @property
    def naming(self) -> Naming:
        """How its columns are shown."""
        return self.schema.shown

    @property
    def name(self) -> str:
        """How it is called, with its version."""
        return f"{self.release.model} {self.release.version}"


def choose(person: str) -> Version | None:
    """Ask for a version that a person may see; None, with the way there, where none is released or was used."""
    releases = {r.id: r for r in cache.store().releases(person)}
    if not releases:
        components.empty(
            _("No model is released"),
            _("A model is watched once it is in use: a person releases it, and patients are predicted by it."),
            page="evaluate",
            label=_("Evaluate a model"),
        )
        return None

    def named(release_id: str) -> str:
        release = releases[release_id]
        return components.one_line(f"{release.model} {release.version} · {_(STATES[release.state])}")

    chosen = st.selectbox(_("Version"), list(releases), format_func=named, key="watch.release", persist_state="session")
    release = releases[chosen]
    folder = cache.store().release_folder(person, release.id)
    manifest = cache.once(lambda: read_manifest(folder), "watch.manifest", release.id)
    use = cache.store().use_state(person, release.id)
    if not use.n:
        components.note(_("This version has predicted for nobody yet, so there is nothing to watch."))
        return None
    return Version(person, release, Schema.from_dict(manifest["schema"]), use)


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
    columns = [c for c in version.schema.columns if c.role in ("predictor", "site") and not c.free_text]
    usual = [c.name for c in columns if c.sensitive or c.role == "site"][:MOST_GROUPS]
    return st.multiselect(
        _("Watch groups apart, by"),
        [c.name for c in columns],
        default=usual,
        max_selections=MOST_GROUPS,
        format_func=lambda name: components.one_line(version.naming(name).words),
        key=f"watch.groups.{version.release.id}",
        persist_state="session",
    )
