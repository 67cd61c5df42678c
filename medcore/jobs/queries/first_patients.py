"""What a run's model says of the first patients of its list, worked out on a worker and kept sealed beside the run."""

from __future__ import annotations

from medcore.models.contract.giving_way import nobody_waits
from medcore.settings import Settings
from medcore.studies import Store


def keep_first_patients(settings: Settings, owner: str, run_id: str) -> None:
    """Answer the first patients of a finished run's list and keep that, giving way to whoever waits for an answer.

    What the present code has kept of this bundle is left as it is.

    Raises:
        NotFoundError: there is no such run (any more), or it has no results.

    """
    from medcore.explanation.model.first_patients import FirstPatients, first_patients
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.any_results import read_any_results

    store = Store(settings)
    folder, data = store.result_folder(owner, run_id), store.first_patients(owner, run_id)
    if data is not None:
        kept = FirstPatients.from_bytes(data)
        if kept.of(bundle_hash(folder), kept.horizon):
            return
    frame = store.run_inputs(owner, run_id).cohort.frame
    with nobody_waits():
        found = first_patients(folder, read_any_results(folder), frame)
    store.keep_first_patients(owner, run_id, found.to_bytes())
