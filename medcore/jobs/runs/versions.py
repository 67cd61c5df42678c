"""A recalibrated version of a finished run, kept as a run of its own."""

from __future__ import annotations

from medcore.models.deployed.versions import AnyRecalibration, AnyValidation, save_version
from medcore.settings import Settings
from medcore.studies import Store


def keep_version(
    settings: Settings,
    owner: str,
    run_id: str,
    recalibration: AnyRecalibration,
    validation: AnyValidation,
) -> str:
    """Keep a recalibrated version of a run and return the new run's id; the old run stays as it is.

    Nothing of the new patients is kept but counts, figures and the few numbers
    of the recalibration.

    Raises:
        NotFoundError: there is no such run, or it has no results yet.

    """
    store = Store(settings)
    run = store.get_run(owner, run_id)
    with store.scratch_folder() as folder:
        results = save_version(
            store.result_folder(owner, run_id), folder, recalibration, validation, run=run_id, run_number=run.number
        )
        summary = dict(run.summary) if results is None else results.summary()
        made = store.add_version(
            owner,
            run_id,
            folder,
            summary=summary,
            link={
                "strength": recalibration.strength,
                "n_patients": validation.n_patients,
                "data_sha256": validation.data_sha256,
            },
        )
    return made.id
