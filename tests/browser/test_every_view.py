"""Every page and view, opened from its address and measured.

Title and language, boxes at two widths, light and dark, axe, and how much moves while it loads.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.measures import WATCH_SHIFTS, boxes, formed, violations

pytestmark = pytest.mark.browser

# By page: the key of the row of buttons that changes the view, if there is one.
PAGES = {
    "": None,
    "data": "data.part",
    "train": None,
    "evaluate": "evaluate.view",
    "patient": "patient.view",
    "watch": None,
    "patients": None,
    "trail": None,
}
TIMED = {"train": None, "evaluate": "evaluate.timed.view", "patient": "patient.view"}
NUMBER = TIMED | {"evaluate": "evaluate.number.view"}
USED = {"watch": "watch.view"}
SEEN = (
    ("trained_study", PAGES, "en-US"),
    ("trained_study", PAGES, "zh-CN"),
    ("timed_study", TIMED, "zh-CN"),
    ("number_study", NUMBER, "en-US"),
    ("used_study", USED, "zh-CN"),
)
TITLED = {
    "": ("Studies", "研究"),
    "data": ("Data", "数据"),
    "train": ("Train", "训练"),
    "evaluate": ("Evaluate", "评估"),
    "patient": ("Patient", "患者"),
}
NAMED = (("Breast masses", "not a medical device"), ("Breast masses", "不是医疗器械"))
"""What each page of the trained study says in both languages: its name as it was given, and what medcore is not."""
MOST_SHIFT = 0.1
"""Beyond it a page is said to move under the reader (web.dev/cls: “good”)."""
# Every two of width, colours and language meet on every page of the trained study: a box that is cut in Chinese at 390
# pixels is so in any colours, and a colour that cannot be read in the dark is so in any language.
FORMS = {
    "en-US": (("light", 1440, ()), ("dark", 390, ("color-contrast",))),
    "zh-CN": (("dark", 1440, ("color-contrast",)), ("light", 390, ())),
}
"""How a page is looked at, and by which of axe's rules (all, where none is named)."""


@pytest.mark.parametrize(("study", "pages", "locale"), SEEN)
def test_nothing_is_cut_overlaps_moves_or_cannot_be_read_on_any_view(visit, request, study, pages, locale, subtests):
    study_id = request.getfixturevalue(study)
    visitor = visit(locale=locale)
    page = visitor.page
    page.add_init_script(WATCH_SHIFTS)
    for name, key in pages.items():
        opened(visitor, f"{name}?study={study_id}", FORMS[locale][0])
        if name in TITLED and study == "trained_study":
            begins(visitor, name, chinese=locale == "zh-CN")
        for number in views(visitor, key):
            measure(page, subtests, FORMS[locale], name or "studies", number)
    if "patient" in pages:
        opened(visitor, f"patient?study={study_id}", FORMS[locale][0]).first_patient()
        for number in views(visitor, "patient.part"):
            measure(page, subtests, FORMS[locale], "record", number)


def opened(visitor, path, form):
    scheme, width, _rules = form
    visitor.page.emulate_media(color_scheme=scheme)
    visitor.page.set_viewport_size({"width": width, "height": 900})
    computed(visitor.open(path))
    return visitor


def begins(visitor, name, *, chinese):
    """See that a page has its title, names the study, says that medcore is no medical device, and complains of nothing."""
    expect(visitor.page.locator(".mc-page h1")).to_have_text(TITLED[name][chinese])
    for told in NAMED[chinese]:
        visitor.sees(told)
    assert visitor.page.get_by_role("alert").all_inner_texts() == []


def views(visitor, key):
    """Go through the views that a row of buttons opens, the first being open; one where there is no such row."""
    yield 0
    for number in range(1, visitor.at(key).get_by_role("radio").count() if key else 1):
        visitor.at(key).get_by_role("radio").nth(number).click()
        computed(visitor)
        yield number


def computed(visitor):
    """Wait until the page shows what it found, and not how far it is with finding it."""
    visitor.settled()
    waiting = visitor.page.locator("[class*='st-key-'][class*='-waiting']")
    if waiting.count():
        expect(waiting).to_have_count(0)
        visitor.settled()


def measure(page, subtests, forms, name, view):
    for place, (scheme, width, rules) in sorted(enumerate(forms), reverse=view % 2 == 1):  # there and back
        formed(page, width, scheme)
        with subtests.test(f"{scheme}, {width}", page=name, view=view):
            found = boxes(page) + violations(page, rules=rules)
            assert not found, found
        if place == 0 and view == 0 and name != "record":  # it has loaded, and was neither turned nor touched
            with subtests.test("layout shift", page=name):
                assert page.evaluate("window.mcShift") < MOST_SHIFT


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
