"""A report in HTML on a telephone: long names break, and no column of a table is squeezed to a letter."""

from pathlib import Path

from playwright.sync_api import Browser

from medcore.reporting.formats.document import Document, Table
from medcore.reporting.formats.html import to_html

NAME = "Chest_pain_type_according_to_the_treating_physician_at_first_contact" * 2


def test_a_long_name_leaves_the_other_columns_their_width(chromium: Browser, tmp_path: Path) -> None:
    table = Table.of("模型一览", ("内容", "值"), [["预期用途", NAME], ["折外预测", "0.9"]])
    file = tmp_path / "report.html"
    file.write_text(to_html(Document(title="x", subtitle="", language="zh_CN", blocks=(table,))), encoding="utf-8")
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    page.goto(file.as_uri())
    width, height = page.locator("td").first.evaluate("cell => [cell.clientWidth, cell.clientHeight]")
    scrolled = page.locator(".scroll").evaluate("box => box.scrollWidth - box.clientWidth")
    page.close()
    assert width > 60
    assert height < 200
    assert scrolled == 0
