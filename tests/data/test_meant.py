"""New patients whose table says in words, or in other codes, what the training patients' said."""

import io
import itertools

import pandas as pd
import pytest

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.reading.table import read_table
from medcore.data.values.typed import read_values, typed

SEX, SMOKING, DIABETES = ("male", "female"), ("never", "former", "current"), ("no", "yes")
ROWS = [*itertools.product(range(2), range(3), range(2))] * 6


def packed(**sheets: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return file.getvalue()


def coded(sex: str, smoking: str, diabetes: str, *, like: Schema | None = None) -> Cohort:
    """Read a workbook of patients whose codes are these letters, with a codebook that says what they mean."""
    frame = pd.DataFrame(
        [(40 + k, int(sex[a]), int(smoking[b]), int(diabetes[c])) for k, (a, b, c) in enumerate(ROWS)],
        columns=["age", "sex", "smoking", "dm"],
    )
    said = [
        "; ".join(f"{code}={word}" for code, word in zip(letters, words, strict=True))
        for letters, words in ((sex, SEX), (smoking, SMOKING), (diabetes, DIABETES))
    ]
    book = pd.DataFrame(
        {"variable": list(frame.columns), "label": ["Age", "Sex", "Smoking", "Diabetes"], "values": ["", *said]}
    )
    return read_table(("ward.xlsx", packed(Data=frame, Codebook=book)), like=like)


TRAINED = coded("12", "012", "01")
VALUES = typed(TRAINED.frame, TRAINED.schema)


def spelled(sex: tuple[str, ...], smoking: tuple[str, ...], diabetes: tuple[str, ...]) -> Cohort:
    rows = "\n".join(f"{40 + k},{sex[a]},{smoking[b]},{diabetes[c]}" for k, (a, b, c) in enumerate(ROWS))
    return read_table(("new.csv", f"age,sex,smoking,dm\n{rows}\n".encode()), like=TRAINED.schema)


@pytest.mark.parametrize(
    "words",
    [
        (SEX, SMOKING, DIABETES),
        (("Male", "FEMALE"), ("Never", "Former", "CURRENT"), ("No", "Yes")),
        (("M", "F"), SMOKING, ("N", "Y")),
        (("男", "女"), SMOKING, ("否", "是")),
        (("1", "2"), ("0", "1", "2"), ("0", "1")),
    ],
)
def test_words_are_the_codes_that_the_training_codebook_gave_them(words) -> None:
    new = spelled(*words)
    read = read_values(new.frame, TRAINED.schema)
    pd.testing.assert_frame_equal(read.frame, VALUES)
    assert not read.unreadable
    for row in (0, 7, 30):  # alone as among all
        one = typed(new.frame.iloc[[row]], TRAINED.schema)
        pd.testing.assert_frame_equal(one, read.frame.iloc[[row]])


@pytest.mark.parametrize("codes", [("21", "012", "01"), ("12", "210", "12"), ("12", "123", "10"), ("12", "012", "01")])
def test_codes_of_another_codebook_are_written_as_the_models(codes) -> None:
    new = coded(*codes, like=TRAINED.schema)
    pd.testing.assert_frame_equal(typed(new.frame, TRAINED.schema), VALUES)
    told = [str(message) for message in new.repairs if "codes were written as the model knows them" in str(message)]
    assert len(told) == sum(a != b for a, b in zip(codes, ("12", "012", "01"), strict=True))


def test_a_label_that_is_a_code_or_that_two_codes_have_stays() -> None:
    column = Column(name="x", kind="category", level_labels={"1": "2", "2": "high", "3": "other", "4": "other"})
    values = typed(pd.DataFrame({"x": ["1", "2", "high", "other"]}), Schema((column,)))["x"]
    assert values.tolist() == ["1", "2", "2", "other"]
