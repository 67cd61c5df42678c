"""From a cohort to a trained model: prepare, split, train, keep. Every way in goes through here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from medcore.data.cohort import Cohort, Schema
from medcore.data.preparation.recipe import Recipe, default_recipe
from medcore.data.preparation.replay import Prepared, prepare
from medcore.data.splitting.split import Split, SplitSettings, make_split
from medcore.models.contract.checks import check_installed
from medcore.models.contract.progress import Follower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.workers import Workers
from medcore.models.run.number.results import save_number
from medcore.models.run.number.training import train_number
from medcore.models.run.results import save_trained
from medcore.models.run.sides import TrainedRun
from medcore.models.run.timed.results import save_timed
from medcore.models.run.timed.training import train_timed
from medcore.models.run.training import train
from medcore.sealing import Folder


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
) -> TrainedRun[Any]:
    """Prepare, split and train; keep bundle and results in ``folder`` where one is given.

    The worker, the command line, a notebook and the benchmarks all train by this
    function: the same cohort, recipe, split and settings give the same numbers.
    What is predicted is what the cohort's schema says, and the results are of that: classes
    (:class:`~medcore.models.run.training.Trained`), by when an event comes (``schema.follow_up``,
    :class:`~medcore.models.run.timed.results.TimedResults`) or a number (``schema.number``,
    :class:`~medcore.models.run.number.results.NumberResults`). ``workers`` make the trials of a search.
    What to know about split and model is in ``findings`` of what is returned; what
    is wrong with the cohort itself is found by :func:`medcore.inspect`.

    Raises:
        InputError: what cannot be prepared, split or trained, in one sentence.
        CancelledError: the follower asked to stop.

    """
    settings = settings or TrainSettings()
    check_installed(settings.model)
    recipe = recipe or default_recipe(cohort.schema)
    prepared, parts = split_cohort(cohort, recipe, split)
    train_this, _save = _by_what_is_predicted(cohort.schema, workers)
    trained = train_this(
        prepared,
        parts,
        settings,
        schema=cohort.schema,
        recipe=recipe,
        cohort_sha256=cohort.sha256,
        follower=follower,
    )
    # What the manifest lacks to do the same again: how the file was read, and the split.
    plan = {"reading": cohort.source.choices(), "split": (split or SplitSettings()).to_dict()}
    trained = replace(trained, bundle=replace(trained.bundle, manifest={**trained.bundle.manifest, "plan": plan}))
    if folder is not None:
        save_run(trained, folder)
    return trained


def save_run(trained: TrainedRun[Any], folder: Folder) -> None:
    """Keep a run's bundle and results in one sealed folder; an earlier bundle there is replaced, wholly or not at all."""
    _train, save = _by_what_is_predicted(trained.bundle.schema)
    save(trained, folder)


def _by_what_is_predicted(
    schema: Schema, workers: Workers | None = None
) -> tuple[Callable[..., TrainedRun[Any]], Callable[[Any, Folder], None]]:
    """Return what trains, and what keeps, a model of a schema's outcome."""
    if schema.number is not None:
        return train_number, save_number
    if schema.follow_up is not None:
        return train_timed, save_timed
    return partial(train, workers=workers), save_trained
