"""What stands in a table reaches the paper: letters of any alphabet, lines that end where they may, tables kept whole."""

import logging
import re

import pytest

from medcore.charts.static import to_png, to_svg
from medcore.charts.theme import new_figure
from medcore.reporting.document import Document, Heading, Paragraph, Table
from medcore.reporting.layout import LETTERS, widths
from medcore.reporting.pdf import _breakable, _paper, _printable, to_pdf

NAMES = "心功能Ⅲ级 ① 体表面积 ㎡ 臺大醫院 腘动脉 赟 β₁ Łódź Železná Красноярск 10⁹/L ≥ µ ℃"


def document(*blocks, language: str = "zh_CN") -> Document:
    return Document(title="冠心病", subtitle=NAMES, language=language, blocks=blocks)


def printed(text: str, *, language: str = "zh_CN") -> str:
    with _paper(document(language=language)) as pdf:
        return _printable(pdf, text)


def test_no_letter_of_clinical_chinese_or_of_another_alphabet_is_lost(caplog) -> None:
    blocks = (Heading(NAMES), Paragraph(NAMES * 4), Table.of(NAMES, ("列", NAMES), [[NAMES, "长" * 90]]))
    with caplog.at_level(logging.WARNING):
        to_pdf(document(*blocks))
    assert not caplog.records
    assert printed(NAMES) == NAMES


def test_charts_have_the_same_letters(recwarn) -> None:
    figure = new_figure(title="", x_title=NAMES, y_title="", alt="")
    assert to_png(figure) and to_svg(figure)
    assert not [w for w in recwarn if "missing" in str(w.message)]


def test_a_letter_no_font_has_is_named_and_not_dropped() -> None:
    assert printed("stage \U00010d24, \U0001d400") == "stage [U+10D24], A"


def test_quotation_marks_are_straight_outside_chinese() -> None:
    assert printed("“disease”", language="en") == '"disease"'
    assert printed("“患者”") == "“患者”"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("患者AUROC（自助法）。", "患|者|AUROC（自|助|法）。"),
        ("结局“出院”。", "结|局|“出|院”。"),
        ("no change at all (95 %)", "no change at all (95 %)"),
        ("mean_value", "mean_|value"),
    ],
)
def test_lines_may_end_after_a_chinese_character_or_an_underscore_but_not_before_a_closing_mark(text, marked) -> None:
    assert _breakable(text) == marked.replace("|", "\u200b")


def test_a_short_table_stands_whole_on_one_page() -> None:
    lines = [Paragraph("x")] * 26
    rows = [[str(i), "value"] for i in range(9)]
    pages = to_pdf(document(*lines, Table.of("Performance", ("Measure", "Value"), rows)))
    alone = to_pdf(document(*lines))
    count = [len(re.findall(rb"/Type /Page\b(?!s)", pdf)) for pdf in (alone, pages)]
    assert count == [1, 2]
    assert pages.count(b"/Type /Page") - alone.count(b"/Type /Page") == 1


def test_columns_share_the_width_of_the_page_by_what_stands_in_them() -> None:
    table = Table.of("", ("Column", "Missing"), [["a name of some length in words", "0"]])
    first, second = widths(table)
    assert first + second == pytest.approx(LETTERS)
    assert first > 2 * second


def test_chinese_and_underscores_leave_other_columns_their_room() -> None:
    long = ("静息心电图结果（由两名心脏科医生独立判读）", "Chest_pain_type_according_to_the_treating_physician")
    table = Table.of("", ("列", "值", "Column"), [[*long, "Maximum heart rate achieved during exercise"]])
    assert min(widths(table)) > 20
