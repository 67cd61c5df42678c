"""The calculator in Chromium without a network: what it shows is what the bundle predicts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from medcore.models.selection.calibration import (
    CURVES,
    EVENT_METHODS,
    MANY_CLASS_METHODS,
    Calibrator,
    fit_calibrator,
)
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


def test_every_recalibration_is_that_of_the_bundle_also_of_bundles_from_before(
    chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "calculator.html"
    file.write_bytes(render_model(train_written(tmp_path / "bundle", 2)[1], file.name))
    page = chromium.new_context(offline=True).new_page()
    page.goto(file.as_uri())
    random = np.random.default_rng(0)
    event = random.beta(1, 3, 400)
    risk, outcome = np.column_stack([1 - event, event]), (random.random(400) < event**1.3).astype(np.int64)
    known = [fit_calibrator(method, risk, outcome) for method in (*EVENT_METHODS, *MANY_CLASS_METHODS)]
    of_steps = {"x": (0.1, 0.3, 0.6, 0.9), "y": (0.05, 0.2, 0.2, 0.95)}
    known += [Calibrator(method, of_steps, Calibrator(method, of_steps)) for method in CURVES]
    for calibrator in known:
        told = page.evaluate(
            "([rows, c]) => rows.map((row) => recalibrated(row, c))", [risk.tolist(), calibrator.to_dict()]
        )
        np.testing.assert_allclose(told, calibrator.apply(risk), rtol=0, atol=1e-12, err_msg=calibrator.method)
    page.context.close()
