"""The real application on a free port, and the system's Chromium looking at it.

One server, one worker and one browser serve all tests of this folder. Pictures are
taken only of what failed, into the temporary folder, never into the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright

from medcore import jobs
from medcore.settings import ROOT, Settings
from tests.browser.settling import LISTEN, settle
from tests.browser.windows import ONE_PROCESS, Windows
from tests.pages.used_model import used_model

PATIENCE_MS = 180_000
"""Beside other tests and what else the machine does a worker, who gives way to all of it, was seen to take a minute
for what takes it a second; nobody waits longer than it takes."""
TRAINING_MS = 300_000
"""The first training also waits until a worker has started, which on a busy machine alone takes a minute."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--js-flags=--single-threaded",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    ONE_PROCESS,
]
# Streamlit's one inline script is refused, and on a deep link it first looks for itself beside the page.
INSIDE = ("data", "blob", "about")
ADDRESS = re.compile(
    r"[a-z_-]+|zh_CN|\d+(\.\d+)?|[0-9a-f-]{32,64}(\.\w{2,5})?|[\w.@-]+\.(js|css|woff2|svg|png|ico|json|wasm)"
)
"""What an address is made of; a name that a person gave would be something else, or in lower case be found by its test."""
EXPECTED = re.compile(r"Content Security Policy|Failed to load resource: .* 404")
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def app_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(tmp_path_factory.mktemp("installation")))
        return Settings.from_env()


@pytest.fixture(scope="session")
def app_url(app_settings: Settings) -> Iterator[str]:
    """Start the application as a person does, and leave nothing running."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = os.environ | {"MEDCORE_DATA": str(app_settings.data_dir), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True)
        try:
            url = f"http://localhost:{port}"
            wait_until_served(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(30)
            jobs.stop_local_cluster(app_settings)
            log.seek(0)
            print(log.read())  # noqa: T201 - shown by pytest when something failed


def wait_until_served(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("The application did not start; its output is shown above.")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("MEDCORE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "Chromium is missing: install it with the system's package manager, or set MEDCORE_CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def windows(chromium: Browser) -> Windows:
    return Windows(chromium)


class Visitor:
    """A person at the application: opens pages, waits until they are drawn, remembers what was fetched."""

    def __init__(
        self, windows: Windows, url: str, *, width: int = 1440, dark: bool = False, locale: str = "en-US"
    ) -> None:
        self.url, self._windows, self._locale = url, windows, locale
        self.context = windows.lend(url, locale)
        self.page: Page = self.context.new_page()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.add_init_script(LISTEN)
        self.fetched: set[str] = set()
        self.complaints: list[str] = []
        self.context.on("request", self._asked)
        self.page.on("framenavigated", lambda frame: self.fetched.add(frame.url))  # a changed address fetches nothing
        self.page.on("websocket", lambda link: self.fetched.add(link.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)

    def _asked(self, request: Request) -> None:
        self.fetched.add(request.url)

    def leave(self) -> None:
        """Close the window; who comes next finds nothing of this visitor."""
        self.context.remove_listener("request", self._asked)
        self._windows.take_back(self.context, self.url, self._locale)

    def open(self, path: str = "") -> Visitor:
        self.page.goto(f"{self.url}/{path}")
        return self.settled()

    def settled(self) -> Visitor:
        """Wait until the page is drawn and stays so for a moment."""
        settle(self.page, PATIENCE_MS)
        return self

    def press(self, key: str) -> Visitor:
        """Press the button with this key."""
        self.at(key).get_by_role("button").first.click()
        return self.settled()

    def choose(self, option: str) -> Visitor:
        """Choose one of a row of buttons."""
        self.page.get_by_test_id("stButtonGroup").get_by_text(option, exact=True).first.click()
        return self.settled()

    def at(self, key: str) -> Locator:
        """The widget with this key (``page.widget``)."""
        return self.page.locator(f"[class*='st-key-{key.replace('.', '-')}']").first

    def first_patient(self) -> Visitor:
        """Open the patient at the top of the list by the button in its line."""
        table = self.page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + 34, box["y"] + 55)
        expect(self.page.locator("[class*='st-key-patient-steps']")).to_be_visible()
        return self.settled()

    def sees(self, text: str) -> Visitor:
        expect(self.page.get_by_text(text).first).to_be_visible()
        return self

    def elsewhere(self) -> set[str]:
        """The addresses fetched from outside this machine."""
        own = urlsplit(self.url).netloc
        return {u for u in self.fetched if urlsplit(u).scheme not in INSIDE and urlsplit(u).netloc != own}

    def telling(self) -> set[str]:
        """The parts of addresses that are more than names of views, numbers, hashes and files of the program."""
        found = set()
        for address in map(urlsplit, self.fetched):
            if address.scheme not in INSIDE:
                parts = [*address.path.split("/"), *(value for _name, value in parse_qsl(address.query))]
                found |= {part for part in map(unquote, parts) if part and not ADDRESS.fullmatch(part)}
        return found

    @property
    def study(self) -> str:
        return self.page.url.split("study=")[1].split("&")[0]


@pytest.fixture
def visit(windows: Windows, app_url: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Open browsers of their own; nothing that any of them fetched may come from elsewhere."""
    visitors: list[Visitor] = []

    def visitor(*, width: int = 1440, dark: bool = False, locale: str = "en-US") -> Visitor:
        visitors.append(Visitor(windows, app_url, width=width, dark=dark, locale=locale))
        return visitors[-1]

    failed = request.session.testsfailed
    yield visitor
    for number, each in enumerate(visitors):
        if request.session.testsfailed > failed:
            picture = Path(tempfile.gettempdir()) / "medcore-browser" / f"{request.node.name}-{number}.png"
            each.page.screenshot(path=picture, full_page=True)
        each.leave()
        assert each.elsewhere() == set()
        assert each.telling() == set()
        assert [c for c in each.complaints if not EXPECTED.search(c)] == []


@pytest.fixture(scope="session")
def trained_study(windows: Windows, app_url: str) -> str:
    """A sample opened and trained once, for the tests that only look."""
    return opened_and_trained(windows, app_url, "breast", "Logistic regression")


@pytest.fixture(scope="session")
def timed_study(windows: Windows, app_url: str) -> str:
    """A sample of an event with its time, opened and trained once."""
    return opened_and_trained(windows, app_url, "heart_failure", "Cox regression")


@pytest.fixture(scope="session")
def number_study(windows: Windows, app_url: str) -> str:
    """A sample of which a number is predicted, opened and trained once."""
    return opened_and_trained(windows, app_url, "heart_rate", "Linear regression")


@pytest.fixture(scope="session")
def used_study(app_settings: Settings, app_url: str) -> str:
    """A model that was released and asked for a year."""
    with pytest.MonkeyPatch.context() as patch:  # values are sealed with the installation's own key
        patch.setenv("MEDCORE_DATA", str(app_settings.data_dir))
        return used_model(app_settings, n=800)[0]


def opened_and_trained(windows: Windows, app_url: str, sample: str, model: str) -> str:
    visitor = Visitor(windows, app_url)
    visitor.open().press(f"studies.sample.{sample}").settled()
    visitor.choose(model).press("train.start")
    expect(visitor.page.get_by_role("button", name="Judge it").first).to_be_visible(timeout=TRAINING_MS)
    study = visitor.study
    visitor.leave()
    return study
