"""A released model as a service asks it: values in, risks with interval and flags out, and why.

The numbers are those of :meth:`~medcore.models.bundle.bundle.Bundle.predict`, to the last bit,
whoever else is asked about at the same moment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.preparation.replay import required_columns
from medcore.data.schema.class_names import class_names
from medcore.data.schema.targets import absence
from medcore.data.values.given import cell_text
from medcore.errors import MissingColumnsError, SettingsError
from medcore.explanation.patient.bands import band_of
from medcore.explanation.patient.effort import patient_effort
from medcore.explanation.patient.patients import class_index, explained_in_words, scale_for, shown_values
from medcore.explanation.shapley.explain import explain
from medcore.explanation.shapley.results import Explanation
from medcore.features import Rows
from medcore.i18n import N_, Message
from medcore.models.bundle.bundle import Bundle, flag_message, load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.run.any_results import AnyResults, read_any_results
from medcore.sealing import Folder

ASKED_TOGETHER = (4, 16, 64, 256)
"""Up to so many patients a network is a program of its own, compiled when it is first asked about them."""
CellTexts = dict[str, list[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model says of one patient.

    ``risks`` (K,) are those of all classes, ``risk`` that of the event in question (of a number, the
    number in its unit), ``low`` and ``high`` how often the outcome came among training patients of such
    risks (95 %; of a number nine of ten are between them), NaN where that is not known.
    """

    risks: tuple[float, ...] = field(repr=False)
    risk: float = field(repr=False)
    low: float = field(repr=False)
    high: float = field(repr=False)
    called: bool
    flags: tuple[str, ...]

    @property
    def cautions(self) -> tuple[Message, ...]:
        """The flags in words."""
        return tuple(flag_message(flag) for flag in self.flags)


@dataclass(frozen=True, slots=True)
class ReleasedModel:
    """A bundle with the results it was released on; ``threshold`` is the one it was released with."""

    bundle: Bundle
    results: AnyResults = field(repr=False)
    threshold: float
    _risk: BundleRisk = field(repr=False)

    columns: tuple[Column, ...] = field(repr=False)
    """The columns it takes, as they are in a file."""
    apart: tuple[Column, ...] = field(repr=False)
    """The columns it does not read and takes all the same: site and groups by which its use is watched apart."""

    @classmethod
    def open(cls, folder: Folder, threshold: float | None) -> ReleasedModel:
        """Read a run's folder; without a threshold the bundle's own is used."""
        bundle = load_bundle(folder)
        schema, kept = bundle.schema, bundle.threshold if threshold is None else threshold
        names = [name for name in required_columns(schema, bundle.recipe) if name in schema.names]
        columns, apart = tuple(schema[name] for name in names), watched_apart(schema, names)
        return cls(bundle, read_any_results(folder), kept, BundleRisk(bundle), columns, apart)

    @property
    def event(self) -> int:
        """The place of the class in question: of two the event, of more the likeliest is meant (−1)."""
        event = self.bundle.target.event
        return 0 if self.bundle.schema.number is not None else -1 if event is None else event

    @property
    def class_names(self) -> tuple[Message, ...]:
        """What the classes are called."""
        return class_names(self.bundle.classes, self.bundle.schema.outcome)

    def frame(self, patients: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Return values given by column name as a table that was just read: text, None where nothing is given.

        A value is text, a number, true or false, null, or ``{"value": …, "unit": …}``. What is watched :attr:`apart` may be given
        too, and is not part of the table.

        Raises:
            MissingColumnsError: a name is not one of the columns; the nearest is named.
            SettingsError: nothing is given, or a value is none.

        """
        return self.table(self.cells(patients))

    def cells(self, patients: Sequence[Mapping[str, Any]]) -> CellTexts:
        """Write values as cells by column; the errors are those of :meth:`frame`."""
        names = [column.name for column in self.columns]
        taken = {*names, *(column.name for column in self.apart)}
        for patient in patients:
            unknown = [name for name in patient if name not in taken]
            if unknown:
                raise _unknown(unknown[0], names)
            written = {name: cell_text(name, value) for name, value in patient.items()}
            if not any(written.get(name) for name in names):
                raise SettingsError(N_("No value is given. The model reads {columns}."), columns=names)
        return {name: [cell_text(name, patient.get(name)) for patient in patients] for name in names}

    @staticmethod
    def table(cells: CellTexts) -> pd.DataFrame:
        """Return cells as a table that was just read; those of several requests may be put together before."""
        return pd.DataFrame(cells, dtype="str")

    def answer(self, frame: pd.DataFrame) -> tuple[Answer, ...]:
        """Predict for every row of a table as it was read."""
        return self.answer_rows(*self.bundle.encode_flagged(frame))

    def answer_rows(self, rows: Rows, flags: Sequence[tuple[str, ...]]) -> tuple[Answer, ...]:
        """Predict for rows that the bundle has read already, with the flags of each."""
        risks = self.bundle.risk(rows)
        none = absence(self.bundle.classes, self.bundle.schema.absence)
        classes, called = self.bundle.target.alerts(risks, self.threshold, none)
        risk = risks[np.arange(len(risks)), classes]
        low, high = np.full((2, len(risks)), np.nan)
        for k in np.unique(classes):
            chosen = classes == k
            low[chosen], high[chosen] = band_of(self.results, risks[chosen], int(k))
        return tuple(
            Answer(
                risks=tuple(map(float, risks[i])),
                risk=float(risk[i]),
                low=float(low[i]),
                high=float(high[i]),
                called=bool(called[i]),
                flags=tuple(flags[i]),
            )
            for i in range(len(risks))
        )

    def explain(self, frame: pd.DataFrame, *, class_name: str | None = None) -> Explanation:
        """Say why the one patient of a table gets that risk, beside the bundle's background, as the page says it."""
        bundle = self.bundle
        read = bundle.read(frame)
        index = class_index(bundle, read.rows, class_name)
        found = self._explained(read.rows, index)
        return explained_in_words(bundle, found, shown_values(bundle, read)[0], index)

    def warm(self) -> None:
        """Ask once about a training patient, so that the first person does not wait for what is prepared once."""
        self.bundle.risk(self._anybody())

    def warm_together(self) -> None:
        """Ask about several at once, so that nobody waits for what is prepared once for so many together."""
        for n in ASKED_TOGETHER:
            self.bundle.risk(self._anybody().take(np.zeros(n, dtype=np.intp)))

    def warm_explaining(self) -> None:
        """Prepare the background, and import what explanations need."""
        self._explained(self._anybody(), max(self.event, 0))

    def _anybody(self) -> Rows:
        return Rows.of(self.bundle.background).take(slice(0, 1))

    def _explained(self, rows: Rows, index: int) -> Explanation:
        bundle = self.bundle
        return explain(
            self._risk.knowing(rows, bundle.background),
            rows.codes[0],
            bundle.background.codes,
            columns=bundle.predictors,
            class_index=index,
            scale=scale_for(bundle, "probability"),
            **patient_effort(self._risk, len(bundle.background)),
        )


def watched_apart(schema: Schema, read: Collection[str]) -> tuple[Column, ...]:
    """Return the site and the sensitive columns of a schema that are not among those a model reads."""
    return tuple(c for c in schema.columns if (c.role == "site" or c.sensitive) and c.name not in read)


def _unknown(name: str, names: Sequence[str]) -> MissingColumnsError:
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return MissingColumnsError(
            N_("The model reads no column {column}; do you mean {near}?"), column=name[:80], near=near[0]
        )
    return MissingColumnsError(
        N_("The model reads no column {column}. It reads {columns}."), column=name[:80], columns=list(names)
    )
