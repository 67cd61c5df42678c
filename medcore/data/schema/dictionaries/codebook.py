"""Codebooks: the sheet or file beside a table that says in words what its columns and codes are.

Each ward writes its own: a line a column with the codes in one cell (``0 = no; 1 = yes``, ``1男 2女``, ``男=1，女=0``),
or a line a code under its column; with or without a row of names, in any order of its own columns. What is
always there is a column of cells that are the table's column names; all else is found from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from medcore.data.cohort import Column, Schema
from medcore.data.quantities.ranges import unit_in_name
from medcore.data.quantities.units import fold_unit
from medcore.data.schema.dictionaries.code_lists import EDGES, MOST_LETTERS, before_codes, code_list, signed_codes
from medcore.data.schema.kinds import ordered_levels
from medcore.data.values.booleans import boolean_side
from medcore.data.values.folding import text_array
from medcore.data.values.names import clean_name
from medcore.data.values.words import MISSING_WORDS

Rows = Sequence[Sequence[str]]
MOST_ROWS, MOST_COLUMNS = 5_000, 40
"""What of a sheet is looked at."""
FEWEST_NAMED = 3
MOST_PLACES = 1.2
"""In how many places a column's name may stand, on average."""
MOST_LABEL = 300
CODE_LETTERS = 12
"""Letters of a code that has a row of its own."""
_NOT_KNOWN = MISSING_WORDS - {"none", "nil"}
"""Words of codes that say nothing was recorded; none is one of the answers."""
_LABEL = frozenset(
    [
        "label",
        "description",
        "variablelabel",
        "definition",
        "meaning",
        "fullname",
        "question",
        "questiontext",
        "explanation",
        "longname",
        "beschreibung",
        "bezeichnung",
        "bedeutung",
        "libellé",
        "signification",
        "descripción",
        "etiqueta",
        "descrizione",
        "中文名",
        "中文名称",
        "变量标签",
        "标签",
        "含义",
        "变量含义",
        "说明",
        "变量说明",
        "描述",
        "变量描述",
        "定义",
        "变量定义",
        "名称",
        "变量名称",
        "字段说明",
        "字段含义",
    ]
)
_UNIT = frozenset(["unit", "units", "einheit", "unité", "unidad", "unità", "单位", "计量单位"])
_MISSING = frozenset(
    ["missing", "missingvalues", "missingvalue", "missingcode", "missingcodes", "缺失", "缺失值", "缺失编码"]
)
_OTHER = frozenset(
    [
        "type",
        "format",
        "width",
        "decimals",
        "datatype",
        "measure",
        "role",
        "kind",
        "source",
        "form",
        "section",
        "notes",
        "note",
        "comment",
        "comments",
        "required",
        "validation",
        "min",
        "max",
        "range",
        "columns",
        "align",
        "类型",
        "数据类型",
        "格式",
        "长度",
        "备注",
        "来源",
        "范围",
        "表单",
    ]
)
"""What a codebook says of a column beside its label, unit and codes."""


@dataclass(frozen=True, slots=True)
class CodebookEntry:
    """What a codebook says of one column: in words, its unit, what its codes mean, and those that mean nothing was measured."""

    label: str = ""
    unit: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def says(self) -> bool:
        """Whether it says anything."""
        return bool(self.label or self.unit or self.words or self.missing)

    def and_then(self, first: CodebookEntry | None) -> CodebookEntry:
        """Return what another codebook says first, and this one where that says nothing."""
        if first is None:
            return self
        return CodebookEntry(
            first.label or self.label,
            first.unit or self.unit,
            first.words or self.words,
            first.missing or self.missing,
        )


def find_codebook(rows: Rows, frame: pd.DataFrame) -> dict[str, CodebookEntry]:
    """Return what a sheet says of a table's columns, by their names; empty if the sheet is no codebook.

    ``rows`` are its cells as text, "" where nothing stands.
    """
    grid, known = _grid(rows), _known(frame.columns)
    at = _column_of_names(_folded_cells(grid), known)
    if at is None:
        return {}
    first = next(i for i, row in enumerate(grid) if _folded(row[at]) in known)
    head = next((row for row in reversed(grid[:first]) if sum(map(bool, row)) > 1), [""] * len(grid[0]))
    groups = _groups(grid[first:], at, known)
    layout = _Layout.of(head, groups, at)
    found = {name: layout.entry(lines, _present(frame[name])) for name, lines in groups.items()}
    return {name: entry for name, entry in found.items() if entry.says}


