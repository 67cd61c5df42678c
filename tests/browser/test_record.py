"""A patient's record in a real browser: no taller than a screen, nothing of the last patient."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_record_fits_a_screen_and_the_next_patient_leaves_nothing_of_the_last(visit, trained_study):
    visitor = visit().open(f"patient?study={trained_study}&lang=en").first_patient().sees("What the model used")
    page = visitor.page
    who = re.match(r"Row \d+", page.locator("h1").inner_text())[0]
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    height = "document.querySelector('.stMain').scrollHeight"
    assert page.evaluate(height) <= 900
    visitor.choose("What if")
    assert page.evaluate(height) <= 900
    assert "row=" in page.url and "part=what_if" in page.url
    page.reload()  # the address restores the patient and the question
    visitor.settled().sees("What if: " + who).choose("Why").sees("What the model used")
    nothing_is_left_of(who, visitor)


@pytest.mark.parametrize("study", ["timed_study", "number_study"])
def test_nor_does_one_of_a_time_or_a_number(visit, request, study):
    visitor = visit().open(f"patient?study={request.getfixturevalue(study)}&lang=en").first_patient()
    who = re.match(r"Row \d+", visitor.page.locator("h1").inner_text())[0]
    nothing_is_left_of(who, visitor.choose("What if").sees("What if: " + who))


def nothing_is_left_of(who, visitor):
    """Go to the next patient and see that the last one's parts are taken down before anything new is computed."""
    page = visitor.page
    page.get_by_role("button", name="Next").click()
    expect(page.locator("h1")).not_to_contain_text(re.compile(rf"{who}\b"))
    expect(page.get_by_text(re.compile(rf"\b{who}\b"))).to_have_count(0, timeout=1_000)
    visitor.settled()
    assert page.get_by_text(re.compile(rf"\b{who}\b")).count() == 0
