"""A version in use, watched on a worker: months, alarms and charts, and the page on a month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from medcore.data.cohort import Schema
from medcore.errors import MedcoreError, SettingsError
from medcore.i18n import N_, _, language
from medcore.monitoring.alarms import ACTIONS
from medcore.monitoring.watch import REFERENCE, Watch, WatchPlan, watch
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.use_records import Release

MOST = 50_000
"""Predictions whose values are looked at, an even sample of each month where there are more."""
MOST_GROUPS = 3
NOT_USED = N_("This version has predicted for nobody yet, so there is nothing to watch.")


def usual_groups(schema: Schema) -> list[str]:
    """Return the columns by which patients are watched apart unless somebody chooses others: the site, and those marked as sensitive."""
    columns = (c for c in schema.columns if (c.role == "site" or c.sensitive) and not c.free_text)
    return [c.name for c in columns][:MOST_GROUPS]


def watch_release(
    settings: Settings,
    person: str,
    release_id: str,
    *,
    groups: Sequence[str] | None = None,
    reference: int = REFERENCE,
) -> Watch:
    """Watch a released version over what it predicted; ``groups`` are the usual ones unless named.

    What the usual watch found is kept as counts, for the list of studies and for whoever runs the installation.

    Raises:
        NotFoundError: there is no such version, or it is not open to this person.
        SettingsError: it cannot be watched (yet); it says why.

    """
    from medcore.models.bundle.bundle import load_bundle
    from medcore.monitoring.kept import watched_kept

    store = Store(settings)
    release = store.get_release(person, release_id)
    if not store.was_used(person, release_id):
        raise SettingsError(NOT_USED)
    bundle = load_bundle(store.release_folder(person, release_id))
    usual = usual_groups(bundle.schema)
    read = store.in_time(person, release_id, most=MOST)
    watched = watched_kept(
        bundle,
        read.values,
        at=read.at,
        risk=read.risks,
        outcome=read.outcome,
        known=read.known_at,
        dated=read.dated,
        patients=read.patients,
        groups=usual if groups is None else groups,
        version=f"{release.model} {release.version}",
        n_of_month=read.n_of_month,
    )
    threshold = bundle.threshold if release.terms.threshold is None else release.terms.threshold
    found = watch(watched, WatchPlan(threshold=threshold, reference=reference))
    if reference == REFERENCE and groups in (None, usual):
        asked = Counter(change.asks for change in found.standing())
        store.keep_found(release_id, found.months[-1].name, {name: asked[name] for name in ACTIONS})
    return found


@dataclass(frozen=True, slots=True)
class ReleaseWatched:
    """What watching the version of a model in use found; or the ``problem`` why it cannot be watched yet."""

    release: Release
    found: Watch | None = field(repr=False)
    problem: str = ""


def watch_all(settings: Settings) -> Iterator[ReleaseWatched]:
    """Watch every model in use, one after the other, as its owner may; what cannot be watched does not keep others from it."""
    store = Store(settings)
    for owner, model in store.models_released():
        release = next((r for r in store.releases(owner, model=model) if r.withdrawn_at is None), None)
        if release is None:  # its study is in the bin
            continue
        try:
            yield ReleaseWatched(release, watch_release(settings, owner, release.id))
        except MedcoreError as problem:
            yield ReleaseWatched(release, None, str(problem))


def write_month(
    found: Watch, settings: Settings, person: str, release_id: str, *, month: str, kind: str, words: str
) -> bytes:
    """Write the page on a month of a released version as ``pdf``, ``html`` or ``docx``, in the language ``words``."""
    from medcore.reporting.watching import report_of, write_month_report

    folder = Store(settings).release_folder(person, release_id)
    with language(words):
        return write_month_report(report_of(found, month, folder), f"month.{kind}")


def write_card(
    found: Watch | None, settings: Settings, person: str, release_id: str, *, kind: str, words: str
) -> bytes:
    """Write the model card of a released version as it is today, in the language ``words``."""
    from datetime import UTC, datetime

    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.any_results import read_any_results
    from medcore.reporting import render
    from medcore.reporting.model_card import card_today, inputs_of

    store = Store(settings)
    release = store.get_release(person, release_id)
    folder, terms = store.release_folder(person, release_id), release.terms
    study = store.get_study(person, release.study_id)
    with language(words):
        inputs = inputs_of(
            read_any_results(folder),
            title=study.name,
            threshold=0.5 if terms.threshold is None else terms.threshold,
            bundle_sha256=bundle_hash(folder),
            looks=study.n_looks,
            answers={**study.answers, "intended_use": terms.intended_use},
        )
        told = [
            (_("Version"), f"{release.model} {release.version}"),
            (_("For whom"), terms.for_whom),
            (_("Released"), f"{release.released_at:%Y-%m-%d}"),
            (_("Valid until"), terms.valid_until.isoformat() if terms.valid_until else _("not limited")),
        ]
        document = card_today(inputs, terms=told, found=found, made=f"{datetime.now(UTC):%Y-%m-%d}")
        return render(document, f"card.{kind}")
