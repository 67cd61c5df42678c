"""Files as systems of other makes and countries give them out: encodings, JSON, web pages called spreadsheets, ruled lines."""

import json

import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.reading.encodings import detect_encoding
from medcore.data.reading.table import read_table
from medcore.data.reading.text import RawFile
from medcore.data.values.typed import typed
from medcore.errors import UnreadableFileError

N = 40
TABLE = pd.DataFrame(
    {
        "PatientID": [f"P{i:04d}" for i in range(N)],
        "Age": [30 + i for i in range(N)],
        "Sex": ["m", "f"] * (N // 2),
        "CRP (mg/L)": [f"{i}.50" for i in range(N)],
        "Died": ["yes", "no"] * (N // 2),
    }
)


def read(data: bytes, name: str = "export.csv") -> Cohort:
    return read_table((name, data))


def same(cohort: Cohort) -> None:
    """Check that a table is the one above: its columns, their kinds, and every value."""
    assert list(cohort.frame.columns) == list(TABLE.columns)
    values = typed(cohort.frame, cohort.schema)
    assert values["Age"].tolist() == TABLE["Age"].tolist()
    assert values["CRP (mg/L)"].tolist() == [float(v) for v in TABLE["CRP (mg/L)"]]
    assert values["Sex"].tolist() == TABLE["Sex"].tolist()
    assert cohort.schema["Died"].kind == "boolean"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(("cp1252", text) for text in ("Größe,Müller", "décédé,guéri", "São Paulo,não,coração", "niño, corazón", "5 µg, 37 °C")),
        *(("cp1252", text) for text in ("cœur, œdème, fœtus", "naïve “quote” – dash", "§ 5 Abs. 3", "Ærø, Århus, blødning")),
        ("cp1250", "Płeć mężczyzna kobieta łódź"),
        ("cp1253", "Φύλο άνδρας γυναίκα"),
        ("cp1251", "Пол муж жен да нет"),
        *(("gb18030", text) for text in ("性别,年龄", "男", "高血压", "张伟", "阿司匹林", "布洛芬", "高血压2级（极高危）")),
        *(("cp950", text) for text in ("性別,年齡", "男,女", "高血壓", "陽性", "無,有", "台北榮民總醫院")),
        *(("cp949", text) for text in ("성별 나이", "남,여", "예,아니오")),
        ("shift_jis", "年齢 性別 はい"),
        ("euc_jp", "年齢 性別 はい"),
    ],
)  # fmt: skip
def test_letters_are_those_that_were_written(encoding: str, text: str) -> None:
    data = f"id,x\n1,{text}\n".encode(encoding) * 3
    assert data.decode(detect_encoding(RawFile.of(("t.csv", data)))) == f"id,x\n1,{text}\n" * 3


def test_traditional_chinese_is_understood_as_simplified_is() -> None:
    words = {"m": "男", "f": "女"}
    table = pd.DataFrame(
        {
            "病歷號": TABLE["PatientID"],
            "年齡": TABLE["Age"],
            "性別": TABLE["Sex"].map(words),
            "篩檢": ["陽性", "陰性"] * (N // 2),
            "血糖": ["未檢測" if i % 4 == 0 else str(5 + i / 10) for i in range(N)],
            "死亡": ["是", "否"] * (N // 2),
        }
    )
    for encoding in ("utf-8", "big5"):
        cohort = read(table.to_csv(index=False).encode(encoding))
        schema = cohort.schema
        assert list(cohort.frame.columns) == list(table.columns)
        assert schema["病歷號"].role == "identifier"
        assert schema["篩檢"].kind == "boolean"
        assert schema["血糖"].kind == "numeric"
        assert int(typed(cohort.frame, schema)["血糖"].isna().sum()) == N // 4


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TABLE.to_json(orient="records"), id="a list"),
        pytest.param(TABLE.to_json(orient="records", lines=True), id="one a line"),
        pytest.param(json.dumps({"status": "ok", "rows": TABLE.to_dict("records")}), id="a list in an object"),
        pytest.param(TABLE.to_html(index=False), id="a web page"),
        pytest.param("<p>Ward 3</p>" + TABLE.to_html(index=False).replace("</td>", ""), id="cells left open"),
    ],
)
def test_rows_in_another_notation_are_the_same_rows(data: str) -> None:
    same(read(data.encode(), "export.xls"))


def test_excels_xml_of_2003_is_read() -> None:
    rows = [TABLE.columns, *TABLE.to_numpy().tolist()]
    cells = "".join("<Row>" + "".join(f"<Cell><Data>{c}</Data></Cell>" for c in row) + "</Row>" for row in rows)
    same(read(f'<?xml version="1.0"?><Workbook><Worksheet><Table>{cells}</Table></Worksheet></Workbook>'.encode()))


def test_numbers_of_json_keep_their_digits() -> None:
    rows = ", ".join(
        f'{{"patient": {10**17 + i}, "dose": 1.50, "seen": {"true" if i % 2 else "false"}}}' for i in range(N)
    )
    cohort = read(f"[{rows}]".encode(), "export.json")
    assert cohort.frame["patient"].iloc[1] == str(10**17 + 1)
    assert cohort.frame["dose"].iloc[0] == "1.50"
    assert cohort.schema["seen"].kind == "boolean"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('[{"a": 1, "b": {"c": 2}}]', "objects or lists inside"),
        ('{"resourceType": "Bundle", "entry": [{"resource": {}}]}', "objects or lists inside"),
        (TABLE.to_json(orient="records")[:300], "damaged"),
        ("[]", "No columns"),
        ("<html><body>Session expired</body></html>", "without a table"),
        ("<table>" + "<tr>" + "<td colspan=1000>1" * 21_000, "at most 20 million"),
    ],
)
def test_what_is_no_table_in_them_is_refused_with_one_sentence(data: str, said: str) -> None:
    with pytest.raises(UnreadableFileError, match=said):
        read(data.encode(), "export.json")


