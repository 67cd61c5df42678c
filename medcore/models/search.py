"""Search for better settings within a budget of minutes, nested so that its figures are honest.

The whole search runs once for every fold without that fold's patients, and once
on all training patients. All of them go forward together, a trial each a round,
so that whenever time is up the procedure that was judged is the one that was used.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from medcore.errors import InputError
from medcore.models.calibration import log_loss
from medcore.models.progress import Progress
from medcore.models.search_results import SearchOutcome, Trial
from medcore.models.search_space import LEARNERS, as_tuned, models_of, space, suggest
from medcore.models.task import Fitted, Indices, Pulse, Risk, Task, clean

MOST_TRIALS = 300
"""Beyond these, a search fits the noise of its folds."""
LEAST_INNER_FOLDS = 3
_STARTUP = 8
"""Trials drawn at random before the search learns from them."""


def fit_searched(task: Task, pulse: Pulse) -> Fitted:
    """Search for better settings of ``task.settings.model`` and train the best.

    The out-of-fold risks of a fold come from a search of its own, which never saw
    the fold: they are honest for the search as a whole. With a checkpoint folder
    the trials are kept there, and a search that was interrupted goes on.
    """
    folder = pulse.follower.checkpoint_dir
    search = _Nested(task, pulse, _Journal(folder / "search.jsonl" if folder else None))
    search.run()
    oof = np.empty((task.n, task.n_classes))
    for fold, one in enumerate(search.folds):
        oof[task.held_out(fold)] = clean(one.predicted(pulse), task.n_classes)
    whole = search.whole
    part = _learn(whole.task, whole.best, pulse).part
    outcome = SearchOutcome(
        trials=tuple(whole.trials),
        best=whole.best,
        fold_choices=tuple(one.best for one in search.folds),
        minutes=task.settings.search_minutes,
        n_fits=search.n_fits,
    )
    return Fitted(oof, part, None, outcome)


def subtask(task: Task, rows: Indices) -> Task:
    """Return a task on some of the rows, with the folds that remain there numbered from 0."""
    present, folds = np.unique(task.folds[rows], return_inverse=True)
    groups = None if task.groups is None else task.groups[rows]
    n_folds = len(present)
    if n_folds < 2:
        folds, n_folds = _new_folds(len(rows), groups, task.settings.seed), LEAST_INNER_FOLDS
    return replace(
        task,
        codes=task.codes[rows],
        outcome=task.outcome[rows],
        folds=folds.astype(np.int64),
        n_folds=n_folds,
        groups=groups,
    )


def _new_folds(n: int, groups: Indices | None, seed: int) -> Indices:
    """Divide rows at random, patients whole."""
    unit = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(int(unit.max()) + 1)
    return np.asarray(order[unit] % LEAST_INNER_FOLDS)


@dataclass(slots=True)
class _Nested:
    """All searches of a run, one for each fold and one on all rows, going forward together."""

    task: Task
    pulse: Pulse
    journal: _Journal
    folds: list[_Search] = field(init=False)
    whole: _Search = field(init=False)
    seconds: float = 0.0
    n_fits: int = 0

    def __post_init__(self) -> None:
        t = self.task
        self.folds = [_Search(subtask(t, t.training(f)), f, t.codes[t.held_out(f)]) for f in range(t.n_folds)]
        self.whole = _Search(t, t.n_folds, None)

    def run(self) -> None:
        """Go on, round by round, until time or trials are up; a round that was begun too late does not count."""
        for number in range(MOST_TRIALS):
            for one in (*self.folds, self.whole):
                if self._time_is_up(number):
                    self._forget(number)
                    return
                self._step(one, number)

    def _step(self, one: _Search, number: int) -> None:
        trial = self.journal.find(one.place, number)
        if trial is None:
            trial = one.attempt(number, self.pulse)
            self.journal.add(one.place, trial)
        one.learn(trial)
        self.seconds += trial.seconds
        self.n_fits += 1
        self.pulse.tell(
            "search",
            min(self.seconds / self._budget, 1.0),
            epoch=self.n_fits,
            trial=trial.to_dict() if one is self.whole else None,
        )

    @property
    def _budget(self) -> float:
        return max(60.0 * self.task.settings.search_minutes, 1e-9)

    def _time_is_up(self, number: int) -> bool:
        """Tell whether to stop; the usual settings of every model are judged whatever the budget."""
        usual = len(models_of(self.task.settings.model))
        return number >= usual and self.seconds >= self._budget

    def _forget(self, number: int) -> None:
        for one in self.folds:
            one.forget(number)


@dataclass(slots=True)
class _Search:
    """One search on the rows of ``task``; ``held`` are the codes of the fold that judges it."""

    task: Task
    place: int
    held: Any
    trials: list[Trial] = field(default_factory=list)
    _risks: dict[int, Risk] = field(default_factory=dict)

    @property
    def best(self) -> Trial:
        """The trial with the lowest loss, the earliest of equals."""
        return min(self.trials, key=_rank)

    def attempt(self, number: int, pulse: Pulse) -> Trial:
        """Draw settings and judge them on the inner folds; what cannot be trained has no loss."""
        model, settings = self._draw(number)
        trial = Trial(number=number, model=model, settings=settings, loss=None, seconds=0.0)
        began = time.perf_counter()
        try:
            fitted = _learn(self.task, trial, pulse)
        except InputError:
            if not settings:
                raise
            return replace(trial, seconds=time.perf_counter() - began)
        loss = log_loss(fitted.oof, self.task.outcome)
        if self.held is not None:
            self._risks[number] = fitted.part.risk(self.held)
        return replace(trial, loss=float(loss) if np.isfinite(loss) else None, seconds=time.perf_counter() - began)

    def learn(self, trial: Trial) -> None:
        """Take note of a trial, made now or before an interruption; only the best one's risks are kept."""
        self.trials.append(trial)
        self._risks = {n: risk for n, risk in self._risks.items() if n == self.best.number}

    def forget(self, number: int) -> None:
        """Leave out the trials from ``number`` on."""
        self.trials = [t for t in self.trials if t.number < number]

    def predicted(self, pulse: Pulse) -> Risk:
        """Return the held-out fold's risks by the best settings, training again where they are not at hand."""
        if self.best.number not in self._risks:
            self._risks[self.best.number] = _learn(self.task, self.best, pulse).part.risk(self.held)
        return self._risks[self.best.number]

    def _draw(self, number: int) -> tuple[str, dict[str, Any]]:
        """Begin with every model as it is; then let Optuna propose, by a seed of each trial's own."""
        models = models_of(self.task.settings.model)
        if number < len(models):
            return models[number], {}
        from optuna.distributions import CategoricalDistribution

        asked = self._study(number).ask()
        model = suggest(asked, "model", CategoricalDistribution(models))
        return model, {name: suggest(asked, f"{model}.{name}", d) for name, d in space(model).items()}

    def _study(self, number: int) -> Any:
        """Tell Optuna every trial so far; made anew each time, it is the same after an interruption."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = np.random.SeedSequence([self.task.settings.seed, self.place, number]).generate_state(1)[0]
        sampler = optuna.samplers.TPESampler(seed=int(seed), n_startup_trials=_STARTUP)
        study = optuna.create_study(direction="minimize", sampler=sampler)
        study.add_trials([self._frozen(trial) for trial in self.trials if trial.settings])
        return study

    def _frozen(self, trial: Trial) -> Any:
        from optuna.distributions import CategoricalDistribution
        from optuna.trial import TrialState, create_trial

        spaces = {f"{trial.model}.{name}": d for name, d in space(trial.model).items()}
        return create_trial(
            params={"model": trial.model} | {f"{trial.model}.{n}": v for n, v in trial.settings.items()},
            distributions={"model": CategoricalDistribution(models_of(self.task.settings.model)), **spaces},
            value=trial.loss,
            state=TrialState.FAIL if trial.loss is None else TrialState.COMPLETE,
        )


class _Journal:
    """The trials on disk, a line each: what an interrupted search goes on from."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[tuple[int, int], Trial] = {}
        if path is not None and path.is_file():
            text = path.read_text(encoding="utf-8")
            for line in text.splitlines():
                self._read(line)
            if not text.endswith("\n"):  # cut off in the middle of writing: that trial is made again
                path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")

    def find(self, place: int, number: int) -> Trial | None:
        """Return a trial made before."""
        return self._known.get((place, number))

    def add(self, place: int, trial: Trial) -> None:
        """Keep a trial."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"place": place, "trial": trial.to_dict()}) + "\n")

    def _read(self, line: str) -> None:
        try:
            data = json.loads(line)
        except ValueError:
            return
        trial = Trial.from_dict(data["trial"])
        self._known[data["place"], trial.number] = trial


class _Quiet:
    """A follower inside a trial: it only hears the wish to stop, and keeps no checkpoint."""

    checkpoint_dir: Path | None = None

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def report(self, progress: Progress, /) -> None:
        """Do nothing: a trial is reported when it is done."""

    def cancelled(self) -> bool:
        """Ask the one behind."""
        return self._pulse.cancelled()


def _learn(task: Task, trial: Trial, pulse: Pulse) -> Fitted:
    quiet = Pulse(_Quiet(pulse), {trial.model: 1.0}, model=trial.model)
    return LEARNERS[trial.model](replace(task, tuned=as_tuned(trial.settings)), quiet)


def _rank(trial: Trial) -> tuple[float, int]:
    return (np.inf if trial.loss is None else trial.loss, trial.number)
