"""Every page and view, measured: boxes at two widths, axe in light and dark, and how much moves while it loads."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.measures import WATCH_SHIFTS, boxes, violations

pytestmark = pytest.mark.browser

# By page: the key of the row of buttons that changes the view, if there is one.
PAGES = {"": None, "data": "data.part", "train": None, "evaluate": "evaluate.view", "patient": "patient.view"}
MOST_SHIFT = 0.1
"""Beyond it a page is said to move under the reader (web.dev/cls: “good”)."""


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_nothing_is_cut_overlaps_moves_or_cannot_be_read_on_any_view(visit, trained_study, locale, subtests):
    visitor = visit(locale=locale)
    page = visitor.page
    page.add_init_script(WATCH_SHIFTS)
    for name, key in PAGES.items():
        visitor.open(f"{name}?study={trained_study}")
        with subtests.test("layout shift", page=name or "studies"):
            page.wait_for_timeout(700)
            assert page.evaluate("window.mcShift") < MOST_SHIFT
        views = visitor.at(key).get_by_role("radio").count() if key else 1
        for number in range(views):
            if key and number:
                visitor.at(key).get_by_role("radio").nth(number).click()
                visitor.settled()
            measure(visitor, subtests, name or "studies", number)
    visitor.open(f"patient?study={trained_study}").first_patient()
    for number in range(visitor.at("patient.part").get_by_role("radio").count()):
        visitor.at("patient.part").get_by_role("radio").nth(number).click()
        measure(visitor.settled(), subtests, "record", number)


def measure(visitor, subtests, name, view):
    page = visitor.page
    with subtests.test("light, wide", page=name, view=view):
        found = boxes(page) + violations(page)
        assert not found, found
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(350)
    with subtests.test("dark, narrow", page=name, view=view):
        found = boxes(page) + violations(page, rules=("color-contrast",))
        assert not found, found
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_timeout(150)


def test_the_way_by_keyboard_is_seen(visit, trained_study):
    visitor = visit().open(f"?study={trained_study}")
    page = visitor.page
    seen = """() => { const e = document.activeElement, s = getComputedStyle(e);
      return e !== document.body && (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none'
        || [...e.querySelectorAll('*')].some(c => getComputedStyle(c).boxShadow !== 'none')) }"""
    expect(page.get_by_role("button", name="Judge it").first).to_be_visible()
    for _step in range(14):
        page.keyboard.press("Tab")
        assert page.evaluate(seen), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
