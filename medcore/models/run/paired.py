"""How much better than the simple model is each candidate, on the same patients."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.evaluation import Estimate
from medcore.evaluation.comparison.paired import auroc_difference
from medcore.models.contract.candidate import LOGISTIC
from medcore.models.run.results import CandidateResult, Results

CHOSEN = ""


def auroc_gains(results: Results, *, against: str = LOGISTIC) -> Mapping[str, Estimate]:
    """Return each candidate's out-of-fold AUROC less that of ``against``, with DeLong's paired interval.

    The run's own model goes by ``CHOSEN``; a candidate that tells nobody apart is left out. Empty for more than two classes, for
    which DeLong's method is not made, or when ``against`` was not trained.
    """
    simple = results.candidate(against)
    if simple is None or results.target.event is None:
        return {}
    patients = results.training
    event = (patients.outcome == 1).astype(float)
    risks = {CHOSEN: patients.risk} | {c.name: c.oof for c in results.candidates if c.name != against and _ranks(c)}
    return {
        name: auroc_difference(event, risk[:, 1], simple.oof[:, 1], groups=patients.groups)
        for name, risk in risks.items()
    }


def _ranks(candidate: CandidateResult) -> bool:
    """Whether a candidate tells patients apart at all; one that does not has no AUROC to compare."""
    return candidate.cross_validated.metrics["auroc"].exists
