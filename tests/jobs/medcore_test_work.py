"""Small honest pieces of work for a worker: they report, listen and keep checkpoints as a trainer does."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from medcore.errors import TargetError
from medcore.jobs.runs.follower import RunFollower
from medcore.models.contract.progress import Progress, stop_if_cancelled
from medcore.models.contract.task import n_threads
from medcore.models.contract.workers import StopSignal
from medcore.sealing import Folder
from medcore.studies import RunInputs


def descend_in_two_attempts(inputs: RunInputs, follower: RunFollower, folder: Folder) -> dict[str, Any]:
    """Descend, but the first attempt stays in its middle for as long as its process lives."""
    return descend(inputs, follower, folder, first_attempt_stays=True)


def descend(
    inputs: RunInputs, follower: RunFollower, folder: Folder, *, first_attempt_stays: bool = False
) -> dict[str, Any]:
    """Logistic regression by gradient descent, an epoch at a time, with a checkpoint after each."""
    assert follower.checkpoint_dir is not None
    frame = inputs.cohort.frame
    x = np.column_stack([np.ones(len(frame)), frame["age"].astype(float) / 60, frame["pressure"].astype(float) / 130])
    y = (frame["event"] == "yes").to_numpy(dtype=float)
    kept = follower.checkpoint_dir / "state.json"
    state = json.loads(kept.read_bytes()) if kept.is_file() else {"epoch": 0, "weights": [0.0, 0.0, 0.0], "pids": []}
    state["pids"].append(os.getpid())
    n_epochs = inputs.settings.epochs
    for epoch in range(state["epoch"] + 1, n_epochs + 1):
        stop_if_cancelled(follower)
        while first_attempt_stays and epoch > n_epochs / 2 and len(state["pids"]) == 1:
            stop_if_cancelled(follower)
            time.sleep(0.05)
        rng = np.random.default_rng([inputs.settings.seed, epoch])
        rows = rng.permutation(len(y))[:64]
        risk = 1 / (1 + np.exp(-x[rows] @ state["weights"]))
        state["weights"] = list(np.array(state["weights"]) - 0.5 * x[rows].T @ (risk - y[rows]) / len(rows))
        state["epoch"] = epoch
        kept.write_bytes(json.dumps(state).encode())
        loss = float(-np.mean(y[rows] * np.log(risk) + (1 - y[rows]) * np.log(1 - risk)))
        follower.report(
            Progress(stage="final", model="seed", epoch=epoch, n_epochs=n_epochs, loss=loss, fraction=epoch / n_epochs)
        )
        time.sleep(inputs.settings.learning_rate)
    (folder / "weights.json").write_bytes(json.dumps(state["weights"]).encode())
    return {"weights": state["weights"], "pids": state["pids"]}


def leave_it(failure: object, settings: object, owner: str, run_id: str) -> None:
    """Make nothing ready for patients: what was done is no model."""


def explain_one_patient() -> None:
    """Explain the first patient of a list and no other, when training ends."""
    from medcore.explanation.model import first_patients

    first_patients.MOST_SECONDS = 0.0


def search_no_longer_than(n_trials: int) -> int:
    """Let searches of this process end after so many trials, and return after how many they did."""
    from medcore.models.selection import search

    before, search.MOST_TRIALS = search.MOST_TRIALS, n_trials
    return before


def count_on(path: str) -> None:
    """Count in a file for as long as nobody ends it; no ``except`` and no wish to stop are looked for."""
    number = 0
    while True:
        number += 1
        Path(path).write_text(str(number))
        time.sleep(0.01)


def is_imported(name: str) -> bool:
    """Whether this process has imported a module."""
    return name in sys.modules


def refuse(inputs: RunInputs, follower: RunFollower, folder: Folder) -> dict[str, Any]:
    """Find the input at fault."""
    raise TargetError("The outcome has {n} class.", n=1)


def stumble(inputs: RunInputs, follower: RunFollower, folder: Folder) -> dict[str, Any]:
    """Fail in a way nobody foresaw, with a patient's value in the error's text."""
    raise ValueError("cannot convert 'Mrs Miller'")


def die(inputs: RunInputs, follower: RunFollower, folder: Folder) -> dict[str, Any]:
    """Take the worker down, as the system does when memory runs out."""
    os.kill(os.getpid(), 9)
    return {}


def whereabouts(shared: list[int], step: int, sign: StopSignal) -> dict[str, int]:
    """Say which process did a step, on which copy of the data, and with how many threads; take a moment for it."""
    time.sleep(0.3)
    return {"step": step, "pid": os.getpid(), "copy": id(shared), "n_threads": n_threads()}


def die_once(shared: Path, step: int, sign: StopSignal) -> int:
    """Take the worker down at the first try of step 1, as the system does when memory runs out."""
    if step == 1 and not (shared / "tried").exists():
        (shared / "tried").touch()
        os.kill(os.getpid(), 9)
    return step * step


def wait_to_be_stopped(shared: Path, step: int, sign: StopSignal) -> None:
    """Work until nobody waits for it any more, then leave a sign of having heard."""
    (shared / f"begun-{step}").touch()
    while not sign.cancelled():
        time.sleep(0.02)
    (shared / f"heard-{step}").touch()


def refuse_step(shared: None, step: int, sign: StopSignal) -> int:
    """Find the input at fault, but for step 0."""
    if step == 0:
        return 0
    raise TargetError("The outcome has {n} class.", n=1)


def stumble_at_step(shared: None, step: int, sign: StopSignal) -> int:
    """Fail in a way nobody foresaw, with a patient's value in the error's text."""
    raise ValueError("cannot convert 'Mrs Miller'")


def read_greedily(theirs: Any, name: str, overrides: Any, scratch: str) -> None:
    """Ask for 64 GB with 8 allowed, as a reader of a hostile file does."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    theirs.recv_bytes()
    np.ones(64 << 30, np.uint8)


def read_and_crash(theirs: Any, name: str, overrides: Any, scratch: str) -> None:
    """End as native code does that is at fault, with half a file left."""
    (Path(scratch) / "half").write_bytes(theirs.recv_bytes())
    os.abort()


def read_for_ever(theirs: Any, name: str, overrides: Any, scratch: str) -> None:
    """Never come to an end."""
    theirs.recv_bytes()
    time.sleep(60)
