"""Cut the report's font out of Noto Sans CJK SC: ``python assets/fonts/build.py NotoSansCJKsc-Regular.otf``.

Keeps Latin, Greek, punctuation, numerals, units and mathematical signs and the 20,902
characters of GBK, traditional ones among them, and turns its cubic outlines into the quadratic ones that PDF writers embed.
Needs fonttools.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

OUT = Path(__file__).resolve().parent / "NotoSansSC-subset.ttf"
UNITS_PER_EM_ERROR = 1.0


def wanted() -> set[int]:
    """List the code points to keep."""
    points = {*range(0x20, 0x17F), *range(0x370, 0x3FF), *range(0x2000, 0x20A0), *range(0x2100, 0x2200)}
    points |= {*range(0x2200, 0x22FF), *range(0x2460, 0x2500), *range(0x25A0, 0x2600), *range(0x3000, 0x3020)}
    return points | {*range(0x3300, 0x3400), *range(0x4E00, 0x9FA6), *range(0xFF00, 0xFFEF)}


def quadratic(font: TTFont) -> TTFont:
    """Replace CFF outlines by glyf outlines."""
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    table = newTable("glyf")
    table.glyphOrder, table.glyphs = order, {}
    font["loca"], font["glyf"] = newTable("loca"), table
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, UNITS_PER_EM_ERROR, reverse_direction=True))
        glyph = pen.glyph()
        glyph.recalcBounds(table)
        table.glyphs[name] = glyph
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs"):
        setattr(maxp, field, 1 if field == "maxZones" else 0)
    for field in ("maxStackElements", "maxSizeOfInstructions", "maxComponentElements"):
        setattr(maxp, field, 0)
    for field in ("maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours", "maxComponentDepth"):
        setattr(maxp, field, 0)
    font["post"].formatType = 3.0
    for tag in ("CFF ", "VORG"):
        if tag in font:
            del font[tag]
    font.sfntVersion = "\x00\x01\x00\x00"
    return font


def main(source: str) -> None:
    """Subset, convert, write."""
    options = subset.Options(layout_features=["kern"], hinting=False, name_IDs=["*"], notdef_outline=True)
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted())
    cutter.subset(font)
    quadratic(font).save(OUT)


if __name__ == "__main__":
    main(sys.argv[1])
