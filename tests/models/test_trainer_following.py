"""Progress, cancelling, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medcore.errors import CancelledError
from medcore.models.contract.progress import Progress
from medcore.models.network.settings import NetworkSettings
from medcore.models.trainer import train
from medcore.models.trainer.train import members_for, train_networks

SETTINGS = NetworkSettings(layers=(8,), epochs=6, dropout=0.3)


class Listener:
    """Keeps what it hears, and stops a run after some epochs."""

    def __init__(self, folder: Path | None = None, stop_after: int = 10**9) -> None:
        self.checkpoint_dir = folder
        self.heard: list[Progress] = []
        self._stop_after = stop_after

    def report(self, progress: Progress, /) -> None:
        self.heard.append(progress)

    def cancelled(self) -> bool:
        return len(self.heard) >= self._stop_after


@pytest.fixture
def table() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6)).astype(np.float32)
    return x, (x[:, 0] + rng.normal(size=120) > 0).astype(np.int64)


def test_every_epoch_is_reported(table) -> None:
    x, y = table
    listener = Listener()
    train_networks(x, y, 2, members_for(y, n_seeds=2), SETTINGS, follower=listener, stage="final")
    assert [p.epoch for p in listener.heard] == [1, 2, 3, 4, 5, 6]
    last = listener.heard[-1]
    assert (last.stage, last.model, last.n_epochs, last.fraction) == ("final", "seed", 6, 1.0)
    assert last.val_loss_low <= last.val_loss <= last.val_loss_high
    assert 0.0 <= last.auroc <= 1.0


def test_without_validation_rows_there_is_no_validation_loss_and_no_early_stop(table) -> None:
    x, y = table
    listener = Listener()
    settings = replace(SETTINGS, early_stopping=2)
    train_networks(x, y, 2, members_for(y, validation_share=0.0), settings, follower=listener)
    assert len(listener.heard) == 6, "nothing judges, so nothing stops early"
    assert listener.heard[-1].val_loss is None
    assert listener.heard[-1].loss is not None


def test_a_cancelled_training_ends_before_the_next_epoch(table) -> None:
    x, y = table
    listener = Listener(stop_after=2)
    with pytest.raises(CancelledError):
        train_networks(x, y, 2, members_for(y), SETTINGS, follower=listener)
    assert len(listener.heard) == 2


def test_an_interrupted_training_goes_on_with_identical_numbers(table, tmp_path, monkeypatch) -> None:
    x, y = table
    members = members_for(y, folds=np.arange(120) % 2)
    settings = replace(SETTINGS, early_stopping=5)
    whole = train_networks(x, y, 2, members, settings)
    monkeypatch.setattr("medcore.models.trainer.checkpoint._EVERY_SECONDS", 0.0)
    with pytest.raises(CancelledError):
        train_networks(x, y, 2, members, settings, follower=Listener(tmp_path, stop_after=3))
    listener = Listener(tmp_path)
    resumed = train_networks(x, y, 2, members, settings, follower=listener)
    assert listener.heard[0].epoch == 4
    np.testing.assert_array_equal(whole.weights, resumed.weights)
    for name, values in whole.history.items():
        np.testing.assert_array_equal(values, resumed.history[name])


def test_a_checkpoint_of_other_settings_or_a_damaged_one_is_not_used(table, tmp_path) -> None:
    x, y = table
    train_networks(x, y, 2, members_for(y), SETTINGS, follower=Listener(tmp_path))
    (kept,) = tmp_path.glob("*.npz")
    other = Listener(tmp_path)
    train_networks(x, y, 2, members_for(y), replace(SETTINGS, learning_rate=0.01), follower=other)
    assert len(other.heard) == 6
    kept.write_bytes(kept.read_bytes()[:100])
    again = Listener(tmp_path)
    train_networks(x, y, 2, members_for(y), SETTINGS, follower=again)
    assert len(again.heard) == 6


def test_members_whose_features_do_not_fit_together_are_trained_in_turn(table, monkeypatch) -> None:
    x, y = table
    members = [
        replace(m, features=np.ascontiguousarray(x)) for m in members_for(y, folds=np.arange(120) % 3, n_seeds=2)
    ]
    members = [replace(m, features=x.copy()) for m in members]
    together = train_networks(None, y, 2, members, SETTINGS)
    monkeypatch.setattr(train, "_MOST_BYTES", 2 * x.nbytes)
    listener = Listener()
    parted = train_networks(None, y, 2, members, SETTINGS, follower=listener)
    assert len(listener.heard) == 18
    fractions = [p.fraction for p in listener.heard]
    assert fractions == sorted(fractions)
    np.testing.assert_allclose(together.member_risk(x), parted.member_risk(x), atol=1e-5)
    assert parted.history["loss"].shape == (6, 6)
