"""A patient's record in a real browser: no taller than a screen, nothing of the last patient, readable contrast."""

from __future__ import annotations

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG_TEXT = 4.5

CONTRAST = """() => [...document.querySelectorAll('button[aria-checked=true], [data-testid=stBaseButton-primary]')].map(b => {
  const light = c => { const v = c / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const page = parts(getComputedStyle(document.querySelector('.stApp')).backgroundColor);
  const [r, g, b2, a = 1] = parts(getComputedStyle(b).backgroundColor);
  const behind = [r, g, b2].map((c, i) => a * c + (1 - a) * page[i]);
  const of = rgb => 0.2126 * light(rgb[0]) + 0.7152 * light(rgb[1]) + 0.0722 * light(rgb[2]);
  const both = [of(behind), of(parts(getComputedStyle(b.querySelector('p') || b).color))].sort((x, y) => y - x);
  return (both[0] + 0.05) / (both[1] + 0.05);
})"""


def test_a_record_fits_a_screen_and_the_next_patient_leaves_nothing_of_the_last(visit, trained_study):
    visitor = visit().open(f"patient?study={trained_study}&lang=en").first_patient().sees("What the model used")
    page = visitor.page
    who = re.match(r"Row \d+", page.locator("h1").inner_text())[0]
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    assert page.evaluate("document.querySelector('.stMain').scrollHeight") <= 900
    page.get_by_role("button", name="Next").click()
    expect(page.locator("h1")).not_to_contain_text(re.compile(rf"{who}\b"))
    # The old patient's parts are taken down before anything new is computed, not dimmed.
    expect(page.get_by_text(re.compile(rf"\b{who}\b"))).to_have_count(0, timeout=1_000)
    visitor.settled()
    assert page.get_by_text(re.compile(rf"\b{who}\b")).count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_no_page_has_a_serious_violation_and_chosen_and_primary_buttons_can_be_read(visit, trained_study, dark):
    visitor = visit(dark=dark)
    for name in ("", "data", "train", "evaluate", "patient"):
        visitor.open(f"{name}?study={trained_study}&lang=en").settled()
        visitor.page.evaluate(AXE)
        found = visitor.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")] == []
        assert min(visitor.page.evaluate(CONTRAST), default=WCAG_TEXT) >= WCAG_TEXT
