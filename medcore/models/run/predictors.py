"""Which predictors have anything to say: one that tells no two training patients apart is no predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.findings import Finding
from medcore.errors import InputError
from medcore.features import CodeBook, Layout, Rows, kind_named
from medcore.features.text import NOTE
from medcore.features.text.encoder import NoteEncoder
from medcore.i18n import N_, Message
from medcore.models.contract.candidate import reads_in_order
from medcore.targets import Target


def telling(layout: Layout) -> NDArray[np.bool_]:
    """Say which predictors (P,) have a column in the matrix of the training rows.

    Raises:
        InputError: none has.

    """
    kept = np.array(layout.widths, dtype=np.int64) > 0
    if not kept.any():
        raise InputError(
            N_(
                "No predictor tells the training patients apart: each has the same value in all rows, or a different one "
                "in every row. Add a column that does, or change the columns' kinds under Data › Columns."
            )
        )
    return kept


def holds_series(kinds: Mapping[str, str]) -> bool:
    """Say whether some predictor holds measurements in the order of time."""
    return any(kind_named(kind).in_order for kind in kinds.values())


def holds_notes(kinds: Mapping[str, str]) -> bool:
    """Say whether some predictor is a note."""
    return NOTE.name in kinds.values()


def word_by_word(codebook: CodeBook, predictors: pd.DataFrame) -> CodeBook:
    """Return a code book whose notes are also told as word pieces in their order, given the training rows."""
    encoders = (
        encoder.word_by_word(predictors[name]) if isinstance(encoder, NoteEncoder) else encoder
        for name, encoder in zip(codebook.columns, codebook.encoders, strict=True)
    )
    return CodeBook(codebook.columns, tuple(encoders))


def kept_in(rows: Rows, layout: Layout, codebook: CodeBook, model: str, target: Target) -> NDArray[np.bool_]:
    """Say which predictors (P,) of training rows a run keeps.

    Measurements in the order of time are kept where a model of the run reads them, all others where they tell patients apart.
    """
    some = np.asarray(~np.isnan(rows.codes).all(axis=0)) & reads_in_order(model, target)
    return np.where(codebook.in_order, some, telling(layout))


def kept_in_order(codebook: CodeBook, n_patients: int) -> tuple[Finding, ...]:
    """Say that the notes of the patients whom explanations compare with can be read in the model, where they can."""
    columns = tuple(
        name
        for name, encoder in zip(codebook.columns, codebook.encoders, strict=True)
        if isinstance(encoder, NoteEncoder) and encoder.pieces is not None
    )
    if not columns:
        return ()
    return (
        Finding(
            code="notes.kept_in_order",
            severity="warning",
            columns=columns,
            n_rows=n_patients,
            message=Message(
                N_("The model keeps notes ({columns}) of {n} patient(s), word by word, up to 256 word pieces each."),
                {"columns": list(columns), "n": n_patients},
            ),
            why=Message(
                N_(
                    "BERT reads words in their order, and an explanation puts phrases of these patients’ notes in the place of "
                    "the patient’s own. Whoever has the model’s folder, and its key where it is sealed, can read them."
                )
            ),
            remedy=Message(
                N_(
                    "Take names and numbers out of the notes before training, and share the model as you would the notes."
                )
            ),
        ),
    )


def left_out(columns: Sequence[str]) -> tuple[Finding, ...]:
    """Say which predictors were left out because they tell no two training patients apart."""
    if not columns:
        return ()
    return (
        Finding(
            code="predictors.without_information",
            severity="warning",
            columns=tuple(columns),
            message=Message(
                N_(
                    "{n} column(s) tell no training patients apart and are not among the model's predictors: {columns}."
                ),
                {"n": len(columns), "columns": list(columns)},
            ),
            why=Message(
                N_(
                    "Every training patient has the same value, or only values that fewer than five of them share, such "
                    "as free text: nothing can be learnt from them, and their contribution to every risk would be 0."
                )
            ),
            remedy=Message(
                N_("Group the values, correct the column's kind under Data › Columns, or leave the column out.")
            ),
        ),
    )
