"""A version in use, watched on a worker: months, alarms and charts, and the page on a month."""

from __future__ import annotations

from collections.abc import Sequence

from medcore.i18n import _, language
from medcore.monitoring.watch import Watch, WatchPlan, watch
from medcore.settings import Settings
from medcore.studies import Store

MOST = 50_000
"""Predictions that are watched at once, the latest: more than a year of most models."""


def watch_release(
    settings: Settings, person: str, release_id: str, *, groups: Sequence[str] = (), reference: int | None = None
) -> Watch:
    """Watch a released version over what it predicted, its latest :data:`MOST` predictions.

    Raises:
        NotFoundError: there is no such version, or it is not open to this person.
        SettingsError: it cannot be watched (yet); it says why.

    """
    from medcore.models.bundle.bundle import load_bundle
    from medcore.monitoring.kept import watched_kept

    store = Store(settings)
    release = store.get_release(person, release_id)
    bundle = load_bundle(store.release_folder(person, release_id))
    found = store.in_time(person, release_id, most=MOST)
    watched = watched_kept(
        bundle,
        found.values,
        at=found.at,
        risk=found.risk,
        outcome=found.outcome,
        known=found.outcome_at,
        groups=groups,
        version=f"{release.model} {release.version}",
    )
    threshold = bundle.threshold if release.terms.threshold is None else release.terms.threshold
    return watch(
        watched,
        WatchPlan(threshold=threshold) if reference is None else WatchPlan(threshold=threshold, reference=reference),
    )


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
    """Write the model card of a released version as it is today, in the language ``words``.

    Raises:
        SettingsError: the model is not of classes.

    """
    from datetime import UTC, datetime

    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.results import read_results
    from medcore.reporting import ReportInputs, render
    from medcore.reporting.model_card import card_today

    store = Store(settings)
    release = store.get_release(person, release_id)
    folder, terms = store.release_folder(person, release_id), release.terms
    study = store.get_study(person, release.study_id)
    with language(words):
        inputs = ReportInputs(
            title=study.name,
            results=read_results(folder),
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
