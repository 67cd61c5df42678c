"""Sheets of a workbook, and tables of an archive, that have the same columns are one table: a year or a ward in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from medcore.data.cohort import Source
from medcore.data.reading.said import Said
from medcore.data.reading.typed.found import OTHERS
from medcore.data.schema.dictionaries.codebook import Rows
from medcore.data.values.folding import text_array
from medcore.data.values.names import clean_name
from medcore.errors import SettingsError
from medcore.i18n import N_, Message

TOGETHER = "*"
"""What is said in place of a sheet for all that have the same columns."""
MOST_SHARED = 0.1
"""Share of the smaller table's rows that may stand in the larger one too; beyond it one is a copy of a part of the other."""
MOST = 50
"""Tables of an archive that are looked at; more are a file a patient."""
FEWEST_COLUMNS = 2
MOST_NAMED = 8
OTHER_FILES = N_("The file “{file}” of the archive was read; it holds others too: {others}.")
_KEPT_APART = re.compile(r"train|test|valid|develop|deriv|extern|hold.?out|训练|测试|验证|外部|建模", re.I)
"""Names of patients to learn from and to judge by, which are not mixed."""
WHERE = N_("Names the sheet or file in which the row stood; make it the site, if each is one.")


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table as one sheet or file has it; ``alike`` names other sheets with the same columns, ``linked`` those with some of them; ``others`` are the small ones among the rest.

    ``beside`` is the column that says where each row stood, if several are put together. ``single`` are tables that have
    one row of each patient of whom this one has several.
    """

    frame: pd.DataFrame = field(repr=False)
    found: Source
    repairs: tuple[Message, ...]
    said: Said
    alike: tuple[str, ...] = ()
    beside: str = ""
    linked: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    others: tuple[tuple[str, Rows], ...] = field(repr=False, default=())


def put_together(
    part: TablePart, members: Sequence[str], read: Callable[[str], TablePart | None], *, asked: bool
) -> TablePart:
    """Put other sheets or files with the same columns under a table, unless they hold its rows already.

    ``members`` are the tables of an archive, empty for a workbook; ``asked`` says that they are wanted whatever they hold.
    """
    chosen = str(part.found.sheet or "")
    names = [name for name in members if name != chosen] if members else list(part.alike)
    found = {name: other for name in names[:MOST] if (other := _alike(part, read(name))) is not None}
    everything = {
        name: part if name == chosen else found[name] for name in part.found.sheets if name in {chosen, *found}
    }
    apart = not asked and any(_KEPT_APART.search(name) for name in everything)
    shared = 0 if asked else _shared([one.frame for one in everything.values()])
    if not found or shared or apart:
        return replace(part, repairs=(*_left(chosen, names if members else (), found, shared), *part.repairs))
    return _stacked(part, everything)


def nothing_together(part: TablePart) -> SettingsError:
    """Say that sheets were asked for together of which none belong together."""
    return SettingsError(
        N_("No other sheet or file has the columns or the patients of “{sheet}”. Read one of them: {sheets}."),
        sheet=clean_name(str(part.found.sheet or "")),
        sheets=_named(part.found.sheets),
    )


def without_others(repairs: Sequence[Message], names: Sequence[str]) -> tuple[Message, ...]:
    """Leave sheets that were read after all out of what is said of those that were not."""
    gone = {clean_name(name) for name in names}
    told = []
    for message in repairs:
        if message.template in (OTHERS, OTHER_FILES) and gone:
            left = [name for name in message.values["others"] if name not in gone]
            told += [Message(message.template, {**message.values, "others": left})] if left else []
        else:
            told.append(message)
    return tuple(told)


def _alike(part: TablePart, other: TablePart | None) -> TablePart | None:
    """Return another table with the columns of the first, in its order and spelling; None where its columns are others."""
    if other is None or len(part.frame.columns) < FEWEST_COLUMNS:
        return None
    spelled = {name.casefold(): name for name in part.frame.columns}
    if {name.casefold() for name in other.frame.columns} != set(spelled):
        return None
    if part.frame.attrs.get("decimal") != other.frame.attrs.get("decimal"):
        return None
    frame = other.frame.rename(columns={name: spelled[name.casefold()] for name in other.frame.columns})
    return replace(other, frame=frame[list(part.frame.columns)])


def _shared(frames: Sequence[pd.DataFrame]) -> int:
    """Count the rows that stand in several tables, where they are more than chance would have; else return 0."""
    keys = [pd.util.hash_pandas_object(_texts(frame), index=False) for frame in frames]
    most = 0
    for i, one in enumerate(keys):
        for other in keys[:i]:
            small, large = sorted((one, other), key=len)
            n = int(small.isin(large).sum())
            most = max(most, n if n > MOST_SHARED * len(small) else 0)
    return most


def _stacked(part: TablePart, parts: Mapping[str, TablePart]) -> TablePart:
    beside = next(name for name in ("sheet", "sheet (2)", "sheet (3)") if name not in part.frame.columns)
    frames = [one.frame for one in parts.values()]
    same = all(list(frame.dtypes) == list(frames[0].dtypes) for frame in frames)
    frame = pd.concat(frames if same else [_texts(frame) for frame in frames], ignore_index=True)
    said = _said(list(parts))
    where = [word for word, one in zip(said, parts.values(), strict=True) for _row in range(len(one.frame))]
    frame[beside] = pd.Series(where, dtype="str")
    frame.attrs = dict(part.frame.attrs)
    numbering, shifted, at = [], [], 0
    for one in parts.values():
        pairs = (0, 2, *one.found.numbering)
        numbering += [n + at if place % 2 == 0 else n for place, n in enumerate(pairs)]
        shifted += [row + at for row in one.found.shifted]
        at += len(one.frame)
    found = replace(
        part.found,
        sheet=TOGETHER,
        numbering=tuple(numbering[2:] if numbering[:2] == [0, 2] else numbering),
        shifted=tuple(shifted),
        aside=_added([one.found.aside for one in parts.values()]),
    )
    told = Message(
        N_(
            "{n} sheets or files with the same columns were put together, {rows} rows: {sheets}. “{column}” says where each row stood."
        ),
        {"n": len(parts), "rows": len(frame), "sheets": _shortened(said), "column": beside},
    )
    others = [name for name in part.found.sheets if name not in parts and name not in part.found.hidden_sheets]
    left = [Message(N_("Others were not read: {sheets}."), {"sheets": _named(others)})]
    each = [
        Message(N_("{sheet}: {told}"), {"sheet": word, "told": message})
        for word, one in zip(said, parts.values(), strict=True)
        for message in one.repairs
        if message.template != OTHERS
    ]
    return replace(part, frame=frame, found=found, repairs=(told, *(left if others else ()), *each), beside=beside)


def _left(chosen: str, members: Sequence[str], found: Mapping[str, TablePart], shared: int) -> tuple[Message, ...]:
    """Say which tables of an archive were not read, and which are copies of rows that were."""
    told = []
    if members:
        told.append(
            Message(
                OTHER_FILES,
                {"file": clean_name(chosen), "others": _named(members)},
            )
        )
    if found and not shared:
        told.append(
            Message(
                N_(
                    '{sheets} have the same columns and were kept apart, as their names say; --sheet "*" or the form reads all as one table.'
                ),
                {"sheets": _named(found)},
            )
        )
    if shared:
        told.append(
            Message(
                N_("{sheets} have the same columns and {n} of its rows, and were not put under it."),
                {"sheets": _named(found), "n": shared},
            )
        )
    return tuple(told)


def _said(names: Sequence[str]) -> list[str]:
    """Return how the sheets are called beside their rows: by numbers, where they may be many persons' names."""
    dated = sum(any(letter.isdigit() for letter in name) for name in names)
    if len(names) > MOST_NAMED and 2 * dated < len(names):
        return [str(n) for n in range(1, len(names) + 1)]
    return [clean_name(name) for name in names]


def _named(names: Iterable[str]) -> list[str]:
    return _shortened(_said(list(names)))


def _shortened(names: list[str]) -> list[str]:
    return names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], "…"]


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(pd.array(text_array(frame[name]), dtype="str")) for name in frame.columns})


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names}
