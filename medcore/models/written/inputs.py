"""What a written model asks of a patient, and how an answer becomes what the equation is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.data.cohort import Column, Schema
from medcore.data.preparation.cells import OLDEST, OLDEST_TOLD
from medcore.data.preparation.recipe import Recipe
from medcore.data.schema.names import says
from medcore.data.shown import Shown
from medcore.data.values.typed import empty_is_no
from medcore.features import UNSEEN, CodeBook, Codes
from medcore.features.numeric.encoder import NumberEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One predictor, as the recipe prepares it.

    ``label`` and ``level_labels`` say in words what it and its categories are.
    ``categories`` are the known ones by code, none for a number. ``low`` and ``high`` are
    the training patients' range; outside ``plausible`` a number counts as missing, as do
    ``missing_codes``. ``capped`` ages over 89 count as 90. ``since`` names the date from which
    a date is counted, in days. ``absent`` is what a missing value becomes before the model
    sees it (None: it stays missing).
    """

    name: str
    label: str = ""
    unit: str = ""
    level_labels: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    plausible: tuple[float | None, float | None] = (None, None)
    missing_codes: tuple[float, ...] = ()
    capped: bool = False
    since: str = ""
    absent: float | None = None

    @property
    def shown(self) -> Shown:
        """How the predictor is shown to people."""
        return Shown(self.name, self.label, self.unit, self.level_labels)

    @property
    def numeric(self) -> bool:
        """Whether a number is asked for."""
        return not self.categories

    def code(self, answer: float | str | None) -> float:
        """Return what the equation is given for an answer: a number, the code of a category, NaN for missing.

        >>> Input(name="age", plausible=(0.0, 130.0), capped=True).code(95.0)
        90.0
        """
        if answer is None or answer == "":
            return np.nan if self.absent is None else self.absent
        if self.categories:
            return float(self.categories.index(str(answer))) if answer in self.categories else UNSEEN
        value, (low, high) = float(answer), self.plausible
        outside = (low is not None and value < low) or (high is not None and value > high)
        if outside or value in self.missing_codes or not np.isfinite(value):
            return self.code(None)
        return OLDEST_TOLD if self.capped and OLDEST_TOLD < value < OLDEST else value

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Input:
        """Read what :func:`dataclasses.asdict` wrote."""
        tuples = {name: tuple(data[name]) for name in ("categories", "plausible", "missing_codes")}
        return cls(**dict(data) | tuples)


def inputs_of(codebook: CodeBook, schema: Schema, recipe: Recipe) -> tuple[Input, ...]:
    """Describe the predictors of a code book, in the order of the codes."""
    found = []
    for name, encoder in zip(codebook.columns, codebook.encoders, strict=True):
        column, shown = schema[name], schema.shown(name)
        if not isinstance(encoder, NumberEncoder):
            categories = encoder.levels or ("",)
            found.append(
                Input(
                    name=name,
                    label=shown.label,
                    level_labels=shown.levels,
                    categories=categories,
                    absent=_absent(column, recipe, categories),
                )
            )
            continue
        found.append(
            Input(
                name=name,
                label=shown.label,
                level_labels=shown.levels,
                unit=column.unit or "",
                low=None if np.isnan(encoder.low) else encoder.low,
                high=None if np.isnan(encoder.high) else encoder.high,
                plausible=(column.low, column.high) if _does(recipe, "implausible_values", column) else (None, None),
                missing_codes=_numbers(column.missing_codes) if recipe.is_on("missing_codes") else (),
                capped=_does(recipe, "cap_ages", column) and says(name, "age"),
                since=_since(column, recipe),
                absent=_absent(column, recipe, ()),
            )
        )
    return tuple(found)


def codes_of_answers(inputs: Sequence[Input], answers: Sequence[Mapping[str, float | str | None]]) -> Codes:
    """Write patients' answers, by name, as codes ``(n, P)``."""
    return np.array([[i.code(answer.get(i.name)) for i in inputs] for answer in answers], dtype=np.float64)


def _does(recipe: Recipe, kind: str, column: Column) -> bool:
    step = recipe.step(kind)
    return step is not None and step.on and column.kind == "numeric" and column.name in (step.columns or (column.name,))


def _absent(column: Column, recipe: Recipe, categories: Sequence[str]) -> float | None:
    if empty_is_no(column) and column.levels[0] in categories:
        return float(categories.index(column.levels[0]))
    step = recipe.step("fill_zero")
    if step is None or not step.on or column.name not in (step.columns or (column.name,)):
        return None
    return 0.0 if column.kind in ("numeric", "date") else float(categories.index("0")) if "0" in categories else UNSEEN


def _since(column: Column, recipe: Recipe) -> str:
    step = recipe.step("dates_to_intervals")
    return str(step.options.get("reference", "")) if column.kind == "date" and step is not None else ""


def _numbers(texts: Sequence[str]) -> tuple[float, ...]:
    """Return those codes that are numbers; words cannot be typed where a number is asked."""
    found = []
    for text in texts:
        try:
            found.append(float(text))
        except ValueError:
            continue
    return tuple(found)
