"""Codebooks: whatever the form a ward gives them, the columns take labels, units and the words of their codes from them."""

import io
import itertools
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.quality import inspect
from medcore.data.reading.beside.codebooks import apply_file
from medcore.data.reading.files import open_cohort
from medcore.data.reading.table import read_table
from medcore.data.schema.dictionaries.code_lists import MOST_CODES, code_list
from medcore.data.schema.dictionaries.codebook import find_codebook
from medcore.data.schema.dictionaries.dictionary import save_dictionary
from medcore.data.schema.targets import choose_target, propose_targets
from medcore.data.values.typed import typed
from medcore.errors import InputError
from tests.commanded import run

N = 80
_rng = np.random.default_rng(0)
PATIENTS = pd.DataFrame(
    {
        "patient_id": [f"P{i:03}" for i in range(N)],
        "sex": _rng.integers(1, 3, N),
        "Age": _rng.integers(40, 89, N),
        "crea": _rng.normal(90, 20, N).round(1),
        "dm": _rng.choice([1, 2, 9], N),
        "pain": _rng.integers(0, 4, N),
        "death": _rng.choice([1, 2], N, p=[0.7, 0.3]),
    }
)
A_LINE_A_COLUMN = pd.DataFrame(
    [
        ["patient_id", "Study number", "", ""],
        ["SEX", "Sex of the patient", "1 = male; 2 = female", ""],
        ["age", "Age at admission", "", "years"],
        ["crea", "Serum creatinine", "", "µmol/L"],
        ["dm", "Diabetes mellitus", "1=yes, 2=no, 9=unknown", ""],
        ["pain", "Pain at rest", "0=none, 1=mild, 2=moderate, 3=severe", ""],
        ["death", "Status after 30 days", "1: dead\n2: alive", ""],
        ["later", "Not in this table", "0=no, 1=yes", ""],
    ],
    columns=["Variable", "Description", "Values", "Unit"],
)
A_LINE_A_CODE = pd.DataFrame(
    [
        ["sex", "Sex of the patient", 1, "male", ""],
        ["", "", 2, "female", ""],
        ["Age", "Age at admission", "", "", "years"],
        ["crea", "Serum creatinine", "", "", "µmol/L"],
        ["dm", "Diabetes mellitus", 1, "yes", ""],
        ["", "", 2, "no", ""],
        ["", "", 9, "unknown", ""],
        ["pain", "Pain at rest", 0, "none", ""],
        ["", "", 1, "mild", ""],
        ["", "", 2, "moderate", ""],
        ["", "", 3, "severe", ""],
        ["death", "Status after 30 days", 1, "dead", ""],
        ["", "", 2, "alive", ""],
    ],
    columns=["Name", "Label", "Code", "Meaning", "Unit"],
)
WITHOUT_A_HEAD = pd.DataFrame(
    [
        ["sex", "Sex of the patient (1 = male, 2 = female)"],
        ["Age", "Age at admission [years]"],
        ["crea", "Serum creatinine (µmol/L)"],
        ["dm", "Diabetes mellitus (1 yes, 2 no, 9 unknown)"],
        ["pain", "Pain at rest: 0 = none, 1 = mild, 2 = moderate, 3 = severe"],
        ["death", "Status after 30 days: 1 = dead, 2 = alive"],
    ]
)
WORDS_FIRST = pd.DataFrame(
    [
        ["sex", "性别", "男=1，女=2", ""],
        ["Age", "入院年龄", "", "岁"],
        ["crea", "血肌酐", "", "µmol/L"],
        ["dm", "糖尿病", "有=1；无=2；不详=9", ""],
        ["pain", "疼痛", "无=0、轻度=1、中度=2、重度=3", ""],
        ["death", "30天结局", "死亡=1，存活=2", ""],
    ],
    columns=["变量名", "中文名称", "赋值说明", "单位"],
)
FORMS = {
    "a line a column": A_LINE_A_COLUMN,
    "a line a code": A_LINE_A_CODE,
    "without a head": WITHOUT_A_HEAD,
    "words before codes": WORDS_FIRST,
}


