"""A row is named by its number in the file, as a spreadsheet shows it, whatever stood above, between or below."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from medcore.data.cohort import Source
from medcore.data.reading.table import read_table


def numbers(cohort):
    return cohort.source.rows_in_file(range(cohort.n_rows)).tolist()


def book(rows):
    file = io.BytesIO()
    made = Workbook()
    for row in rows:
        made.active.append(row)
    made.save(file)
    return file.getvalue()


LINES = [["id", "age", "crp"], *([f"p{k}", 40 + k, k / 2] for k in range(8))]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_titles_units_repeated_names_and_empty_rows_count(kind):
    rows = [["Ward 3"], ["made on Monday"], LINES[0], ["", "years", "mg/L"], *LINES[1:4]]
    rows += [[], LINES[0], *LINES[4:], [], ["Total", 8, ""]]
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    cohort = read_table((f"ward.{kind}", text.encode() if kind == "csv" else book(rows)))
    expected = [k for k, row in enumerate(rows, 1) if row and str(row[0]).startswith("p")]
    assert cohort.frame["id"].tolist() == [f"p{k}" for k in range(8)]
    assert numbers(cohort) == expected
    assert Source.from_dict(cohort.source.to_dict()).numbering == cohort.source.numbering
    repeated = next(str(m) for m in cohort.repairs if "repeat the column names" in str(m))
    assert f"(first at row(s) {rows.index(LINES[0], 4) + 1})" in repeated


def test_messages_about_rows_that_are_too_short_or_long_name_them_so():
    text = "id,age,crp\np1,40,1\n\np2,50\np3,60,2,9\n" + "".join(f"q{k},50,3\n" for k in range(20))
    told = " ".join(map(str, read_table(("ward.csv", text.encode())).repairs))
    assert "too few cells; the lacking ones count as missing (first at row(s) 4)" in told
    assert "too many cells; those beyond the last column were left out (first at row(s) 5)" in told


def test_a_plain_table_keeps_no_numbers_and_begins_at_two():
    cohort = read_table(("ward.csv", b"a,b\n1,2\n3,4\n"))
    assert (cohort.source.numbering, numbers(cohort)) == ((), [2, 3])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["row", "blank", "two lines"]), min_size=3, max_size=40))
def test_every_row_has_the_number_of_its_record(kinds):
    kinds = ["row", *kinds, "row"]
    written = {"row": "p,1", "blank": "", "two lines": '"p\nq",1'}
    text = "name,x\n" + "\n".join(written[kind] for kind in kinds) + "\n"
    cohort = read_table(("ward.csv", text.encode()))
    assert numbers(cohort) == [place for place, kind in enumerate(kinds, 2) if kind != "blank"]


def test_a_nameless_column_without_values_is_told_once():
    rows = "".join(f"{k},{k + 30},\n" for k in range(30))
    told = [str(m) for m in read_table(("ward.csv", f"id,age,\n{rows}".encode())).repairs]
    assert len([m for m in told if "name" in m]) == 1
