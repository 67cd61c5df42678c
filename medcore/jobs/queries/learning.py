"""The learning curve of a finished run, computed on a worker from the rows the run was started from."""

from __future__ import annotations

from medcore.models.run.learning import LearningCurve
from medcore.settings import Settings
from medcore.studies import Store


def learning_curve_of(settings: Settings, owner: str, run_id: str) -> LearningCurve:
    """Compute a run's learning curve; meant for ``jobs.call``.

    Raises:
        NotFoundError: no such run, or it is somebody else's.

    """
    from medcore.models.run.cohort import split_cohort
    from medcore.models.run.learning import affordable_models, learning_curve
    from medcore.models.run.results import read_results

    store = Store(settings)
    inputs = store.run_inputs(owner, run_id)
    prepared, split = split_cohort(inputs.cohort, inputs.plan.recipe, inputs.plan.split)
    models = affordable_models(read_results(store.result_folder(owner, run_id)))
    return learning_curve(prepared, split, inputs.settings, models=models)
