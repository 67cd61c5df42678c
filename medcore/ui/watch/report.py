"""The page on a month and the model card, written on a worker and handed over."""

from __future__ import annotations

from functools import partial

import streamlit as st

from medcore import jobs
from medcore.i18n import LANGUAGES, N_, _, current_language
from medcore.jobs.queries.watching import write_card, write_month
from medcore.monitoring.watch import Watch
from medcore.ui.kit import cache
from medcore.ui.kit.formats import FORMATS
from medcore.ui.kit.shown import components
from medcore.ui.watch.version import MOST_SECONDS, Version

DOCUMENTS = {"month": N_("The page on the month"), "card": N_("The model card as of today")}


def report(found: Watch, version: Version, month: str) -> None:
    """Ask for what is wanted, in which format and language, write it, hand it over."""
    wanted = components.choice(_("Document"), list(DOCUMENTS), key="watch.report.what", show=lambda w: _(DOCUMENTS[w]))
    texts = {
        "month": _(
            "One page on {month}: what changed, what to do, the figures with their limits, and the charts.", month=month
        ),
        "card": _("What the model is, on what terms it was released, and how it fares in use, as known today."),
    }
    st.markdown(texts[wanted])
    kind = components.choice(_("Format"), list(FORMATS), key="watch.report.format", show=lambda k: _(FORMATS[k][0]))
    words = components.choice(
        _("Language"),
        list(LANGUAGES),
        key="watch.report.language",
        usual=current_language(),
        show=LANGUAGES.__getitem__,
    )
    settings = cache.store().settings
    write = partial(write_month, month=month) if wanted == "month" else write_card
    written = components.waited(
        lambda task: jobs.call(
            write,
            found,
            settings,
            version.person,
            version.release.id,
            kind=kind,
            words=words,
            timeout=MOST_SECONDS,
            stop=task.stop,
        ),
        *("watch.report", wanted, version.release.id, version.as_of, found.plan, found.places, month, kind, words),
        key="watch.report",
        doing=_("The report is being written."),
    )
    if written is not None:
        components.download(
            _("Download the page on {month}", month=month) if wanted == "month" else _("Download the model card"),
            written,
            file_name=f"{version.release.model}-{version.release.version}-{month if wanted == 'month' else 'card'}.{kind}",
            mime=FORMATS[kind][1],
            key="watch.report.download",
        )
