"""No file, however damaged, gives more than one clear sentence; no row is lost uncounted."""

import gzip
import io
import random
import time
import zipfile
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medcore.data.cohort import Cohort, Source
from medcore.data.reading.table import _read_text, read_table
from medcore.data.reading.text import RawFile
from medcore.data.schema.inference import propose_targets
from medcore.data.values.typed import read_values
from medcore.errors import MedcoreError
from medcore.i18n import Message


def tables() -> list[bytes]:
    rng = random.Random(0)
    plain = ["id,age,sex,note,glucose,seen,disease"]
    for i in range(60):
        note = rng.choice(["", '"a, b"', '"two\nlines"', 'say ""no""', "胸痛"])
        plain.append(
            f"{i},{rng.randint(20, 90)},{rng.choice('MF')},{note},{rng.gauss(110, 20):.1f},2020-01-{1 + i % 28:02d},{i % 2}"
        )
    text = "\n".join(plain) + "\n"
    chinese = "编号,年龄,性别,结局\n" + "".join(f"{i},{40 + i},男,存活\n" for i in range(50))
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    for line in plain[:20]:
        book.active.append(line.split(","))
    book.save(out)
    return [
        text.encode(),
        chinese.encode("gb18030"),
        chinese.encode("utf-16"),
        text.replace(",", ";").encode(),
        out.getvalue(),
    ]


TABLES = tables()
Change = Callable[[random.Random, bytes], bytes]


def somewhere(rng: random.Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def insert(rng: random.Random, data: bytes, what: bytes) -> bytes:
    at = somewhere(rng, data)
    return data[:at] + what + data[at:]


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.csv", data)
    return out.getvalue()


CHANGES: list[Change] = [
    lambda rng, d: d[: somewhere(rng, d)],
    lambda rng, d: insert(rng, d, rng.randbytes(rng.randint(1, 300))),
    lambda rng, d: insert(rng, d, b'"' * rng.randint(1, 3)),
    lambda rng, d: insert(rng, d, rng.choice([b"x", b'"', b",", b"\n", b"\0", b"9"]) * rng.randint(1, 200_000)),
    lambda rng, d: d.replace(b",", rng.choice([b";", b"\t", b"|", b" ", b"::", b""])),
    lambda rng, d: d.replace(b"\n", rng.choice([b"\r", b"\r\n", b"\n\n", b""])),
    lambda rng, d: d.decode("utf-8", "ignore").encode(
        rng.choice(["gb18030", "utf-16", "latin-1", "utf-32", "big5"]), "ignore"
    ),
    lambda rng, d: d + d.decode("utf-8", "ignore").encode("gb18030", "ignore"),
    lambda rng, d: b"![x](http://e.vil/y.png),=cmd(),<script>alert(1)</script>,a\x00b\n" + d,
    lambda rng, d: insert(rng, d, b"\n=HYPERLINK(1),+1,-1,@x,,,,,,,,,\n"),
    lambda rng, d: gzip.compress(d)[: rng.choice([10**9, 30])],
    lambda rng, d: zipped(d)[: rng.choice([10**9, 90])],
]


@given(st.sampled_from(TABLES), st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3), st.integers(0, 2**32))
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_mutated_file_gives_a_cohort_or_one_sentence(data: bytes, changes: list[Change], seed: int) -> None:
    rng = random.Random(seed)
    for change in changes:
        data = change(rng, data)
    start = time.process_time()
    try:
        cohort = read_table(("table.csv", data))
        propose_targets(cohort.frame, cohort.schema)
        read_values(cohort.frame, cohort.schema)
    except MedcoreError as error:
        assert "\n" not in str(error)
    else:
        assert cohort.n_rows > 0
        assert cohort.frame.columns.is_unique
        assert all(name and "](" not in name and "<script" not in name for name in cohort.frame.columns)
        assert all(str(repair) for repair in cohort.repairs)
    assert time.process_time() - start < 10


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters='"\r\n\0,;\t|', exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    max_size=8,
)


LINES = st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=40).map(
    lambda rows: ["alpha,beta,gamma", "a,b,c", *(",".join(row) for row in rows), "x,y,z"]
)


def assert_each_is_a_row_or_counted(lines: list[str], n_rows: int, source: Source, repairs: Sequence[Message]) -> None:
    left_out = sum(r.values["n"] for r in repairs if "empty line" in r.template or "above the column" in r.template)
    blank = sum(1 for line in lines if not line)
    assert n_rows + 1 + left_out + sum(source.aside.values()) == len(lines)
    assert left_out <= blank + 1 or "above the column" in repairs[0].template


@given(LINES)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_every_line_is_a_row_or_is_counted(lines: list[str]) -> None:
    cohort = read_table(("t.csv", "\n".join(lines).encode()))
    assert_each_is_a_row_or_counted(lines, cohort.n_rows, cohort.source, cohort.repairs)


@given(LINES)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_every_line_becomes_a_row_or_is_counted_before_columns_are_looked_at(lines: list[str]) -> None:
    """What the columns mean, two thirds of the time it takes to read, moves no line."""
    part = _read_text(RawFile.of(("t.csv", "\n".join(lines).encode())), {}, None)
    assert_each_is_a_row_or_counted(lines, len(part.frame), part.found, part.repairs)


def counted(cohort: Cohort, about: str) -> int:
    return sum(int(r.values["n"]) for r in cohort.repairs if about in r.template)


@pytest.mark.parametrize("quote_at", [0, 7, 250, 499])
def test_rows_around_a_stray_quote_are_all_there(quote_at: int) -> None:
    lines = [f"{i},name {i},{i * 2}" for i in range(500)]
    lines[quote_at] = f'{quote_at},"name,{quote_at * 2}'
    cohort = read_table(("t.csv", ("id,name,twice\n" + "\n".join(lines)).encode()))
    assert cohort.frame["id"].tolist() == [str(i) for i in range(500)]
    assert counted(cohort, "never closed") == 1
