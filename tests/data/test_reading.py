"""Files become cohorts."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from medcore import inspect
from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.values.names import clean_name
from medcore.errors import SettingsError, UnreadableFileError

PLAIN = "age,sex,disease\n63,M,yes\n41,F,no\n57,M,yes\n"
CHINESE = "年龄,性别,结局\n63,男,死亡\n41,女,存活\n57,男,存活\n"


def read(data: str | bytes, name: str = "t.csv", **overrides: object) -> Cohort:
    return read_table((name, data.encode() if isinstance(data, str) else data), overrides=overrides or None)


def cells(cohort: Cohort) -> list[list[str | None]]:
    return [[None if v != v else v for v in row] for row in cohort.frame.astype(object).to_numpy().tolist()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_chinese_text_is_read_in_every_encoding_and_line_end(encoding: str, end: str) -> None:
    cohort = read(CHINESE.replace("\n", end).encode(encoding))
    assert list(cohort.frame.columns) == ["年龄", "性别", "结局"]
    assert cells(cohort)[0] == ["63", "男", "死亡"]
    assert cohort.n_rows == 3


def test_western_text_is_not_taken_for_chinese() -> None:
    text = "prénom;diagnostic;âge\n" + "".join(f"Zoé{i};décès à l'hôpital;{i}\n" for i in range(30))
    cohort = read(text.encode("latin-1"))
    assert cohort.source.encoding == "cp1252"
    assert cells(cohort)[3] == ["Zoé3", "décès à l'hôpital", "3"]


def test_two_umlauts_side_by_side_are_not_a_chinese_character() -> None:
    cohort = read("Größe (m);Alter\n1,75;60\n1,80;61\n".encode("latin-1"))
    assert list(cohort.frame.columns) == ["Größe (m)", "Alter"]


def test_numbers_with_spaces_between_them_are_a_table() -> None:
    assert read("age chol event\n63 233 0\n41 204 1\n").frame.shape == (2, 3)
    assert read("what the patient said\nit hurts here now\nno pain at all\n").frame.shape == (2, 1)


def test_a_few_damaged_bytes_in_utf8_are_counted_and_not_taken_for_another_encoding() -> None:
    data = (CHINESE + "50,男,存活\n" * 60).encode()
    damaged = data[:-3] + b"\xff" + data[-2:]
    cohort = read(damaged)
    assert cohort.source.encoding == "utf-8"
    assert cohort.n_rows == 63
    assert "could not be read" in str(cohort.repairs[0])


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(mark: str) -> None:
    cohort = read(PLAIN.replace(",", mark))
    assert cohort.source.delimiter == mark
    assert cohort.frame.shape == (3, 3)


def test_a_semicolon_table_with_decimal_commas_is_read_as_one() -> None:
    cohort = read("x;y;z\n1,5;2,25;a\n3,7;4,125;b\n0,5;2,1;a\n")
    assert (cohort.source.delimiter, cohort.source.decimal) == (";", ",")
    assert cohort.schema["x"].kind == "numeric"


def test_quoted_fields_keep_delimiters_quotes_and_line_breaks() -> None:
    cohort = read('note,x\n"a, b",1\n"say ""hi""",2\n"two\nlines",3\n')
    assert cells(cohort) == [["a, b", "1"], ['say "hi"', "2"], ["two\nlines", "3"]]


def test_lines_above_the_header_are_left_out_and_reported() -> None:
    cohort = read("Ward 7 export\n\nprinted on Monday,,\n" + PLAIN)
    assert list(cohort.frame.columns) == ["age", "sex", "disease"]
    assert cohort.source.skip_lines == 3
    assert any("above the column names" in str(r) for r in cohort.repairs)


def test_no_row_is_lost_when_fields_are_too_few_or_too_many() -> None:
    cohort = read("a,b,c\n1,2,3\n4,5\n\n6,7,8,9\n10,11,12\n")
    assert cells(cohort) == [["1", "2", "3"], ["4", "5", None], ["6", "7", "8"], ["10", "11", "12"]]
    text = " ".join(str(r) for r in cohort.repairs)
    assert "1 row(s) had too few" in text
    assert "1 row(s) had too many" in text


def test_a_quote_left_open_swallows_no_rows() -> None:
    rows = [f"{i},a{i},b{i}" for i in range(300)]
    rows[10] = '10,"a10,b10'
    rows[40] = "40,a40,5' 10\""
    cohort = read("x,y,z\n" + "\n".join(rows) + "\n")
    assert cohort.n_rows == 300
    assert cells(cohort)[11] == ["11", "a11", "b11"]
    assert any("never closed" in str(r) for r in cohort.repairs)


