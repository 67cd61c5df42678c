"""The part of a report about sites: the mean over them and what to expect at another, then each."""

from __future__ import annotations

import numpy as np

from medcore.data.describe.small_cells import shown_counts
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.evaluation.groups.sites import MEANING, MEASURES, POOLING
from medcore.i18n import _, running
from medcore.models.run.results import Results
from medcore.models.run.sites import site_comparison
from medcore.reporting.formats.document import Block, Bullets, Paragraph, Table


def sites(results: Results) -> list[Block]:
    """Print the figures over the sites of the training patients, out of fold; nothing without sites."""
    found = site_comparison(results)
    if found is None or not found.means:
        return []
    seen = (
        _("Each site was judged by models that had not seen it: this is leave-site-out validation.")
        if found.left_out
        else _("The models had seen other patients of the same site.")
    )
    lines = [str(mean.sentence(short(_(METRICS[mean.measure])))) for mean in found.means.values()]
    lines += [str(without) for mean in found.means.values() if (without := mean.without()) is not None]
    head = (_("Site"), _("Rows"), _("With the outcome"), *(short(_(METRICS[name])) for name in MEASURES))
    counts = [(site.n, site.n_events, site.n - site.n_events) for site in found.sites]
    training = results.training.outcome
    rest = found.n_unknown, int((training == 1).sum()) - sum(site.n_events for site in found.sites)
    sizes = shown_counts(np.array([*counts, *([(*rest, rest[0] - rest[1])] if rest[0] else [])], dtype=np.int64))
    rows = [
        (str(site.key), *size[:2], *(with_interval(site.figures[name], digits=2) for name in MEASURES))
        for site, size in zip(found.sites, sizes, strict=False)
    ]
    pooled = _(POOLING, pooled=with_interval(found.pooled, digits=2))
    unknown = _("{n} rows name no site.", n=found.n_unknown) if found.n_unknown else ""
    return [
        Paragraph(running((seen, _(MEANING)))),
        Bullets(tuple(lines)),
        Table.of(_("Each site, out of fold"), head, rows),
        Paragraph(running((pooled, unknown))),
    ]


def over_sites(results: Results) -> str:
    """Say the mean AUROC over sites in one sentence, where each was left out; else an empty text."""
    found = site_comparison(results)
    if found is None or not found.left_out or "auroc" not in found.means:
        return ""
    return str(found.means["auroc"].sentence("AUROC"))
