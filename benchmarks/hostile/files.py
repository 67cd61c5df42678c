"""Hostile files, each made from a seed."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from names import CANARY, NAMES


def plain(rng: random.Random, header: str | None = None, cell: str | None = None) -> pd.DataFrame:
    n = rng.randint(2, 60)
    frame = pd.DataFrame({"age": [rng.randint(20, 90) for _ in range(n)], "event": [i % 2 for i in range(n)]})
    frame[header if header is not None else "note"] = [cell if cell is not None else "x"] * n
    return frame


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode("utf-8", "surrogatepass")


def _in_xml(character: str) -> bool:
    return " " <= character <= "\ud7ff" or "\ue000" <= character <= "\ufffd" or character > "\uffff"


def as_excel(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.map(lambda v: "".join(c for c in str(v)[:30_000] if _in_xml(c))).rename(
        columns=lambda c: "".join(x for x in str(c)[:200] if _in_xml(x))
    ).to_excel(out, index=False)
    return out.getvalue()


def as_parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue()


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def sheet(cells: str, *, head: str = "", more: dict[str, bytes] | None = None) -> bytes:
    made, out = io.BytesIO(as_excel(plain(random.Random(0)))), io.BytesIO()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            is_sheet = info.filename.startswith("xl/worksheets/")
            target.writestr(info.filename, head + SHEET.format(cells) if is_sheet else source.read(info))
        for name, data in (more or {}).items():
            target.writestr(name, data)
    return out.getvalue()


def cell(at: str, text: str) -> str:
    row = "".join(filter(str.isdigit, at))
    return f'<row r="{row}"><c r="{at}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def far_cell(rng: random.Random) -> tuple[str, bytes]:
    columns = rng.choice(["XFD", "A", "ZZ", "AMJ"])
    return "far.xlsx", sheet(cell("A1", "age") + cell(f"{columns}{rng.choice([1048576, 900000, 65536])}", "1"))


def entities(rng: random.Random) -> tuple[str, bytes]:
    kind = rng.choice(["laughs", "file", "web"])
    if kind == "laughs":
        bombs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
        head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{bombs}]>'
        return "laughs.xlsx", sheet(cell("A1", "&a9;"), head=head)
    place = "file:///etc/passwd" if kind == "file" else "http://127.0.0.1:9/x.dtd"
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "{place}">]>'
    return "entity.xlsx", sheet(cell("A1", "age") + cell("A2", "&a;"), head=head)


def macros(rng: random.Random) -> tuple[str, bytes]:
    links = b'<externalLink xmlns="x"><externalBook r:id="http://127.0.0.1:9/book.xlsx"/></externalLink>'
    parts = {"xl/vbaProject.bin": rng.randbytes(2000), "xl/externalLinks/externalLink1.xml": links}
    return rng.choice(["macro.xlsm", "link.xlsx"]), sheet(cell("A1", "age") + cell("A2", "5"), more=parts)


def size(rng: random.Random) -> int:
    """Return a number of rows: mostly small, for each large one takes the reader to its limits of seconds."""
    return 60_000_000 if rng.random() < 0.02 else rng.choice([10, 1_000, 100_000])


def zip_bomb(rng: random.Random) -> tuple[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        name = rng.choice(["table.csv", "../../out.csv", "/etc/cron.d/x.csv", f"{CANARY}.csv", "a/b/c/table.csv"])
        archive.writestr(name, b"age,event\n" + b"1,0\n" * size(rng))
        if rng.random() < 0.3:
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as more:
                more.writestr("deep.csv", b"1")
            archive.writestr("inner.zip", inner.getvalue())
    return "table.zip", out.getvalue()


def gz_bomb(rng: random.Random) -> tuple[str, bytes]:
    return "table.csv.gz", gzip.compress(b"age,event\n" + b"1,0\n" * size(rng), 1)


def wide_parquet(rng: random.Random) -> tuple[str, bytes]:
    rows = rng.choice([1_000, 10_000_000, 100_000_000])
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, np.int8)), pa.array(["x"]))
    out = io.BytesIO()
    table = pa.table({f"c{i}": column for i in range(rng.choice([3, 60]))})
    with pq.ParquetWriter(out, table.schema, compression="zstd") as writer:
        for _ in range(min(rows // 1000, 300)):
            writer.write_table(table)
    return "wide.parquet", out.getvalue()


def nested_parquet(rng: random.Random) -> tuple[str, bytes]:
    value: Any = rng.choice([{"a": {"b": [1, 2]}}, [[1], [2]], b"\0\xff", {"t": "t"}])
    table = pa.table({"age": [1, 2, 3], "nested": [value] * 3}, metadata={b"pandas": rng.randbytes(200).hex().encode()})
    out = io.BytesIO()
    pq.write_table(table, out)
    return "nested.parquet", out.getvalue()


def damaged(rng: random.Random) -> tuple[str, bytes]:
    make, end = rng.choice([(as_csv, "csv"), (as_excel, "xlsx"), (as_parquet, "parquet")])
    data = bytearray(make(plain(rng)))
    for _ in range(rng.randint(1, 40)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return f"damaged.{end}", bytes(data[: rng.randint(len(data) // 3, len(data))])


def named(rng: random.Random) -> tuple[str, bytes]:
    make, end = rng.choice([(as_csv, "csv"), (as_excel, "xlsx"), (as_parquet, "parquet")])
    header, value, file = rng.choice(NAMES), rng.choice(NAMES), rng.choice(NAMES)
    return f"{file[:200]}.{end}".replace("\0", ""), make(plain(rng, header, value[:5000]))


def strange_text(rng: random.Random) -> tuple[str, bytes]:
    kind = rng.randrange(6)
    data = {
        0: b"a,b\n" + b'"' * rng.randint(1, 200_000),
        1: b",".join([b"c"] * rng.choice([100, 20_000, 300_000])) + b"\n",
        2: b"age,event\n" + b"9" * rng.choice([400, 90_000]) + b",1\n" * 3,
        3: rng.randbytes(rng.randint(0, 200_000)),
        4: "age,结局\n1,男\n".encode("utf-16") + rng.randbytes(rng.randint(0, 9)),
        5: b"\n" * rng.choice([1, 2_000_000]),
    }[kind]
    return rng.choice(["t.csv", "t.tsv", "t.txt", "t"]), data


def disguised(rng: random.Random) -> tuple[str, bytes]:
    pickle = b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."
    heads = [
        pickle,
        b"%PDF-1.7\n",
        b"\x7fELF",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"SQLite format 3\0",
        b"PAR1",
        b"\x89HDF\r\n\x1a\n",
        b"#!/bin/sh\ntouch /tmp/canary-of-the-benchmark\n",
    ]
    return f"table.{rng.choice(['csv', 'xlsx', 'xls', 'parquet', 'sav', 'dta', 'sas7bdat', 'pkl', 'ods'])}", rng.choice(
        heads
    ) + rng.randbytes(500)


UPLOADS: tuple[Callable[[random.Random], tuple[str, bytes]], ...] = (
    far_cell, entities, macros, zip_bomb, gz_bomb, wide_parquet, nested_parquet, damaged, named, strange_text, disguised,
)  # fmt: skip
