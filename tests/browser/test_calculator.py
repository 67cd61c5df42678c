"""The calculator in Chromium without a network: what it shows is what the bundle predicts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from medcore.reporting.model import render_model
from tests.written_models import random_answers, train_written

pytestmark = pytest.mark.browser
N_PATIENTS = 1000
FILL_IN = """(patients) => patients.map((answers) => {
  Object.entries(answers).forEach(([name, value]) => {
    const control = document.getElementById("in" + DATA.inputs.findIndex((i) => i.name === name));
    control.value = value;
    if (control.value !== value) control.value = DATA.other;
  });
  document.getElementById("patient").dispatchEvent(new Event("input"));
  return JSON.parse(document.getElementById("risks").dataset.risks);
})"""


@pytest.mark.parametrize(("classes", "model"), [(2, "logistic"), (3, "logistic"), (3, "ordinal")])
def test_a_thousand_random_patients_get_the_risks_of_predict(classes, model, chromium: Browser, tmp_path: Path) -> None:
    bundle, results = train_written(tmp_path / "bundle", classes, model=model)
    file = tmp_path / "calculator.html"
    file.write_bytes(render_model(results, file.name))
    context = chromium.new_context(offline=True, locale="en-US")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.goto(file.as_uri())
    expect(page.get_by_text("nothing is filled in yet")).to_be_visible()
    assert page.locator("#risks li").count() == 0
    answers = random_answers(N_PATIENTS)
    shown = np.array(page.evaluate(FILL_IN, answers))
    predicted = bundle.predict(pd.DataFrame(answers).replace("", None))
    assert np.abs(shown - predicted).max() < 1e-9
    assert shown.std(axis=0).min() > 0.05
    page.get_by_label("age").fill("sixty")
    expect(page.get_by_text("not a number; write it with digits")).to_be_visible()
    assert page.locator("#risks li").count() == 0
    page.get_by_label("age").fill("62.5")
    before = json.loads(page.locator("#risks").get_attribute("data-risks"))
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "风险计算器：" + ("grade 1" if classes == 2 else "outcome")
    )
    assert page.get_by_label("age").input_value() == "62.5"
    assert json.loads(page.locator("#risks").get_attribute("data-risks")) == before
    assert complaints == []
    assert asked == [file.as_uri()]
    context.close()
