"""How stable a model is, from a shell: the modelling repeated on bootstrap samples."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from medcore.data.follow_up import span
from medcore.errors import SettingsError
from medcore.evaluation.figures.words import METRICS, short
from medcore.i18n import N_, _, number

if TYPE_CHECKING:
    from medcore.models.contract.settings import TrainSettings
    from medcore.models.run.sides import TrainedRun
    from medcore.models.run.stability import Stability

LEAST_REFITS = 2
_AT_ONCE = 5


def check_refits(n_refits: int) -> None:
    """Refuse, before anything is trained, a number of refits that says nothing. 0 means none are asked for."""
    if n_refits and n_refits < LEAST_REFITS:
        raise SettingsError(N_("Stability needs at least {n} refits; 200 are usual."), n=LEAST_REFITS)


def stability_told(
    trained: TrainedRun[Any], settings: TrainSettings, n_refits: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Repeat the modelling ``n_refits`` times, saying on standard error how far it is; return what to tell of it."""
    from medcore.models.run.stability import REMEMBERED, told

    results = trained.results
    stable = _repeated(trained, settings, n_refits)
    lines = [
        line
        for question, head in _heads(results, n_refits, stable).items()
        for line in (head, *_lines(stable[question]))
    ]
    return told(results.target, results.classes, stable), (*lines, _(REMEMBERED))


def _repeated(trained: TrainedRun[Any], settings: TrainSettings, n_refits: int) -> dict[int, Stability]:
    from medcore.models.run.stability import Refit, refits, stability

    found: list[Refit] = []
    while len(found) < n_refits:
        n = min(_AT_ONCE, n_refits - len(found))
        found += refits(trained.prepared, trained.split, settings, first=len(found), n=n)
        sys.stderr.write(f"{len(found) / n_refits:4.0%} stability {len(found)}/{n_refits}\n")
    return stability(trained.prepared, trained.split, settings, trained.bundle, found)


def _heads(results: Any, n_refits: int, stable: dict[int, Stability]) -> dict[int, str]:
    """Write by question how far refits are from the model: of its risks, of one of several by name, or of its numbers."""
    from medcore.reporting.classes.ordered import question_name
    from medcore.targets import EventTime, Number

    target = results.target
    if isinstance(target, Number):
        error = f"{stable[0].mean_error:.3g} {results.unit}".strip()
        return {
            0: _(
                "Repeated on {n} bootstrap samples, the predictions differ from the model's by {error} on average.",
                n=n_refits,
                error=error,
            )
        }
    if isinstance(target, EventTime):
        named = {
            k: _("the event within {when}", when=span(horizon, target.unit))
            for k, horizon in enumerate(target.horizons)
        }
    elif target.event is not None:
        error = f"{100 * stable[target.event].mean_error:.1f}"
        return {
            target.event: _(
                "Repeated on {n} bootstrap samples, the risks differ from the model's by {error} percentage points on average.",
                n=n_refits,
                error=error,
            )
        }
    else:
        names = [str(name) for name in results.class_names]
        named = {question: question_name(target, names, question) for question in target.cuts or target.told}
    return {
        question: _(
            "Repeated on {n} bootstrap samples, the risks of {name} differ from the model's by {error} percentage points on average.",
            n=n_refits,
            name=name,
            error=f"{100 * stable[question].mean_error:.1f}",
        )
        for question, name in named.items()
    }


def _lines(stable: Stability) -> tuple[str, ...]:
    return tuple(
        "  "
        + _(
            "{figure}: apparent {apparent}, optimism {optimism} (± {error}), corrected {corrected}",
            figure=short(_(METRICS[name])),
            apparent=number(figure.apparent),
            optimism=number(figure.optimism),
            error=number(figure.standard_error),
            corrected=number(figure.corrected),
        )
        for name, figure in stable.figures.items()
    )
