"""A worker that starts: how long that still takes, by how long the last one took."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from medcore.jobs.cluster import processes
from medcore.jobs.cluster.process import Process
from medcore.jobs.cluster.processes import LocalCluster
from medcore.settings import Settings


def test_how_long_a_starting_worker_still_takes_is_told_by_how_long_the_last_one_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(Settings.from_env(), data_dir=tmp_path)
    (tmp_path / "jobs").mkdir()
    here, parent = Process.of(os.getpid()), Process.of(os.getppid())
    assert processes.left_to_start(settings) is None
    monkeypatch.setattr(processes, "since_start", lambda: here.born + 6)
    monkeypatch.setattr(processes, "CHILDLESS_SECONDS", here.born - parent.born + 1)
    processes.note_start(tmp_path / "jobs")
    assert processes.left_to_start(settings) is None  # nobody was started
    LocalCluster(here, parent, "").write(settings)  # a parent with at least this child
    monkeypatch.setattr(processes, "since_start", lambda: here.born + 2.5)
    monkeypatch.setattr(Process, "family", lambda process: [process, psutil.Process()])
    assert processes.left_to_start(settings) == pytest.approx(3.5)
    monkeypatch.setattr(processes, "since_start", lambda: here.born + 7)
    assert processes.left_to_start(settings) is None  # longer than it took
    monkeypatch.setattr(Process, "family", lambda process: [process])
    monkeypatch.setattr(processes, "since_start", lambda: parent.born)
    assert processes.left_to_start(settings) == pytest.approx(6 + here.born - parent.born, abs=0.02)
