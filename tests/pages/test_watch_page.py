"""The Watch page: a released model's months, what changed first, what to do, and the page on a month."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import forget_engines
from medcore.studies.use_records import Release
from tests.pages.used_model import COLUMN, used_model


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Release]:
    home = tmp_path_factory.mktemp("watched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        _study, release = used_model(Settings.from_env())
    forget_engines()
    return home, release


@pytest.fixture
def page_settings(used: tuple[Path, Release], monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(used[0]))
    yield Settings.from_env()
    forget_engines()


def titles(app: AppTest) -> list[str]:
    return [json.loads(e.proto.spec)["layout"]["meta"]["title"] for e in app.get("plotly_chart")]


def test_what_changed_comes_first_with_what_to_do(here: Any, open_page: Any, words: Any) -> None:
    app = open_page("watch", month="2025-08")
    assert not app.exception
    said = words(app)
    assert "Look at where these values come from" in said
    (first, *_others) = app.table
    assert first.value["What"][0] == "Highest heart rate on exercise"
    assert first.value["What changed"][0].startswith("Values given and not used: ")
    assert "all patients" in first.value["Where"][0]
    assert any("CUSUM" in title for title in titles(app))
    assert any(title.startswith("Expected AUROC, an estimate") for title in titles(app))
    assert "Whoever acts on an alert" in said


def test_the_last_month_comes_first_and_without_outcomes_is_not_judged_by_them(
    here: Any, open_page: Any, words: Any
) -> None:
    app = open_page("watch")
    assert app.selectbox(key="watch.month").value == "2025-12"
    assert "Not judged by outcomes yet: 2025-12" in words(app)


def test_values_and_groups_have_their_views(here: Any, open_page: Any, words: Any) -> None:
    values = open_page("watch", month="2025-08", view="values")
    assert not values.exception
    assert values.selectbox(key="watch.column").value == COLUMN
    assert any("beyond its limits in 2025-08" in title for title in titles(values))
    groups = open_page("watch", view="groups")
    assert not groups.exception
    assert "Cleveland" in titles(groups)[0]


def test_the_page_on_a_month_is_made_in_either_language(here: Any, open_page: Any) -> None:
    app = open_page("watch", month="2025-08", view="report", lang="zh_CN")
    assert not app.exception
    assert app.get("download_button")


def test_the_model_card_is_made_as_of_today(here: Any, open_page: Any, words: Any) -> None:
    app = open_page("watch", view="report")
    app.segmented_control(key="watch.report.what").set_value("card").run()
    assert not app.exception
    assert "on what terms it was released" in words(app)
    assert app.get("download_button")


def test_a_quiet_month_says_how_often_chance_gives_an_alarm(here: Any, open_page: Any, words: Any) -> None:
    app = open_page("watch", month="2025-06")
    assert "No alarm in 2025-06" in words(app)


def test_what_stands_is_told_to_the_shell_to_the_list_of_studies_and_to_whoever_runs_it(
    here: Any, page_settings: Settings, open_page: Any, words: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from medcore.cli import main
    from medcore.upkeep.metrics import metrics

    assert main(["watch", "--alarms", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    (model,) = told["models"]
    assert (model["model"], model["version"], model["last_month"]) == ("heart-disease", 1, "2025-12")
    change = next(c for c in model["changes"] if c["column"] == COLUMN)
    assert (change["asks"], change["last"]) == ("look", "2025-12")
    said = words(open_page("studies"))
    assert "heart-disease 1 in use" in said
    figures = metrics(page_settings).decode()
    assert f'medcore_model_changes{{asks="look",model="heart-disease",version="1"}} {len(model["changes"])}' in figures
    assert "P000" not in figures


def test_nothing_is_printed_where_nothing_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from medcore.cli import main

    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    assert main(["watch", "--alarms"]) == 0
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit):
        main(["watch"])
    assert "--alarms" in capsys.readouterr().err


def test_nobody_else_sees_what_is_watched(used: tuple[Path, Release], page_settings: Settings) -> None:
    from medcore.errors import NotFoundError

    store = Store(page_settings)
    assert store.was_used(LOCAL_OWNER, used[1].id)
    every = store.in_time(LOCAL_OWNER, used[1].id, most=2_000)
    assert len(every) == 1500 == sum(every.n_of_month.values())
    assert list(every.at) == sorted(every.at)
    assert every.outcome[-1] is None and not any(every.dated)
    sample = store.in_time(LOCAL_OWNER, used[1].id, most=600)
    assert sample.n_of_month == every.n_of_month
    assert 500 < len(sample) < 700
    assert set(sample.at) <= set(every.at)
    assert {f"{at:%Y-%m}" for at in sample.at} == set(every.n_of_month)
    for question in (store.was_used, lambda *who: store.in_time(*who, most=5)):
        with pytest.raises(NotFoundError):
            question("somebody", used[1].id)


def test_a_site_may_be_given_with_the_values_and_is_not_read(
    used: tuple[Path, Release], page_settings: Settings
) -> None:
    from medcore.errors import MissingColumnsError
    from medcore.explanation.patient.released import ReleasedModel
    from medcore.service.described import schema_of

    model = ReleasedModel.open(Store(page_settings).release_folder(LOCAL_OWNER, used[1].id), 0.4)
    frame = model.frame([{"age": 60, "site": "Cleveland"}])
    assert "site" not in frame.columns
    assert model.answer(frame)[0].risk == model.answer(model.frame([{"age": 60}]))[0].risk
    assert {"site", "age"} <= set(schema_of(model)["properties"])
    with pytest.raises(MissingColumnsError, match="reads no column ward"):
        model.frame([{"age": 60, "ward": "7"}])
