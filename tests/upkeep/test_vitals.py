import json
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from medcore.data.samples import load_sample
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import COOKIE, Store, owner_cookie
from medcore.studies.database import forget_engines
from medcore.upkeep.health import Health, health
from medcore.upkeep.vitals import Vitals
from tests.aside import run_aside

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    yield Settings(tmp_path, f"sqlite:///{tmp_path / 'medcore.db'}", (tmp_path / "files").as_uri(), metrics_token=TOKEN)
    forget_engines()


def ask(
    settings: Settings,
    path: str,
    *,
    method: str = "GET",
    asked: Callable[[Settings], Health] = health,
    **headers: str,
) -> tuple[int, str]:
    """Ask an address and return status and text; 0 where the request went on to the pages."""
    sent: list[MutableMapping[str, Any]] = []

    async def page(*_: Any) -> None:
        sent.append({"status": 0})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    run_aside(Vitals(page, settings, ask=asked)(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent).decode()


def test_health_is_false_while_nothing_can_compute(settings: Settings) -> None:
    status, text = ask(settings, "/healthz")
    told = json.loads(text)
    assert (status, told["status"], told["computing"], told["database"]) == (503, "unavailable", "absent", True)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (Health(database=True, files=True, computing="ready"), 200),
        (Health(database=True, files=True, computing="starting"), 503),
        (Health(database=False, files=True, computing="ready"), 503),
        (Health(database=True, files=False, computing="ready"), 503),
    ],
)
def test_health_is_true_only_where_every_part_answers(settings: Settings, found: Health, status: int) -> None:
    assert ask(settings, "/healthz", asked=lambda _: found)[0] == status


def test_a_database_and_a_store_that_do_not_answer_are_named(tmp_path: Path) -> None:
    elsewhere = Settings(tmp_path, "postgresql://medcore:secret@127.0.0.1:1/none?connect_timeout=2", "memory://medcore")
    found = health(elsewhere)
    assert (found.database, found.files) == (False, True)
    forget_engines()


def test_figures_need_the_token_or_the_cookie(settings: Settings) -> None:
    cookie = f"{COOKIE}={owner_cookie(settings)}"
    assert ask(settings, "/metrics")[0] == 401
    assert ask(settings, "/metrics", authorization="Bearer another")[0] == 401
    assert ask(settings, "/metrics", cookie=f"{COOKIE}=local.forged")[0] == 401
    assert ask(settings, "/metrics", authorization=f"Bearer {TOKEN}")[0] == 200
    assert ask(settings, "/metrics", cookie=cookie)[0] == 200
    without = replace(settings, metrics_token=None)
    assert ask(without, "/metrics", authorization="Bearer ")[0] == 401
    assert ask(without, "/metrics", authorization="Bearer None")[0] == 401


def test_figures_are_prometheus_text_and_count_what_there_is(settings: Settings) -> None:
    store = Store(settings)
    study = store.create_study("ann", "Mrs Miller", load_sample("heart"))
    store.create_run("ann", study.id, TrainSettings())
    text = ask(settings, "/metrics", authorization=f"Bearer {TOKEN}")[1]
    values = {(s.name, *s.labels.values()): s.value for f in text_string_to_metric_families(text) for s in f.samples}
    assert values["medcore_studies",] == 1
    assert values["medcore_table_rows",] == study.n_rows
    assert values["medcore_runs", "queued"] == 1
    assert values["medcore_queue_wait_seconds",] > 0
    assert values["medcore_workers",] == values["medcore_scheduler_up",] == 0
    assert values["process_resident_memory_bytes",] > 1e7
    assert "Miller" not in text and "ann" not in text


@pytest.mark.parametrize(("path", "method"), [("/", "GET"), ("/metrics", "POST"), ("/healthz/x", "GET")])
def test_every_other_request_goes_on_to_the_pages(settings: Settings, path: str, method: str) -> None:
    assert ask(settings, path, method=method)[0] == 0
