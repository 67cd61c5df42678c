"""How stable a model is, from a shell: the modelling repeated on bootstrap samples."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from medcore.data.follow_up import span
from medcore.errors import SettingsError
from medcore.evaluation.figures.words import METRICS, short
from medcore.i18n import N_, _

if TYPE_CHECKING:
    from medcore.models.contract.settings import TrainSettings
    from medcore.models.run.sides import TrainedRun
    from medcore.models.run.stability import Stability
    from medcore.models.run.timed.results import TimedResults
    from medcore.models.run.training import Trained

LEAST_REFITS = 2
_AT_ONCE = 5


def check_refits(n_refits: int) -> None:
    """Refuse, before anything is trained, a number of refits that says nothing. 0 means none are asked for."""
    if n_refits and n_refits < LEAST_REFITS:
        raise SettingsError(N_("Stability needs at least {n} refits; 200 are usual."), n=LEAST_REFITS)


def stability_told(trained: Trained, settings: TrainSettings, n_refits: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Repeat the modelling ``n_refits`` times, saying on standard error how far it is; return what to tell of it."""
    from medcore.models.run.stability import told
    from medcore.reporting.classes.ordered import question_name

    stable = _repeated(trained, settings, n_refits)
    results = trained.results
    target, names = results.target, [str(name) for name in results.class_names]
    lines: list[str] = []
    for question in target.cuts or target.told:
        lines += _lines(stable[question], None if target.event is not None else question_name(target, names, question))
    return {"stability": told(target, results.classes, stable)}, tuple(lines)


def stability_by_when(
    trained: TrainedRun[TimedResults], settings: TrainSettings, n_refits: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Do the same for a model that says by when, by each horizon."""
    from medcore.models.run.timed.stability import told_by_horizon

    target, stable = trained.results.target, _repeated(trained, settings, n_refits)
    lines = [
        line
        for place, horizon in enumerate(target.horizons)
        for line in _lines(stable[place], _("the event within {when}", when=span(horizon, target.unit)))
    ]
    return {"stability": told_by_horizon(target.horizons, stable)}, tuple(lines)


def _repeated(
    trained: Trained | TrainedRun[TimedResults], settings: TrainSettings, n_refits: int
) -> dict[int, Stability]:
    from medcore.models.run.stability import Refit, refits, stability

    found: list[Refit] = []
    while len(found) < n_refits:
        n = min(_AT_ONCE, n_refits - len(found))
        found += refits(trained.prepared, trained.split, settings, first=len(found), n=n)
        sys.stderr.write(f"{len(found) / n_refits:4.0%} stability {len(found)}/{n_refits}\n")
    return stability(trained.prepared, trained.split, settings, trained.bundle, found)


def _lines(stable: Stability, of: str | None) -> tuple[str, ...]:
    """Write what refits say as lines, of one of several questions by its name."""
    words = {"n": stable.n_refits, "error": f"{100 * stable.mean_error:.1f}"}
    head = (
        _(
            "Repeated on {n} bootstrap samples, the risks differ from the model's by {error} percentage points on average.",
            **words,
        )
        if of is None
        else _(
            "Repeated on {n} bootstrap samples, the risks of {name} differ from the model's by {error} percentage points on average.",
            name=of,
            **words,
        )
    )
    figures = [
        _(
            "{figure}: apparent {apparent}, optimism {optimism} (± {error}), corrected {corrected}",
            figure=short(_(METRICS[name])),
            apparent=f"{figure.apparent:.3f}",
            optimism=f"{figure.optimism:.3f}",
            error=f"{figure.standard_error:.3f}",
            corrected=f"{figure.corrected:.3f}",
        )
        for name, figure in stable.figures.items()
    ]
    return (head, *(f"  {line}" for line in figures))
