"""What stands in a table reaches the paper: letters of any alphabet, lines that end where they may, tables kept whole."""

import json
import re
import zlib

import pytest

from medcore.charts.drawing.static import to_png, to_svg
from medcore.charts.drawing.theme import new_figure
from medcore.reporting.formats.document import Document, Heading, Paragraph, Picture, Table
from medcore.reporting.formats.pdf import breakable, compiler_of, paged, printable, to_pdf

NAMES = "心功能Ⅲ级 ① 体表面积 ㎡ 臺大醫院 腘动脉 赟 β₁ Łódź Železná Красноярск 10⁹/L ≥ µ ℃"


def document(*blocks, language: str = "zh_CN") -> Document:
    return Document(title="冠心病", subtitle=NAMES, language=language, blocks=blocks)


def streams(pdf: bytes) -> bytes:
    """Return all that a PDF holds, its compressed streams opened."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    opened = []
    for stream in packed:
        try:
            opened.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return pdf + b"".join(opened)


def test_no_letter_of_clinical_chinese_or_of_another_alphabet_is_lost() -> None:
    assert printable(NAMES, chinese=True) == NAMES
    blocks = (Heading(NAMES), Paragraph(NAMES * 4), Table.of(NAMES, ("列", NAMES), [[NAMES, "长" * 90]]))
    _written, warnings = compiler_of(document(*blocks)).compile_with_warnings(format="pdf")
    assert not warnings


def test_charts_have_the_same_letters(recwarn) -> None:
    figure = new_figure(title="", x_title=NAMES, y_title="", alt="")
    assert to_png(figure) and to_svg(figure)
    assert not [w for w in recwarn if "missing" in str(w.message)]


def test_a_letter_no_font_has_is_named_and_not_dropped() -> None:
    assert printable("stage \U00010d24, \U0001d400", chinese=False) == "stage [U+10D24], A"


def test_quotation_marks_are_straight_outside_chinese() -> None:
    assert printable("“disease”", chinese=False) == '"disease"'
    assert printable("“患者”", chinese=True) == "“患者”"


def test_lines_may_end_after_an_underscore_and_inside_a_hash() -> None:
    assert breakable("no change at all (95 %)") == "no change at all (95 %)"
    assert breakable("mean_value") == "mean_\u200bvalue"
    assert breakable("0123456789abcdef" * 4).split("\u200b") == [
        "0123456789abcdef01234567",
        "89abcdef0123456789abcdef",
        "0123456789abcdef",
    ]


def test_two_small_charts_that_follow_one_another_stand_side_by_side_and_a_large_one_alone() -> None:
    small, large = (Picture(new_figure(title="t", x_title="x", y_title="y", alt="a", height=h)) for h in (380, 700))
    assert [paged(document(*blocks))[1] for blocks in ([small] * 4, [small, large, small])] == [1, 2]


def test_a_short_table_stands_whole_on_one_page_and_a_long_one_repeats_its_head() -> None:
    lines = [Paragraph("x")] * 33
    rows = [[str(i), "value"] for i in range(9)]
    table = Table.of("Performance", ("Measure", "Value"), rows)
    assert [paged(document(*blocks))[1] for blocks in (lines, [*lines, table])] == [1, 2]
    pages = json.loads(compiler_of(document(*lines, table)).query("table", field="children"))
    assert len(pages) == 1
    cells = [Table.of("Answers", ("Item",), [[words]]) for words in ("x" * 90, "x " * 900)]
    broken = [json.loads(compiler_of(document(t)).query("table", field="children"))[0][-1]["breakable"] for t in cells]
    assert broken == [False, True]
    long = Table.of("Performance", ("Measure", "Value"), rows * 12)
    assert paged(document(long))[1] > 1


def test_the_file_is_tagged_named_and_in_its_language_with_its_fonts_inside() -> None:
    figure = new_figure(title="A chart", x_title="x", y_title="y", alt="What the chart shows")
    pdf = streams(to_pdf(document(Heading("Part"), Heading("Detail", 2), Picture(figure), language="en")))
    for fact in (
        b"/Marked true",
        b"/Lang(en)",
        b"/Outlines",
        b"/FontFile",
        b"pdfuaid:part",
        b"/Alt(What the chart shows)",
    ):
        assert fact in pdf, fact
    for font in re.findall(rb"/BaseFont ?/(\S+)", pdf):
        assert re.match(rb"[A-Z]{6}\+", font), "only the letters that are used"


def test_the_same_document_is_the_same_file() -> None:
    made = document(Heading("Part"), Paragraph(NAMES))
    assert to_pdf(made) == to_pdf(made)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_document_may_begin_with_a_small_heading(level) -> None:
    assert paged(document(Heading("Part", level), Paragraph("x")))[1] == 1
