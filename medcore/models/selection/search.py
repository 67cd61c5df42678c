"""Search for better settings within a budget of minutes, nested so that its figures are honest.

The whole search runs once for every fold without that fold's patients, and once
on all training patients. All of them go forward together, a trial each a round,
so that whenever time is up the procedure that was judged is the one that was used.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.i18n import N_
from medcore.models.contract.candidate import SEARCHED, Candidate, searched_with
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Fitted, ProgressReporter, Risk, Task, clean
from medcore.models.contract.trials import SearchOutcome, Trial
from medcore.models.selection.journal import Journal
from medcore.models.selection.space import space, suggest
from medcore.models.selection.step import JudgedTrial, TrialStep, held_out_risk, judge, learn

MOST_TRIALS = 300
"""Beyond these, a search fits the noise of its folds."""
_STARTUP = 8
"""Trials drawn at random before the search learns from them."""


def fit_searched(task: Task, reporter: ProgressReporter) -> Fitted:
    """Search for better settings of ``task.settings.model`` and train the best.

    The out-of-fold risks of a fold come from a search of its own, which never saw
    the fold: they are honest for the search as a whole. With a checkpoint folder
    the trials are kept there, and a search that was interrupted goes on. The reporter's
    workers make the trials of a round; who makes them changes no number.
    """
    folder = reporter.follower.checkpoint_dir
    search = _Nested(task, reporter, Journal(folder / "search.jsonl" if folder else None))
    search.run()
    oof = np.empty((task.n, task.n_classes))
    for fold, one in enumerate(search.folds):
        oof[task.held_out(fold)] = clean(one.predicted(task, reporter), task.n_classes)
    whole = search.whole
    part = learn(task, TrialStep(whole.place, whole.best), reporter).part
    outcome = SearchOutcome(
        trials=tuple(whole.trials),
        best=whole.best,
        fold_choices=tuple(one.best for one in search.folds),
        minutes=task.settings.search_minutes,
        n_fits=search.n_fits,
    )
    return Fitted(oof, part, None, outcome)


@dataclass(slots=True)
class _Nested:
    """All searches of a run, one for each fold and one on all rows, going forward together.

    ``seconds`` are those that went by, not those that trials took: side by side
    they take more together.
    """

    task: Task
    reporter: ProgressReporter
    journal: Journal
    searches: list[_Search] = field(init=False)
    seconds: float = 0.0
    n_fits: int = 0
    _moment: float = field(init=False)

    def __post_init__(self) -> None:
        self.searches = [_Search(place, self.task.settings) for place in range(self.task.n_folds + 1)]

    @property
    def folds(self) -> list[_Search]:
        """The searches that judge."""
        return self.searches[:-1]

    @property
    def whole(self) -> _Search:
        """The search that is used."""
        return self.searches[-1]

    def run(self) -> None:
        """Go on, round by round, until time or trials are up; a round that was begun too late does not count."""
        self._moment = time.perf_counter()
        for number in range(MOST_TRIALS):
            if not self._round(number):
                for one in self.searches:
                    one.forget(number)
                return

    def _round(self, number: int) -> bool:
        """Make a trial of every search, or take it from the journal; tell whether there was time for all of them."""
        missing = []
        for one in self.searches:
            kept = self.journal.find(one.place, number)
            if kept is None:
                missing.append(one)
            elif self._time_is_up(number):
                return False
            else:
                self._note(JudgedTrial(one.place, kept.trial, None), kept.seconds)
        steps = [] if self._time_is_up(number) else [TrialStep(one.place, one.draw(number)) for one in missing]
        # Left early, the round is closed at once: no worker goes on with trials that nobody waits for.
        with closing(self.reporter.workers.round(judge, self.task, steps, self.reporter)) as results:
            for _ in missing:
                if self._time_is_up(number):
                    return False
                judged = next(results)
                seconds, self._moment = time.perf_counter() - self._moment, time.perf_counter()
                self.journal.add(judged.place, judged.trial, seconds)
                self._note(judged, seconds)
        return True

    def _note(self, judged: JudgedTrial, seconds: float) -> None:
        one = self.searches[judged.place]
        one.learn(judged)
        self.seconds += seconds
        self.n_fits += 1
        self.reporter.tell(
            "search",
            min(self.seconds / self._budget, 1.0),
            epoch=self.n_fits,
            trial=judged.trial.to_dict() if one is self.whole else None,
        )

    @property
    def _budget(self) -> float:
        return max(60.0 * self.task.settings.search_minutes, 1e-9)

    def _time_is_up(self, number: int) -> bool:
        """Tell whether to stop; the usual settings of every model are judged whatever the budget."""
        usual = len(searched_with(self.task.settings.model))
        return number >= usual and self.seconds >= self._budget


@dataclass(slots=True)
class _Search:
    """One search: its trials so far, and what its best one predicts for the fold that judges it."""

    place: int
    settings: TrainSettings
    trials: list[Trial] = field(default_factory=list)
    _risks: dict[int, Risk] = field(default_factory=dict)

    @property
    def best(self) -> Trial:
        """The trial with the lowest loss, the earliest of equals."""
        return min(self.trials, key=_rank)

    def learn(self, judged: JudgedTrial) -> None:
        """Take note of a trial, made now or before an interruption; only the best one's risks are kept."""
        self.trials.append(judged.trial)
        if judged.risk is not None:
            self._risks[judged.trial.number] = judged.risk
        self._risks = {n: risk for n, risk in self._risks.items() if n == self.best.number}

    def forget(self, number: int) -> None:
        """Leave out the trials from ``number`` on."""
        self.trials = [t for t in self.trials if t.number < number]

    def predicted(self, task: Task, reporter: ProgressReporter) -> Risk:
        """Return the held-out fold's risks by the best settings, training again where they are not at hand."""
        risk = self._risks.get(self.best.number)
        if risk is None:
            step = TrialStep(self.place, self.best)
            risk = held_out_risk(task, step, learn(task, step, reporter))
        assert risk is not None, "the search on all rows has no fold to predict"
        return risk

    def draw(self, number: int) -> Trial:
        """Begin with every model as it is; then let Optuna propose, by a seed of each trial's own."""
        models = searched_with(self.settings.model)
        if number < len(models):
            return Trial(number=number, model=models[number], settings={}, loss=None, seconds=0.0)
        from optuna.distributions import CategoricalDistribution

        asked = self._study(number).ask()
        model = suggest(asked, "model", CategoricalDistribution(models))
        drawn = {name: suggest(asked, f"{model}.{name}", d) for name, d in space(model).items()}
        return Trial(number=number, model=model, settings=drawn, loss=None, seconds=0.0)

    def _study(self, number: int) -> Any:
        """Tell Optuna every trial so far; made anew each time, it is the same after an interruption."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = np.random.SeedSequence([self.settings.seed, self.place, number]).generate_state(1)[0]
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
            distributions={"model": CategoricalDistribution(searched_with(self.settings.model)), **spaces},
            value=trial.loss,
            state=TrialState.FAIL if trial.loss is None else TrialState.COMPLETE,
        )


def _rank(trial: Trial) -> tuple[float, int]:
    return (np.inf if trial.loss is None else trial.loss, trial.number)


CANDIDATES = (
    Candidate(
        name=SEARCHED,
        title=N_("Searched settings"),
        order=90,
        share=40.0,
        learner=fit_searched,
        reads=frozenset({"epochs", "n_seeds", "effort"}),
    ),
)
