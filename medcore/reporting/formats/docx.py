"""A document as DOCX, for the manuscript."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from medcore.charts.drawing.static import plain, to_png
from medcore.charts.drawing.theme import alt_text, headline
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table

_FONT, _EAST_ASIAN_FONT = "Arial", "Microsoft YaHei"
_INK = (31, 39, 51)
_BODY_POINTS, _TABLE_POINTS = 10, 8
_PAGE_MM, _MARGIN_MM = (210, 297), 20  # A4


def to_docx(document: Document) -> bytes:
    """Write the whole document as a Word file with real headings, tables and alternative texts."""
    import docx

    paper = docx.Document()
    _set_up(paper)
    paper.core_properties.title = document.title
    paper.core_properties.author = "medcore"
    paper.core_properties.language = document.language.replace("_", "-")
    paper.add_heading(document.title, 0)
    paper.add_paragraph(document.subtitle)
    for block in document.blocks:
        _block(paper, block)
    paper.sections[0].footer.paragraphs[0].text = document.footer
    buffer = BytesIO()
    paper.save(buffer)
    return buffer.getvalue()


def _set_up(paper: Any) -> None:
    """Set the page to A4, and every style to a font that a ward's computer has."""
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    section = paper.sections[0]
    section.page_width, section.page_height = (Mm(side) for side in _PAGE_MM)
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Mm(_MARGIN_MM))
    for style in (paper.styles[name] for name in ("Normal", "Title", "Heading 1", "Heading 2", "Heading 3", "Caption")):
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for script, name in (("ascii", _FONT), ("hAnsi", _FONT), ("cs", _FONT), ("eastAsia", _EAST_ASIAN_FONT)):
            fonts.attrib.pop(qn(f"w:{script}Theme"), None)
            fonts.set(qn(f"w:{script}"), name)
        style.font.color.rgb = RGBColor(*_INK)
    paper.styles["Normal"].font.size = Pt(_BODY_POINTS)
    paper.styles["Caption"].font.size = Pt(_TABLE_POINTS + 1)
    paper.styles["Caption"].paragraph_format.keep_with_next = True


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
    """Let Word lay a table out: columns as wide as what stands in them, the head on every page, no row cut."""
    paper.add_paragraph(table.caption, style="Caption")
    grid = paper.add_table(rows=0, cols=len(table.header), style="Table Grid")
    for place, texts in enumerate((table.header, *table.rows)):
        for cell, text in zip(grid.add_row().cells, texts, strict=True):
            _as_wide_as_its_text(cell)
            _write(cell, text, bold=place == 0)
    _keep_together(grid)
    paper.add_paragraph()


def _write(cell: Any, text: str, *, bold: bool) -> None:
    from docx.shared import Pt

    cell.text = text
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    for run in paragraph.runs:
        run.font.size, run.bold = Pt(_TABLE_POINTS), bold


def _as_wide_as_its_text(cell: Any) -> None:
    """Take back the equal width that python-docx gives every cell, so that Word fits the columns to their text."""
    width = cell._tc.get_or_add_tcPr().get_or_add_tcW()
    width.type, width.w = "auto", 0


def _keep_together(grid: Any) -> None:
    """Repeat the head on every page and break no row over two; python-docx has no word for either."""
    from docx.oxml import OxmlElement

    for place, row in enumerate(grid.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if place == 0:
            properties.append(OxmlElement("w:tblHeader"))


def _picture(paper: Any, picture: Picture) -> None:
    from docx.shared import Inches

    title, subtitle = (plain(text).replace("\n", " ") for text in headline(picture.figure))
    paper.add_paragraph(f"{title}. {subtitle}" if subtitle else title, style="Caption")
    shape = paper.add_picture(BytesIO(to_png(picture.figure)), width=Inches(6))
    shape._inline.docPr.set("descr", plain(alt_text(picture.figure)))  # python-docx has no public setter