def test_a_line_drawn_under_the_names_is_no_patient() -> None:
    names, *rows = TABLE.to_csv(index=False).splitlines()
    cohort = read("\n".join([names, "---------,---,---,----------,----", *rows, "(40 rows affected)"]).encode())
    same(cohort)
    assert cohort.source.aside == {"ruled": 1, "footers": 1}


def spaced(width: int, quote: str = "", *, names: bool = False) -> str:
    """Write the table with spaces between the cells, as R's write.table does, with row names or without."""
    quoted = (
        TABLE.rename(columns={"CRP (mg/L)": "CRP"})
        .astype(object)
        .map(lambda c: c if str(c).replace(".", "").isdigit() else f"{quote}{c}{quote}")
    )
    rows = [[*([f"{quote}{i + 1}{quote}"] if names else []), *row] for i, row in enumerate(quoted.to_numpy().tolist())]
    head = [f"{quote}{name}{quote}" for name in quoted.columns]
    return "\n".join(" ".join(str(cell).ljust(width) for cell in row).rstrip() for row in [head, *rows])


@pytest.mark.parametrize(
    "written", [spaced(0), spaced(0, '"', names=True), spaced(12), TABLE.iloc[:, [0, 1, 2]].to_string(index=False)]
)
def test_spaces_part_cells_where_every_line_has_as_many(written: str) -> None:
    cohort = read(written.encode(), "listing.txt")
    assert cohort.frame["PatientID"].tolist() == TABLE["PatientID"].tolist()
    assert typed(cohort.frame, cohort.schema)["Age"].tolist() == TABLE["Age"].tolist()


def test_an_empty_cell_among_spaces_is_no_guess() -> None:
    lines = spaced(12).splitlines()
    lines += lines[1:] * 12 + [lines[5].replace("m ", "  ", 1)]
    with pytest.raises(UnreadableFileError, match="which one is empty cannot be told"):
        read("\n".join(lines).encode(), "listing.txt")


def test_prose_is_no_table_of_spaces() -> None:
    cohort = read(("note\n" + "He came in 2021 with pain\nand left again after two days\n" * 9).encode(), "notes.txt")
    assert len(cohort.frame.columns) == 1


@pytest.mark.parametrize(
    ("cells", "kind", "first"),
    [
        ([f"*{v}.5" if v % 3 else f"{v}.5" for v in range(N)], "numeric", 0.5),
        ([f"&lt;{v}&nbsp;" for v in range(N)], "numeric", 0.0),
        ([f"PT{v + 1}H" for v in range(N)], "numeric", 1.0),
        ([f"P{v % 5 + 1}DT12H" for v in range(N)], "numeric", 1.5),
        ([f"{v % 28 + 1}. März 2021" for v in range(N)], "date", "2021-03-01"),
        ([f"{v % 28 + 1} de agosto de 2021" for v in range(N)], "date", "2021-08-01"),
        ([f"{v % 28 + 1}er août 2021" for v in range(N)], "date", "2021-08-01"),
        ([f"{v % 28 + 1} августа 2021" for v in range(N)], "date", "2021-08-01"),
        ([f"{v % 28 + 1}/Aug/21" for v in range(N)], "date", "2021-08-01"),
        (["k.A." if v % 5 == 1 else "нет данных" if v % 5 == 2 else f"{v}.5" for v in range(N)], "numeric", 0.5),
    ],
)
def test_cells_are_read_as_they_are_meant(cells: list[str], kind: str, first: float | str) -> None:
    cohort = read(TABLE.assign(x=cells).to_csv(index=False).encode())
    values = typed(cohort.frame, cohort.schema)["x"]
    assert cohort.schema["x"].kind == kind
    assert (str(values.iloc[0].date()) if kind == "date" else values.iloc[0]) == first


def test_xml_of_records_is_a_table_and_what_defines_words_is_none() -> None:
    rows = "".join(
        f'<ns:patient id="P{i}"><ns:age>{40 + i}</ns:age><ns:lab><ns:crp unit="mg/L">{i}.5</ns:crp></ns:lab></ns:patient>'
        for i in range(30)
    )
    text = f'<?xml version="1.0" encoding="GB18030"?><ns:ward xmlns:ns="urn:w"><ns:head>病房</ns:head><ns:all>{rows}</ns:all></ns:ward>'
    cohort = read_table(("ward.xml", text.encode("gb18030")))
    assert list(cohort.frame.columns) == ["id", "age", "lab.crp", "lab.crp.unit"]
    assert cohort.frame.iloc[3].tolist() == ["P3", "43", "3.5", "mg/L"]
    bomb = '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + text.split("?>", 1)[1].replace("mg/L", "&b;")
    for unread in (bomb, "<?xml version='1.0'?><ward><patient>", "<?xml version='1.0'?><ward><name>x</name></ward>"):
        with pytest.raises(UnreadableFileError, match="web page or XML without a table"):
            read_table(("ward.xml", ("<?xml version='1.0'?>" + unread.removeprefix("<?xml version='1.0'?>")).encode()))
