"""One column to be asked for, and what every kind of column says about asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from medcore.data.cohort import Column
from medcore.explanation.patient.reference import Reference
from medcore.features import CodedColumn
from medcore.features.kind import Encoder
from medcore.ui.kit import components


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the schema, what training made of it, and the training patients' values."""

    column: Column
    encoder: Encoder = field(repr=False)
    patients: CodedColumn = field(repr=False)

    @classmethod
    def of(cls, reference: Reference, column: Column) -> Field:
        """Take a predictor of a model."""
        place = reference.columns.index(column.name)
        return cls(column, reference.codebook.encoders[place], reference.patients.column(place))

    @property
    def label(self) -> str:
        """The column with its unit."""
        return label_of(self.column)

    @property
    def known(self) -> np.ndarray:
        """The codes of training patients whose value is not missing."""
        codes = self.patients.codes
        return np.asarray(codes[~np.isnan(codes)])


def label_of(column: Column) -> str:
    """Name a column with its unit."""
    return components.plain(f"{column.name} ({column.unit})" if column.unit else column.name)


class ValueInput(Protocol):
    """How a value of one kind of column is asked for; ``key`` is the widget's."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask for a new patient's value, as the text of a table's cell; None when it is not known."""

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:
        """Whether there is another value to choose than a patient's own (1,)."""

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:
        """Ask for another value than a patient's own (1,), which is ``shown`` as text; return the one chosen."""
