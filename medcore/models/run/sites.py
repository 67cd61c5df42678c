"""A run judged at each of its sites."""

from __future__ import annotations

from medcore.data.cohort import Schema
from medcore.evaluation.groups.sites import SiteComparison, compare_sites
from medcore.models.run.results import Patients, Results


def site_column(results: Results) -> str | None:
    """Return the column that names the site, if the run had one."""
    column = Schema.from_dict(results.manifest["schema"]).only("site")
    return None if column is None or column.name not in results.training.sensitive else column.name


def site_comparison(results: Results, patients: Patients | None = None) -> SiteComparison | None:
    """Judge the run's model at each site of its training patients (out of fold), or of other ``patients``.

    None without a column for the site, or without one event to be judged by.
    """
    column, event = site_column(results), results.target.event
    judged = results.training if patients is None else patients
    if column is None or event is None or column not in judged.sensitive:
        return None
    return compare_sites(
        (judged.outcome == event).astype(float),
        judged.risk[:, event],
        judged.sensitive[column],
        groups=judged.groups,
        left_out=results.manifest["split"]["kind"] == "site",
    )
