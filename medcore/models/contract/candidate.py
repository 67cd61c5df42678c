"""What medcore can train: one record a model, found where the model is written.

Whatever lists models (forms, options, reports, the search, bundles) reads these
records. A module of ``medcore.models.learners`` that has ``CANDIDATES`` is found by
being there, so that a new model is one file. Reading the records imports the
learners' modules and with them no TensorFlow, scikit-learn, LightGBM or Optuna.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from medcore.i18n import N_
from medcore.targets import EventTime, Number, Target

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from medcore.models.contract.task import Learner, Part

AUTO = "auto"
"""Trains every automatic candidate and averages those that help."""
PREVALENCE, LOGISTIC, ORDINAL, SEARCHED = "prevalence", "logistic", "ordinal", "searched"
"""What every run is compared with: knowing nothing, and the simple model; the simple one of an order; and what a search found."""
AUTO_TITLE = N_("Automatic")
AUTO_HINT = N_(
    "Trains every kind of model, combines those that help, and says so when it cannot be shown to beat the simple one."
)
_LEARNERS, _SEARCH = "medcore.models.learners", "medcore.models.selection.search"
_BERT = "medcore.models.bert.learner"
_TIMED, _NUMBERS = "medcore.models.survival", "medcore.models.numbers"
COX, MEAN, LINEAR = "cox", "mean", "linear"
"""The simple model of an event with a time; knowing nothing and the simple model of a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model that a run can train.

    ``order`` is its place among all candidates, ``menu`` its place in the list that
    a person chooses from, after the automatic choice (None: not offered by itself),
    where ``hint`` stands beside it. ``share`` is the training time in relation to
    the others', roughly. ``part`` is the class of what is kept of it; ``space`` has
    the settings that a search may change, with their limits. ``missing`` says what
    it does with missing values: ``"filled"`` in, or trees ``"branch"`` on them.
    ``reads`` names the settings of :class:`TrainSettings` that it reads apart from
    those that every model does. ``ordered`` models need an outcome whose classes have an
    order. ``automatic`` candidates are trained by ``"auto"``, with at most ``most_rows``
    rows; those ``searched_by_auto`` are also searched by it. ``in_order`` ones read
    measurements in the order of time, and need columns that hold some; ``word_by_word`` ones read notes so, and need columns of notes.
    Of ``restarted`` ones a single model is kept, trained on all rows from another random start than those that are judged.
    """

    name: str
    title: str
    order: int
    share: float
    learner: Learner = field(repr=False)
    part: type[Part] | None = field(repr=False, default=None)
    hint: str = ""
    menu: int | None = None
    space: Callable[[], Mapping[str, BaseDistribution]] | None = field(repr=False, default=None)
    missing: Literal["filled", "branch"] | None = None
    reads: frozenset[str] = frozenset()
    ordered: bool = False
    in_order: bool = False
    word_by_word: bool = False
    automatic: bool = False
    searched_by_auto: bool = False
    restarted: bool = False
    most_rows: int | None = None

    @property
    def by_epochs(self) -> bool:
        """Whether it learns by epochs, so that there is a curve to show."""
        return "epochs" in self.reads and self.part is not None

    def suits(self, target: Target) -> bool:
        """Whether it can predict such an outcome."""
        return target.ordered or not self.ordered

    def trained_by_auto(self, n_rows: int, target: Target, *, over_time: bool = False) -> bool:
        """Whether the automatic choice trains it on so many rows, for such an outcome, with measurements ``over_time`` or none."""
        suits = self.suits(target) and (over_time or not self.in_order)
        return self.automatic and suits and (self.most_rows is None or n_rows <= self.most_rows)


def candidates(target: Target | None = None) -> Mapping[str, Candidate]:
    """Return every candidate by name, in their order: those that predict classes, or by when an event comes, or a number.

    Raises:
        ValueError: two candidates have the same name.

    """
    if isinstance(target, Number):
        return registered(_NUMBERS)
    return registered(_TIMED) if isinstance(target, EventTime) else registered(_LEARNERS, _SEARCH, _BERT)


def compared_with(target: Target) -> tuple[str, str]:
    """Return what every run for such an outcome is compared with: knowing nothing, and the simple model."""
    if isinstance(target, Number):
        return MEAN, LINEAR
    return PREVALENCE, COX if isinstance(target, EventTime) else LOGISTIC


def known(model: str) -> Candidate | None:
    """Return a model by name, whatever it predicts, if there is one."""
    return candidates().get(model) or registered(_TIMED).get(model) or registered(_NUMBERS).get(model)


@cache
def registered(folder: str, *others: str) -> Mapping[str, Candidate]:
    """Return the candidates of a package of models, and of some modules, by name in their order."""
    package = import_module(folder)
    modules = [f"{folder}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    found = [c for name in (*modules, *others) for c in getattr(import_module(name), "CANDIDATES", ())]
    by_name = {candidate.name: candidate for candidate in sorted(found, key=lambda c: c.order)}
    if len(by_name) < len(found):
        raise ValueError(f"two candidates have the same name: {sorted(c.name for c in found)}")
    return by_name


def offered(target: Target | None = None, *, over_time: bool = True, notes: bool = True) -> tuple[str, ...]:
    """Return the names of the models that a person may choose, the automatic choice first; for an outcome those that suit it.

    Where nothing was measured ``over_time``, those that read measurements in their order are left out;
    without ``notes`` those that read them word by word.

    >>> offered()
    ('auto', 'network', 'seed', 'tower', 'logistic', 'ordinal', 'forest', 'boosting', 'bert')
    """
    every = [c for c in candidates(target).values() if target is None or c.suits(target)]
    able = [c for c in every if (over_time or not c.in_order) and (notes or not c.word_by_word)]
    on_menu = [(c.menu, c.name) for c in able if c.menu is not None]
    return (AUTO, *(name for _place, name in sorted(on_menu)))


def every_model() -> tuple[str, ...]:
    """Return the names of all models that a person may choose, for classes, for an event with a time, and for a number."""
    return tuple(dict.fromkeys((*offered(), *offered(EventTime(2)), *offered(Number()))))


def hint(model: str) -> str:
    """Return the sentence beside an offered model in the list."""
    found = known(model)
    return AUTO_HINT if found is None else found.hint


def by_epochs(model: str) -> bool:
    """Whether a model that a person chose learns by epochs by itself."""
    found = known(model)
    return found is not None and found.by_epochs


def settings_read(trained: Collection[str]) -> frozenset[str]:
    """Return the settings that at least one of these models reads; a model of another version reads none."""
    return frozenset().union(*(found.reads for name in trained if (found := known(name))))


def automatic(n_rows: int, target: Target, *, over_time: bool = False) -> tuple[str, ...]:
    """Return the candidates that the automatic choice trains on so many rows, for such an outcome."""
    every = candidates(target).items()
    return tuple(name for name, c in every if c.trained_by_auto(n_rows, target, over_time=over_time))


def reads_in_order(model: str, target: Target) -> bool:
    """Say whether a run of ``model`` trains one that reads measurements in the order of time."""
    every = candidates(target)
    asked = [c for c in every.values() if c.in_order and c.automatic] if model == AUTO else [every.get(model)]
    return any(c is not None and c.in_order for c in asked)


def reads_word_by_word(model: str, target: Target) -> bool:
    """Say whether a run of ``model`` trains one that reads notes word by word."""
    found = candidates(target).get(model)
    return found is not None and found.word_by_word


def searched_with(model: str) -> tuple[str, ...]:
    """Return the models among which a run of ``model`` searches.

    A network takes as long as a hundred trials of the others, so it is searched
    only when it is the model asked for.
    """
    return tuple(n for n, c in candidates().items() if c.searched_by_auto) if model == AUTO else (model,)


def part_classes() -> dict[str, type[Part]]:
    """Return every class of part that a bundle may hold, by its kind."""
    every = (*candidates().values(), *registered(_TIMED).values(), *registered(_NUMBERS).values())
    return {c.part.kind: c.part for c in every if c.part is not None}
