"""The whole main job in a real browser: open, train, judge, explain; reload in the middle."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TRAINING_MS

pytestmark = pytest.mark.browser


COUNT_CLICKS = "addEventListener('pointerdown', () => sessionStorage.clicks = clicks() + 1, true)"
CLICKS = "clicks = () => Number(sessionStorage.clicks || 0)"


def counted(visitor):
    """Count the clicks of this visitor from now on."""
    visitor.page.add_init_script(f"{CLICKS}; {COUNT_CLICKS}")
    return visitor


def clicks(visitor) -> int:
    return visitor.page.evaluate("clicks()")


def test_a_sample_from_one_click_to_one_patients_explanation(visit):
    visitor = counted(visit()).open()
    visitor.press("studies.sample.heart").sees("Start training")
    visitor.press("train.start")
    visitor.sees("Cancel this run")
    study = visitor.study
    # Reload in the middle of training: a new session finds the same run.
    visitor.page.reload()
    run = visitor.page.get_by_text(re.compile(r"^Run \d+: Automatic"))  # another test may have opened this sample
    expect(run.first).to_be_visible()
    assert visitor.study == study
    visitor.page.get_by_role("button", name="Explain a patient").first.click(timeout=TRAINING_MS)
    visitor.settled().first_patient().sees("What the model used")
    assert clicks(visitor) <= 4
    visitor.sees("not why the patient is ill")
    expect(visitor.page.locator(".js-plotly-plot .waterfalllayer, .js-plotly-plot .barlayer").first).to_be_visible()
    labels = visitor.page.get_by_text(re.compile("Chest pain type|ST depression on exercise"))
    expect(labels.locator("visible=true").first).to_be_visible()
    visitor.page.get_by_role("link", name="Evaluate").click()
    visitor.settled().sees("Does acting on it help?")
    expect(visitor.page.locator(".js-plotly-plot").nth(3)).to_be_visible()


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


def test_an_uploaded_table_from_file_to_explanation_and_out_of_the_world(visit, app_settings):
    visitor = counted(visit()).open()
    upload = {"name": f"{NAME}.csv", "mimeType": "text/csv", "buffer": uploaded_table()}
    visitor.page.locator("input[type=file]").first.set_input_files([upload])
    visitor.sees("What is to be predicted?").settled()
    visitor.sees("Likeliest: infection").press("data.outcome.save")
    visitor.page.get_by_role("link", name="Go on to training").click()
    visitor.settled().choose("Logistic regression").press("train.start")
    visitor.page.get_by_role("button", name="Explain a patient").first.click(timeout=TRAINING_MS)
    visitor.settled().first_patient().sees("What the model used")
    chosen = 1  # the model, which is quicker here than the usual one
    assert 1 + clicks(visitor) - chosen <= 6  # the file itself was given without the click that opens the dialogue
    visitor.sees("age_years")
    visitor.page.get_by_role("link", name="Evaluate").click()
    visitor.settled().sees("Does acting on it help?")
    visitor.page.get_by_role("link", name="Data").click()
    for view in ("Columns", "Profile", "The table itself"):
        visitor.settled().choose(view)
    gone = delete_for_good(visitor)
    for page in ("", "data", "patient"):  # links that somebody kept
        visitor.open(f"{page}?study={gone}&row=2")
    visitor.page.go_back()
    visitor.settled()
    assert [address for address in visitor.fetched if NAME in address.casefold()] == []
    assert [f for f in app_settings.data_dir.rglob("*") if f.is_file() and NAME.encode() in f.read_bytes()] == []


def delete_for_good(visitor):
    """Delete the study at hand, and remove it from the bin as well; return what it was in addresses."""
    study = visitor.study
    visitor.page.get_by_role("link", name="Studies").click()
    visitor.settled().at(f"studies.more.{study}").get_by_role("button").first.click()
    visitor.press(f"studies.delete.{study}")
    visitor.page.get_by_text("Deleted studies:").first.click()
    visitor.at(f"studies.purge.{study}").get_by_role("button").first.click()
    visitor.press(f"studies.purge.yes.{study}").sees("Removed for good on")
    return study


def test_a_file_that_is_no_table_gives_one_message_and_loses_nothing(visit, trained_study):
    visitor = visit().open(f"?study={trained_study}")
    picture = {"name": "scan.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(300)}
    visitor.page.locator("input[type=file]").first.set_input_files([picture])
    expect(visitor.page.get_by_role("alert")).to_have_count(1)
    visitor.sees("Breast masses")
