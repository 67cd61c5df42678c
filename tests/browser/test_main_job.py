"""The whole main job in a real browser: open, train, judge, explain; reload in the middle."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_sample_from_one_click_to_one_patients_explanation(visit):
    visitor = visit().open()
    visitor.press("studies.sample.heart").sees("Start training")
    visitor.press("train.start")
    visitor.sees("Cancel this run")
    study = visitor.study
    # Reload in the middle of training: a new session finds the same run.
    visitor.page.reload()
    visitor.sees("Run 1: Automatic")
    assert visitor.study == study
    visitor.page.get_by_role("button", name="Judge it").first.click()
    visitor.settled().sees("Does acting on it help?")
    expect(visitor.page.locator(".js-plotly-plot").nth(3)).to_be_visible()
    visitor.page.get_by_role("link", name="Patient").click()
    visitor.settled().first_patient().sees("What the model used")
    visitor.sees("not why the patient is ill")
    expect(visitor.page.locator(".js-plotly-plot .waterfalllayer, .js-plotly-plot .barlayer").first).to_be_visible()
    labels = visitor.page.get_by_text(re.compile("Chest pain type|ST depression on exercise"))
    expect(labels.locator("visible=true").first).to_be_visible()


NAME = "zhelyazkova"
"""Planted as the name of a file, a column and a value; in lower case, as the names of views are."""


def uploaded_table() -> bytes:
    """A made-up ward: 240 patients, a quarter with an infection that age and CRP foretell; a planted name twice."""
    rng = np.random.default_rng(7)
    age, crp = rng.integers(25, 90, 240), rng.gamma(2.0, 20.0, 240)
    risk = 1 / (1 + np.exp(-(0.05 * (age - 65) + 0.04 * (crp - 60))))
    died = rng.random(240) < risk
    sex = rng.choice(["female", "male"], 240)
    ward = rng.choice([NAME, "north"], 240)
    columns = zip(age, crp, sex, ward, died, strict=True)
    lines = [f"{a},{c:.1f},{s},{w},{'yes' if d else 'no'}" for a, c, s, w, d in columns]
    return (f"age_years,crp_mg_l,sex,ward_of_{NAME},infection\n" + "\n".join(lines)).encode()


def test_an_uploaded_table_from_file_to_explanation(visit):
    visitor = visit().open()
    upload = {"name": f"{NAME}.csv", "mimeType": "text/csv", "buffer": uploaded_table()}
    visitor.page.locator("input[type=file]").first.set_input_files([upload])
    visitor.sees("What is to be predicted?").settled()
    visitor.page.get_by_role("combobox").first.click()
    visitor.page.get_by_role("option", name="infection").click()
    visitor.settled().press("data.outcome.save")
    visitor.page.get_by_role("link", name="Go on to training").click()
    visitor.settled().choose("Logistic regression").press("train.start")
    visitor.page.get_by_role("button", name="Judge it").first.click()
    visitor.settled().sees("Does acting on it help?")
    visitor.page.get_by_role("link", name="Patient").click()
    visitor.settled().first_patient().sees("What the model used")
    visitor.sees("age_years")
    visitor.page.get_by_role("link", name="Data").click()
    for view in ("Columns", "Profile", "The table itself"):
        visitor.settled().choose(view)
    assert [address for address in visitor.fetched if NAME in address.casefold()] == []


def test_a_file_that_is_no_table_gives_one_message_and_loses_nothing(visit, trained_study):
    visitor = visit().open(f"?study={trained_study}")
    picture = {"name": "scan.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(300)}
    visitor.page.locator("input[type=file]").first.set_input_files([picture])
    expect(visitor.page.get_by_role("alert")).to_have_count(1)
    visitor.sees("Breast masses")
