"""The page on a month, written on a worker and handed over."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.i18n import LANGUAGES, _, current_language
from medcore.jobs.queries.watching import write_month
from medcore.monitoring.watch import Watch
from medcore.ui.kit import cache
from medcore.ui.kit.formats import FORMATS
from medcore.ui.kit.shown import components
from medcore.ui.watch.version import MOST_SECONDS, Version


def report(found: Watch, version: Version, month: str) -> None:
    """Ask for format and language, write the page, hand it over."""
    st.markdown(
        _("One page on {month}: what changed, what to do, the figures with their limits, and the charts.", month=month)
    )
    kind = components.choice(_("Format"), list(FORMATS), key="watch.report.format", show=lambda k: _(FORMATS[k][0]))
    words = components.choice(
        _("Language"),
        list(LANGUAGES),
        key="watch.report.language",
        usual=current_language(),
        show=LANGUAGES.__getitem__,
    )
    settings = cache.store().settings
    written = components.waited(
        lambda task: jobs.call(
            write_month,
            found,
            settings,
            version.person,
            version.release.id,
            month=month,
            kind=kind,
            words=words,
            timeout=MOST_SECONDS,
            stop=task.stop,
        ),
        *("watch.report", version.release.id, version.use, found.plan, found.places, month, kind, words),
        key="watch.report",
        doing=_("The report is being written."),
    )
    if written is not None:
        components.download(
            _("Download the page on {month}", month=month),
            written,
            file_name=f"{version.release.model}-{version.release.version}-{month}.{kind}",
            mime=FORMATS[kind][1],
            key="watch.report.download",
        )
