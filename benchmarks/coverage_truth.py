"""Do the printed 95 % intervals hold the truth of the model that is delivered? ``python benchmarks/coverage_truth.py``.

Tables are simulated from a known logistic truth (four real predictors, one of them bent, six of
noise), a model is trained on each as the command line does, and its true AUROC, calibration slope,
calibration in the large and net benefit are worked out on 16,384 points of Sobol's sequence whose
chances are known. Printed is how often the out-of-fold intervals of the run hold them: 92–98 % is
asked for. With ``--grouped`` every patient has two rows with a common random effect. With ``--noise`` no
predictor says anything: the mean AUROC must be 0.5 ± 0.02, and 95 % of runs must say that no skill can be shown.

``--learner ridge`` is a bare ridge regression without medcore's training (a thirtieth of a second a table), for
designs in which a few tables in a hundred matter, and ``ridge-squares`` one of twice as many columns. One design of the others is a matter of minutes to hours (``--learner auto`` takes 20 s a repeat), so it runs in parts and
goes on where it was left: ``--learner logistic --n 200 --prevalence 0.4 --repeats 200 --json part.jsonl``. A part
keeps the out-of-fold risks and the truth, and ``--read part.jsonl …`` judges them by the intervals as they are now.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm, qmc
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.evaluation import Estimate, evaluate, net_benefit
from medcore.models.contract.candidate import candidates
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.training import train
from medcore.statistics.logistic import fit_logistic, logit

EFFECTS = np.array([1.0, -0.7, 0.5, 0.3])
N_NOISE, OWN, POWER, LOWEST, HIGHEST = 6, 0.8, 14, 0.92, 0.98
SQUARES = "ridge-squares"
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
FIGURES = ("auroc", "calibration_slope", "calibration_intercept", "net_benefit")


def table(n: int, intercept: float, rng: np.random.Generator, *, grouped: bool, noise: bool) -> pd.DataFrame:
    """Draw a table with its outcome."""
    values, outcome, patient = drawn(n, intercept, rng, grouped=grouped, noise=noise)
    frame = _frame(values)
    if grouped:
        frame["patient"] = [f"P{k}" for k in patient]
    return frame.assign(event=np.where(outcome, "yes", "no"))


def drawn(
    n: int, intercept: float, rng: np.random.Generator, *, grouped: bool, noise: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw values (n, P), outcomes and patients (n,)."""
    values = rng.normal(size=(n, len(EFFECTS) + N_NOISE)).round(4)
    patient = np.arange(n) // 2 if grouped else np.arange(n)
    own = rng.normal(0, OWN, n)[patient] if grouped else 0.0
    return values, rng.random(n) < expit(_score(values, intercept, noise=noise) + own), patient


