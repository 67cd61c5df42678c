"""One peer of ``survival.py``, trained in an environment of its own without medcore: ``python survival_peers.py NAME FOLDER``.

The folder holds ``train.csv`` and ``test.csv`` (predictors, ``time``, ``event``), ``kinds.json`` and ``times.npy``
(T,); the peer writes the risks of the test patients by those times, (n, T), as ``NAME.npy``, and seconds and
peak memory as ``NAME.json``. Preparation is the usual one: medians with indicators, one column a category.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TRIALS, SECONDS, FOLDS, ENSEMBLES = 2, 30, 3, 3
"""AutoPrognosis, by the last time that is judged: settings tried of each of its seven estimators, seconds at most for
each, folds, settings of weights tried. Its own defaults (20, 360, 5 and 15, five times over) are hours a table."""


def main(name: str, folder: Path) -> None:
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    facts = json.loads((folder / "kinds.json").read_text())
    train, test = (pd.read_csv(folder / f"{side}.csv", dtype=dict.fromkeys(facts, str)) for side in ("train", "test"))
    duration, event = train.pop("time").to_numpy(float), train.pop("event").to_numpy(bool)
    prepared = prepare(facts, train, drop="first" if name == "lifelines_cox" else None)
    x, held = prepared.transform(train), prepared.transform(test[train.columns])
    fit = PEERS[name]
    risk = fit(np.asarray(x, float), duration, event, np.asarray(held, float), np.load(folder / "times.npy"))
    np.save(folder / f"{name}.npy", np.clip(risk, 0.0, 1.0))
    used = {
        "seconds": time.perf_counter() - began,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    (folder / f"{name}.json").write_text(json.dumps(used))


def prepare(texts: list[str], train: pd.DataFrame, *, drop: str | None) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [c for c in train if c not in texts]
    filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=5, drop=drop, sparse_output=False)
    columns = ColumnTransformer([("numbers", filled, numbers), ("texts", one_hot, texts)])
    return make_pipeline(columns, VarianceThreshold()).fit(train)


def cox(x: Any, duration: Any, event: Any, held: Any, times: Any) -> Any:
    """Cox regression of lifelines; with a little ridge where it finds no solution without."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    table = pd.DataFrame(x).add_prefix("x").assign(time=duration, event=event)
    try:
        fitted = CoxPHFitter().fit(table, "time", "event")
    except ConvergenceError:
        fitted = CoxPHFitter(penalizer=0.01).fit(table, "time", "event")
    return 1.0 - fitted.predict_survival_function(pd.DataFrame(held).add_prefix("x"), times=times).to_numpy().T


def forest(x: Any, duration: Any, event: Any, held: Any, times: Any) -> Any:
    from sksurv.ensemble import RandomSurvivalForest

    return of_steps(RandomSurvivalForest(500, min_samples_leaf=15, random_state=0), x, duration, event, held, times)


def boosting(x: Any, duration: Any, event: Any, held: Any, times: Any) -> Any:
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    return of_steps(GradientBoostingSurvivalAnalysis(random_state=0), x, duration, event, held, times)


def of_steps(model: Any, x: Any, duration: Any, event: Any, held: Any, times: Any) -> Any:
    from sksurv.util import Surv

    curves = model.fit(x, Surv.from_arrays(event, duration)).predict_survival_function(held)
    return np.array([1.0 - curve(np.clip(times, *curve.domain)) for curve in curves])


def deephit(x: Any, duration: Any, event: Any, held: Any, times: Any) -> Any:
    """DeepHit for one event, with the settings of pycox's own example."""
    make_ready_for_pycox()
    import torch
    import torchtuples
    from pycox.models import DeepHitSingle

    np.random.seed(0)
    torch.manual_seed(0)
    labels = DeepHitSingle.label_transform(10, scheme="quantiles")
    order = np.random.default_rng(0).permutation(len(x))
    own, other = order[len(x) // 5 :], order[: len(x) // 5]
    x, held = x.astype("float32"), held.astype("float32")
    y = labels.fit_transform(duration[own].astype("float32"), event[own].astype("float32"))
    y_other = labels.transform(duration[other].astype("float32"), event[other].astype("float32"))
    net = torchtuples.practical.MLPVanilla(x.shape[1], [32, 32], labels.out_features, True, 0.1)
    model = DeepHitSingle(net, torchtuples.optim.Adam(0.01), alpha=0.2, sigma=0.1, duration_index=labels.cuts)
    stop = [torchtuples.callbacks.EarlyStopping()]
    model.fit(x[own], y, min(256, len(own)), 100, stop, verbose=False, val_data=(x[other], y_other))
    survival = model.interpolate(10).predict_surv_df(held)
    grid = np.concatenate([[0.0], survival.index.to_numpy()])
    return np.array([1.0 - np.interp(times, grid, np.concatenate([[1.0], s])) for s in survival.to_numpy().T])


def make_ready_for_pycox() -> None:
    import scipy.integrate

    if not hasattr(scipy.integrate, "simps"):  # pycox 0.3 asks for the old name
        scipy.integrate.simps = scipy.integrate.simpson


def autoprognosis(x: Any, duration: Any, event: Any, held: Any, times: Any) -> Any:
    """AutoPrognosis' study of all its risk estimators and transformations, an ensemble of the best three; few trials of each."""
    make_ready_for_pycox()
    from autoprognosis.studies.risk_estimation import RiskEstimationStudy

    columns, unit = [f"x{i}" for i in range(x.shape[1])], duration.max() / 10_000  # it takes whole numbers for horizons
    table = pd.DataFrame(x, columns=columns).assign(time=duration / unit, event=event.astype(int))
    horizons = np.maximum(np.rint(times / unit), 1.0).astype(int)
    with tempfile.TemporaryDirectory() as kept:
        study = RiskEstimationStudy(
            table,
            "event",
            "time",
            [int(horizons[-1])],
            num_iter=TRIALS,
            num_study_iter=1,
            num_ensemble_iter=ENSEMBLES,
            n_folds_cv=FOLDS,
            timeout=SECONDS,
            workspace=Path(kept),
            score_threshold=-1.0,  # else no model at all where the best is below 0.65
            sample_for_search=False,  # with it patients are drawn to search by, the rarer outcome less
        )
        said = study.fit().predict(pd.DataFrame(held, columns=columns), horizons.tolist())
    return np.asarray(said, dtype=float)


PEERS = {
    "lifelines_cox": cox,
    "sksurv_forest": forest,
    "sksurv_boosting": boosting,
    "pycox_deephit": deephit,
    "autoprognosis": autoprognosis,
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
