"""Kind: what a column of one sort is, for everything that reads, trains, compares, explains or shows it.

A kind is one folder in this room, registered with :func:`medcore.features.registry.register`,
and one file in ``medcore/ui/kinds`` that says how a value is typed in. Kinds never import
one another. Three objects carry what a kind knows:

* the :class:`Kind` itself, without state: how cells are read, how far values are apart, and how the rest is made;
* an :class:`Encoder` a column, fitted once on all training rows without their outcome,
  kept in the bundle's code book: values ↔ codes, flags, other values, drift, parts;
* a :class:`Scaler` for all columns of the kind in one matrix, fitted on the training rows
  of one fold: what a linear model or a network sees of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.preparation.predictors import PredictorReading
from medcore.features.rows import CodedColumn, Codes, Rows

Scaling = Literal["standard", "robust"]
Value = float | str | None
"""A value as it is shown: a number, a text, or None where it is missing or not told."""


@dataclass(frozen=True, slots=True, eq=False)
class Alternatives:
    """Other values of one column: their codes, what they are called, and the share of patients near each."""

    column: CodedColumn
    values: tuple[float, ...] | tuple[str, ...]
    support: NDArray[np.float64] = field(repr=False)

    @property
    def codes(self) -> Codes:
        """The codes of the values."""
        return self.column.codes


class Parts(Protocol):
    """What one patient's content of a column is made of, for an explanation inside the column."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each part is called; a phrase of a note by itself."""

    def mixed(self, present: NDArray[np.bool_], others: CodedColumn, /) -> CodedColumn:
        """Return contents that have the parts ``present`` (n, Q) from the patient and the others from ``others`` (n,).

        All parts present is the patient's content itself, none is that of the others.
        """


class Encoder(Protocol):
    """One column as its kind learnt it from the training rows, without their outcome."""

    @property
    def kind(self) -> str:
        """The kind's name."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The known categories, where a code from 0 is the place of one; empty for every other kind."""

    def encode(self, values: pd.Series[Any], /) -> CodedColumn:
        """Write the values of a column that :attr:`Kind.reading` made as codes; NaN where missing."""

    def values(self, column: CodedColumn, /) -> tuple[Value, ...]:
        """Return the values that codes stand for; None where missing, rare or never seen."""

    def known(self, codes: Codes, /) -> NDArray[np.bool_]:
        """Say which codes stand for a value that can be told."""

    def flags(self, column: CodedColumn, /) -> Mapping[str, NDArray[np.bool_]]:
        """Say which values need care, by the name of one of the kind's :attr:`Kind.cautions`."""

    def alternatives(self, patients: CodedColumn, own: CodedColumn | None, /, *, n_points: int) -> Alternatives:
        """Return other plausible values, from those of training patients, the patient's own known one among them."""

    def between(self, patients: CodedColumn, own: float, other: float, /) -> Codes:
        """Return the codes on the way from one known value to another, nearest first, the other one last."""

    def difference(self, training: CodedColumn, new: CodedColumn, /) -> float | None:
        """Return how far the distribution of new patients' known values is from the training ones'; None without any.

        0 is the same; 0.2 is a notable difference.
        """

    def parts(self, own: CodedColumn, shown: str | None, /) -> Parts | None:
        """Return the parts of one patient's known content (1,), ``shown`` to people so; None where there is nothing inside."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`Kind.load` reads back."""


class Scaler(Protocol):
    """All columns of one kind in a matrix, as the training rows of one model made it.

    That of an ordered kind also has ``medians``, ``centres`` and ``scales`` (Q,): an
    amount is written as (amount − centre) / scale, and as the median where missing.
    """

    def write(self, rows: Rows, matrix: NDArray[Any], starts: NDArray[np.intp], /) -> None:
        """Write the entries of every column into ``matrix`` (n, F) from the column's own start on."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`Kind.load_scaler` reads back."""


class Kind(Protocol):
    """One sort of column, without state."""

    name: ClassVar[str]
    reading: ClassVar[PredictorReading]
    """Which of the schema's kinds of column become predictors of this kind, and how their typed cells are read."""
    scalar: ClassVar[bool]
    """Whether a code is the value itself, which a tree may cut; else it is the key of a content in a payload."""
    ordered: ClassVar[bool]
    """Whether codes are amounts: a larger one is more, and they can be drawn along an axis."""
    in_order: ClassVar[bool]
    """Whether contents stand in the order of time: read by models made for that, and written into no matrix."""
    cautions: ClassVar[Mapping[str, str]]
    """The flags that its encoders raise, each with its sentence (``{column}``), to be translated."""

    def fit(self, values: pd.Series[Any], /) -> Encoder:
        """Learn one column from training rows."""

    def load(self, data: Mapping[str, Any], /) -> Encoder:
        """Read what :meth:`Encoder.to_dict` wrote."""

    def spreads(self, rows: Rows, /) -> NDArray[np.float64]:
        """Return the unit (Q,) in which :meth:`distance` counts in each of the kind's columns, from training patients."""

    def distance(self, rows: Rows, one: Rows, spreads: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return how far values (n, Q) are from those of one patient (1, Q): 0 the same, 1 clearly another.

        What is missing on either side is none of the kind's business: its answer there is not used.
        """

    def entries(self, column: CodedColumn, /, *, some_missing: bool) -> tuple[int, ...]:
        """Choose what a column writes into a matrix, an entry each, from all training rows; () if it says nothing.

        A column that says where values are missing is written beside them and is no entry.
        """

    def entry_names(self, entries: tuple[int, ...], column: str, /) -> list[str]:
        """Name the columns of the matrix."""

    def numbers(self, column: CodedColumn, entries: tuple[int, ...], /) -> Codes:
        """Return the entries as a tree may cut them, (n, len(entries)), NaN where missing; a scalar kind has its codes."""

    def scaler(
        self, rows: Rows, places: NDArray[np.intp], entries: Sequence[tuple[int, ...]], /, *, scaling: Scaling
    ) -> Scaler:
        """Learn from training rows what the kind's columns, at ``places``, write into a matrix."""

    def load_scaler(
        self, data: Mapping[str, Any], places: NDArray[np.intp], entries: Sequence[tuple[int, ...]], /
    ) -> Scaler:
        """Read what :meth:`Scaler.to_dict` wrote."""
