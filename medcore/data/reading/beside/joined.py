"""Sheets or files about the same patients are one table: who they are in one, their results and what became of them in others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any, cast

import pandas as pd

from medcore.data.reading.beside.together import OTHER_FILES, TOGETHER, TablePart, without_others
from medcore.data.reading.said import Said
from medcore.data.reading.typed.found import OTHERS
from medcore.data.schema.names import folded, names_patients, says
from medcore.data.values.folding import fold_texts, text_array
from medcore.data.values.names import clean_name
from medcore.i18n import N_, Message

SHARED = 0.5
"""Share of the smaller table's patients that must stand in the larger one too."""
ALIKE = 0.9
"""Share of the patients in both whose sex and age must be the same, where both tables have them."""
FEWEST, ONE = 3, 1
"""Patients that must be in both tables: of a table to learn from, and of a model's new patients."""
LONG = 4
"""Letters from which on cells that all differ may name patients, whatever the column is called."""
MOST_JOINED = 30
ROWS_A_PATIENT = 1.5
"""Rows for each patient, on average, from which on a table has several of each."""
_RUNNING_NAME = re.compile(r"^(?:#|no|nr|n|row|rows?\s*no|index|s\W*no|sl\W*no|lfd\W*nr|序号|行号|unnamed.*)\W*$", re.I)
"""Names of numbers that count a sheet's own rows."""
_MEASURED = re.compile(r"[0-9]{1,4}[-/.年:,][0-9]|[-+]?[0-9]*[.,][0-9]")
"""How dates, times and amounts begin, which name nobody though they all differ."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A column by which two tables are of the same patients: its name in each, and how many they share."""

    ours: str
    theirs: str
    n: int


def join(
    part: TablePart, names: Sequence[str], read: Callable[[str], TablePart | None], *, fewest: int = FEWEST
) -> TablePart:
    """Put the columns of other sheets or files beside a table's, where each has one row for each of the same patients.

    ``names`` are those that may be such, ``read`` reads one. No row is lost: a patient whom only some have is there,
    with empty cells. Tables that have several rows a patient are named, and left; ``fewest`` patients must be in both.
    """
    joined: dict[str, TablePart] = {}
    several: list[str] = []
    single: list[str] = []
    frame, said = part.frame, part.said
    for name in names[:MOST_JOINED]:
        other = read(name)
        if other is None or not _same_marks(part, other):
            continue
        key = _key(part.frame, other.frame, fewest)
        if key is None or key.n == 0:
            turned = _key(other.frame, part.frame, fewest) if key is None else None
            several += [name] if key is not None and _is_long(other.frame, key.theirs) else []
            single += [name] if turned is not None and turned.n == 0 and _is_long(part.frame, turned.theirs) else []
            continue
        wider = _beside(frame, other.frame, key, clean_name(name))
        if len(wider.columns) > len(frame.columns):
            frame, joined[name] = wider, other
            said = _both(said, other.said, wider)
    told = (
        *(_sheets_joined(part, frame, joined) if joined else ()),
        *(_several(several) if several else ()),
        *(_single(part, single) if single else ()),
    )
    repairs = without_others(part.repairs, (*joined, *several, *single))
    source = replace(part.found, sheet=TOGETHER if joined else part.found.sheet, long_sheets=tuple(several))
    return replace(part, frame=frame, said=said, found=source, repairs=(*told, *repairs), single=tuple(single))


def _same_marks(part: TablePart, other: TablePart) -> bool:
    return bool(part.frame.attrs.get("decimal") == other.frame.attrs.get("decimal"))


def _is_long(frame: pd.DataFrame, column: str) -> bool:
    """Say whether a table has several rows of most patients, and not one by mistake."""
    cells = {*_cells(frame[column])} - {None, ""}
    return len(frame) >= ROWS_A_PATIENT * len(cells)


def _key(ours: pd.DataFrame, theirs: pd.DataFrame, fewest: int) -> _Key | None:
    """Find the column by which two tables are of the same patients; ``n`` is 0 where the second has several rows of each."""
    found: list[_Key] = []
    for name, other in _may_be_keys(ours, theirs):
        if not ours[name].is_unique:
            continue
        mine, its = _cells(ours[name]), _cells(theirs[other])
        both = {*mine} & {*its} - {None}
        enough = len(both) >= max(fewest, SHARED * min(len({*mine}), len({*its})))
        if enough and _is_one_each(mine) and _identifies(name, mine):
            found.append(_Key(name, other, len(both) if _is_one_each(its) else 0))
    best = max(found, key=lambda key: key.n, default=None)
    return best if best is None or best.n == 0 or _same_people(ours, theirs, best) else None


def _shared(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, str]:
    """Return the columns that both have, by their names in the first."""
    known = {folded(str(name)): str(name) for name in theirs.columns}
    return {str(name): known[folded(str(name))] for name in ours.columns if folded(str(name)) in known}


