"""The Evaluate page over 100,000 test patients in a real browser: time to complete, a threshold's move, payload.

    python benchmarks/evaluate_page.py [--rows 100000] [--moves 30] [--out FILE.json]

A table is drawn, half of it locked away as the test set, and logistic regression
trained on the other half, in an installation of its own in a temporary folder.
Then the application is started as a person starts it and Chromium opens the page:

* complete: from the click (or the address) until the last chart and number of the
  page has changed and nothing more runs, first on the out-of-fold patients of a new
  session, then on the locked test set;
* a move: from the key press on the threshold's slider until every linked chart and
  the table of rates have changed, as seen in the page itself;
* payload: the bytes of the web socket's frames, before compression.

Seconds of the processor (server, worker; not the browser) stand beside those of the
clock: on a shared machine only the former say much.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Page, WebSocket, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMITS = {"complete_seconds": 5.0, "move_ms": 150.0, "payload_bytes": 2_000_000}
#: What moves with the threshold.
LINKED = ("confusion", "decision", "distribution", "roc", "precision_recall", "rates")

# Notes, for each linked part, when it changed last; the clock begins at the key press.
WATCH = """
(parts) => {
  const watch = { start: 0, changed: {} };
  document.addEventListener("keydown", () => { watch.start = performance.now(); watch.changed = {}; }, true);
  for (const [name, selector] of Object.entries(parts)) {
    if (!document.querySelector(selector)) throw new Error("not on the page: " + name);
  }
  // The whole page is watched: a part may be drawn anew in an element of its own.
  new MutationObserver((changes) => {
    const now = performance.now() - watch.start;
    for (const change of changes) {
      const at = change.target.nodeType === Node.TEXT_NODE ? change.target.parentElement : change.target;
      for (const [name, selector] of Object.entries(parts)) {
        if (at && at.closest(selector)) watch.changed[name] = now;
      }
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["d", "x", "y", "transform", "data-unformatted"] });
  window.medcoreWatch = watch;
}
"""


def table(rows: int) -> bytes:
    """Draw a made-up ward: ten columns, of which six foretell a death that comes to a fifth."""
    rng = np.random.default_rng(5)
    numbers = rng.normal(size=(rows, 8)).round(3)
    frame = pd.DataFrame({f"marker_{i}": numbers[:, i] for i in range(8)})
    frame["age"] = rng.integers(20, 95, rows)
    frame["sex"] = rng.choice(["female", "male"], rows)
    pull = numbers[:, :5] @ np.array([0.8, -0.6, 0.5, 0.4, 0.3]) + 0.02 * (frame["age"] - 60)
    frame["died"] = np.where(rng.random(rows) < 1 / (1 + np.exp(1.8 - pull)), "yes", "no")
    buffer = io.BytesIO()
    frame.to_csv(buffer, index=False)
    return buffer.getvalue()


def make_study(rows: int) -> str:
    """Store the table as a study with a finished run, half of the rows locked away."""
    from medcore.data.reading.table import read_table
    from medcore.data.schema.inference import choose_target
    from medcore.data.splitting.split import SplitSettings
    from medcore.jobs.runs.perform import perform_run, train_study
    from medcore.models.contract.settings import TrainSettings
    from medcore.settings import Settings
    from medcore.studies import Store
    from medcore.studies.owners import LOCAL_OWNER

    cohort = read_table(("ward.csv", table(2 * rows)))
    cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "died", positive="yes"))
    settings = Settings.from_env()
    store = Store(settings)
    study = store.create_study(LOCAL_OWNER, "Ward", cohort)
    store.save_split(LOCAL_OWNER, study.id, SplitSettings(test_size=0.5))
    run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
    perform_run(settings, LOCAL_OWNER, run.id, train_study)
    if store.get_run(LOCAL_OWNER, run.id).state != "done":
        raise SystemExit("The run did not finish.")
    return study.id


class Served:
    """The application on a free port, and the processor seconds it and its children have used."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://localhost:{self.port}"
        self._wait()

    def _wait(self) -> None:
        from medcore import jobs

        while self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        for _ in range(200):
            if jobs.worker_status().state == "ready":
                return
            time.sleep(0.3)

    def cpu(self) -> float:
        """Return the processor seconds of the web server so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End the server and its worker."""
        from medcore import jobs
        from medcore.settings import Settings

        self.process.terminate()
        self.process.wait(30)
        jobs.stop_local_cluster(Settings.from_env())


class Visitor:
    """A browser at the page that counts what it is sent."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self.served, self.received = page, served, 0
        page.set_default_timeout(120_000)
        page.on("websocket", self._count)

    def _count(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: setattr(self, "received", self.received + len(data)))

    def timed(self, act: Any) -> dict[str, float]:
        """Act, wait until the page is complete, and return seconds and bytes."""
        before, cpu, began = self.received, self.served.cpu(), time.monotonic()
        act()
        self.page.wait_for_selector(
            "[class*='st-key-evaluate-gain'] .js-plotly-plot .scatterlayer, "
            "[class*='st-key-evaluate-classes'] .js-plotly-plot .heatmaplayer",
            state="attached",
        )
        for _ in range(2):
            self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
            seconds = time.monotonic() - began
            self.page.wait_for_timeout(100)
        return {
            "seconds": round(seconds, 2),
            "cpu_seconds": round(self.served.cpu() - cpu, 2),
            "bytes": self.received - before,
        }

    def moves(self, count: int) -> dict[str, Any]:
        """Move the threshold by keys and return how long until everything linked has changed."""
        parts = {name: f"[class*='st-key-evaluate-{name}']" for name in LINKED}
        self.page.evaluate(WATCH, parts)
        slider = self.page.locator("[data-testid=stSlider] input[type=range]").first
        slider.focus()
        found: list[float] = []
        slowest: list[str] = []
        before, cpu = self.received, self.served.cpu()
        for number in range(count):
            slider.press("ArrowLeft" if number % 2 else "ArrowRight", delay=20)
            self.page.wait_for_function(
                "n => Object.keys(window.medcoreWatch.changed).length === n && !document.querySelector"
                "('[data-testid=stApp]:not([data-test-script-state=notRunning])')",
                arg=len(LINKED),
            )
            self.page.wait_for_timeout(150)
            changed: dict[str, float] = self.page.evaluate("() => window.medcoreWatch.changed")
            found.append(max(changed.values()))
            slowest.append(max(changed, key=changed.__getitem__))
        return {
            "median_ms": round(statistics.median(found), 1),
            "all_ms": [round(f) for f in found],
            "last_to_change": max(set(slowest), key=slowest.count),
            "cpu_ms_a_move": round(1000 * (self.served.cpu() - cpu) / count, 1),
            "bytes_a_move": (self.received - before) // count,
        }


def measure(rows: int, moves: int) -> dict[str, Any]:
    """Make the study, open the page and measure it."""
    study = make_study(rows)
    served = Served()
    path = os.environ.get("MEDCORE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1440, "height": 1000}, locale="en-US")
            visitor = Visitor(page, served)
            page.goto(served.url)
            page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
            found: dict[str, Any] = {"rows": rows, "load": os.getloadavg()}
            found["out_of_fold"] = visitor.timed(lambda: page.goto(f"{served.url}/evaluate?study={study}&lang=en"))
            page.get_by_test_id("stButtonGroup").get_by_text("Locked test set", exact=True).first.click()
            unlock = page.locator("[class*='st-key-evaluate-unlock'] button")
            unlock.wait_for()
            page.wait_for_timeout(500)
            found["locked_test_set"] = visitor.timed(unlock.click)
            visitor.moves(3)
            found["move"] = visitor.moves(moves)
            browser.close()
    finally:
        served.stop()
    return found


def main() -> None:
    """Measure, print, and say whether the limits hold."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--moves", type=int, default=30)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="medcore-page-") as folder:
        os.environ["MEDCORE_DATA"] = folder
        found = measure(chosen.rows, chosen.moves)
    print(json.dumps(found, indent=1))
    for side in ("out_of_fold", "locked_test_set"):
        ok = found[side]["seconds"] <= LIMITS["complete_seconds"] and found[side]["bytes"] <= LIMITS["payload_bytes"]
        print(f"{side}: {found[side]['seconds']} s, {found[side]['bytes'] / 1000:.0f} kB: {'ok' if ok else 'TOO MUCH'}")
    median = found["move"]["median_ms"]
    print(f"a threshold's move: median {median} ms: {'ok' if median <= LIMITS['move_ms'] else 'TOO SLOW'}")
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
