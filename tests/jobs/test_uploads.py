import errno
import io
import sys
import threading
import zipfile
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medcore.data.reading.table import read_table
from medcore.data.samples import samples
from medcore.errors import CancelledError, UnreadableFileError
from medcore.jobs import Stop
from medcore.jobs.web import uploads
from medcore.jobs.web.uploads import read_upload

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation in which nothing of an upload may stay."""
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    yield tmp_path / "data"
    assert list((tmp_path / "data").glob("scratch/*")) == []


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Readers at fault, importable here and in the child."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return import_module("medcore_test_work")


def workbook(cells: str, *, more: bytes = b"") -> bytes:
    """A workbook of one sheet with the cells given as XML."""
    frame = pd.DataFrame({"age": [1, 2], "event": [0, 1]})
    made, out = io.BytesIO(), io.BytesIO()
    frame.to_excel(made, index=False)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            sheet = info.filename.startswith("xl/worksheets/")
            target.writestr(info.filename, SHEET.format(cells) if sheet else source.read(info))
        if more:
            target.writestr("xl/media/picture.png", more)
    return out.getvalue()


def cell(at: str, text: str) -> str:
    row = "".join(filter(str.isdigit, at))
    return f'<row r="{row}"><c r="{at}" t="inlineStr"><is><t>{text}</t></is></c></row>'


TABLE = cell("A1", "age") + cell("A2", "54") + cell("A3", "61")


@pytest.mark.parametrize("sample", samples(), ids=lambda s: s.key)
def test_an_upload_is_read_as_the_same_file_from_the_shell(sample) -> None:
    there, here = read_upload(sample.path.name, sample.path.read_bytes()), read_table(sample.path)
    pd.testing.assert_frame_equal(there.frame, here.frame)
    assert there == here
    assert there.frame.attrs == here.frame.attrs


def test_a_reader_does_not_run_the_page_that_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Streamlit makes the script it runs the main module, which a child of multiprocessing runs again.
    script, trace = tmp_path / "page.py", tmp_path / "trace"
    script.write_text(f"open({str(trace)!r}, 'w').close()\nraise RuntimeError")
    page = ModuleType("__main__")
    page.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", page)
    assert read_upload("a.csv", b"age,event\n1,0\n2,1\n").n_rows == 2
    assert not trace.exists()
    assert sys.modules["__main__"] is page


def test_how_a_file_is_to_be_read_reaches_the_reader() -> None:
    cohort = read_upload("a.csv", b"age;event\n1,5;0\n2,5;1\n", overrides={"delimiter": ";", "decimal": ","})
    assert cohort.source.decimal == ","


def test_what_is_no_table_gives_the_readers_own_sentence() -> None:
    with pytest.raises(UnreadableFileError) as of_reader:
        read_table(("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100)))
    with pytest.raises(UnreadableFileError) as of_upload:
        read_upload("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert str(of_upload.value) == str(of_reader.value)


@pytest.mark.parametrize("reader", [read_upload, lambda name, data: read_table((name, data))], ids=["page", "shell"])
def test_a_stray_cell_at_the_end_of_the_sheet_is_measured_before_the_sheet_is_read(reader) -> None:
    with pytest.raises(UnreadableFileError, match=r"1048576 rows and 16384 columns.*at most 20 million"):
        reader("ward.xlsx", workbook(TABLE + cell("XFD1048576", "stray")))


def test_a_cell_that_is_only_coloured_is_no_cell_of_the_table() -> None:
    assert read_upload("ward.xlsx", workbook(TABLE + '<row r="1048576"><c r="XFD1048576" s="1"/></row>')).n_rows == 2


def test_a_parquet_file_of_very_many_equal_cells_is_refused_by_its_own_footer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medcore.data.reading.limits.MAX_CELLS", 5_000_000)
    buffer = io.BytesIO()
    pq.write_table(pa.table({f"c{i}": np.zeros(1_000_000, np.int8) for i in range(6)}), buffer, compression="zstd")
    assert buffer.tell() < 100_000
    with pytest.raises(UnreadableFileError, match="6 million cells; at most 5 million"):
        read_table(("ward.parquet", buffer.getvalue()))


def test_an_archive_that_grows_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medcore.data.reading.text.MAX_UNPACKED", 8 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(9 << 20))
    with pytest.raises(UnreadableFileError, match="grows beyond"):
        read_table(("a.zip", buffer.getvalue()))


def test_a_spreadsheet_whose_parts_grow_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medcore.data.reading.limits.MAX_SHEET_BYTES", 1 << 20)
    with pytest.raises(UnreadableFileError, match="when unpacked"):
        read_table(("ward.xlsx", workbook(TABLE, more=bytes(2 << 20))))


def test_a_reader_that_asks_for_more_memory_than_it_may_have_takes_down_nobody(
    monkeypatch: pytest.MonkeyPatch, readers: ModuleType
) -> None:
    monkeypatch.setattr(uploads, "_read", readers.read_greedily)
    with pytest.raises(UnreadableFileError, match="6 GB of memory"):
        read_upload("a.csv", b"age\n1\n")


def test_a_reader_that_crashes_takes_down_nobody(monkeypatch: pytest.MonkeyPatch, readers: ModuleType) -> None:
    monkeypatch.setattr(uploads, "_read", readers.read_and_crash)
    with pytest.raises(UnreadableFileError, match="could not be read"):
        read_upload("a.csv", b"age\n1\n")


def test_a_reader_that_is_stopped_ends_with_its_process(monkeypatch: pytest.MonkeyPatch, readers: ModuleType) -> None:
    monkeypatch.setattr(uploads, "_read", readers.read_for_ever)
    stop = Stop()
    threading.Timer(0.5, stop.ask).start()
    with pytest.raises(CancelledError, match="Stopped as you asked"):
        read_upload("a.csv", b"age\n1\n", stop=stop)


def test_a_reader_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch, readers: ModuleType) -> None:
    monkeypatch.setattr(uploads, "_read", readers.read_for_ever)
    monkeypatch.setattr(uploads, "READ_SECONDS", 0.3)
    with pytest.raises(UnreadableFileError, match="takes longer"):
        read_upload("a.csv", b"age\n1\n")


def test_a_reader_that_cannot_be_started_is_told_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a process more nor a file more may be had: a machine at its limits."""
    read_upload("a.csv", b"age\n1\n")  # the server of readers is there
    before = psutil.Process().num_fds()

    def full(_fds: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(forkserver, "connect_to_new_process", full)
        for _ in range(3):
            with pytest.raises(UnreadableFileError, match="can start no further program"):
                read_upload("a.csv", b"age\n1\n")
    assert psutil.Process().num_fds() <= before
    assert len(read_upload("a.csv", b"age\n1\n").frame) == 1