def _may_be_keys(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[tuple[str, str]]:
    """Return pairs of columns by which two tables may be of the same patients: of the same name, or that name patients."""
    named = [
        (str(a), str(b))
        for a in ours.columns
        for b in theirs.columns
        if names_patients(str(a)) and names_patients(str(b))
    ]
    return list(dict.fromkeys([*_shared(ours, theirs).items(), *named]))


def _cells(values: pd.Series) -> list[str | None]:
    return cast("list[str | None]", fold_texts(text_array(values)).to_pylist())


def _is_one_each(cells: Sequence[str | None]) -> bool:
    return None not in cells and "" not in cells and len({*cells}) == len(cells)


def _identifies(name: str, cells: Sequence[str | None]) -> bool:
    """Say whether a column names patients, and does not count a sheet's own rows or hold what was measured."""
    named = names_patients(name)
    if sorted(map(str, cells), key=lambda c: (len(c), c)) == [str(n) for n in range(1, len(cells) + 1)]:
        return named and not _RUNNING_NAME.match(name.strip())
    return named or all(len(cell or "") >= LONG and not _MEASURED.match(cell or "") for cell in cells)


def _same_people(ours: pd.DataFrame, theirs: pd.DataFrame, key: _Key) -> bool:
    """Say whether the patients in both tables have the same sex and age in both, where these are there."""
    at = {cell: i for i, cell in enumerate(_cells(theirs[key.theirs]))}
    rows = [(i, at[cell]) for i, cell in enumerate(_cells(ours[key.ours])) if cell in at]
    for name, other in _shared(ours, theirs).items():
        if says(name, "sensitive"):
            mine, its = _cells(ours[name]), _cells(theirs[other])
            pairs = [(mine[i], its[j]) for i, j in rows if mine[i] and its[j]]
            if sum(a == b for a, b in pairs) < ALIKE * len(pairs):
                return False
    return True


def _beside(frame: pd.DataFrame, other: pd.DataFrame, key: _Key, sheet: str) -> pd.DataFrame:
    """Return a table with another's columns beside its own, and below it the rows that only the other has."""
    ours, theirs = _cells(frame[key.ours]), _cells(other[key.theirs])
    known = {*ours}
    more = [j for j, cell in enumerate(theirs) if cell not in known]
    wide = frame
    if more:
        ids = other[key.theirs].iloc[more].rename(key.ours)
        if ids.dtype != frame[key.ours].dtype:
            ids, frame = _text(ids), frame.assign(**{key.ours: _text(frame[key.ours])})
        wide = pd.concat([frame, ids.to_frame()], ignore_index=True)
    at = {cell: j for j, cell in enumerate(theirs)}
    places = [at.get(cell, -1) for cell in [*ours, *(theirs[j] for j in more)]]
    shared = {theirs_: ours_ for ours_, theirs_ in _shared(frame, other).items()}
    added: dict[str, pd.Series] = {}
    for name in [str(column) for column in other.columns if column != key.theirs]:
        values = other[name] if other[name].dtype != bool else _text(other[name])
        values = values.reset_index(drop=True).reindex(places).reset_index(drop=True)
        if name not in shared:
            added[name] = values
        elif _agree(wide[shared[name]], values):
            wide = wide.assign(**{shared[name]: _filled(wide[shared[name]], values)})
        else:
            added[_free(f"{name} ({sheet})", {*map(str, wide.columns), *added})] = values
    whole = pd.concat([wide, pd.DataFrame(added)], axis=1)
    whole.attrs = dict(frame.attrs)
    return whole


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no column has yet."""
    return next(free for n in count(1) if (free := name if n == 1 else f"{name} {n}") not in taken)


def _agree(ours: pd.Series, theirs: pd.Series) -> bool:
    return all(a == b for a, b in zip(_cells(ours), _cells(theirs), strict=True) if a and b)


def _filled(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    if not (ours.isna() & theirs.notna()).any():
        return ours
    return ours.where(ours.notna(), theirs) if ours.dtype == theirs.dtype else _text(ours).fillna(_text(theirs))


def _text(values: pd.Series) -> pd.Series:
    return pd.Series(pd.array(text_array(values), dtype="str"), index=values.index)


def _both(ours: Said, theirs: Said, frame: pd.DataFrame) -> Said:
    """Return what both tables say of their columns, the first before the second."""

    def merged(name: str) -> dict[str, Any]:
        told = {**getattr(theirs, name), **getattr(ours, name)}
        return {column: words for column, words in told.items() if column in frame.columns}

    return Said(**{field.name: merged(field.name) for field in fields(Said)})


def _sheets_joined(part: TablePart, frame: pd.DataFrame, joined: Mapping[str, TablePart]) -> tuple[Message, ...]:
    names = [clean_name(str(part.found.sheet or "")), *map(clean_name, joined)]
    alone = len(frame) - len(part.frame)
    told = [
        Message(
            N_(
                "{n} sheets or files about the same patients were put beside each other: {sheets}; {rows} patients, {columns} columns."
            ),
            {"n": len(names), "sheets": names, "rows": len(frame), "columns": len(frame.columns)},
        )
    ]
    if alone:
        told.append(
            Message(
                N_("{n} patients are not in “{sheet}” and have empty cells in its columns."),
                {"n": alone, "sheet": names[0]},
            )
        )
    each = [
        Message(N_("{sheet}: {told}"), {"sheet": clean_name(name), "told": message})
        for name, one in joined.items()
        for message in one.repairs
        if message.template not in (OTHERS, OTHER_FILES)
    ]
    return (*told, *each)


def _single(part: TablePart, names: Sequence[str]) -> tuple[Message, ...]:
    return (
        Message(
            N_(
                "“{sheet}” was read, which has several rows of each patient; {others} has one. If a patient is to be predicted for once, read that one, and upload the other as a file of its own beside it."
            ),
            {"sheet": clean_name(str(part.found.sheet or "")), "others": [clean_name(name) for name in names]},
        ),
    )


def _several(names: Sequence[str]) -> tuple[Message, ...]:
    return (
        Message(
            N_(
                "{sheets}: several rows of each patient. They can be added as measurements over time: on the Data page, or with --series and the same file."
            ),
            {"sheets": [clean_name(name) for name in names]},
        ),
    )
