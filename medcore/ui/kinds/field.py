"""One column to be asked for, and what every kind of column says about asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from medcore.data.cohort import Column
from medcore.data.shown import Shown
from medcore.explanation.patient.reference import Reference
from medcore.features import CodedColumn
from medcore.features.kind import Encoder
from medcore.ui.kit.shown import components


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the schema, what training made of it, and the training patients' values."""

    column: Column
    shown: Shown
    encoder: Encoder = field(repr=False)
    patients: CodedColumn = field(repr=False)

    @classmethod
    def of(cls, reference: Reference, column: Column, shown: Shown) -> Field:
        """Take a predictor of a model."""
        place = reference.columns.index(column.name)
        return cls(column, shown, reference.codebook.encoders[place], reference.patients.column(place))

    @property
    def label(self) -> str:
        """The column in words with its name small beside it, and its unit."""
        return label_of(self.shown)

    @property
    def known(self) -> np.ndarray:
        """The codes of training patients whose value is not missing."""
        codes = self.patients.codes
        return np.asarray(codes[~np.isnan(codes)])


def label_of(shown: Shown) -> str:
    """Name a column for the label of a field, which is read as markdown."""
    small = f" :small[{components.plain(shown.aside)}]" if shown.aside else ""
    unit = shown.beside
    return components.plain(shown.words) + small + (f" ({components.plain(unit)})" if unit else "")


class ValueInput(Protocol):
    """How a value of one kind of column is asked for; ``key`` is the widget's."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask for a new patient's value, as the text of a table's cell; None when it is not known."""

    def begun(self, asked: Field, value: str, /) -> Any:
        """Return what the widget of :meth:`typed` begins with for a value of another day; None where that is not carried over."""

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:
        """Whether there is another value to choose than a patient's own (1,)."""

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:
        """Ask for another value than a patient's own (1,), which is ``shown`` as text; return the one chosen."""
