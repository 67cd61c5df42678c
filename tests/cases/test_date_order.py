"""The order of day, month and year: asked for, learnt once, and what contradicts it is reported and not swapped."""

import io

import pandas as pd
import pytest

from medcore.commands.asked import Asked
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.dictionaries.dictionary import load_dictionary, save_dictionary
from medcore.data.values.typed import typed


def read(cells, order=None, tmp_path=None):
    """Read a table with one column of dates, with ``--dates`` as on the command line."""
    frame = pd.DataFrame({"visit": cells * 4, "x": [f"{k}.5" for k in range(4 * len(cells))]})
    file = tmp_path / "ward.csv"
    file.write_text(frame.to_csv(index=False), encoding="utf-8")
    return Asked(dates=(f"visit={order}",) if order else ()).read(file)


def days(cohort, n):
    return [None if pd.isna(v) else str(v)[:10] for v in typed(cohort.frame, cohort.schema)["visit"].head(n)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("dmy", ["2005-04-03", "2006-01-12", None]),
        ("mdy", ["2005-03-04", "2006-12-01", None]),
        ("ymd", ["2003-04-05", "2012-01-06", "1998-03-05"]),
    ],
)
def test_two_figures_of_the_year_are_read_in_the_order_asked_for(tmp_path, order, expected):
    cohort = read(["03/04/05", "12/01/06", "98/03/05"], order, tmp_path)
    assert days(cohort, 3) == expected
    again = load_dictionary(cohort.schema.change("visit", reading=None), save_dictionary(cohort.schema))
    assert again["visit"].reading.dates == order


@pytest.mark.parametrize(("order", "n"), [("dmy", 4), ("mdy", 4), ("ymd", 12)])
def test_dates_against_the_order_asked_for_are_named_and_not_swapped(tmp_path, order, n):
    cohort = read(
        ["3/4/2020", "25/12/2020" if order == "mdy" else "12/25/2020", "5/6/2021", "2020-01-31"], order, tmp_path
    )
    found = {f.code: f for f in inspect(cohort)}
    assert found["dates.contradictory"].n_rows == n
    assert "dates.unclear" not in found
    assert days(cohort, 4)[1] is None
    assert days(cohort, 4)[3] == "2020-01-31"


def test_what_was_asked_for_leaves_no_doubt(tmp_path):
    cells = ["3/4/2020", "5/6/2021"]
    assert "dates.unclear" in {f.code for f in inspect(read(cells, None, tmp_path))}
    assert "dates.unclear" not in {f.code for f in inspect(read(cells, "dmy", tmp_path))}


def test_a_year_that_no_day_can_be_proves_its_place(tmp_path):
    assert days(read(["98-03-05", "99-12-31", "01-02-03"], None, tmp_path), 3) == [
        "1998-03-05",
        "1999-12-31",
        "2001-02-03",
    ]


def test_another_way_of_writing_in_a_new_table_is_reported_where_all_dates_began_with_the_year(tmp_path):
    learnt = read(["2020-01-31", "2021-03-05"], None, tmp_path).schema
    assert learnt["visit"].reading.dates == "ymd"
    new = read_table(("new.csv", io.BytesIO(b"visit,x\n3/5/2021,1.5\n2021-03-05,2.5\n").read()), like=learnt)
    assert [pd.isna(v) for v in typed(new.frame, learnt)["visit"]] == [True, False]


@pytest.mark.parametrize(
    ("year", "told"),
    [(2564, "years of the Buddhist era"), (1066, "a year that cannot be, from 1066 to 1066"), (2019, "")],
)
def test_years_in_which_no_patient_lives_are_told(year, told, tmp_path):
    cells = [f"{1 + k % 28:02d}.{1 + k % 12:02d}.{year if k % 3 else 2020}" for k in range(60)]
    found = {f.code: str(f.message) for f in inspect(read(cells, "dmy", tmp_path))}
    assert told in found.get("dates.impossible", "") and ("dates.impossible" in found) == bool(told)
