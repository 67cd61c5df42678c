"""Every page: both languages, both widths, both themes; and nothing from outside."""

from __future__ import annotations

import urllib.request

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PAGES = {
    "studies": ("Studies", "研究"),
    "data": ("Data", "数据"),
    "train": ("Train", "训练"),
    "evaluate": ("Evaluate", "评估"),
    "patient": ("Patient", "患者"),
}


def path(name: str) -> str:
    """The address of a page; the first one is the application's own."""
    return "" if name == "studies" else name


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_every_page_in_chinese_without_scrolling_sideways(visit, trained_study, name):
    visitor = visit(width=390, dark=True, locale="zh-CN").open(f"{path(name)}?study={trained_study}")
    expect(visitor.page.locator(".mc-page h1")).to_have_text(PAGES[name][1])
    visitor.settled()
    wide = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]'))"
    assert visitor.page.evaluate(wide) <= 0
    assert visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert visitor.page.get_by_role("alert").all_inner_texts() == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_from_its_address_in_english(visit, trained_study, name):
    visitor = visit().open(f"{path(name)}?study={trained_study}")
    expect(visitor.page.locator(".mc-page h1")).to_have_text(PAGES[name][0])
    visitor.settled().sees("Breast masses").sees("not a medical device")
    assert visitor.page.get_by_role("alert").all_inner_texts() == []


def test_the_switch_changes_the_language_and_keeps_it_after_a_reload(visit):
    visitor = visit().open().sees("Bring a table")
    visitor.page.get_by_text("简体中文").click()
    visitor.settled().sees("导入表格")
    visitor.page.reload()
    visitor.settled().sees("导入表格")


def test_every_answer_forbids_what_comes_from_elsewhere(app_url):
    with urllib.request.urlopen(app_url) as answer:
        policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "connect-src 'self'" in policy
