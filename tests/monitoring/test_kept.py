"""Predictions that were kept, whatever was predicted: risks as given out, outcomes by their own day or that of entry."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.splitting.split import SplitSettings
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.monitoring.kept import watched_kept
from medcore.monitoring.table import watched_table
from medcore.monitoring.watch import WatchPlan, watch
from medcore.monitoring.watched import Watched
from tests.written_models import table, train_written

FIRST = datetime(2025, 1, 1, 9, tzinfo=UTC)


@cache
def trained(sample: str, model: str) -> Bundle:
    settings = TrainSettings.preset(model)
    return train_cohort(load_sample(sample), settings, split=SplitSettings(test_size=0.0, seed=0)).bundle


def kept(bundle: Bundle, frame, outcome, after_days, dated, n: int = 400) -> Watched:
    rows = frame.sample(n, replace=True, random_state=0).reset_index(drop=True)
    at = [FIRST + timedelta(days=i * 150 / n) for i in range(n)]
    values = [{k: None if v != v else str(v) for k, v in row.items()} for row in rows.to_dict("records")]
    days = [moment + timedelta(days=after_days) for moment in at]
    came = [float(outcome(i)) for i in range(n)]
    risks = [list(map(float, risk)) for risk in bundle.predict(rows)]
    return watched_kept(bundle, values, at=at, risk=risks, outcome=came, known=days, dated=[dated] * n)


def test_an_event_by_a_time_is_followed_to_the_day_of_the_outcome() -> None:
    bundle = trained("heart_failure", "cox")
    watched = kept(bundle, load_sample("heart_failure").frame, lambda i: i % 4 == 0, 200, True)
    assert watched.duration is not None
    np.testing.assert_array_equal(watched.duration, 200)
    found = watch(watched, WatchPlan(threshold=0.3))
    assert {m.n_events for m in found.months} == {0}  # the event came after the horizon of half a year
    assert sum(m.n_censored for m in found.months) == 0
    earlier = kept(bundle, load_sample("heart_failure").frame, lambda i: i % 4 == 0, 20, False)
    told = watch(earlier, WatchPlan(threshold=0.3))
    assert sum(m.n_events or 0 for m in told.months) == 100
    assert sum(m.n_censored for m in told.months) == 300
    assert any("400 outcome(s) have no date of their own" in str(note) for note in told.notes())
    before = kept(bundle, load_sample("heart_failure").frame, lambda _i: 1, -3, True)
    assert not before.is_known.any()


def test_a_table_of_past_patients_says_how_long_they_were_followed(tmp_path: Path) -> None:
    bundle, frame = trained("heart_failure", "cox"), load_sample("heart_failure").frame
    days = [f"2025-{1 + i % 6:02d}-{1 + i % 27:02d}" for i in range(len(frame))]
    frame.assign(day=days).to_csv(tmp_path / "year.csv", index=False)
    watched = watched_table(bundle, read_table(tmp_path / "year.csv"), time="day")
    assert watched.duration is not None
    np.testing.assert_array_equal(watched.duration, frame["time"].astype(float))
    np.testing.assert_array_equal(watched.outcome, frame["DEATH_EVENT"].astype(float))
    np.testing.assert_array_equal(watched.risk, bundle.predict(frame))
    found = watch(watched, WatchPlan(threshold=0.3))
    assert found.target.event == 1
    frame.drop(columns=["time", "DEATH_EVENT"]).assign(day=days).to_csv(tmp_path / "blind.csv", index=False)
    assert not watched_table(bundle, read_table(tmp_path / "blind.csv"), time="day").is_known.any()


def test_a_number_has_its_interval_and_no_alert() -> None:
    bundle = trained("heart_rate", "linear")
    watched = kept(bundle, load_sample("heart_rate").frame, lambda i: 120 + i % 40, 10, True)
    assert watched.interval is not None
    found = watch(watched, WatchPlan(threshold=0.5))
    assert found.chart("mae") is not None
    assert found.chart("alerts") is None
    assert found.months[0].median_delay_days == 10


def test_each_class_is_named_as_it_is_shown(tmp_path: Path) -> None:
    bundle, _results = train_written(tmp_path, 3)
    watched = kept(bundle, table(200, 3), lambda i: i % 3, 10, True)
    assert watched.predicts.classes == tuple(bundle.classes)
    assert watch(watched, WatchPlan(threshold=0.5)).classes == tuple(bundle.classes)
