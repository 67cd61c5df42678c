"""Tables that lie on their side, with a patient in each column, are turned; all others stay as they are."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.data.privacy.screen import screen
from medcore.data.quality import inspect
from medcore.data.reading.layout.turned import MOST_LEVELS
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample, samples
from medcore.errors import SettingsError
from tests.commanded import run, ward

WORDS = ["positive", "negative", "weak"]


def lying(table: pd.DataFrame) -> bytes:
    """Write a table with its patients in columns: the names of the rows stand in the first column."""
    return table.T.to_csv(header=False).encode()


def upright(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def with_ids(table: pd.DataFrame) -> pd.DataFrame:
    table.insert(0, "id", [f"P{i:03}" for i in range(len(table))])
    return table


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(9, 40))
    columns = {}
    for j in range(draw(st.integers(1, 12))):
        columns[f"lab {j}"] = draw(st.lists(st.integers(100, 998).map(str), min_size=n, max_size=n))
    for j in range(draw(st.integers(1, 12))):
        columns[f"finding {j}"] = draw(st.lists(st.sampled_from(WORDS), min_size=n, max_size=n))
    order = draw(st.permutations(sorted(columns)))
    return with_ids(pd.DataFrame({name: columns[name] for name in order}))


@settings(max_examples=40, deadline=None)
@given(tables(), st.booleans())
def test_a_table_is_read_alike_however_it_lies(table, missing):
    if missing:
        table.iloc[::7, 1:3] = None
    said = len(table.columns) > 3 and any(
        2 <= table[name].nunique() <= MOST_LEVELS * table[name].notna().sum() for name in table if "finding" in name
    )
    stands = read_table(("t.csv", upright(table)))
    lay = read_table(("t.csv", lying(table)))
    assert (stands.source.patients_in, lay.source.patients_in) == ("", "columns" if said else "")
    if lay.source.patients_in:
        pd.testing.assert_frame_equal(lay.frame, stands.frame)
        assert lay.schema == stands.schema
        assert f"{len(table)} rows" in str(lay.repairs[0])


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.key)
def test_no_sample_is_turned(sample):
    assert load_sample(sample.key).source.patients_in == ""


@pytest.mark.parametrize(
    "text",
    [
        "item," + ",".join(f"month {m}" for m in range(1, 13)) + "\nfalls,1,2,3,4,5,6,7,8,9,10,11,12\nfires,0,0,1,0,0,0,0,1,0,0,0,0\nsores,9,8,7,6,5,4,3,2,1,2,3,4",
        "question," + ",".join(f"q{m}" for m in range(1, 13)) + "\nann," + "yes," * 11 + "no\nbob," + "no," * 11 + "yes\neve," + "yes," * 11 + "yes",
        "a,b,c,d,e,f,g,h,i,j\nage,40,41,42,43,44,45,46,47,48\nage,f,m,f,m,f,m,f,m,f\nsex,1,2,3,4,5,6,7,8,9",
    ],
    ids=["numbers alone", "words alone", "names that come twice"],
)  # fmt: skip
def test_what_does_not_tell_stays_as_it_is(text):
    assert read_table(("t.csv", text.encode())).source.patients_in == ""


def test_labels_and_units_under_the_names_turn_nothing():
    """Each column holds a word and numbers there, and each row one of both."""
    n, width = 60, 14
    rows = [[f"P{i:03}", *(str(100 + (i * j) % 37) for j in range(width))] for i in range(n)]
    names, labels = ["id", *(f"v{j}" for j in range(width))], ["patient", *(f"what {j} is" for j in range(width))]
    units = ["", *("mmol/L" for _ in range(width))]
    for under in ([labels], [units], [labels, units]):
        found = read_table(("t.csv", "\n".join(",".join(row) for row in [names, *under, *rows]).encode()))
        assert (found.n_rows, found.source.patients_in) == (n, "")


@pytest.mark.parametrize("who", ["P{:03}", "王小{}"])
def test_patients_of_whom_nothing_could_be_measured_turn_nothing(who):
    """Each row holds numbers alone, but for some of words alone that are all the same."""
    names = ["who", "Na", "K", "Cl", "CRP", "WBC", "Hb", "Plt", "ALT", "AST", "Crea", "Urea"]
    told = [["haemolysed"] * 11 if i % 20 == 7 else [str(100 + (i * j) % 37) for j in range(11)] for i in range(90)]
    rows = [names, *([who.format(i), *cells] for i, cells in enumerate(told))]
    found = read_table(("t.csv", "\n".join(",".join(row) for row in rows).encode()))
    assert (found.n_rows, found.source.patients_in) == (90, "")


def test_one_row_of_words_among_many_of_numbers_tells():
    """As where genes stand in rows, and below them the outcome."""
    table = pd.DataFrame({f"gene {j}": [str(100 + (i * j) % 89) for i in range(70)] for j in range(200)})
    table = with_ids(table.assign(response=[WORDS[i % 2] for i in range(70)]))
    lay = read_table(("t.csv", lying(table)))
    pd.testing.assert_frame_equal(lay.frame, read_table(("t.csv", upright(table))).frame)


def test_the_sex_alone_tells_it():
    """F and M are units too, elsewhere."""
    table = with_ids(ward(30))[["id", "age", "sex"]].assign(k=[f"{3 + i % 20 / 10:.1f}" for i in range(30)])
    table["sex"] = table["sex"].str.upper()
    assert read_table(("t.csv", lying(table))).source.patients_in == "columns"


def test_cells_that_are_written_in_several_ways_hide_nothing(tmp_path):
    """As a ward writes them; and the first column has no name."""
    n = 60
    table = pd.DataFrame(
        {
            "年龄": [40 + i % 45 for i in range(n)],
            "性别": ["男女"[i % 2] for i in range(n)],
            "射血分数": [f"EF {25 + i % 40}%" for i in range(n)],
            "病程": [["3天", "半月", "2周余", "一个月"][i % 4] for i in range(n)],
            "血小板": [f"{5 + i % 30}万" if i % 2 else str((5 + i % 30) * 10_000) for i in range(n)],
            "结局": [["死亡", "存活"][i % 3 == 0] for i in range(n)],
        },
        index=[f"B{i:03}" for i in range(n)],
    )
    table.T.to_excel(tmp_path / "t.xlsx")
    lay = read_table(tmp_path / "t.xlsx")
    assert (lay.n_rows, lay.source.patients_in) == (n, "columns")
    numeric = [c.name for c in lay.schema.columns if c.kind == "numeric"]
    assert numeric == ["年龄", "射血分数", "病程", "血小板"]
    assert list(lay.frame.iloc[:, 0]) == list(table.index)


def test_it_is_said_kept_and_asked_for():
    table = with_ids(ward(30))
    lay = read_table(("t.csv", lying(table)))
    assert lay.source.choices()["patients_in"] == "columns"
    kept = read_table(("t.csv", lying(table)), overrides={"patients_in": "rows"})
    assert (kept.n_rows, kept.source.patients_in) == (4, "rows")
    numbers = table[["id", "age", "troponin"]].fillna(1)
    assert read_table(("t.csv", lying(numbers))).n_rows == 2
    asked = read_table(("t.csv", lying(numbers)), overrides={"patients_in": "columns"})
    assert (asked.n_rows, list(asked.frame.columns)) == (30, ["id", "age", "troponin"])
    with pytest.raises(SettingsError, match="in rows or in columns"):
        read_table(("t.csv", upright(table)), overrides={"patients_in": "piles"})


def test_where_numbers_alone_do_not_tell_it_is_offered():
    numbers = with_ids(ward(30))[["id", "age", "troponin"]].fillna(1)
    few = next(f for f in inspect(read_table(("t.csv", lying(numbers)))) if f.code == "rows.hardly_any")
    assert few.fix is not None
    turned = read_table(("t.csv", lying(numbers)), overrides=few.fix.values)
    assert turned.n_rows == 30
    wide = with_ids(pd.DataFrame({f"g{j}": [str(100 + i * j) for i in range(9)] for j in range(40)}))
    again = inspect(read_table(("t.csv", lying(wide)), overrides={"patients_in": "columns"}))
    assert next(f for f in again if f.code == "rows.hardly_any").fix is None  # it was turned
    short = read_table(("t.csv", upright(numbers.head(9))))
    assert next(f for f in inspect(short) if f.code == "rows.hardly_any").fix is None


def test_the_names_of_patients_are_looked_for_as_in_an_upright_table():
    """As names of columns they would be seen by nobody who looks for names in cells."""
    table = ward(30)
    table.insert(
        0, "name", [f"王{'小大明红'[i % 4]}{'华丽强'[i % 3]}" + "一二三四五六七八九十"[i % 10] for i in range(30)]
    )
    lay = read_table(("t.csv", lying(table)))
    assert [f.code for f in screen(lay.frame, lay.schema) if "name" in f.columns]


def test_new_patients_may_lie_on_their_side(ward_folder, capsys):
    """Of so few that nothing tells how they lie, a model's own names do."""
    new = pd.read_csv(ward_folder / "new.csv", dtype=str).drop(columns="died").head(3)
    new.to_csv(ward_folder / "three.csv", index=False)
    with_ids(new).T.to_csv(ward_folder / "three lying.csv", header=False)
    stands, lay = (predicted(capsys, ward_folder, name) for name in ("three.csv", "three lying.csv"))
    pd.testing.assert_frame_equal(lay, stands)


def predicted(capsys, folder, name):
    run(capsys, "predict", folder / "bundle", folder / name, "--out", folder / "risks.csv")
    return pd.read_csv(folder / "risks.csv")


@pytest.mark.parametrize("first", ["finding", "lab"])
def test_a_workbook_that_lies_keeps_its_rows_of_words(first, tmp_path):
    """Directly under the names they would be taken for labels."""
    n = 40
    table = pd.DataFrame({f"lab {j}": [str(100 + (7 * i + j) % 50) for i in range(n)] for j in range(8)})
    table.insert(0 if first == "finding" else 8, "finding", [WORDS[i % 3] for i in range(n)])
    table = with_ids(table)
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        table.T.to_excel(book, header=False, sheet_name="all")
    for read in (read_table(tmp_path / "t.xlsx"), read_table(("t.csv", lying(table)))):
        assert (read.n_rows, read.source.patients_in, read.source.aside) == (n, "columns", {})
        assert list(read.frame["finding"]) == list(table["finding"])
