"""How good the model is at each site, the mean over sites first."""

from __future__ import annotations

import streamlit as st

from medcore.evaluation.figures.words import METRICS, short
from medcore.evaluation.groups.sites import MEANING, POOLING, SiteComparison
from medcore.i18n import _
from medcore.models.run.results import Results
from medcore.models.run.sites import site_comparison
from medcore.ui.evaluate.judging import Judged
from medcore.ui.kit import cache
from medcore.ui.kit.layout import note, section
from medcore.ui.kit.shown.tables import table, with_interval
from medcore.ui.kit.text import plain


def sites(judged: Judged, results: Results) -> None:
    """Show the mean over sites with what is expected at another, then each site; nothing without sites."""
    found = cache.once(
        lambda: site_comparison(results, judged.patients), "evaluate", "sites", judged.run_id, judged.side
    )
    if found is None:
        return
    section(_("How good is it at each site?"), _(MEANING))
    _seen(found, judged.side)
    if not found.means:
        note(_("Fewer than two sites are large enough to compare."))
    for mean in found.means.values():
        st.markdown("- " + str(mean.sentence(short(_(METRICS[mean.measure])))))
        if (without := mean.without()) is not None:
            st.caption(str(without))
    st.caption(_(POOLING, pooled=with_interval(found.pooled, digits=2)))
    table(
        [
            {
                _("Site"): plain(str(site.key)),
                _("Rows"): str(site.n),
                _("With the outcome"): str(site.n_events),
            }
            | {short(_(METRICS[name])): with_interval(figure, digits=2) for name, figure in site.figures.items()}
            for site in found.sites
        ]
    )
    if found.n_unknown:
        note(_("{n} rows name no site.", n=found.n_unknown))


def _seen(found: SiteComparison, side: str) -> None:
    """Say whether the models had seen the site at which they are judged."""
    if found.left_out:
        note(_("Each site was judged by models that had not seen it: this is leave-site-out validation."))
    elif side == "training":
        note(
            _(
                "The models had seen other patients of the same site. To leave each site out, choose the split by site "
                "on the Data page and train again."
            ),
            look="warning",
        )
