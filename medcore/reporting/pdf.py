"""A document as PDF, with its font inside so that it prints the same everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING, Any

from medcore.charts.static import FONT_FILE, PIXELS_PER_INCH, WIDTH_INCHES, plain, spare_font_file, to_png
from medcore.charts.theme import alt_text, headline
from medcore.i18n import _
from medcore.reporting.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table
from medcore.reporting.layout import width_of, widths

if TYPE_CHECKING:
    from fpdf import FPDF

_FAMILY, _SPARE = "medcore", "medcore spare"
_SIZES = {1: 15.0, 2: 12.0, 3: 10.5}
_BODY, _SMALL, _MARGIN = 10.0, 8.5, 20.0
_PICTURE_INCHES = 5.6
_TABLE_START = 32.0
"""Millimetres a table's caption, head and first row take: they stay together."""
_WHOLE = 90.0
"""A table of so many millimetres or fewer is not broken over two pages."""
_COMPACT = 0.8
"""The size of everything in a compact document, against a usual one."""
_CHINESE = re.compile(r"([\u4e00-\u9fff、。，；：！？）》】])(?=[^\s、。，；：！？）》】”’%％.,;:!?)\u200b])")
"""Where a line of Chinese may end: after every character, but not before a mark that closes."""
_MAY_END = "\u200b"
"""Marks where a line may end; it is taken out again before anything is printed."""
_INK, _GREY, _RULE, _WARN = (31, 39, 51), (91, 100, 114), (216, 220, 227), (253, 244, 234)


def to_pdf(document: Document) -> bytes:
    """Write the whole document as a PDF of A4 pages."""
    return paged(document)[0]


def paged(document: Document) -> tuple[bytes, int]:
    """Write a document as a PDF; return it and how many pages it has."""
    scale = _COMPACT if document.compact else 1.0
    with _paper(document) as pdf:
        pdf.add_page()
        _write(pdf, document.title, 20 * scale, space_after=1)
        _write(pdf, document.subtitle, _BODY * scale, colour=_GREY, space_after=4 * scale)
        for block, following in zip_longest(document.blocks, document.blocks[1:]):
            _block(pdf, block, scale, following)
        return bytes(pdf.output()), pdf.page_no()


@contextmanager
def _paper(document: Document) -> Iterator[FPDF]:
    """Give empty paper with its fonts, whose files are closed again at the end."""
    from fpdf.fonts import TTFFont

    pdf = _new(document)
    try:
        yield pdf
    finally:
        for font in pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


def _new(document: Document) -> FPDF:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font(_FAMILY, size=7.5)
            self.set_text_color(*_GREY)
            page = _("Page {page} of {pages}", page=self.page_no(), pages="{nb}")
            self.multi_cell(0, 3.5, f"{document.footer}  ·  {page}", align="L")

        def get_fallback_font(self, char: str, style: str = "") -> str | None:
            return None if char == _MAY_END else super().get_fallback_font(char, style)

        def _render_styled_text_line(self, text_line: Any, *args: Any, **kwargs: Any) -> bool:
            # The lines are made: the marks where they might have ended are no letters, and no font need have them.
            for fragment in text_line.fragments:
                fragment.characters = [letter for letter in fragment.characters if letter != _MAY_END]
            return super()._render_styled_text_line(text_line, *args, **kwargs)

    pdf = Paper(format="A4")
    pdf.set_title(document.title)
    pdf.set_lang(document.language.replace("_", "-"))
    pdf.set_creator("medcore")
    margin = _MARGIN * (_COMPACT if document.compact else 1.0)
    pdf.set_margins(margin, margin, margin)
    pdf.set_auto_page_break(True, margin=margin)
    pdf.add_font(_FAMILY, fname=FONT_FILE)
    pdf.add_font(_SPARE, fname=spare_font_file())
    pdf.set_fallback_fonts([_SPARE], exact_match=False)
    font = pdf.fonts[_FAMILY]
    if isinstance(font, TTFFont):
        font.cw[ord(_MAY_END)] = 0
    pdf.set_font(_FAMILY, size=_BODY)
    return pdf


def _block(pdf: FPDF, block: Block, scale: float, following: Block | None) -> None:
    match block:
        case Heading(text, level):
            pdf.ln((4 if level == 1 else 2) * scale)
            if pdf.will_page_break((30 + _drawn_height(following)) * scale):
                pdf.add_page()
            pdf.start_section(_printable(pdf, text), level=level - 1)
            _write(pdf, text, _SIZES[level] * scale, space_after=2 * scale)
        case Paragraph(text, strong):
            _write(pdf, text, _BODY * scale, fill=_WARN if strong else None, space_after=2 * scale)
        case Bullets(items):
            for item in items:
                _write(pdf, f"–  {item}", _BODY * scale, space_after=0.5 * scale)
            pdf.ln(1.5 * scale)
        case Table():
            _table(pdf, block, scale)
        case Picture():
            _picture(pdf, block, scale)


