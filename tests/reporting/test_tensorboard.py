"""TensorBoard logs are read back by TensorFlow's own reader, which checks every sum."""

import io
import struct
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import pytest

from medcore.models.contract.progress import Progress
from medcore.reporting.logs.tensorboard import event_archive, event_files, write_events

STARTED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def epochs(model: str = "network", stage: str = "folds", n: int = 300) -> list[Progress]:
    return [
        Progress(
            stage=stage, model=model, epoch=e, n_epochs=n, loss=1 / e, val_loss=2 / e, val_auroc=0.8, seconds=e / 10
        )
        for e in range(1, n + 1)
    ]


def trial(number: int, loss: float | None) -> Progress:
    told = {"number": number, "model": "forest", "settings": {}, "loss": loss, "seconds": 1.0}
    return Progress(stage="search", model="searched", epoch=6 * (number + 1), trial=told)


@pytest.mark.slow
def test_tensorflow_reads_back_what_was_written(tmp_path):
    from tensorflow.compat.v1.train import summary_iterator

    write_events(epochs(), STARTED, tmp_path)
    (path,) = tmp_path.rglob("*tfevents*")
    header, *events = summary_iterator(str(path))
    assert header.file_version == "brain.Event:2"
    read = {(e.step, v.tag): (v.simple_value, e.wall_time) for e in events for v in e.summary.value}
    assert len(read) == 300 * 3
    value, moment = read[300, "loss/validation"]
    assert value == pytest.approx(2 / 300)
    assert moment == pytest.approx(STARTED.timestamp() + 30)


def test_each_stage_of_each_model_and_the_search_are_folders_of_their_own():
    points = [*epochs(n=3), *epochs(stage="final", n=2), *epochs("seed", n=2), trial(0, 0.5), trial(1, None)]
    folders = {path.split("/")[0] for path in event_files(points, STARTED)}
    assert folders == {"network-folds", "network-final", "seed-folds", "search"}


def test_the_archive_holds_the_same_files_and_is_the_same_every_time():
    points = epochs(n=2)
    data = event_archive(points, STARTED)
    assert data == event_archive(points, STARTED)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == event_files(points, STARTED)


def test_a_record_begins_with_its_length():
    (data,) = event_files(epochs(n=1), STARTED).values()
    (length,) = struct.unpack("<Q", data[:8])
    assert data[12 : 12 + length].endswith(b"brain.Event:2")


def test_a_run_that_did_not_learn_by_epochs_has_no_files():
    assert event_files([Progress(stage="folds", model="logistic", fraction=0.5)], STARTED) == {}


def test_no_tensorflow_is_imported():
    code = "import medcore.reporting.logs.tensorboard, sys; sys.exit('tensorflow' in sys.modules or 'tensorboard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
