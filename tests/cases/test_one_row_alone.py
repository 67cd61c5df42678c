"""One row alone is read exactly as it is among a thousand, and no cell of a table is lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medcore.data.schema.inference import infer_schema
from medcore.data.values.column import MISSING_RULES, PRESENT, UNUSED
from medcore.data.values.typed import Typed, read_values
from tests.cases.conftest import FILES, read_case

MISSING = ["", "NA", "n/a", "?", "未查", "none", "-", "Unknown", "Na", "not done", "-9", "999"]
JUNK = [
    "hemolyzed",
    "1.2.3",
    "10T",
    "5 tablets",
    "2023-13-45",
    "V45",
    "abc def",
    "1:80",
    "∞",
    "1e999",
    "120/80",
    "３．５",
]


def numbers(decimal: str) -> st.SearchStrategy[str]:
    whole = st.integers(-5, 99999).map(str)
    parts = st.decimals(0, 5000, places=3, allow_nan=False).map(lambda d: str(d).replace(".", decimal))
    group = "," if decimal == "." else "."
    grouped = st.integers(1000, 9_999_999).map(lambda n: f"{n:,}".replace(",", group))
    return st.one_of(whole, parts, grouped, parts.map("<{}".format), parts.map("{}¹".format), parts.map("{} H".format))


def units() -> st.SearchStrategy[str]:
    return st.tuples(st.integers(1, 900), st.sampled_from([" mg", " g", "", "mcg", " mL", " 毫克", "%"])).map(
        lambda pair: f"{pair[0]}{pair[1]}"
    )


def dates(form: str) -> st.SearchStrategy[str]:
    return st.datetimes(pd.Timestamp("1931-01-01"), pd.Timestamp("2029-12-31")).map(lambda at: at.strftime(form))


ZONES = st.tuples(dates("%Y-%m-%dT%H:%M:%S"), st.sampled_from(["Z", "+08:00", "-05:00", ""])).map("".join)
AGES = st.one_of(
    st.integers(0, 99).map(str),
    st.tuples(st.integers(0, 99), st.integers(0, 11)).map(lambda a: f"{a[0]}y {a[1]}m"),
    st.integers(1, 40).map("{} d".format),
    st.sampled_from(["90+", "3岁2个月", "65 years"]),
)
WORDS = [
    "yes",
    "No",
    "阳性",
    "弱阳性",
    "阴性",
    "±",
    "1+",
    "2+",
    "Done",
    "0500",
    "1020",
    "250.0",
    "250",
    "E11.9;I10",
    "mild",
]
COLUMNS = {
    "crp": numbers("."),
    "lactate": numbers(","),
    "dose": units(),
    "age": AGES,
    "visit": st.one_of(dates("%d/%m/%Y"), dates("%d/%m/%y")),
    "seen": st.one_of(dates("%m/%d/%Y %I:%M %p"), dates("%d.%m.%Y"), st.integers(30000, 45000).map(str)),
    "taken": ZONES,
    "日期": st.one_of(dates("%Y年%m月%d日"), dates("%Y-%m-%d"), dates("%Y年%m月%d日 上午%I时")),
    "stay": st.tuples(st.integers(0, 80), st.integers(0, 59)).map(lambda t: f"{t[0]}:{t[1]:02d}"),
    "word": st.sampled_from(WORDS),
    "code": st.integers(0, 9999).map("{:04d}".format),
    "long": st.integers(10**16, 10**18).map(str),
}


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(3, 25))
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=5, unique=True))
    cells = {}
    for name in names:
        rare = st.one_of(*[COLUMNS[name]] * 6, st.sampled_from(MISSING), st.sampled_from(JUNK))
        cells[name] = draw(st.lists(rare, min_size=n, max_size=n))
    frame = pd.DataFrame(cells).replace("", None).astype("str")
    frame.attrs = {} if draw(st.booleans()) else {"decimal": draw(st.sampled_from([",", "."]))}
    return frame


def same(whole: Typed, alone: Typed, row: int, name: str) -> bool:
    one, other = whole.frame[name].iloc[row], alone.frame[name].iloc[0]
    return (one == other or (pd.isna(one) and pd.isna(other))) and whole.status[name][row] == alone.status[name][0]


def adds_up(read: Typed) -> bool:
    """Every cell is present, missing by a named rule, or given and not used; and present means a value."""
    known = {PRESENT, *MISSING_RULES, *UNUSED}
    counted = all(
        (status == PRESENT).sum() + sum(read.missing[name].values()) + read.unreadable.get(name, 0) == len(read.frame)
        for name, status in read.status.items()
    )
    valued = all(((status == PRESENT) == read.frame[name].notna()).all() for name, status in read.status.items())
    return counted and valued and all(set(np.unique(status)) <= known for status in read.status.values())


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tables())
def test_a_row_alone_is_read_as_in_the_whole_and_every_cell_is_accounted_for(frame):
    schema = infer_schema(frame)
    whole = read_values(frame, schema)
    assert adds_up(whole)
    for row in range(len(frame)):
        one = frame.iloc[[row]].reset_index(drop=True)
        one.attrs = {}
        alone = read_values(one, schema)
        for name in frame:
            assert same(whole, alone, row, name), (name, frame[name].iloc[row], schema[name])


@pytest.mark.parametrize("folder", sorted(p.name for p in FILES.iterdir() if (p / "train.csv").is_file()))
def test_each_case_keeps_its_cells_and_reads_its_rows_alone(folder):
    cohort = read_case(folder)
    whole = read_values(cohort.frame, cohort.schema)
    assert adds_up(whole)
    for row in (0, cohort.n_rows // 2, cohort.n_rows - 1):
        one = cohort.frame.iloc[[row]].copy()
        one.attrs = {}
        alone = read_values(one, cohort.schema)
        assert all(same(whole, alone, row, name) for name in cohort.schema.names)
