"""The stability of a finished run's model, worked out on a worker from the rows the run was started from."""

from __future__ import annotations

from medcore.models.run.stability import Refit, Stability
from medcore.settings import Settings
from medcore.studies import Store


def refits_of(settings: Settings, owner: str, run_id: str, first: int, n: int) -> tuple[Refit, ...]:
    """Repeat a run's modelling on ``n`` bootstrap samples from number ``first`` on; meant for ``jobs.call``.

    Raises:
        NotFoundError: no such run, or it is somebody else's.

    """
    from medcore.models.run.cohort import split_cohort
    from medcore.models.run.stability import refits

    inputs = Store(settings).run_inputs(owner, run_id)
    prepared, split = split_cohort(inputs.cohort, inputs.plan.recipe, inputs.plan.split)
    return refits(prepared, split, inputs.settings, first=first, n=n)


def stability_of(settings: Settings, owner: str, run_id: str, found: tuple[Refit, ...]) -> dict[int, Stability]:
    """Compare a run's model with its refits, by question; meant for ``jobs.call``."""
    from medcore.models.bundle.bundle import load_bundle
    from medcore.models.run.cohort import split_cohort
    from medcore.models.run.stability import stability

    store = Store(settings)
    inputs = store.run_inputs(owner, run_id)
    prepared, split = split_cohort(inputs.cohort, inputs.plan.recipe, inputs.plan.split)
    bundle = load_bundle(store.result_folder(owner, run_id))
    return stability(prepared, split, inputs.settings, bundle, found)
