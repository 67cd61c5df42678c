"""Every page on a telephone, in Chinese and dark; the switch of the language; and nothing from outside."""

from __future__ import annotations

import urllib.request

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PAGES = {"data": "数据", "evaluate": "评估", "patient": "患者"}


def test_a_phone_shows_every_page_in_chinese_without_scrolling_sideways(visit, trained_study, subtests):
    visitor = visit(width=390, dark=True, locale="zh-CN")
    page = visitor.page
    wide = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]'))"
    for name, title in PAGES.items():
        with subtests.test(page=name):
            visitor.open(f"{name}?study={trained_study}")
            expect(page.locator(".mc-page h1")).to_have_text(title)
            visitor.settled()
            assert page.evaluate(wide) <= 0
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
            assert page.get_by_role("alert").all_inner_texts() == []


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
