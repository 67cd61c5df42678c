"""The list of patients in a real browser: filtered, ordered, searched, taken away, opened, and gone through by key."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from medcore.ui.patient.many.worklist import ROW_HEIGHT

pytestmark = pytest.mark.browser
SHOWN = re.compile(r"(\d+) of (\d+) patients")


def taken(page, name, tmp_path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_the_list_is_filtered_ordered_searched_taken_away_and_gone_through_by_key(visit, trained_study, tmp_path):
    visitor = visit().open(f"patient?study={trained_study}&lang=en")
    page = visitor.page
    head = visitor.at("patient-list-head")
    everybody = int(SHOWN.search(head.inner_text())[2])
    visitor.choose("At or above the threshold")
    above = int(SHOWN.search(head.inner_text())[1])
    visitor.choose("Below it").choose("Lowest risk first")
    assert int(SHOWN.search(head.inner_text())[1]) == everybody - above
    assert "filter=below" in page.url and "order=low" in page.url

    with taken(page, "This list (CSV)", tmp_path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    risk = next(name for name in rows[0] if name.startswith("Risk of"))
    risks = [float(row[risk]) for row in rows]
    assert len(risks) == everybody - above and risks == sorted(risks)
    sheet = openpyxl.load_workbook(taken(page, "This list (Excel)", tmp_path)).active
    assert sheet.max_row == len(rows) + 1
    assert [str(sheet.cell(n + 2, 1).value) for n in range(3)] == [row["Row"] for row in rows[:3]]

    heading, who = page.locator(".mc-page h1"), [rf"^Row {row['Row']}\b" for row in rows]
    visitor.first_patient()
    expect(heading).to_have_text(re.compile(who[0]))
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text(re.compile(who[1]))
    visitor.settled()
    page.keyboard.press("ArrowLeft")
    expect(heading).to_have_text(re.compile(who[0]))
    visitor.settled().press("patient.back")

    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(box["x"] + 34, box["y"] + 55 + ROW_HEIGHT)  # the button in the second line
    expect(heading).to_have_text(re.compile(who[1]))
    visitor.settled().press("patient.back")
    search = page.get_by_role("combobox", name="Open a patient")
    search.click()
    search.fill(f"Row {rows[-1]['Row']}")
    search.press("Enter")
    expect(heading).to_have_text(re.compile(who[-1]))