def table_told_of(rows: Rows, tables: Mapping[str, Sequence[str]]) -> str | None:
    """Return the first of some tables whose column names stand in a column of a sheet, as in a codebook; None where none's do."""
    cells = _folded_cells(_grid(rows))
    return next((table for table, names in tables.items() if _column_of_names(cells, _known(names)) is not None), None)


def apply_codebook(
    schema: Schema, frame: pd.DataFrame, entries: Mapping[str, CodebookEntry], *, asked: bool = False
) -> Schema:
    """Give columns the labels, units, words of codes and codes for missing that a codebook says.

    A number all of whose values are codes with words becomes a category, in order where its words have one. What the table's own head
    says stays, unless a person ``asked`` for this codebook; a chosen outcome keeps its kind.
    """
    for name, entry in entries.items():
        column = schema[name]
        changes: dict[str, Any] = {"label": entry.label or column.label if asked else column.label or entry.label}
        absent = [code for code in entry.missing if code not in column.missing_codes]
        changes["missing_codes"] = (*column.missing_codes, *absent)
        present = {value for value in _present(frame[name]) if value not in changes["missing_codes"]}
        whole = bool(present) and present <= set(entry.words)
        if len(entry.words) > 1 and (whole or column.kind in ("category", "boolean")):
            changes |= {"level_labels": dict(entry.words)}
            changes |= _coded(column, entry.words) if whole and column.role != "outcome" else {}
        elif entry.unit and column.kind == "numeric" and not column.unit:
            changes["unit"] = entry.unit
        schema = schema.change(name, **changes)
    return schema


def _coded(column: Column, words: Mapping[str, str]) -> dict[str, Any]:
    """Return what a column of codes is: yes or no where the words say so, whichever code is which, else a category."""
    codes = {word: code for code, word in words.items()}
    sides = {boolean_side(word): code for word, code in codes.items()}
    plain = {"low": None, "high": None, "unit": None, "confidence": 1.0}
    if len(codes) == 2 and sides.keys() == {False, True} and column.kind in ("numeric", "category", "boolean"):
        return plain | {"kind": "boolean", "levels": (sides[False], sides[True])}
    levels = tuple(codes[word] for word in ordered_levels(list(codes)))
    if column.kind == "numeric":
        return plain | {"kind": "category", "levels": levels}
    return {"levels": levels} if column.kind == "category" and levels else {}


