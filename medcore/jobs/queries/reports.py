"""The report of a run, written on a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcore.i18n import language
from medcore.settings import Settings
from medcore.studies import Store


def write_report(
    settings: Settings,
    owner: str,
    run_id: str,
    *,
    threshold: float,
    kind: str,
    words: str,
    refits: Mapping[str, Any] | None = None,
) -> bytes:
    """Write a finished run's report as ``html``, ``pdf`` or ``docx``, in the language ``words``.

    ``refits`` is its stability told as JSON, if it was worked out.

    The patients are prepared and split as they were for the run, whatever was
    changed in the study since.

    Raises:
        NotFoundError: there is no such run, or it has no results yet.

    """
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.cohort import split_cohort
    from medcore.models.run.results import read_results
    from medcore.reporting import ReportInputs, render, study_report

    store = Store(settings)
    run, inputs = store.get_run(owner, run_id), store.run_inputs(owner, run_id)
    study = store.get_study(owner, run.study_id)
    folder = store.result_folder(owner, run_id)
    results = read_results(folder).named_as(study.schema)
    prepared, split = split_cohort(inputs.cohort, inputs.plan.recipe, inputs.plan.split)
    chosen = study.choice is not None and study.choice.run_id == run_id and study.choice.threshold == threshold
    with language(words):
        subject = ReportInputs(
            title=study.name,
            results=results,
            threshold=threshold,
            rationale=study.choice.rationale if study.choice and chosen else "",
            bundle_sha256=bundle_hash(folder),
            cohort=inputs.cohort,
            prepared=prepared,
            split=split,
            looks=study.n_looks,
            answers=study.answers,
            refits=refits,
        )
        return render(study_report(subject), f"report.{kind}")
