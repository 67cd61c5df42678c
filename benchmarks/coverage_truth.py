"""Do the printed 95 % intervals hold the truth of the model that is delivered? ``python benchmarks/coverage_truth.py``.

Tables are simulated from a known logistic truth (four real predictors, one of them bent, six of
noise), a model is trained on each as the command line does, and its true AUROC, calibration slope,
calibration in the large and net benefit are worked out on 20,000 new patients whose chances are
known. Printed is how often the out-of-fold intervals of the run hold them: 92–98 % is asked for.
With ``--grouped`` every patient has two rows with a common random effect. With ``--noise`` no predictor
says anything: the mean AUROC must be 0.5 ± 0.02, and 95 % of runs must say that no skill can be shown.

One design is a matter of minutes to hours (``--learner auto`` takes 20 s a repeat), so it runs in parts:
``--learner logistic --n 200 --prevalence 0.4 --repeats 200 --first 0 --json part.jsonl``; parts are added up
with ``--read part.jsonl …``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.evaluation.curves.utility import net_benefit
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.training import train
from medcore.statistics.logistic import fit_logistic, logit

EFFECTS = np.array([1.0, -0.7, 0.5, 0.3])
N_NOISE, N_NEW, LOWEST, HIGHEST = 6, 20_000, 0.92, 0.98
FIGURES = ("auroc", "calibration_slope", "calibration_intercept", "net_benefit")


def table(
    n: int, intercept: float, rng: np.random.Generator, *, grouped: bool, noise: bool
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with its outcome, and every row's true chance of the event."""
    values = rng.normal(size=(n, len(EFFECTS) + N_NOISE)).round(4)
    score = np.zeros(n) if noise else values[:, :4] @ EFFECTS + 0.4 * (values[:, 1] ** 2 - 1)
    patient = np.arange(n) // 2 if grouped else np.arange(n)
    own = rng.normal(0, 0.8, n)[patient] if grouped else 0.0
    outcome = rng.random(n) < expit(intercept + score + own)
    frame = pd.DataFrame(values.astype(str), columns=[f"x{k}" for k in range(values.shape[1])])
    if grouped:
        frame["patient"] = [f"P{k}" for k in patient]
    return frame.assign(event=np.where(outcome, "yes", "no")), _chance(intercept + score, grouped=grouped)


def _chance(score: np.ndarray, *, grouped: bool) -> np.ndarray:
    """Average the chance over the patients' own effects (Gauss–Hermite)."""
    if not grouped:
        return expit(score)
    points, weights = np.polynomial.hermite_e.hermegauss(21)
    return expit(score[:, None] + 0.8 * points) @ weights / weights.sum()


def intercept_of(prevalence: float, *, grouped: bool, noise: bool) -> float:
    """Find the intercept that gives a prevalence."""

    def gap(value: float) -> float:
        return (
            float(table(50_000, value, np.random.default_rng(0), grouped=grouped, noise=noise)[1].mean()) - prevalence
        )

    return float(brentq(gap, -12, 12, xtol=1e-3))


def repeat(options: argparse.Namespace, number: int, intercept: float) -> dict[str, Any]:
    """Train on one table; return every figure's interval and the truth of the delivered model."""
    design = {"grouped": options.grouped, "noise": options.noise}
    rng = np.random.default_rng([number, options.n, int(1000 * options.prevalence)])
    frame, _chance_here = table(options.n, intercept, rng, **design)
    schema = choose_target(infer_schema(frame), frame, "event", positive="yes")
    if options.grouped:
        schema = schema.change("patient", role="group")
    cohort = Cohort(frame, schema, "0" * 64, "simulated.csv")
    recipe = default_recipe(schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings(test_size=0.0, seed=number))
    settings = TrainSettings.preset(options.learner, seed=number)
    run = train(prepared, split, settings, schema=schema, recipe=recipe, cohort_sha256=cohort.sha256)
    figures = dict(run.cross_validated.metrics)
    patients = run.results.training
    event = (patients.outcome == 1).astype(float)
    figures["net_benefit"] = net_benefit(event, patients.risk[:, 1], options.prevalence, groups=patients.groups)
    new, chance = table(N_NEW, intercept, np.random.default_rng(12345), **design)
    true = truths(run.bundle.predict(new)[:, 1], chance, options.prevalence)
    codes = [f.code for f in run.findings]
    return {
        "figures": {k: [figures[k].value, figures[k].low, figures[k].high, true[k]] for k in FIGURES},
        "no_skill": "model.no_better_than_prevalence" in codes,
    }


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


def summary(found: list[dict[str, Any]], *, noise: bool) -> bool:
    """Print coverage and bias of every figure; return whether all is as asked."""
    good = True
    for name in FIGURES:
        rows = np.array([f["figures"][name] for f in found], dtype=float)
        rows = rows[~np.isnan(rows).any(axis=1)]
        if not len(rows):
            print(f"{name:24} no interval")
            continue
        value, low, high, true = rows.T
        held, error = float(((low <= true) & (true <= high)).mean()), float(np.sqrt(0.05 * 0.95 / len(rows)))
        if not noise:
            good &= LOWEST - 2 * error <= held <= HIGHEST + 2 * error
        print(
            f"{name:24} {held:6.1%} of {len(rows)} (truth below {np.mean(true < low):.1%}, above {np.mean(true > high):.1%}); "
            f"mean {value.mean():.3f}, truth {true.mean():.3f}"
        )
    if noise:
        mean = float(np.nanmean([f["figures"]["auroc"][0] for f in found]))
        shown = float(np.mean([f["no_skill"] for f in found]))
        print(f"noise: mean AUROC {mean:.3f}; no skill shown in {shown:.1%}")
        good = abs(mean - 0.5) <= 0.02 and shown >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / len(found))
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learner", default="logistic", help="as --model of the command line")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--prevalence", type=float, default=0.4)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first repeat: parts may run side by side")
    parser.add_argument("--grouped", action="store_true")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--json", type=Path, help="add every repeat to this file as it is done")
    parser.add_argument("--read", type=Path, nargs="+", help="only add up what such files hold")
    options = parser.parse_args()
    if options.read:
        return int(
            not summary([json.loads(t) for p in options.read for t in p.read_text().splitlines()], noise=options.noise)
        )
    intercept = intercept_of(options.prevalence, grouped=options.grouped, noise=options.noise)
    found = []
    for number in range(options.first, options.first + options.repeats):
        found.append(repeat(options, number, intercept))
        if options.json:
            with options.json.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
        print(f"{number + 1 - options.first}/{options.repeats}", end="\r", file=sys.stderr, flush=True)
    return int(not summary(found, noise=options.noise))


if __name__ == "__main__":
    raise SystemExit(main())
