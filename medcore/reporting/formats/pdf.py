"""A document as PDF, laid out by Typst: tagged, with its fonts inside so that it prints the same everywhere."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from medcore.charts.drawing.static import FONT_FILE, plain, spare_font_file, to_svg
from medcore.charts.drawing.theme import alt_text, headline
from medcore.i18n import _
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table
from medcore.settings import ASSETS

if TYPE_CHECKING:
    from typst import Compiler, Fonts

TEMPLATE = ASSETS / "report.typ"
FAMILIES = ("Noto Sans CJK SC", "DejaVu Sans")
"""The report's font, and the one that has the letters of other alphabets."""
STANDARD: Final = "ua-1"
"""PDF/UA-1 (ISO 14289-1): tagged for screen readers; Typst refuses to write what does not meet it."""
_INCHES, _COMPACT = 5.6, 0.8
"""The width of a picture, and what a compact document has of it."""
_HALF, _TALLER, _TALLEST = 3.25, 1.45, 460.0
"""Two charts that follow one another stand side by side: how wide, how much taller for that, and up to which height in pixels."""
_LONG_WORD = re.compile(r"[^\s_\u200b\u3000-\u9fff\uff00-\uffef]{24}(?=[^\s\u200b])")
_MAY_END = "\u200b"
"""Zero width space: a line may end here."""
_JOINER = "\u2060"
_GLUED = {" to ": "\u00a0to\u00a0"}
_BETWEEN = re.compile(r"(?<=[\d%])(?: to |～|–)(?=[−<]?\d)")
"""What stands between the two ends of an interval."""
_MOST_WHOLE = 7
"""Columns of a table that are each as wide as an interval."""


def to_pdf(document: Document) -> bytes:
    """Write the whole document as a PDF of A4 pages."""
    return paged(document)[0]


def paged(document: Document) -> tuple[bytes, int]:
    """Write a document as a PDF; return it and how many pages it has."""
    compiler = compiler_of(document)
    written = compiler.compile(format="pdf", pdf_standards=STANDARD, timestamp=0)
    return written, int(compiler.query("<pages>", field="value", one=True))  # type: ignore[return-value]


def compiler_of(document: Document) -> Compiler:
    """Give Typst a document and the fonts; nothing else on the machine is read, and no network."""
    from typst import Compiler

    return Compiler(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=_fonts(),
        sys_inputs={"document": json.dumps(_data(document), ensure_ascii=False)},
    )


@cache
def _fonts() -> Fonts:
    from typst import Fonts

    return Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(FONT_FILE.parent), str(spare_font_file().parent)],
    )


def _data(document: Document) -> dict[str, Any]:
    """Return the document as the template reads it."""
    lang, _sep, region = document.language.replace("-", "_").partition("_")
    chinese = lang == "zh"
    return {
        "title": printable(document.title, chinese=chinese),
        "subtitle": breakable(printable(document.subtitle, chinese=chinese)),
        "footer": printable(document.footer, chinese=chinese),
        "page": _("Page {page} of {pages}", page="{page}", pages="{pages}"),
        "lang": lang,
        "region": region or None,
        "fonts": FAMILIES,
        "compact": document.compact,
        "blocks": _blocks(document, chinese=chinese),
    }


def _blocks(document: Document, *, chinese: bool) -> list[dict[str, Any]]:
    """Write the blocks, two small charts that follow one another as a pair."""
    scale, taller = (_COMPACT, 1.15) if document.compact else (1.0, _TALLER)
    found, rest = [], list(document.blocks)
    while rest:
        block, *rest = rest
        if rest and _is_small(block) and _is_small(rest[0]):
            pair = [_block(one, chinese=chinese, inches=_HALF, taller=taller) for one in (block, rest.pop(0))]
            found.append({"kind": "pair", "pictures": pair})
        else:
            found.append(_block(block, chinese=chinese, inches=_INCHES * scale))
    return found


def _is_small(block: Block) -> bool:
    return isinstance(block, Picture) and (block.figure.layout.height or 0) <= _TALLEST


def _block(block: Block, *, chinese: bool, inches: float, taller: float = 1.0) -> dict[str, Any]:
    def words(text: str) -> str:
        return together(breakable(printable(text, chinese=chinese)))

    def parts(text: str) -> str:
        return breakable(printable(text, chinese=chinese))

    match block:
        case Heading(text, level):
            return {"kind": "heading", "text": words(text), "level": level}
        case Paragraph(text, strong):
            return {"kind": "paragraph", "text": words(text), "strong": strong}
        case Bullets(items):
            return {"kind": "bullets", "items": [words(item) for item in items]}
        case Table(caption, header, rows):
            cells = words if len(header) <= _MOST_WHOLE else parts
            return {
                "kind": "table",
                "caption": words(caption),
                "header": [cells(cell) for cell in header],
                "rows": [[cells(cell) for cell in row] for row in rows],
            }
        case Picture(figure):
            title, subtitle = (words(plain(text)) for text in headline(figure))
            alt = printable(plain(alt_text(figure)), chinese=chinese)
            svg = to_svg(figure, width=inches, taller=taller)
            return {
                "kind": "picture",
                "title": title,
                "subtitle": subtitle,
                "svg": svg,
                "alt": alt,
                "inches": inches,
                "large": not _is_small(block),
            }


def breakable(text: str) -> str:
    """Let a line end after an underscore, and inside a word too long for a column, such as a hash."""
    return _LONG_WORD.sub(lambda word: word.group() + _MAY_END, text.replace("_", f"_{_MAY_END}"))


def together(text: str) -> str:
    r"""Keep both ends of an interval on one line: 0.70 to 0.86, 0.70～0.86, 52–64.

    >>> together("0.80 (0.70 to 0.86)")
    '0.80 (0.70\xa0to\xa00.86)'
    """
    return _BETWEEN.sub(lambda sign: _GLUED.get(sign.group(), f"{_JOINER}{sign.group()}{_JOINER}"), text)


def printable(text: str, *, chinese: bool) -> str:
    """Write a text in letters the fonts have: nothing that stands in the table may silently vanish from paper.

    A letter in no font becomes its plain form ("ﬃ" → "ffi") or else its code point ("[U+1F600]").
    Quotation marks outside Chinese are straight: the font's curly ones are as wide as a Chinese character.
    """
    if not chinese:
        text = text.translate({0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'"})
    return "".join(letter if letter in "\n\t" or ord(letter) in _letters() else _plainer(letter) for letter in text)


@cache
def _letters() -> frozenset[int]:
    """Return the code points that one of the fonts has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(code for file in (FONT_FILE, spare_font_file()) for code in FT2Font(str(file)).get_charmap())


def _plainer(letter: str) -> str:
    plain_form = unicodedata.normalize("NFKC", letter)
    if plain_form != letter and all(ord(part) in _letters() for part in plain_form):
        return plain_form
    return f"[U+{ord(letter):04X}]"
