"""The Word file: A4, columns that Word fits to their text, heads that repeat, captions that stay with what they name."""

from io import BytesIO

import docx
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm

from medcore.reporting.formats.document import Document, Paragraph, Table
from medcore.reporting.formats.docx import to_docx


@pytest.fixture(scope="module")
def paper():
    table = Table.of("Patients", ("Column", "Missing"), [["Chest_pain_type_at_first_contact", "0"], ["age", "3"]])
    made = Document(title="Heart", subtitle="", language="en", blocks=(Paragraph("x"), table))
    return docx.Document(BytesIO(to_docx(made)))


def test_the_page_is_a4(paper) -> None:
    section = paper.sections[0]
    assert (round(section.page_width / Mm(1)), round(section.page_height / Mm(1))) == (210, 297)


def test_word_fits_the_columns_to_their_text(paper) -> None:
    (table,) = paper.tables
    assert table.autofit
    widths = [cell._tc.tcPr.tcW for row in table.rows for cell in row.cells]
    assert {width.type for width in widths} == {"auto"}


def test_the_head_is_repeated_and_bold_and_no_row_is_cut(paper) -> None:
    head, *rows = paper.tables[0].rows
    assert head._tr.trPr.find(qn("w:tblHeader")) is not None
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in (head, *rows))
    assert [cell.paragraphs[0].runs[0].bold for cell in (head.cells[0], rows[0].cells[0])] == [True, False]


def test_a_caption_stays_with_its_table(paper) -> None:
    caption = next(p for p in paper.paragraphs if p.text == "Patients")
    assert caption.style.paragraph_format.keep_with_next