def workbook(**sheets: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        for name, frame in sheets.items():
            headed = isinstance(frame.columns[0], str)
            frame.to_excel(book, sheet_name=name, index=False, header=headed)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_a_codebook_of_any_form_says_what_columns_and_codes_are(form: str) -> None:
    cohort = read_table(("ward.xlsx", workbook(Data=PATIENTS, Codebook=FORMS[form])))
    schema = cohort.schema
    assert "this codebook was read" in str(cohort.repairs[0])
    assert not any("has others too" in str(told) for told in cohort.repairs)
    assert list(schema["sex"].level_labels) == ["1", "2"]
    assert (schema["sex"].kind, schema["Age"].unit, schema["crea"].unit) == ("category", "years", "µmol/L")
    assert (schema["dm"].kind, schema["dm"].levels, schema["dm"].missing_codes) == ("boolean", ("2", "1"), ("9",))
    assert (schema["pain"].kind, schema["pain"].levels) == ("category", ("0", "1", "2", "3"))
    assert all(schema[name].label for name in ("sex", "Age", "crea", "dm", "pain", "death"))
    assert "=" not in schema["death"].label
    values = typed(cohort.frame, cohort.schema)
    assert values["dm"].isna().sum() == (PATIENTS["dm"] == 9).sum()
    assert values["pain"].astype(str).tolist() == PATIENTS["pain"].astype(str).tolist()


@pytest.mark.parametrize("form", FORMS)
def test_the_event_is_the_class_whose_word_says_so(form: str) -> None:
    cohort = read_table(("ward.xlsx", workbook(Data=PATIENTS, Codebook=FORMS[form])))
    assert {p.column: p.positive for p in propose_targets(cohort.frame, cohort.schema)}["death"] == "1"
    schema = choose_target(cohort.schema, cohort.frame, "death")
    assert schema.positive == "1"
    word = schema["death"].level_labels["2"]
    found = {f.code: str(f.message) for f in inspect(cohort.with_schema(schema))}
    assert "outcome.event_assumed" not in found
    assert f"= {word} (2);" in found["outcome.few_events"]
    assert choose_target(cohort.schema, cohort.frame, "death", positive=word).positive == "2"


def test_without_a_codebook_one_and_two_are_numbers_as_before() -> None:
    schema = read_table(("ward.xlsx", workbook(Data=PATIENTS, Notes=pd.DataFrame({"remark": ["made in May"]})))).schema
    assert not any(column.label or column.level_labels for column in schema.columns)


def test_a_codebook_that_is_larger_than_its_table_or_comes_first_is_not_taken_for_it(tmp_path: Path) -> None:
    longer = pd.concat([A_LINE_A_COLUMN, *[A_LINE_A_COLUMN.assign(Variable=f"x{i}") for i in range(20)]])
    few = PATIENTS.head(20)
    cohorts = [read_table(("ward.xlsx", workbook(Codebook=longer, Data=few)))]
    files = [("codebook.csv", A_LINE_A_COLUMN.to_csv(index=False)), ("data.csv", PATIENTS.to_csv(index=False))]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, text in files:
            archive.writestr(name, text)
    cohorts.append(read_table(tmp_path / "a.zip"))
    cohorts.append(open_cohort([(name, text.encode()) for name, text in files]))
    cohorts.append(open_cohort([(name, text.encode()) for name, text in files], table="data.csv"))
    for cohort in cohorts:
        assert list(cohort.frame.columns) == list(PATIENTS.columns)
        assert cohort.schema["sex"].level_labels == {"1": "male", "2": "female"}
        assert not cohort.attachments.files


def test_the_command_line_takes_a_codebook_as_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PATIENTS.to_csv(tmp_path / "ward.csv", index=False)
    for name, labels, data in (
        ("b.xlsx", "Status after 30 days", workbook(Book=A_LINE_A_CODE)),
        ("b.csv", "30天结局", WORDS_FIRST.to_csv(index=False, sep="\t").encode("gb18030")),
    ):
        (tmp_path / name).write_bytes(data)
        asked = ("--target", "death", "--dictionary", str(tmp_path / name))
        told = run(capsys, "profile", str(tmp_path / "ward.csv"), *asked)
        found = {column["name"]: column for column in told["columns"]}
        assert (found["dm"]["kind"], found["death"]["label"]) == ("boolean", labels)
        assert "outcome.event_assumed" not in {finding["code"] for finding in told["findings"]}


def test_our_own_dictionary_is_read_from_a_workbook_too_and_what_says_nothing_is_refused() -> None:
    cohort = read_table(("ward.csv", PATIENTS.to_csv(index=False).encode()))
    changed = cohort.schema.change("sex", label="Sex at birth").change("dm", kind="category", missing_codes=("9",))
    own = pd.read_csv(io.StringIO(save_dictionary(changed)), dtype=str, keep_default_na=False)
    for name, data in (("d.xlsx", workbook(Dictionary=own)), ("d.csv", own.to_csv(index=False).encode())):
        given = apply_file(cohort.schema, cohort.frame, (name, data))
        assert (given["sex"].label, given["dm"].missing_codes) == ("Sex at birth", ("9",))
    with pytest.raises(InputError, match="says nothing of this table's columns"):
        apply_file(cohort.schema, cohort.frame, ("x.csv", b"a,b\n1,2\n"))


OTHER_SHEETS = {
    "means": [["Variable", "Mean", "SD"], ["Age", "60", "10"], ["sex", "1.5", "0.5"], ["crea", "90", "20"]],
    "the same table": [list(PATIENTS.columns), ["P000", "1", "50", "80", "1", "0", "1"]],
    "results": [["patient", "test", "value"], *([str(i), t, "1.5"] for i in range(9) for t in ("crea", "Age", "pain"))],
    "remarks": [["name", "remark"], *([t, f"remark {i} on {t}"] for i in range(9) for t in ("crea", "Age", "pain"))],
    "nothing": [],
    "one cell": [["sex"]],
}


@pytest.mark.parametrize("sheet", OTHER_SHEETS)
def test_a_sheet_that_is_no_codebook_says_nothing(sheet: str) -> None:
    assert find_codebook(OTHER_SHEETS[sheet], PATIENTS.astype(str)) == {}


SIGNS = [
    "{c}={w}",
    "{c} = {w}",
    "{c}:{w}",
    "{c}: {w}",
    "{c}：{w}",
    "{c} - {w}",
    "{c} – {w}",
    "{c}. {w}",
    "{c}) {w}",
    "({c}) {w}",
    "{c} {w}",
    "{w}={c}",
    "{w} = {c}",
    "{w} ({c})",
    "{w}（{c}）",
    "{c} ({w})",
]
GAPS = ["; ", ", ", "；", "，", "、", " | ", "\n", " / "]
WORD_SETS = [
    ("male", "female"),
    ("no", "yes", "not known"),
    ("无", "轻度", "中度", "重度"),
    ("< 5 cm", "5-10 cm", "over 10 cm"),
]


@pytest.mark.parametrize("sign", SIGNS)
def test_codes_are_read_however_they_are_written(sign: str) -> None:
    for words, gap in itertools.product(WORD_SETS, GAPS):
        if sign in ("{c} {w}", "{c}. {w}") and not words[0][0].isalpha():
            continue  # "0 < 5 cm" is no code and its word
        cell = gap.join(sign.format(c=c, w=w) for c, w in enumerate(words))
        pairs = [(str(c), w) for c, w in enumerate(words)]
        assert sorted(code_list(cell)) in (pairs, sorted((w, c) for c, w in pairs)), cell


@pytest.mark.parametrize(
    "cell", ["", "yes/no", "18 to 90", "12:30-14:00", "0/1", "NYHA class 1-4", "integer", "see form 2, page 3", "mg/dL"]
)
def test_what_is_no_list_of_codes_is_none(cell: str) -> None:
    assert code_list(cell) == []


@pytest.mark.parametrize("piece", ["1=", "(", "a = b ", "1 ", "1.", "男=", ",", "=1", "1, ", "x (1"])
def test_a_long_cell_is_looked_at_once(piece: str) -> None:
    assert len(code_list(piece * 50_000)) <= MOST_CODES


def test_a_code_that_the_codebook_lacks_keeps_the_others_words_and_the_kind() -> None:
    table = pd.DataFrame(
        {"id": [f"P{i}" for i in range(60)], "arm": ["A", "B", "C"] * 20, "beds": [n % 23 for n in range(60)]}
    )
    book = pd.DataFrame([["arm", "A = drug, B = placebo"], ["beds", "1 = one, 2 = two"]])
    schema = read_table(("ward.xlsx", workbook(Data=table, Codebook=book))).schema
    assert (schema["arm"].kind, schema["arm"].level_labels) == ("category", {"A": "drug", "B": "placebo"})
    assert (schema["beds"].kind, schema["beds"].level_labels) == ("numeric", {})


def test_an_order_of_words_and_a_code_for_missing_alone_are_taken() -> None:
    table = pd.DataFrame(
        {
            "id": [f"P{i}" for i in range(60)],
            "pain": ["a", "b", "c"] * 20,
            "weight": [50 + i % 23 for i in range(59)] + [888],
        }
    )
    book = pd.DataFrame([["pain", "a = severe, b = mild, c = moderate"], ["weight", "in kg; 888 = not measured"]])
    schema = read_table(("ward.xlsx", workbook(Data=table, Codebook=book))).schema
    assert (schema["pain"].kind, schema["pain"].levels) == ("category", ("b", "c", "a"))
    assert schema["weight"].missing_codes == ("888",)


def test_a_codebook_that_is_asked_for_goes_before_an_earlier_one_and_leaves_a_chosen_outcome_its_classes() -> None:
    cohort = read_table(("ward.xlsx", workbook(Data=PATIENTS, Codebook=A_LINE_A_COLUMN)))
    schema = choose_target(cohort.schema, cohort.frame, "dm")
    assert (schema.positive, schema["dm"].kind) == ("1", "boolean")
    book = pd.DataFrame([["sex", "Sex at birth"], ["death", "Death"], ["dm", "Diabetes: 1 = absent, 2 = present"]])
    again = apply_file(schema, cohort.frame, ("b.xlsx", workbook(Book=book)))
    assert (again["sex"].label, again["death"].label) == ("Sex at birth", "Death")
    assert (again["dm"].kind, again["dm"].levels, again.positive) == ("boolean", schema["dm"].levels, "1")
    assert again["dm"].level_labels == {"1": "absent", "2": "present"}
