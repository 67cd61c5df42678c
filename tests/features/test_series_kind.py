"""Results over time as a kind of column: read, flagged, compared, and never part of a matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medcore.data.values.sequences import STEPS
from medcore.features import CodeBook, FeatureMaker, Layout, Rows, kind_named
from medcore.features.series import SERIES, told
from medcore.models.learners.encoding import CategoryEncoder


def cell(*values):
    """Write values of the first hours of two days."""
    steps = ["" if value is None else str(value) for value in values]
    return "1|" + ",".join(steps + [""] * (STEPS - len(steps)))


@pytest.fixture(scope="module")
def values():
    return pd.Series([cell(60, None, 66), cell(80, 82), None, cell(100), cell(None, 90, 95, 99)], dtype=object)


def test_what_was_measured_is_told_in_one_line_and_flagged_outside_the_range(values):
    encoder = SERIES.fit(values)
    column = encoder.encode(values)
    assert encoder.values(column) == ("60 … 66 (2/48)", "80 … 82 (2/48)", None, "100 … 100 (1/48)", "90 … 99 (3/48)")
    assert tuple(told(cell) for cell in values) == encoder.values(column)
    assert (encoder.low, encoder.high, encoder.hours) == (60, 100, 1) and list(encoder.known(column.codes)[1:3]) == [
        1,
        0,
    ]
    new = encoder.encode(pd.Series([cell(101), cell(70), "70", None], dtype=object))
    assert encoder.flags(new)["series_out_of_range"].tolist() == [True, False, False, False]
    assert np.isnan(new.codes).tolist() == [False, False, True, True]
    assert SERIES.load(encoder.to_dict()) == encoder
    nothing = SERIES.fit(values[2:3])
    assert nothing.to_dict() == {"low": None, "high": None, "hours": None} and np.isnan(
        SERIES.load(nothing.to_dict()).low
    )


def test_patients_are_apart_by_their_means(values):
    encoder = SERIES.fit(values)
    column = encoder.encode(values)
    rows = Rows.from_columns([column], len(column))
    means = np.array([63, 81, np.nan, 100, 284 / 3])
    spread = np.nanstd(means)
    np.testing.assert_allclose(SERIES.spreads(rows), [spread])
    apart = SERIES.distance(rows, rows.take(0), SERIES.spreads(rows))[:, 0]
    np.testing.assert_allclose(apart, np.abs(means - 63) / spread, rtol=1e-6)
    known = means[~np.isnan(means)]
    higher = encoder.encode(
        pd.Series([None if v is None else cell(*(v,)) for v in (known + 10).tolist()], dtype=object)
    )
    assert encoder.difference(column, higher) == pytest.approx(10 / known.std(ddof=1), rel=1e-5)
    assert encoder.difference(column, column) == 0 and encoder.difference(column, column.take([2])) is None


def test_other_results_are_those_of_training_patients(values):
    encoder = SERIES.fit(values)
    column, own = encoder.encode(values), encoder.encode(pd.Series([cell(50)], dtype=object))
    found = encoder.alternatives(column, own, n_points=2)
    assert len(found.values) == 3 and found.values[-1] == "50 … 50 (1/48)" and found.support.tolist() == [0.25, 0.25, 0]
    assert encoder.values(found.column)[-1] == found.values[-1]
    assert encoder.between(column, 1.0, 2.0).tolist() == [2.0]


def test_no_matrix_and_no_tree_sees_them(values):
    frame = pd.DataFrame({"age": [40.0, 50.0, 60.0, np.nan, 70.0], "HR sequence": values})
    book = CodeBook.fit(frame, {"age": "numeric", "HR sequence": "series"})
    rows = book.transform(frame)
    layout = Layout.of(rows, book.kinds)
    assert layout.widths == (2, 0) and book.in_order.tolist() == [False, True]
    with_them, without = FeatureMaker(book.kinds).fit(rows), FeatureMaker(("numeric",)).fit(rows.codes[:, :1])
    np.testing.assert_array_equal(with_them.transform(rows), without.transform(rows.codes[:, :1]))
    again = FeatureMaker.from_dict(with_them.to_dict())
    np.testing.assert_array_equal(again.transform(rows), with_them.transform(rows))
    assert kind_named("series").numbers(rows.column(1), ()).shape == (5, 0)
    trees = CategoryEncoder(contents=((1, "series", ()),))
    np.testing.assert_array_equal(trees.transform(rows), rows.codes[:, :1])
    assert trees.owners(2).tolist() == [0]
    blank = rows.without(np.array([1]))
    assert np.isnan(blank.codes[:, 1]).all() and not blank.payloads and blank.codes[0, 0] == 40
