"""A document as one HTML file that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from medcore.charts.drawing.static import plain, to_svg
from medcore.charts.drawing.theme import alt_text, headline
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 "Source Sans 3", "Noto Sans", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif;
  max-width: 46rem; margin: 2.5rem auto; padding: 0 1.25rem; color: #1f2733; background: #fff; }
h1 { font-size: 1.9rem; line-height: 1.2; margin-bottom: .25rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d8dce3; padding-bottom: .25rem; }
.subtitle, footer { color: #5b6472; } .strong { border-left: 4px solid #cc6b14; padding: .5rem .9rem; background: #fdf4ea; }
figure { margin: 1.5rem 0; } figure img { width: 100%; background: #fff; } figcaption, caption { text-align: left; font-weight: 600; margin-bottom: .4rem; }
figcaption small { display: block; font-weight: 400; color: #5b6472; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #e3e6eb; vertical-align: top; min-width: 4.5em; overflow-wrap: anywhere; } th { border-bottom: 2px solid #aab1bd; }
footer { margin-top: 3rem; border-top: 1px solid #d8dce3; padding-top: .75rem; font-size: .85rem; }
@media (prefers-color-scheme: dark) { body { color: #d7dde6; background: #10151c; } .strong { background: #2a2016; }
  h2, footer { border-color: #323a46; } th, td { border-color: #323a46; } .subtitle, footer, figcaption small { color: #9aa5b5; } }
@media print { body { max-width: none; margin: 0; } figure, table { break-inside: avoid; } }
"""


def to_html(document: Document) -> str:
    """Write the whole document as one HTML page."""
    language = document.language.replace("_", "-")
    body = "\n".join(_block(block) for block in document.blocks)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(document.title)}</h1>\n<p class="subtitle">{escape(document.subtitle)}</p>\n{body}\n'
        f"<footer>{escape(document.footer)}</footer>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level + 1}>{escape(text)}</h{level + 1}>"
        case Paragraph(text, strong):
            return f'<p class="strong">{escape(text)}</p>' if strong else f"<p>{escape(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Table():
            return _table(block)
        case Picture(figure):
            title, subtitle = (plain(text) for text in headline(figure))
            picture = b64encode(to_svg(figure).encode("utf-8")).decode("ascii")
            caption = escape(title) + (f"<small>{escape(subtitle)}</small>" if subtitle else "")
            source = f'src="data:image/svg+xml;base64,{picture}" alt="{escape(plain(alt_text(figure)))}"'
            return f"<figure><figcaption>{caption}</figcaption><img {source}></figure>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    caption = f"<caption>{escape(table.caption)}</caption>"
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
