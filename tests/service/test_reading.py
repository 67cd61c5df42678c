"""Cells that came before are read as their table is: the same codes, the same flags."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from medcore.data.preparation.cells import CELL_STEPS
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.service import reading
from medcore.service.reading import CellReader

STRANGE = {
    "age": ["63", "63.0", " ６３ ", "999", "old", None, ""],
    "sex": ["Male", "male ", "F", "?", None, "Female", "女"],
    "chol": ["233", "233 mg/dL", "6 mmol/L", "6 mmHg", "<100", "1e400", "nan"],
    "exang": ["TRUE", "yes", "0", "maybe", None, "FALSE", "1"],
}


@pytest.fixture(scope="module")
def bundle(heart_bundle) -> Bundle:
    return load_bundle(heart_bundle[1])


def cells_of(bundle: Bundle, cohort, n: int = 60) -> dict[str, list[str | None]]:
    frame = cohort.frame[list(bundle.predictors)].iloc[:n].astype(object)
    cells = {name: [None if pd.isna(v) else str(v) for v in frame[name]] for name in bundle.predictors}
    for name, texts in STRANGE.items():
        cells[name][: len(texts)] = texts
    return cells


def agree(bundle: Bundle, reader: CellReader, cells: dict[str, list[str | None]]) -> None:
    rows, flags = reader.read(cells)
    expected, told = bundle.encode_flagged(pd.DataFrame(cells, dtype="str"))
    assert np.array_equal(rows.codes, expected.codes, equal_nan=True)
    assert rows.codes.flags.c_contiguous and rows.codes.dtype == expected.codes.dtype
    assert flags == told


def test_cells_are_read_as_their_table_whether_they_came_before_or_not(bundle, heart_bundle) -> None:
    cells, reader = cells_of(bundle, heart_bundle[0]), CellReader(bundle)
    for _time in range(2):
        agree(bundle, reader, cells)
    for row in range(12):
        agree(bundle, reader, {name: texts[row : row + 1] for name, texts in cells.items()})
    others = {name: list(reversed(texts)) for name, texts in cells.items()}
    agree(bundle, reader, others)


def test_a_table_is_read_only_for_what_is_new(bundle, heart_bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, reader, read = cells_of(bundle, heart_bundle[0]), CellReader(bundle), []
    monkeypatch.setattr(reading, "_table", lambda cells: read.append(cells) or pd.DataFrame(dict(cells), dtype="str"))
    reader.read(cells)
    reader.read({name: texts[:5] for name, texts in cells.items()})
    assert len(read) == 1
    reader.read({name: ["41.5"] if name == "age" else texts[:1] for name, texts in cells.items()})
    assert read[1] == {"age": ["41.5"]}


def test_what_is_known_does_not_grow_without_end(bundle, heart_bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_KNOWN", 8)
    cells, reader = cells_of(bundle, heart_bundle[0]), CellReader(bundle)
    for row in range(60):
        agree(bundle, reader, {name: texts[row : row + 1] for name, texts in cells.items()})
        assert max(map(len, reader._known.values())) <= 8


def test_columns_that_look_at_others_are_read_as_a_table(bundle, heart_bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of(bundle, heart_bundle[0])
    columns = tuple(dataclasses.replace(c, reading=None) if c.name == "age" else c for c in bundle.schema.columns)
    unread = dataclasses.replace(bundle, schema=dataclasses.replace(bundle.schema, columns=columns))
    for other in (unread, bundle):
        reader, read = CellReader(other), []
        monkeypatch.setattr(
            reading, "_table", lambda cells, r=read: r.append(cells) or pd.DataFrame(cells, dtype="str")
        )
        for _time in range(2):
            reader.read(cells)
        assert len(read) == (2 if other is unread else 1)


def test_every_step_of_a_recipe_looks_at_one_cell() -> None:
    # A step that looks at other cells or columns, as dates_to_intervals does, keeps its columns out of APART.
    cell_by_cell = {"tidy_categories", "same_case", "implausible_values", "cap_ages", "fill_zero"}
    assert set(CELL_STEPS) - {"dates_to_intervals"} == cell_by_cell
