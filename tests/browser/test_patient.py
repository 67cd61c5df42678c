"""The Patient page in a real browser: changed values are answered, and given back with one click."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390])
def test_a_moved_value_moves_risk_and_contributions_and_is_given_back(visit, trained_study, width):
    visitor = visit(width=width).open(f"patient?study={trained_study}&lang=en").first_patient().choose("What if")
    page = visitor.page
    moves = page.locator("table.mc-moves")
    expect(moves).to_be_visible()
    expect(moves.locator(".mc-moved")).to_have_count(0)
    own = moves.inner_text()
    slider = page.locator("[class*='st-key-patient-to-'] input[type=range]").first
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    expect(moves.locator(".mc-moved")).to_have_count(1)
    expect(moves.locator(".mc-moved")).to_contain_text("→")
    # The table must not push a narrow page sideways.
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    visitor.settled().press("patient.own")
    expect(moves.locator(".mc-moved")).to_have_count(0)
    assert moves.inner_text() == own
