"""What a search for better settings tried and found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medcore.data.findings import Finding
from medcore.i18n import N_, Message
from medcore.models.contract.titles import title


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One set of settings and how well it predicted held-out patients.

    ``settings`` is empty for a model as it is without a search. ``loss`` is the mean
    log loss on inner folds, ``None`` when the settings could not be trained.
    """

    number: int
    model: str
    settings: Mapping[str, Any]
    loss: float | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {name: getattr(self, name) for name in self.__slots__} | {"settings": dict(self.settings)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trial:
        """Read what :meth:`to_dict` wrote."""
        return cls(**{name: data[name] for name in cls.__slots__})

    @property
    def words(self) -> str:
        """The settings as text, in the terms of the model's library, without a sign that markup would read."""
        return ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in self.settings.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOutcome:
    """The trials on all training patients, the best of them, and what each outer fold chose by itself.

    ``fold_choices`` has one trial a fold, chosen by a search that never saw the
    fold's patients: how much they differ tells how settled the choice is.
    """

    trials: tuple[Trial, ...] = field(repr=False)
    best: Trial
    fold_choices: tuple[Trial, ...]
    minutes: float
    n_fits: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "minutes": self.minutes,
            "n_trials": len(self.trials),
            "n_fits": self.n_fits,
            "best": self.best.to_dict(),
            "fold_choices": [trial.to_dict() for trial in self.fold_choices],
            "trials": [trial.to_dict() for trial in self.trials],
        }

    def finding(self, *, searched: float, usual: float | None) -> Finding:
        """Say what was found; the losses are honest ones, out of fold, of the search and of the usual settings."""
        words = {
            "n": len(self.trials),
            "minutes": f"{self.minutes:g}",
            "model": title(self.best.model),
            "settings": self.best.words,
            "searched": f"{searched:.4f}",
            "usual": "" if usual is None else f"{usual:.4f}",
        }
        return Finding(
            code="model.search",
            severity="info",
            message=Message(self._sentence(usual), words),
            why=Message(
                N_(
                    "The best of many trials looks better than it is. So the whole search was repeated without the patients of each fold in turn, and judged by them."
                )
            ),
            remedy=Message(self._advice(searched, usual)),
        )

    def _sentence(self, usual: float | None) -> str:
        if not self.best.settings:
            return N_(
                "The search tried {n} settings in {minutes} min and found none better than the usual ones ({model})."
            )
        if usual is None:
            return N_(
                "The search tried {n} settings in {minutes} min; the best is {model} with {settings}. Its honest log loss is {searched}."
            )
        return N_(
            "The search tried {n} settings in {minutes} min; the best is {model} with {settings}. Its honest log loss is {searched}, that of the best usual settings {usual}."
        )

    def _advice(self, searched: float, usual: float | None) -> str:
        if self.best.settings and usual is not None and searched >= usual:
            return N_(
                "On patients it had not seen the search was no better. The table says which settings the model uses."
            )
        if len(self.trials) < FEW_TRIALS:
            return N_("There was time for few trials; give the search more minutes if it matters.")
        return N_("Nothing needs to be done.")


FEW_TRIALS = 10
"""Before this many trials a search draws at random: it has nothing to learn from."""


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
