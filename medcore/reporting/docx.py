"""A document as DOCX, for the manuscript."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from medcore.charts.static import plain, to_png
from medcore.charts.theme import alt_text, headline
from medcore.reporting.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table

_EAST_ASIAN_FONT = "Microsoft YaHei"


def to_docx(document: Document) -> bytes:
    """Write the whole document as a Word file with real headings, tables and alternative texts."""
    import docx
    from docx.oxml.ns import qn

    paper = docx.Document()
    paper.core_properties.title = document.title
    paper.core_properties.author = "medcore"
    paper.core_properties.language = document.language.replace("_", "-")
    paper.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _EAST_ASIAN_FONT)
    paper.add_heading(document.title, 0)
    paper.add_paragraph(document.subtitle)
    for block in document.blocks:
        _block(paper, block)
    paper.sections[0].footer.paragraphs[0].text = document.footer
    buffer = BytesIO()
    paper.save(buffer)
    return buffer.getvalue()


def _block(paper: Any, block: Block) -> None:
    match block:
        case Heading(text, level):
            paper.add_heading(text, level)
        case Paragraph(text, strong):
            paper.add_paragraph().add_run(text).bold = strong
        case Bullets(items):
            for item in items:
                paper.add_paragraph(item, style="List Bullet")
        case Table():
            _table(paper, block)
        case Picture():
            _picture(paper, block)


def _table(paper: Any, table: Table) -> None:
    paper.add_paragraph(table.caption, style="Caption")
    grid = paper.add_table(rows=1, cols=len(table.header), style="Light List Accent 1")
    for cell, text in zip(grid.rows[0].cells, table.header, strict=True):
        cell.text = text
    for row in table.rows:
        for cell, text in zip(grid.add_row().cells, row, strict=True):
            cell.text = text
    paper.add_paragraph()


def _picture(paper: Any, picture: Picture) -> None:
    from docx.shared import Inches

    title, subtitle = (plain(text) for text in headline(picture.figure))
    paper.add_paragraph(f"{title}. {subtitle}" if subtitle else title, style="Caption")
    shape = paper.add_picture(BytesIO(to_png(picture.figure)), width=Inches(6))
    shape._inline.docPr.set("descr", plain(alt_text(picture.figure)))  # python-docx has no public setter
