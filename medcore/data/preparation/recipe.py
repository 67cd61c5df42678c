"""Recipe: the preparation of a table as a list of readable steps.

A recipe learns nothing from the rows: whatever must be learnt (medians,
scales, categories) is learnt later by :mod:`medcore.features`, on training rows
only. So a recipe can be replayed exactly on one new patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from medcore.data.cohort import Schema
from medcore.data.preparation.replay import (
    Prepared,
    outcome_codes,
    prepare,
    prepare_evaluation,
    prepare_predictors,
    required_columns,
)
from medcore.data.preparation.steps import STEP_KINDS, Step, StepLog
from medcore.errors import SettingsError
from medcore.i18n import N_, Message

__all__ = [
    "Prepared",
    "Recipe",
    "STEP_KINDS",
    "Step",
    "StepLog",
    "default_recipe",
    "outcome_codes",
    "prepare",
    "prepare_evaluation",
    "prepare_predictors",
    "required_columns",
]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The ordered steps that prepare a cohort; never changed, only replaced."""

    steps: tuple[Step, ...] = ()

    def step(self, kind: str) -> Step | None:
        """Return the step of a kind, if the recipe has one."""
        return next((s for s in self.steps if s.kind == kind), None)

    def is_on(self, kind: str) -> bool:
        """Tell whether the recipe does a kind of step."""
        step = self.step(kind)
        return step is not None and step.on

    def switch(self, kind: str, on: bool) -> Recipe:
        """Return the recipe with one step switched on or off; a step it lacks is added.

        Raises SettingsError when there is no such kind of step, or when a step
        that cannot be switched off is.
        """
        step = self.step(kind) or Step(kind)
        if step.fixed and not on:
            raise SettingsError(N_("The step “{title}” cannot be switched off."), title=str(step.title))
        return self.with_step(step.switched(on))

    def with_step(self, step: Step) -> Recipe:
        """Return the recipe with a step replaced, or added in its usual place."""
        if self.step(step.kind) is not None:
            return replace(self, steps=tuple(step if s.kind == step.kind else s for s in self.steps))
        order = list(STEP_KINDS)
        place = sum(order.index(s.kind) < order.index(step.kind) for s in self.steps)
        return replace(self, steps=(*self.steps[:place], step, *self.steps[place:]))

    def sentences(self) -> tuple[Message, ...]:
        """Say what is done to the table, in order, one sentence a step that is on."""
        return tuple(s.sentence for s in self.steps if s.on)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"steps": [s.to_dict() for s in self.steps]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Read what :meth:`to_dict` wrote; raises SettingsError for an unknown step."""
        return cls(tuple(Step.from_dict(s) for s in data["steps"]))


def default_recipe(schema: Schema) -> Recipe:
    """Return the preparation medcore proposes for a table.

    Nothing is filled in and no patient is dropped for being unusual: missing
    values stay missing for the models to handle, and only rows without an
    outcome are left out.
    """
    anchor = reference_date(schema)
    return Recipe(
        (
            Step("missing_codes"),
            Step("tidy_categories"),
            Step("implausible_values"),
            Step("cap_ages", on=False),
            Step("dates_to_intervals", options={"reference": anchor} if anchor else {}),
            Step("set_text_aside"),
            Step("patient_part"),
            Step("drop_rows_without_outcome"),
            Step("drop_duplicate_rows", on=False),
        )
    )


def reference_date(schema: Schema) -> str | None:
    """Name the date from which other dates are counted: the time column, else the first date.

    There is none when only one date could be counted from it, namely itself.
    """
    time = schema.only("time")
    dates = [c.name for c in schema.predictors if c.kind == "date"]
    if time is not None and time.kind == "date":
        return time.name if dates else None
    return dates[0] if len(dates) > 1 else None