@cache
def population(intercept: float, *, grouped: bool, noise: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Return patients who stand for all (Sobol's points, so that no chance is left), and their true chances of the event."""
    values = _points()
    return _frame(values), _chance(_score(values, intercept, noise=noise), grouped=grouped)


@cache
def _points() -> np.ndarray:
    uniform = qmc.Sobol(len(EFFECTS) + N_NOISE, seed=1).random_base2(POWER)
    return norm.ppf(np.clip(uniform, 1e-9, 1 - 1e-9)).round(4)


def _frame(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values.astype(str), columns=[f"x{k}" for k in range(values.shape[1])])


def _score(values: np.ndarray, intercept: float, *, noise: bool) -> np.ndarray:
    signal = values[:, :4] @ EFFECTS + 0.4 * (values[:, 1] ** 2 - 1)
    return intercept + (0.0 if noise else 1.0) * signal


def _chance(score: np.ndarray, *, grouped: bool) -> np.ndarray:
    """Average the chance over the patients' own effects (Gauss–Hermite)."""
    if not grouped:
        return expit(score)
    points, weights = np.polynomial.hermite_e.hermegauss(21)
    return expit(score[:, None] + OWN * points) @ weights / weights.sum()


def intercept_of(prevalence: float, *, grouped: bool, noise: bool) -> float:
    """Find the intercept that gives a prevalence."""

    def gap(value: float) -> float:
        return float(_chance(_score(_points(), value, noise=noise), grouped=grouped).mean()) - prevalence

    return float(brentq(gap, -12, 12, xtol=1e-4))


def design_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what says which table is simulated and which model is trained."""
    return {name: getattr(options, name) for name in ("learner", "n", "prevalence", "grouped", "noise")}


def repeat(options: argparse.Namespace, number: int, intercept: float) -> dict[str, Any]:
    """Train on one table; return its out-of-fold risks, and the truth of the delivered model."""
    rng = np.random.default_rng([number, options.n, int(1000 * options.prevalence)])
    frame = table(options.n, intercept, rng, grouped=options.grouped, noise=options.noise)
    schema = choose_target(infer_schema(frame), frame, "event", positive="yes")
    if options.grouped:
        schema = schema.change("patient", role="group")
    cohort = Cohort(frame, schema, "0" * 64, "simulated.csv")
    recipe = default_recipe(schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings(test_size=0.0, seed=number))
    settings = TrainSettings.preset(options.learner, seed=number)
    began = time.process_time()
    run = train(prepared, split, settings, schema=schema, recipe=recipe, cohort_sha256=cohort.sha256)
    seconds = time.process_time() - began
    patients = run.results.training
    new, chance = population(intercept, grouped=options.grouped, noise=options.noise)
    return {
        "number": number,
        "design": design_of(options),
        "outcome": patients.outcome.tolist(),
        "risk": patients.risk[:, 1].tolist(),
        "folds": run.results.folds.tolist(),
        "groups": None if patients.groups is None else patients.groups.tolist(),
        "truth": truths(run.bundle.predict(new)[:, 1], chance, options.prevalence),
        "no_skill": "model.no_better_than_prevalence" in [f.code for f in run.findings],
        "calibrator": run.bundle.calibrator.method,
        "seconds": round(seconds, 2),
    }


def ridge(options: argparse.Namespace, number: int, intercept: float) -> dict[str, Any]:
    """Do the same with a bare ridge regression, whose penalty for a fold is that which served the other folds best."""
    rng = np.random.default_rng([number, options.n, int(1000 * options.prevalence)])
    values, event, patient = drawn(options.n, intercept, rng, grouped=options.grouped, noise=options.noise)
    squares = options.learner == SQUARES
    values, outcome = _with_squares(values) if squares else values, event.astype(int)
    kind = StratifiedGroupKFold if options.grouped else StratifiedKFold
    parts = kind(5, shuffle=True, random_state=number).split(values, outcome, patient if options.grouped else None)
    folds, risks = np.empty(options.n, dtype=int), np.empty((len(PENALTIES), options.n))
    for fold, (others, here) in enumerate(parts):
        folds[here], start = fold, None
        for place, inverse in enumerate(PENALTIES):
            start = _ridge(values[others], outcome[others], inverse, start)
            risks[place, here] = expit(start[0] + values[here] @ start[1:])
    losses = -np.log(np.where(outcome == 1, risks, 1 - risks))
    best = [losses[:, folds != fold].mean(axis=1).argmin() for fold in range(5)]
    final = _ridge(values, outcome, PENALTIES[losses.mean(axis=1).argmin()])
    _new, chance = population(intercept, grouped=options.grouped, noise=options.noise)
    new = _with_squares(_points()) if squares else _points()
    return {
        "number": number,
        "design": design_of(options),
        "outcome": outcome.tolist(),
        "risk": risks[np.array(best)[folds], np.arange(options.n)].tolist(),
        "folds": folds.tolist(),
        "groups": patient.tolist() if options.grouped else None,
        "truth": truths(expit(final[0] + new @ final[1:]), chance, options.prevalence),
        "no_skill": False,
    }


def _with_squares(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values, values**2 - 1])


def _ridge(values: np.ndarray, outcome: np.ndarray, inverse: float, start: np.ndarray | None = None) -> np.ndarray:
    """Fit intercept and coefficients by Newton's method; steps of more than 3 are cut."""
    design = np.column_stack([np.ones(len(values)), values])
    penalty = np.r_[0.0, np.full(values.shape[1], 1 / inverse)]
    found = np.zeros(design.shape[1]) if start is None else start.copy()
    for _step in range(30):
        p = expit(design @ found)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(hessian, design.T @ (outcome - p) - penalty * found)
        largest = float(np.abs(step).max())
        found += step * min(1.0, 3 / largest)
        if largest < 1e-6:
            break
    return found


def truths(risk: np.ndarray, chance: np.ndarray, threshold: float) -> dict[str, float]:
    """Return the figures of a model whose risks and patients' chances are known: expectations, not draws."""
    order = np.argsort(risk, kind="stable")
    p = chance[order]
    below = np.cumsum(1 - p) - (1 - p) / 2
    design = np.column_stack([np.ones(len(risk)), logit(risk)])
    slope = fit_logistic(chance, design) if np.ptp(risk) > 1e-9 else None
    in_the_large = fit_logistic(chance, design[:, :1], offset=design[:, 1])
    flagged = risk >= threshold
    return {
        "auroc": float((p * below).sum() / (p.sum() * (1 - p).sum())) if np.ptp(risk) > 1e-9 else 0.5,
        "calibration_slope": float(slope.coefficients[1]) if slope else float("nan"),
        "calibration_intercept": float(in_the_large.coefficients[0]) if in_the_large else float("nan"),
        "net_benefit": float((flagged * (chance - threshold / (1 - threshold) * (1 - chance))).mean()),
    }


def intervals(record: dict[str, Any]) -> dict[str, Estimate]:
    """Return the figures that are printed for a run's out-of-fold risks."""
    outcome, risk, folds = (np.array(record[name]) for name in ("outcome", "risk", "folds"))
    groups = None if record["groups"] is None else np.array(record["groups"])
    both = np.column_stack([1 - risk, risk])
    known, learner = candidates(), record["design"]["learner"]
    restarted = learner in known and known[learner].restarted
    judged = evaluate(outcome, both, ("no", "yes"), groups=groups, folds=folds, restarted=restarted, n_boot=20)
    found = dict(judged.metrics)
    threshold, event = record["design"]["prevalence"], outcome.astype(float)
    return found | {"net_benefit": net_benefit(event, risk, threshold, groups=groups, folds=folds)}


def summary(records: list[dict[str, Any]]) -> bool:
    """Print a line for every design and figure; return whether all is as asked."""
    designs: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        designs.setdefault(json.dumps(record["design"]), []).append(record)
    print("| design | repeats | figure | held ± SE | truth below, above | no interval | mean value | mean truth |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    good = [_line(json.loads(name), found) for name, found in designs.items()]
    return all(good)


def _line(design: dict[str, Any], records: list[dict[str, Any]]) -> bool:
    words = f"{design['learner']}, n {design['n']}, {design['prevalence']:.0%}"
    words += ", two rows a patient" * design["grouped"] + ", noise" * design["noise"]
    judged, good = [intervals(record) for record in records], True
    for name in FIGURES:
        pairs = zip((found[name] for found in judged), records, strict=True)
        rows = np.array([[e.value, e.low, e.high, record["truth"][name]] for e, record in pairs])
        known = rows[~np.isnan(rows).any(axis=1)]
        if design["noise"] or not len(known):
            continue
        value, low, high, true = known.T
        held = float(((low <= true) & (true <= high)).mean())
        error = float(np.sqrt(max(held * (1 - held), 0.05 * 0.95) / len(known)))
        good &= LOWEST - 2 * error <= held <= HIGHEST + 2 * error
        print(
            f"| {words} | {len(known)} | {name} | {held:.1%} ± {error:.1%} | {np.mean(true < low):.1%}, "
            f"{np.mean(true > high):.1%} | {len(rows) - len(known)} | {value.mean():.3f} | {true.mean():.3f} |"
        )
    if design["noise"]:
        mean = float(np.nanmean([f["auroc"].value for f in judged]))
        shown = float(np.mean([r["no_skill"] for r in records]))
        error = float(np.sqrt(0.05 * 0.95 / len(records)))
        good = abs(mean - 0.5) <= 0.02 and shown >= 0.95 - 2 * error
        print(f"| {words} | {len(records)} | no skill shown | {shown:.1%} ± {error:.1%} | | | AUROC {mean:.3f} | 0.5 |")
    return good


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Read every repeat that files hold, each once."""
    found = [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]
    return list({json.dumps([f["design"], f["number"]]): f for f in found}.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learner", default="logistic", help="as --model of the command line, or ridge, ridge-squares")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--prevalence", type=float, default=0.4)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first repeat: parts may run side by side")
    parser.add_argument("--grouped", action="store_true")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument(
        "--json", type=Path, help="add every repeat to this file as it is done, and go on where it ends"
    )
    parser.add_argument("--read", type=Path, nargs="+", help="only add up what such files hold")
    options = parser.parse_args()
    if options.read:
        return int(not summary(read(options.read)))
    intercept = intercept_of(options.prevalence, grouped=options.grouped, noise=options.noise)
    before = read([options.json]) if options.json else []
    done = {record["number"]: record for record in before if record["design"] == design_of(options)}
    wanted = range(options.first, options.first + options.repeats)
    for number in wanted:
        if number in done:
            continue
        done[number] = (ridge if options.learner in ("ridge", SQUARES) else repeat)(options, number, intercept)
        if options.json:
            with options.json.open("a") as file:
                file.write(json.dumps(done[number]) + "\n")
        print(f"{number + 1 - options.first}/{options.repeats}", end="\r", file=sys.stderr, flush=True)
    return int(not summary([done[number] for number in wanted]))


if __name__ == "__main__":
    raise SystemExit(main())
