"""Codes of new patients that their own codebook says otherwise than that of the training patients."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.schema.dictionaries.codebook import CodebookEntry
from medcore.data.values.booleans import boolean_side
from medcore.data.values.folding import fold_text, fold_texts, text_array
from medcore.i18n import N_, Message


def in_known_codes(
    frame: pd.DataFrame, entries: Mapping[str, CodebookEntry], like: Schema
) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Write new patients' codes as those that mean the same to a model, where both say what their codes mean.

    ``entries`` is what the codebook beside the new table says of its columns, ``like`` the model's schema. A code 1
    for female is written as the model's 2 where that means female to it. Returns the table and what was written otherwise.
    """
    told = []
    for name, entry in entries.items():
        if name not in frame.columns or name not in like.names:
            continue
        changed = _changed(entry.words, like[name])
        if changed:
            frame = _written(frame, name, changed)
            told.append(_told(name, entry.words, changed))
    return frame, tuple(told)


def _changed(words: Mapping[str, str], column: Column) -> dict[str, str]:
    """Return the codes that the model writes otherwise, and how; none where it does not know what all of them mean."""
    meant = {code: _code_of(word, column) for code, word in words.items()}
    known = {code: ours for code, ours in meant.items() if ours is not None}
    if len(known) < 2 or len({*known.values()}) < len(known):
        return {}
    return {code: ours for code, ours in known.items() if code != ours}


def _code_of(word: str, column: Column) -> str | None:
    """Return the code by which a model knows a word; None where nothing says which."""
    folded = fold_text(word).casefold()
    labels = {fold_text(label).casefold(): code for code, label in column.level_labels.items()}
    if folded in labels:
        return labels[folded]
    level = next((level for level in column.levels if level.casefold() == folded), None)
    if level is not None or column.kind != "boolean" or len(column.levels) != 2:
        return level
    side = boolean_side(word)
    return None if side is None else column.levels[side]


def _written(frame: pd.DataFrame, name: str, changed: Mapping[str, str]) -> pd.DataFrame:
    cells = fold_texts(text_array(frame[name])).to_pylist()
    written = [changed.get(cell, cell) for cell in cells]
    new = frame.assign(**{name: pd.Series(pd.array(written, dtype="str"), index=frame.index)})
    new.attrs = dict(frame.attrs)
    return new


def _told(name: str, words: Mapping[str, str], changed: Mapping[str, str]) -> Message:
    return Message(
        N_("“{column}”: codes were written as the model knows them, as the codebook beside the table says: {codes}."),
        {"column": name, "codes": [f"{code} ({words[code]}) → {ours}" for code, ours in changed.items()]},
    )
