"""A run judged at each of its sites."""

from __future__ import annotations

from medcore.data.cohort import Schema
from medcore.evaluation.groups.sites import SiteComparison, compare_sites
from medcore.models.run.results import Patients, Results


def site_comparison(
    results: Results, patients: Patients | None = None, *, schema: Schema | None = None
) -> SiteComparison | None:
    """Judge the run's model at each site of its training patients (out of fold), or of other ``patients``.

    ``schema`` is needed before the run is saved; afterwards the manifest has it. None
    without a column for the site, or without one event to be judged by.
    """
    column = (schema or Schema.from_dict(results.manifest["schema"])).only("site")
    event, judged = results.target.event, results.training if patients is None else patients
    if column is None or event is None or column.name not in judged.sensitive:
        return None
    out_of_fold = judged.risk is results.training.risk
    return compare_sites(
        (judged.outcome == event).astype(float),
        judged.risk[:, event],
        judged.sensitive[column.name],
        groups=judged.groups,
        left_out=results.manifest["split"]["kind"] == "site",
        pooled=results.cross_validated.metrics["auroc"] if out_of_fold else None,
    )