def _grid(rows: Rows) -> list[list[str]]:
    """Return a sheet's cells, cleaned and cut short, each row as long as the others."""
    cells = [[_cleaned(cell[:MOST_LETTERS]) for cell in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    width = max((len(row) for row in cells), default=0)
    return [[*row, *[""] * (width - len(row))] for row in cells]


def _cleaned(cell: str) -> str:
    return cell.strip() if "\n" in cell else clean_name(cell)  # the lines of a cell may be codes


def _known(names: Iterable[Any]) -> dict[str, str]:
    return {_folded(str(name)): str(name) for name in names}


def _folded(name: str) -> str:
    """Return a column's name without its case, blanks and signs.

    >>> _folded("Blood_Pressure "), _folded("性别")
    ('bloodpressure', '性别')
    """
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _folded_cells(grid: Rows) -> list[list[str]]:
    return [[_folded(cell) if cell else "" for cell in row] for row in grid]


def _column_of_names(grid: Rows, known: Mapping[str, str]) -> int | None:
    """Return the column of a sheet whose cells, folded, are a table's column names."""
    best, most = None, 0
    for j in range(len(grid[0]) if grid else 0):
        cells = {row[j] for row in grid} - {""}
        named = len(cells & set(known))
        if (
            named > most
            and _in_one_place([row[j] for row in grid], known)
            and (named >= FEWEST_NAMED or 2 * named >= len(cells))
            and named >= min(2, len(known))
        ):
            best, most = j, named
    rows_named = sum(1 for row in grid if sum(cell in known for cell in row) > max(2, len(known) // 2))
    return None if rows_named else best  # a row of the names is the head of a table with the same columns


def _in_one_place(cells: Sequence[str], known: Mapping[str, str]) -> bool:
    """Say whether names come once each, or in rows that follow one another: elsewhere they are what rows of results measure."""
    filled = [cell for cell in cells if cell]
    starts = [cell for cell, before in zip(filled, ["", *filled], strict=False) if cell in known and cell != before]
    return len(starts) <= MOST_PLACES * len(set(starts))


def _groups(body: Rows, at: int, known: Mapping[str, str]) -> dict[str, list[Sequence[str]]]:
    """Return the rows that say something of each column: those with its name, and those without any below them."""
    groups: dict[str, list[Sequence[str]]] = {}
    name: str | None = None
    for row in body:
        if row[at]:
            name = known.get(_folded(row[at]))
        if name is not None and any(cell for j, cell in enumerate(row) if j != at):
            groups.setdefault(name, []).append(row)
    return groups


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which of a codebook's columns hold what; ``code`` and ``word`` where each code has a row of its own."""

    label: int | None
    unit: int | None
    missing: int | None
    code: int | None
    word: int | None
    others: tuple[int, ...]

    @classmethod
    def of(cls, head: Sequence[str], groups: Mapping[str, Sequence[Sequence[str]]], at: int) -> _Layout:
        """Find them by the head's words, and where these say nothing by the cells."""
        titles = [_folded(title) for title in head]
        rows = [lines[0] for lines in groups.values()]
        free = [j for j in range(len(head)) if j != at]
        unit = next((j for j in free if titles[j] in _UNIT), None)
        missing = next((j for j in free if titles[j] in _MISSING), None)
        free = [j for j in free if j not in (unit, missing) and titles[j] not in _OTHER]
        code, word = _own_rows([lines for lines in groups.values() if len(lines) > 1], free)
        free = [j for j in free if j not in (code, word)]
        label = next((j for j in free if titles[j] in _LABEL), None)
        if label is None:
            label = next((j for j in free if _are_words([row[j] for row in rows])), None)
        return cls(label, unit, missing, code, word, tuple(free))

    def entry(self, lines: Sequence[Sequence[str]], present: Sequence[str]) -> CodebookEntry:
        """Read what the rows of one column say; codes that do not stand in the column say nothing."""
        first = lines[0]
        label = "" if self.label is None else first[self.label]
        pairs: list[tuple[str, str]] = []
        if self.code is not None and self.word is not None and len(lines) > 1:
            pairs = [(line[self.code], line[self.word]) for line in lines if line[self.code] and line[self.word]]
        told = _oriented(pairs, present)
        for j in () if told else sorted(self.others, key=lambda j: j == self.label):
            told = _oriented(code_list(first[j]), present)
            if told and j == self.label:
                label = before_codes(label)
            if told:
                break
        pieces = [*told.items(), *(pair for j in self.others for pair in signed_codes(first[j]))]
        absent = {_plain_code(code) for code, word in pieces if word.casefold() in _NOT_KNOWN}
        listed = re.split(r"[\s,;，；、|]+", "" if self.missing is None else first[self.missing])
        absent |= {_plain_code(code) for code in listed if _plain_code(code) in present}
        unit = "" if self.unit is None else first[self.unit]
        return CodebookEntry(
            " ".join(label.split())[:MOST_LABEL],
            unit if fold_unit(unit) else (unit_in_name(label) or ""),
            {code: word for code, word in told.items() if code not in absent},
            tuple(sorted(absent)),
        )


def _own_rows(groups: Sequence[Sequence[Sequence[str]]], free: Sequence[int]) -> tuple[int | None, int | None]:
    """Return the columns of codes and of their words, where each code has a row of its own."""
    if not groups:
        return None, None

    def distinct(j: int) -> float:
        """Share of the groups whose cells differ from row to row."""
        return sum(1 for lines in groups if len({r[j] for r in lines if r[j]}) > len(lines) / 2) / len(groups)

    told = [j for j in free if distinct(j) > 0.5]
    short = [j for j in told if all(len(r[j]) <= CODE_LETTERS for lines in groups for r in lines)]
    code = short[0] if short else None
    word = next((j for j in told if code is not None and j != code), None)
    return (code, word) if word is not None else (None, None)


def _are_words(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    texts = [cell for cell in filled if sum(c.isalpha() for c in cell) * 2 > len(cell)]
    return bool(filled) and len(texts) > 0.6 * len(filled) and len(set(texts)) > 0.6 * len(texts)


def _oriented(pairs: Sequence[tuple[str, str]], present: Sequence[str]) -> dict[str, str]:
    """Return codes with their words, whichever stands first; empty if none of the codes stands in the column."""
    if len(pairs) < 2:
        return {}
    there = set(present)
    for told in (pairs, [(word, code) for code, word in pairs]):
        codes = {_plain_code(code): word for code, word in told}
        if len(codes) == len(pairs) and there & set(codes):
            return codes
    return {}


def _plain_code(text: str) -> str:
    """Return a code as a table's cell is written: 1.0 is 1."""
    text = unicodedata.normalize("NFKC", text).strip(EDGES)
    return re.sub(r"^(-?[0-9]+)\.0+$", r"\1", text)


def _present(values: pd.Series) -> list[str]:
    """Return the distinct values of a column as text, up to some thousands."""
    texts = pc.unique(text_array(values)).slice(0, MOST_ROWS).to_pylist()
    return [_plain_code(str(text)) for text in texts if text is not None]
