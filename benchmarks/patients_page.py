"""The Patients page with 5,000 patients in real Chromium: the list, and from a click on it to a patient's course.

    python benchmarks/patients_page.py [--patients 5000] [--visits 9] [--out FILE.json]

The heart sample is trained and released in an installation of its own in a temporary folder, and every patient
is entered with two visits, through the store as page and service do. Then Chromium opens the list in new sessions
and a click opens patients of it. Asked for, as a median: the list within 1 s of the page's own address being
asked for in a session that is there (from another view), a course with its chart within 1 s of the click. The very
first sight of a new session, which loads the program into the browser, is told beside it. Processor seconds of the
web server (``_cpu``) stand beside those of the clock: on a shared machine only the former say much.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evaluate_page import CHROMIUM, ROOT, Served
from playwright.sync_api import Page, sync_playwright

ROW_HEIGHT = 36  # medcore.ui.patients.worklist.ROW_HEIGHT; the room is not imported before its settings are there
MODEL = "heart-disease"
LIMIT_SECONDS = 1.0
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
COURSE = "[class*='st-key-patients-chart'] .scatterlayer .point"


def prepare(n_patients: int) -> None:
    """Train, release and fill the register of a model."""
    import numpy as np

    from medcore.data.samples import load_sample
    from medcore.jobs.runs.perform import perform_run, train_study
    from medcore.models.bundle.bundle import load_bundle
    from medcore.models.contract.settings import TrainSettings
    from medcore.settings import Settings
    from medcore.studies import Store
    from medcore.studies.owners import LOCAL_OWNER
    from medcore.studies.use_records import AskedPatient, Terms

    settings = Settings.from_env()
    store, cohort = Store(settings), load_sample("heart")
    study = store.create_study(LOCAL_OWNER, "Heart", cohort)
    run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
    perform_run(settings, LOCAL_OWNER, run.id, train_study)
    terms = Terms(
        intended_use="Triage at admission.",
        for_whom="Adults with chest pain.",
        threshold=0.5,
        reminders={"look_again_days": 30, "hours": {"chol": 48}},
    )
    release = store.release(LOCAL_OWNER, run.id, MODEL, terms)
    bundle = load_bundle(store.release_folder(LOCAL_OWNER, release.id))
    rng, now = np.random.default_rng(0), datetime.now(UTC)
    for visit in (0, 1):
        frame = cohort.frame.iloc[rng.integers(0, len(cohort.frame), n_patients)].reset_index(drop=True)
        risks, flags = bundle.predict(frame), bundle.flags(frame)
        asked = [
            AskedPatient(
                values={name: None if cell != cell else str(cell) for name, cell in frame.iloc[i].items()},
                risk=float(risks[i, 1]),
                risks=risks[i].tolist(),
                called=bool(risks[i, 1] >= 0.5),
                flags=flags[i],
                at=now - timedelta(hours=float(rng.uniform(0, 90)) + 24 * 7 * (1 - visit) * 4),
                patient=f"P-{i:05d}",
            )
            for i in range(n_patients)
        ]
        for start in range(0, n_patients, 1_000):
            store.keep_answers(LOCAL_OWNER, release, asked[start : start + 1_000], route="page")


def drawn(page: Page, selector: str, began: float) -> float:
    """Return the seconds until something is drawn and the page is settled."""
    page.wait_for_selector(selector)
    page.wait_for_selector(SETTLED)
    return time.monotonic() - began


def visits(page: Page, served: Served, n: int) -> dict[str, Any]:
    """See the list for the first time, again from another view, and open patients of it."""
    grid = "[data-testid=stDataFrame] canvas"
    began = time.monotonic()
    page.goto(f"{served.url}/patients?model={MODEL}&lang=en")
    found: dict[str, Any] = {
        "first_list": round(drawn(page, grid, began), 2),
        "list": [],
        "list_cpu": [],
        "course": [],
        "course_cpu": [],
    }
    for number in range(n):
        box = page.get_by_test_id("stDataFrame").first.bounding_box()
        began, used = time.monotonic(), served.cpu()
        page.mouse.click(box["x"] + 34, box["y"] + 55 + ROW_HEIGHT * number)
        found["course"].append(round(drawn(page, COURSE, began), 2))
        found["course_cpu"].append(round(served.cpu() - used, 2))
        back = page.locator("[class*='st-key-patients-back'] button")
        began, used = time.monotonic(), served.cpu()
        back.click()
        found["list"].append(round(drawn(page, grid, began), 2))
        found["list_cpu"].append(round(served.cpu() - used, 2))
        page.wait_for_timeout(500)
    return found | {
        f"{name}_median": round(statistics.median(found[name]), 2) for name in list(found) if name != "first_list"
    }


def measure(n_visits: int) -> dict[str, Any]:
    """Serve what was prepared and look at it."""
    served = Served()
    path = os.environ.get("MEDCORE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US").new_page()
            page.set_default_timeout(120_000)
            found = visits(page, served, n_visits)
            browser.close()
    finally:
        served.stop()
    return found | {"load": os.getloadavg()[0]}


def main() -> None:
    """Measure, print, and say whether the limits hold."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--patients", type=int, default=5_000)
    options.add_argument("--visits", type=int, default=9)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="medcore-patients-", ignore_cleanup_errors=True) as folder:
        os.environ["MEDCORE_DATA"] = folder
        began = time.monotonic()
        prepare(chosen.patients)
        found = {"patients": chosen.patients, "prepared_seconds": round(time.monotonic() - began, 1)}
        found |= measure(chosen.visits)
    print(json.dumps(found, indent=1))
    for name in ("list", "course"):
        median = found[f"{name}_median"]
        print(f"{name}: median {median} s, asked {LIMIT_SECONDS} s: {'ok' if median <= LIMIT_SECONDS else 'TOO SLOW'}")
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
