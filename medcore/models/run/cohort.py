"""From a cohort to a trained model: prepare, split, train, keep. Every way in goes through here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import Recipe, default_recipe
from medcore.data.preparation.replay import Prepared, prepare
from medcore.data.splitting.split import Split, SplitSettings, make_split
from medcore.models.contract.progress import Follower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.workers import Workers
from medcore.models.run.results import save_trained
from medcore.models.run.timed import TimedTrained, train_timed
from medcore.models.run.timed_results import save_timed
from medcore.models.run.training import Trained, train
from medcore.sealing import Folder

T = TypeVar("T", Trained, TimedTrained)


def split_cohort(
    cohort: Cohort, recipe: Recipe | None = None, split: SplitSettings | None = None
) -> tuple[Prepared, Split]:
    """Prepare a cohort by its recipe, or the usual one, and decide who is trained on and who is locked away.

    Raises:
        InputError: the cohort cannot be prepared or split so, in one sentence.

    """
    prepared = prepare(cohort, recipe or default_recipe(cohort.schema))
    return prepared, make_split(prepared, split or SplitSettings())


def train_cohort(
    cohort: Cohort,
    settings: TrainSettings | None = None,
    *,
    recipe: Recipe | None = None,
    split: SplitSettings | None = None,
    folder: Folder | None = None,
    follower: Follower | None = None,
    workers: Workers | None = None,
) -> Trained:
    """Prepare, split and train; keep bundle and results in ``folder`` where one is given.

    The worker, the command line, a notebook and the benchmarks all train by this
    function: the same cohort, recipe, split and settings give the same numbers.
    What to know about split and model is in ``findings`` of what is returned; what
    is wrong with the cohort itself is found by :func:`medcore.inspect`.

    Raises:
        InputError: what cannot be prepared, split or trained, in one sentence.
        CancelledError: the follower asked to stop.

    """
    trained = _trained(partial(train, workers=workers), cohort, settings, recipe, split, follower)
    if folder is not None:
        save_trained(trained, folder)
    return trained


def train_timed_cohort(
    cohort: Cohort,
    settings: TrainSettings | None = None,
    *,
    recipe: Recipe | None = None,
    split: SplitSettings | None = None,
    folder: Folder | None = None,
    follower: Follower | None = None,
) -> TimedTrained:
    """Do what :func:`train_cohort` does for an outcome that comes with its time (``schema.follow_up``).

    Raises:
        InputError: what cannot be prepared, split or trained, in one sentence.
        CancelledError: the follower asked to stop.

    """
    trained = _trained(train_timed, cohort, settings, recipe, split, follower)
    if folder is not None:
        save_timed(trained, folder)
    return trained


def _trained(
    by: Callable[..., T],
    cohort: Cohort,
    settings: TrainSettings | None,
    recipe: Recipe | None,
    split: SplitSettings | None,
    follower: Follower | None,
) -> T:
    """Prepare, split and train; the manifest notes what it lacks to do the same again: how the file was read, and the split."""
    recipe = recipe or default_recipe(cohort.schema)
    prepared, parts = split_cohort(cohort, recipe, split)
    trained = by(
        prepared,
        parts,
        settings or TrainSettings(),
        schema=cohort.schema,
        recipe=recipe,
        cohort_sha256=cohort.sha256,
        follower=follower,
    )
    plan = {"reading": cohort.source.choices(), "split": (split or SplitSettings()).to_dict()}
    return replace(trained, bundle=replace(trained.bundle, manifest={**trained.bundle.manifest, "plan": plan}))