def test_odd_rows_keep_their_place_across_blocks() -> None:
    rows = [f"{i},{'x' * 40},{i % 7}" for i in range(250_000)]
    for i in (5, 120_000, 249_999):
        rows[i] = f"{i},short"
    cohort = read("id,text,k\n" + "\n".join(rows))
    assert cohort.frame["id"].tolist() == [str(i) for i in range(250_000)]
    assert cohort.frame["k"].isna().sum() == 3


def test_names_are_made_present_unique_and_harmless() -> None:
    cohort = read("x,x,,![a](http://b.c/d.png),<img src=q>\n1,2,3,4,5\n6,7,8,9,0\n")
    names = list(cohort.frame.columns)
    assert names[:3] == ["x", "x (2)", "column 3"]
    assert "](" not in names[3]
    assert "://" not in names[3]
    assert "<" not in names[4]
    assert len(cohort.repairs) == 3


def test_a_long_name_is_cut() -> None:
    assert len(clean_name("a" * 5000)) == 120


def test_a_table_without_header_keeps_its_first_patient() -> None:
    cohort = read("1,2.5,0\n3,4.5,1\n5,6.5,0\n")
    assert cohort.n_rows == 3
    assert any("no line of column names" in str(r) for r in cohort.repairs)


def test_compressed_tables_are_read() -> None:
    assert read(gzip.compress(PLAIN.encode()), "t.csv.gz").n_rows == 3
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", PLAIN)
        archive.writestr("b.csv", PLAIN + "1,2,3\n")
    assert read(out.getvalue(), "t.zip").n_rows == 4  # the largest
    assert read(out.getvalue(), "t.zip", sheet="a.csv").n_rows == 3


def test_overrides_are_taken_instead_of_what_is_detected() -> None:
    cohort = read("a;b\n1,5;2\n2,5;3\n", delimiter=",", encoding="latin-1")
    assert cohort.source.delimiter == ","
    assert cohort.source.encoding == "iso8859-1"
    with pytest.raises(SettingsError, match="delimeter"):
        read(PLAIN, delimeter=";")


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b" \n\n", "is empty", id="blank lines"),
        pytest.param(b"a,b,c\n", "no rows", id="a header alone"),
        pytest.param(PNG, "is a picture", id="picture"),
        pytest.param(b"%PDF-1.7 \x00\x01\x02", "PDF", id="PDF"),
        pytest.param(b"<html><body><p>1</p></body></html>", "web page", id="web page"),
        pytest.param(bytes(range(256)) * 20, "binary", id="binary"),
        pytest.param(gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], "damaged", id="cut gzip"),
        pytest.param(b"PK\x03\x04 not really", "damaged", id="false zip"),
    ],
)
def test_what_is_no_table_is_refused_with_one_clear_sentence(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableFileError, match=said) as caught:
        read(data, "export.csv")
    assert "export" in str(caught.value)


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nothing\.csv") as caught:
        read_table(tmp_path / "nothing.csv")
    assert str(tmp_path) not in str(caught.value)


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    read_table(("t.csv", PLAIN.encode()), progress=seen.append)
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


RETURNED = "id,note,age\n" + "".join(
    f"{i},pain{chr(13) + 'no fever' if i % 10 == 3 else ''},{30 + i}\n" for i in range(1, 61)
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_carriage_return_inside_a_cell_tears_no_patient_in_pieces(encoding):
    cohort = read_table(("notes.csv", RETURNED.encode(encoding)))
    assert cohort.frame["age"].tolist() == [str(30 + i) for i in range(1, 61)]
    assert cohort.frame["note"].iloc[2] == "pain no fever"
    assert "6 line break(s) inside cells became spaces." in map(str, cohort.repairs)


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_carriage_returns_that_end_lines_go_on_ending_them(end):
    lines = [f"{i},{30 + i},m" for i in range(1, 61)]
    whole = read_table(("t.csv", end.join(["id,age,sex", *lines]).encode()))
    joined = read_table(("t.csv", ("\n".join(["id,age,sex", *lines[:30]]) + "\n" + end.join(lines[30:])).encode()))
    for cohort in (whole, joined):  # of one system, or of two, one after the other
        assert cohort.frame["age"].tolist() == [str(30 + i) for i in range(1, 61)]


def test_an_infinite_end_of_an_interval_is_read_and_told():
    rows = "".join(f"{i},{i * 2},{'Inf' if i == 40 else i * 3}\n" for i in range(1, 41))
    cohort = read_table(("t.csv", ("id,from,to\n" + rows).encode()))
    assert cohort.frame["to"].iloc[-1] == "Inf"
    assert "values.unreadable" in [finding.code for finding in inspect(cohort)]