def _write(
    pdf: FPDF,
    text: str,
    size: float,
    *,
    colour: tuple[int, int, int] = _INK,
    fill: tuple[int, int, int] | None = None,
    space_after: float = 0.0,
) -> None:
    pdf.set_font(_FAMILY, size=size)
    pdf.set_text_color(*colour)
    if fill:
        pdf.set_fill_color(*fill)
    pdf.multi_cell(
        0,
        size * 0.52,
        _breakable(_printable(pdf, text)),
        fill=fill is not None,
        align="L",
        new_x="LMARGIN",
        new_y="NEXT",
        padding=2 if fill else 0,
    )
    pdf.ln(space_after)


def _table(pdf: FPDF, table: Table, scale: float) -> None:
    from fpdf import FontFace

    if pdf.will_page_break(_table_start(table) * scale):
        pdf.add_page()
    _write(pdf, table.caption, 9.5 * scale, space_after=1)
    pdf.set_font(_FAMILY, size=_SMALL * scale)
    pdf.set_draw_color(*_RULE)
    pdf.set_fill_color(255)
    pdf.set_text_color(*_INK)
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        cell_fill_mode="NONE",
        col_widths=widths(table),
        line_height=_SMALL * scale * 0.52,
        padding=1 if scale == 1 else 0.4,
        text_align="LEFT",
        headings_style=FontFace(color=_GREY),
    ) as grid:
        for row in (table.header, *table.rows):
            line = grid.row()
            for cell in row:
                line.cell(_breakable(_printable(pdf, cell)))
    pdf.ln(3 * scale)


def _breakable(text: str) -> str:
    """Let Chinese, which has no spaces between words, end a line after any character, and names after an underscore."""
    return _CHINESE.sub(f"\\1{_MAY_END}", text).replace("_", f"_{_MAY_END}")


def _printable(pdf: FPDF, text: str) -> str:
    """Write a text in letters the fonts have: nothing that stands in the table may silently vanish from paper.

    A letter in no font becomes its plain form ("ﬃ" → "ffi") or else its code point ("[U+1F600]").
    Quotation marks outside Chinese are straight: the font's curly ones are as wide as a Chinese character.
    """
    if not str(pdf.lang).startswith("zh"):
        text = text.translate({0x201C: '"', 0x201D: '"'})
    return "".join(letter if _has(pdf, letter) else _plainer(pdf, letter) for letter in text)


def _has(pdf: FPDF, letter: str) -> bool:
    return letter in "\n\t" or any(ord(letter) in getattr(font, "cmap", ()) for font in pdf.fonts.values())


def _plainer(pdf: FPDF, letter: str) -> str:
    plain_form = unicodedata.normalize("NFKC", letter)
    if plain_form != letter and all(_has(pdf, part) for part in plain_form):
        return plain_form
    return f"[U+{ord(letter):04X}]"


def _drawn_height(block: Block | None) -> float:
    """Return the millimetres a picture or a table's start takes: a heading stays with what it heads."""
    if isinstance(block, Table):
        return _table_start(block)
    if not isinstance(block, Picture):
        return 0.0
    return 25.4 * _PICTURE_INCHES * float(block.figure.layout.height or 380) / PIXELS_PER_INCH / WIDTH_INCHES


def _table_start(table: Table) -> float:
    """Return the millimetres of a table that must stay together: all of a short one, the first row of a long one."""
    columns = widths(table)
    lines = [
        max(ceil((width_of(cell) + 1) / width) for cell, width in zip(row, columns, strict=True))
        for row in (table.header, *table.rows)
    ]
    height = 10.0 + sum(lines) * _SMALL * 0.52 + 2.0 * len(lines)
    return height if height <= _WHOLE else _TABLE_START


def _picture(pdf: FPDF, picture: Picture, scale: float) -> None:
    title, subtitle = (plain(text) for text in headline(picture.figure))
    inches = _PICTURE_INCHES * scale
    image, width = to_png(picture.figure, width=inches), 25.4 * inches
    height = width * int.from_bytes(image[20:24], "big") / int.from_bytes(image[16:20], "big")
    if pdf.will_page_break(height + 16):
        pdf.add_page()
    _write(pdf, title, 9.5 * scale)
    if subtitle:
        _write(pdf, subtitle, _SMALL * scale, colour=_GREY)
    pdf.image(BytesIO(image), w=width, alt_text=plain(alt_text(picture.figure)))
    pdf.ln(4 * scale)
