"""The steps of which a recipe is made: what each does, in words, and its log.

Only the description lives here; :mod:`medcore.data.preparation.replay` does the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medcore.errors import SettingsError
from medcore.i18n import N_, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """What is true of every step of one kind.

    ``training_only`` steps drop rows and are never done to new patients;
    a ``fixed`` step cannot be switched off. ``off_sentence`` says what happens
    instead when the step is off, where that is something a person should know.
    """

    title: Message
    sentence: Message
    off_sentence: Message | None = None
    training_only: bool = False
    fixed: bool = False


STEP_KINDS: Mapping[str, StepKind] = {
    "missing_codes": StepKind(
        title=Message(N_("Codes for missing become missing")),
        sentence=Message(N_("Values that stand for “not known” in the column table are treated as missing.")),
        off_sentence=Message(N_("Codes for missing are kept as if they had been measured.")),
    ),
    "tidy_categories": StepKind(
        title=Message(N_("Tidy the spelling of categories")),
        sentence=Message(
            N_("Stray spaces, tabs and full-width characters are removed, so that one category is one value.")
        ),
        fixed=True,
    ),
    "same_case": StepKind(
        title=Message(N_("Ignore capital letters in categories")),
        sentence=Message(N_("Categories that differ only in capital letters are treated as one.")),
    ),
    "implausible_values": StepKind(
        title=Message(N_("Implausible values become missing")),
        sentence=Message(N_("Numbers outside the plausible range in the column table are treated as missing.")),
        off_sentence=Message(N_("Numbers outside the plausible range are kept as they are.")),
    ),
    "cap_ages": StepKind(
        title=Message(N_("Ages over 89 become 90")),
        sentence=Message(
            N_("In columns of ages every age over 89 is written as 90, so that very old patients are not recognised.")
        ),
    ),
    "dates_to_intervals": StepKind(
        title=Message(N_("Dates become intervals")),
        sentence=Message(
            N_("A date becomes the number of days from the reference date; without a reference date it is set aside.")
        ),
        off_sentence=Message(N_("Dates are set aside: a calendar date does not come back in new patients.")),
    ),
    "set_text_aside": StepKind(
        title=Message(N_("Free text is set aside")),
        sentence=Message(N_("Columns of free text are not used as predictors.")),
        off_sentence=Message(N_("Columns of free text are used as categories.")),
    ),
    "fill_zero": StepKind(
        title=Message(N_("Fill missing values with 0")),
        sentence=Message(N_("Every missing number becomes 0 and every missing category becomes the text “0”.")),
    ),
    "patient_part": StepKind(
        title=Message(N_("Read the patient from the record's name")),
        sentence=Message(
            N_(
                "When every record has its own name, such as S01_1 and S01_2, the part before the counter is the patient."
            )
        ),
        training_only=True,
    ),
    "drop_rows_without_outcome": StepKind(
        title=Message(N_("Drop rows without an outcome")),
        sentence=Message(N_("Rows in which the outcome is missing cannot teach or test a model and are dropped.")),
        training_only=True,
        fixed=True,
    ),
    "drop_duplicate_rows": StepKind(
        title=Message(N_("Drop repeated rows")),
        sentence=Message(N_("Rows that are equal in every column to an earlier row are dropped.")),
        training_only=True,
    ),
    "last_row_per_patient": StepKind(
        title=Message(N_("Keep one row a patient")),
        sentence=Message(N_("Only the last row of every patient is kept.")),
        training_only=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a recipe.

    ``columns`` are those it works on, none meaning all it can. ``options`` are
    plain values that JSON can hold.

    >>> str(Step("fill_zero").title)
    'Fill missing values with 0'
    """

    kind: str
    columns: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    on: bool = True

    def __post_init__(self) -> None:
        if self.kind not in STEP_KINDS:
            raise SettingsError(
                N_("There is no step “{kind}” in a recipe. The steps are: {known}."),
                kind=self.kind,
                known=list(STEP_KINDS),
            )
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "on", self.on or STEP_KINDS[self.kind].fixed)

    @property
    def title(self) -> Message:
        """The step's name for a list."""
        return STEP_KINDS[self.kind].title

    @property
    def sentence(self) -> Message:
        """What the step does, or what happens without it when it is off."""
        kind = STEP_KINDS[self.kind]
        return kind.sentence if self.on or kind.off_sentence is None else kind.off_sentence

    @property
    def training_only(self) -> bool:
        """Whether the step drops or groups rows for training and leaves new patients alone."""
        return STEP_KINDS[self.kind].training_only

    @property
    def fixed(self) -> bool:
        """Whether the step cannot be switched off."""
        return STEP_KINDS[self.kind].fixed

    def switched(self, on: bool) -> Step:
        """Return the step switched on or off; a fixed one stays on."""
        return replace(self, on=on)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"kind": self.kind, "columns": list(self.columns), "options": dict(self.options), "on": self.on}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            data["kind"], tuple(data.get("columns", ())), dict(data.get("options", {})), bool(data.get("on", True))
        )


@dataclass(frozen=True, slots=True)
class StepLog:
    """What one step did: rows before and after, cells changed, columns set aside."""

    step: Step
    rows_before: int
    rows_after: int
    cells_changed: int = 0
    columns_set_aside: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentence in the current language."""
        return {
            "step": self.step.to_dict(),
            "sentence": str(self.step.sentence),
            "rows_before": self.rows_before,
            "rows_after": self.rows_after,
            "cells_changed": self.cells_changed,
            "columns_set_aside": list(self.columns_set_aside),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StepLog:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            Step.from_dict(data["step"]),
            data["rows_before"],
            data["rows_after"],
            data["cells_changed"],
            tuple(data["columns_set_aside"]),
        )
