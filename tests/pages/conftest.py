"""The dashboard in this process, page by page, in an installation of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest

from medcore import jobs
from medcore.data.samples import load_sample
from medcore.jobs.cluster.places import at_hand
from medcore.settings import ROOT, Settings
from medcore.studies import Store, StudyRecord
from medcore.studies.database import forget_engines
from medcore.studies.owners import COOKIE, LOCAL_OWNER, owner_cookie
from medcore.studies.use_records import AskedPatient
from medcore.ui.kit.shown import waiting
from medcore.ui.patient.many import batch
from tests.pages.explained import Explained

Opened = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for what a page waits a second for: the first file that is read starts the process that reads."""
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 170.0)


@pytest.fixture
def page_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do the worker's work in this process, and wait for it."""

    def call(
        function: Callable[..., Any],
        *args: Any,
        timeout: float = 0,
        stop: jobs.Stop | None = None,
        urgent: bool = True,
        **kwargs: Any,
    ) -> Any:
        return function(*map(at_hand, args), **kwargs)

    monkeypatch.setattr(jobs, "call", call)
    with ThreadPoolExecutor(1) as lanes:
        monkeypatch.setattr(batch, "_lanes", lanes)
        yield
        monkeypatch.setattr(batch, "UNSEEN_SECONDS", 0.0)  # what a test leaves unfinished is not gone on with


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    return Explained(tmp_path_factory.mktemp("explained"))


@pytest.fixture
def with_explained(explained: Explained, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Use the installation with the trained studies."""
    monkeypatch.setenv("MEDCORE_DATA", str(explained.home))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def patient_page(explained: Explained, here: None, open_page: Opened) -> Opened:
    """Open the page on a trained study; the worker's answers are computed in this process."""
    return lambda name, lang="en": open_page("patient", study=explained[name], lang=lang)


@pytest.fixture
def page_store(page_settings: Settings) -> Store:
    return Store(page_settings)


@pytest.fixture
def heart_study(page_store: Store) -> StudyRecord:
    return page_store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))


@pytest.fixture
def signed_in(page_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the cookie that the server in front of the pages gives to a browser."""
    cookies = StreamlitCookies({COOKIE: owner_cookie(page_settings)})
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _self: cookies))


@pytest.fixture
def open_page(signed_in: None) -> Opened:
    """Open a page by name, as by a link that names a study and a language."""

    def opened(name: str, *, study: str | None = None, lang: str = "en", **asked: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "medcore" / "ui" / "main.py"), default_timeout=180)
        app.query_params |= {"lang": lang, **asked}
        if study:
            app.query_params["study"] = study
        if name != "studies":
            app.switch_page(f"../../pages/{name}.py")
        return app.run()

    return opened


@pytest.fixture
def released(page_store: Store, words: Callable[[AppTest], str]) -> Callable[[AppTest, dict[str, Any], float], str]:
    """Release the run that Evaluate › Release shows, enter a patient with two visits, and return the model's name."""

    def release(page: AppTest, values: dict[str, Any], predicted: float) -> str:
        for field in (*page.text_input, *page.text_area):
            if field.label in ("Intended use", "For which patients"):
                field.set_value("Stated.")
        page.run()
        assert not page.exception and not page.error and "What is then said" in words(page)
        next(b for b in page.button if b.label == "Release this version").click().run()
        assert not page.exception and not page.error
        made = max(page_store.releases(LOCAL_OWNER), key=lambda r: r.released_at)
        asked = [
            AskedPatient(values=values, risk=risk, risks=[1 - risk, risk], called=False, patient="P")
            for risk in (predicted, 0.9 * predicted)
        ]
        page_store.keep_answers(LOCAL_OWNER, made, asked, route="page")
        return made.model

    return release


@pytest.fixture
def words() -> Callable[[AppTest], str]:
    """Collect every text a page shows."""

    def shown(app: AppTest) -> str:
        parts = [getattr(e.proto, "body", "") for e in app.get("html")]
        parts += [e.value for e in app.markdown]
        parts += [e.label for kind in (app.button, app.segmented_control) for e in kind]
        return "\n".join(map(str, parts))

    return shown
