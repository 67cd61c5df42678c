"""Each built-in sample, written in every format and read back, is the same table, roles and risks.

What a format cannot carry is stated here. SPSS and Stata allow letters, digits and ``_`` in a name: it
goes without its unit, ``_`` stands for other letters, and the true name is the label. Excel, SPSS and Stata
keep a number as float64, exact to 15 digits: longer codes are written as text there. A model that was
trained on decimal points is told of decimal commas by its reader.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pyreadstat
import pytest

from medcore.commands.asked import Asked
from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample, samples
from medcore.data.splitting.split import SplitSettings
from medcore.data.values.typed import typed
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from tests.written_tables import open_document

N_ROWS = 400
"""About how many rows, from all over each sample, go the way: the formats do not depend on their number."""
KEYS = [s.key for s in samples() if s.series is None]  # one file alone
CSV = {
    "comma": {},
    "decimal_comma": {"sep": ";", "decimal": ",", "encoding": "utf-8-sig"},
    "utf16_tab": {"sep": "\t", "encoding": "utf-16"},
    "pipe_crlf": {"sep": "|", "lineterminator": "\r\n"},
    "quoted_gb18030": {"quoting": csv.QUOTE_ALL, "encoding": "gb18030"},
    "sep_line": {"sep": ";"},
}


@dataclass(frozen=True)
class Known:
    """A sample: its cells, what they are read as, and a quick model of it."""

    raw: Cohort
    read: pd.DataFrame
    native: pd.DataFrame
    sample: Cohort
    bundle: Bundle


@cache
def known(key: str) -> Known:
    """Open a sample, and train a quick regression of what it asks."""
    path = next(s.path for s in samples() if s.key == key)
    frame = read_table(path).frame
    frame = frame.iloc[:: max(1, len(frame) // N_ROWS)].reset_index(drop=True)
    raw = read_table(("sample.csv", frame.to_csv(index=False).encode()))
    read = typed(raw.frame, raw.schema)
    native = raw.frame.assign(**{c: read[c] for c in read if read[c].dtype.kind == "f"})
    sample = load_sample(key)
    sample = Cohort(frame, sample.schema, sample.sha256, sample.name, sample.source)
    split = SplitSettings(test_size=0, n_folds=2)
    model = "cox" if sample.schema.follow_up is not None else "linear" if sample.schema.number else "logistic"
    trained = train_cohort(sample, TrainSettings(model=model, epochs=5), split=split)
    return Known(raw, read, native, sample, trained.bundle)


def plain_names(names) -> list[str]:
    return [re.sub(r"\W+", "_", n.partition("(")[0]).strip("_") for n in names]


def written(known: Known, form: str) -> bytes:
    """Write a sample's own types in a typed format."""
    out, frame = BytesIO(), known.native
    if form == "xlsx":
        frame.to_excel(out, index=False)
    elif form == "ods":
        cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
        return open_document([list(frame.columns), *cells])
    elif form == "parquet":
        pyarrow.parquet.write_table(pa.Table.from_pandas(frame), out)
    else:
        pyarrow.feather.write_feather(pa.Table.from_pandas(frame), out)
    return out.getvalue()


def same(known: Known, back: Cohort) -> None:
    """Check that a table came back: its typed frame, its roles, and the risks of its patients."""
    assert [(c.kind, c.role, c.unit) for c in back.schema.columns] == [
        (c.kind, c.role, c.unit) for c in known.raw.schema.columns
    ]
    read = typed(back.frame, back.schema).set_axis(known.read.columns, axis=1)
    pd.testing.assert_frame_equal(read, known.read)


def same_risks(known: Known, frame: pd.DataFrame) -> None:
    np.testing.assert_array_equal(known.bundle.predict(frame), known.bundle.predict(known.sample.frame))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", CSV)
def test_every_dialect_of_csv_gives_the_same_table(key, form, tmp_path):
    sample = known(key)
    options = dict(CSV[form])
    encoding = options.pop("encoding", "utf-8")
    text = (sample.native if "decimal" in options else sample.raw.frame).to_csv(index=False, **options)
    path = tmp_path / "t.csv"
    path.write_bytes((("sep=;\n" if form == "sep_line" else "") + text).encode(encoding))
    same(sample, read_table(path))
    asked = Asked(reading={"decimal": ","} if "decimal" in options else {})
    same_risks(sample, asked.read(path, like=sample.bundle.schema).frame)


def test_a_decimal_comma_that_no_one_named_is_never_a_thousandfold_number():
    sample = known("breast")
    text = sample.native.to_csv(index=False, sep=";", decimal=",")
    read = typed(read_table(("t.csv", text.encode())).frame, sample.sample.schema)
    truth = typed(sample.sample.frame, sample.sample.schema)
    pd.testing.assert_frame_equal(read.where(read.notna(), truth), truth)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet", "feather"])
def test_every_typed_format_gives_the_same_table(key, form):
    back = read_table((f"t.{form}", written(known(key), form)))
    same(known(key), back)
    same_risks(known(key), back.frame)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("suffix", "write"), [("sav", pyreadstat.write_sav), ("dta", pyreadstat.write_dta)])
def test_spss_and_stata_give_the_same_table_with_names_as_labels(key, suffix, write, tmp_path):
    sample, path = known(key), tmp_path / f"t.{suffix}"
    names = list(sample.native.columns)
    frame = sample.native.set_axis(plain_names(names), axis=1)
    words = {c: object for c in frame if frame[c].dtype.kind != "f"}
    write(frame.astype(words), path, column_labels=names)
    back = read_table(path)
    assert back.schema.names == tuple(plain_names(names))
    assert [c.label for c in back.schema.columns] == names
    same(sample, back)
    same_risks(sample, back.frame.set_axis(names, axis=1))


@pytest.mark.parametrize("form", ["csv", "parquet", "feather", "xlsx"])
def test_whole_numbers_of_any_width_are_exact(form):
    wide = [10 ** (n % 18) * 9 + n for n in range(60)]
    frame = pd.DataFrame({"code": wide, "age": range(60)})
    out = BytesIO()
    if form == "xlsx":
        frame.astype({"code": str}).to_excel(out, index=False)
    else:
        {"csv": frame.to_csv, "parquet": frame.to_parquet, "feather": frame.to_feather}[form](
            out, **({"index": False} if form == "csv" else {})
        )
    back = read_table((f"t.{form}", out.getvalue())).frame["code"]
    assert [int(v) for v in back] == wide
