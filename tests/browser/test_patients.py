"""The Patients page in a real browser: a model released, a patient found by the keyboard, a task planned and done."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from medcore.data.samples import load_sample
from medcore.studies import Store
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.use_records import AskedPatient, Terms
from tests.browser.conftest import TRAINING_MS
from tests.browser.measures import boxes, formed, violations

pytestmark = pytest.mark.browser
FORMS = (("light", 1440), ("dark", 390))


@pytest.fixture
def released(app_settings, trained_study) -> str:
    """Release the model that was trained once, with three patients of two visits."""
    store = Store(app_settings)
    run = next(r for r in store.list_runs(LOCAL_OWNER, trained_study) if r.state == "done")
    terms = Terms(intended_use="Triage.", for_whom="Women with a lump.", threshold=0.5)
    release = store.release(LOCAL_OWNER, run.id, "breast", terms)
    frame = load_sample("breast").frame
    asked = [
        AskedPatient(
            values=frame.iloc[2 * who + visit].astype("str").to_dict(), risk=risk, risks=[1 - risk, risk],
            called=risk >= 0.5, at=datetime(2026, 3, 1 + 7 * visit, 8, tzinfo=UTC), patient=f"W-{who}",
        )
        for who in range(3)
        for visit, risk in enumerate((0.2 + 0.1 * who, 0.6))
    ]  # fmt: skip
    store.keep_answers(LOCAL_OWNER, release, asked, route="page")
    return release.model


def test_a_patient_is_found_without_a_mouse_planned_for_and_nothing_is_cut(visit, released, subtests):
    visitor = visit().open(f"patients?model={released}&lang=en")
    page = visitor.page
    measured(page, subtests, "list")
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(box["x"] + 34, box["y"] + 55)  # the button in the first line
    expect(page.locator(".mc-page h1")).to_have_text(re.compile("W-."))
    visitor.settled().press("patients.back")
    expect(page.locator(".mc-page h1")).to_have_text("Patient list")
    search = page.get_by_role("combobox", name="Find a patient")
    search.click()
    search.fill("W-1")
    search.press("Enter")
    expect(page.locator(".mc-page h1")).to_have_text("W-1")
    visitor.settled().sees("rose across the threshold")
    expect(page.locator("[class*='st-key-patients-chart'] .scatterlayer .point")).to_have_count(2)
    expect(page.locator(".mc-moves")).to_be_visible(timeout=TRAINING_MS)
    measured(page, subtests, "course")
    visitor.choose("Plan")
    page.get_by_label("Note or task").fill("Call the ward")
    page.get_by_role("button", name="Add").click()
    visitor.settled().sees("Call the ward")
    page.get_by_role("button", name="Done", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Not done")).to_be_visible()
    visitor.settled()
    measured(page, subtests, "plan")
    page.reload()
    visitor.settled().sees("Call the ward")


def measured(page, subtests, what: str) -> None:
    for scheme, width in FORMS:
        formed(page, width, scheme)
        with subtests.test(what, scheme=scheme, width=width):
            found = boxes(page) + violations(page)
            assert not found, found
    formed(page, 1440, "light")
