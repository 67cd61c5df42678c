"""How fast is the reference network trained? ``python benchmarks/training_speed.py [--json]``.

The same network (dense 128, 64, 32; Adam; 100 epochs; batches of 32; a tenth of the
training rows for validation) on scikit-learn's breast cancer table, 455 patients to
train and 114 to test: by medcore's trainer cold (its program is compiled first) and
warm, by ``keras.Model.fit``, and scikit-learn's ``MLPClassifier``, in one process and
in turn. Wall-clock seconds are what a person waits; processor seconds are beside them
because they hardly change on a busy machine. Imports, and what a worker does before its
first task (``medcore.models.run.warmth``), are not counted. The script ends
with code 1 when a claim does not hold: warm at least 20 times faster than ``fit`` and
no slower than scikit-learn, cold at least 6 times faster than ``fit``, and a mean test
AUROC within 0.005 of Keras'.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from medcore.models.run.warmth import warm_up
from medcore.models.trainer.train import NetworkSettings, members_for, train_networks

LAYERS, EPOCHS, BATCH = (128, 64, 32), 100, 32
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Fit = Callable[[Split, int], np.ndarray]


def split(seed: int) -> Split:
    """Return scaled rows and outcomes, 455 to train and 114 to test."""
    x, y = load_breast_cancer(return_X_y=True)
    train, test, y_train, y_test = train_test_split(x, 1 - y, test_size=114, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(train)
    return scaler.transform(train).astype(np.float32), scaler.transform(test).astype(np.float32), y_train, y_test


def by_medcore(data: Split, seed: int) -> np.ndarray:
    x, test, y, _ = data
    return train_networks(x, y, 2, members_for(y, seed=seed), NetworkSettings()).risk(test)[:, 1]


def by_keras(data: Split, seed: int) -> np.ndarray:
    import keras

    x, test, y, _ = data
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(width, activation="relu") for width in LAYERS]
    model = keras.Sequential([keras.Input((x.shape[1],)), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=[keras.metrics.AUC()])
    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, validation_split=0.1, verbose=0)
    return model.predict(test, verbose=0)[:, 0]


def by_scikit_learn(data: Split, seed: int) -> np.ndarray:
    x, test, y, _ = data
    model = MLPClassifier(
        LAYERS, batch_size=BATCH, max_iter=EPOCHS, tol=0.0, n_iter_no_change=EPOCHS, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y).predict_proba(test)[:, 1]


def timed(fit: Fit, seed: int) -> tuple[float, float, float]:
    """Return wall-clock seconds, processor seconds and test AUROC of one fit."""
    data = split(seed)
    wall, processor = time.perf_counter(), time.process_time()
    risk = fit(data, seed)
    return time.perf_counter() - wall, time.process_time() - processor, float(roc_auc_score(data[3], risk))


def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Return the median seconds and mean AUROC of each way, taken in turn."""
    warm_up()
    found: dict[str, list[tuple[float, float, float]]] = {"medcore, cold": [timed(by_medcore, 0)]}
    ways: dict[str, Fit] = {
        "medcore, warm": by_medcore,
        "scikit-learn MLPClassifier": by_scikit_learn,
        "keras fit": by_keras,
    }
    for seed in range(repeats):
        for name, fit in ways.items():
            found.setdefault(name, []).append(timed(fit, seed))
    return {
        name: {
            "seconds": float(np.median([f[0] for f in runs])),
            "processor_seconds": float(np.median([f[1] for f in runs])),
            "auroc": float(np.mean([f[2] for f in runs])),
        }
        for name, runs in found.items()
    }


def claims(found: dict[str, dict[str, float]]) -> dict[str, bool]:
    """Say which claims hold, by the clock on the wall."""
    warm, cold = found["medcore, warm"], found["medcore, cold"]
    fit, scikit = found["keras fit"], found["scikit-learn MLPClassifier"]
    return {
        "warm 20 times faster than fit": fit["seconds"] >= 20.0 * warm["seconds"],
        "warm no slower than scikit-learn": warm["seconds"] <= scikit["seconds"],
        "cold 6 times faster than fit": fit["seconds"] >= 6.0 * cold["seconds"],
        "AUROC within 0.005 of Keras": abs(warm["auroc"] - fit["auroc"]) <= 0.005,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.repeats)
    held = claims(found)
    if asked.json:
        print(json.dumps({"measured": found, "claims": held}))
    else:
        for name, values in found.items():
            print(
                f"{name:28s} {values['seconds']:8.2f} s {values['processor_seconds']:8.2f} s CPU   AUROC {values['auroc']:.4f}"
            )
        for claim, holds in held.items():
            print(f"{'yes' if holds else 'NO ':3s} {claim}")
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
