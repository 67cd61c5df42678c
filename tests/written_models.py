"""Small logistic models of tables with everything an equation must handle, and patients who answer at random."""

from pathlib import Path

import numpy as np
import pandas as pd

from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import Results, read_results, save_trained
from medcore.models.run.training import train

BLOODS = ("A", "B, Rh <neg>", "O")


def table(n: int, classes: int, seed: int = 0) -> pd.DataFrame:
    """Numbers that bend, gaps, ages, a code for missing, categories with a comma and an angle, a rare level."""
    rng = np.random.default_rng(seed)
    age, lactate = rng.normal(60, 12, n).round(1).clip(20, 96), rng.lognormal(0.5, 0.6, n).round(2)
    blood = rng.choice([*BLOODS, "rare"], n, p=[0.4, 0.3, 0.29, 0.01])
    score = ((age - 60) / 12) ** 2 + np.log(lactate) + (blood == "A") + rng.logistic(size=n)
    cuts = [1.5] if classes == 2 else np.quantile(score, np.arange(1, classes) / classes)
    frame = pd.DataFrame({"age": age, "lactate": lactate, "blood": blood, "score": rng.integers(0, 4, n).astype(float)})
    frame = frame.mask(rng.random(frame.shape) < 0.08)
    return frame.assign(outcome=[f"grade {k}" for k in np.digitize(score, cuts)])


def train_written(folder: Path, classes: int, *, model: str = "logistic") -> tuple[Bundle, Results]:
    """Train on 500 patients with ages over 89 capped, plausible ranges and a code for missing."""
    cohort = read_table(("ward.csv", table(500, classes).to_csv(index=False).encode()))
    schema = choose_target(cohort.schema, cohort.frame, "outcome")
    schema = schema.change("age", low=0.0, high=120.0).change("lactate", low=0.0, high=40.0, missing_codes=("9.99",))
    schema = schema.change("score", kind="numeric", low=None, high=None, missing_codes=("-1",))
    recipe = default_recipe(schema).switch("cap_ages", True)
    prepared = prepare(cohort.with_schema(schema), recipe)
    split = make_split(prepared, SplitSettings(test_size=0.2))
    settings = TrainSettings(model=model, epochs=2)
    save_trained(train(prepared, split, settings, schema=schema, recipe=recipe, cohort_sha256=cohort.sha256), folder)
    return load_bundle(folder), read_results(folder)


def random_answers(n: int, seed: int = 1) -> list[dict[str, str]]:
    """What people type: numbers in and out of range, implausible ones, codes for missing, unknown categories, nothing."""
    rng = np.random.default_rng(seed)
    answers = []
    for _patient in range(n):
        answer = {
            "age": f"{rng.normal(60, 25):.1f}",
            "lactate": f"{rng.lognormal(0.5, 1.2):.3g}",
            "blood": str(rng.choice([*BLOODS, "rare", "AB"])),
            "score": str(rng.integers(-1, 6)),
        }
        if rng.random() < 0.1:
            answer["lactate"] = "9.99"
        if rng.random() < 0.1:
            answer["age"] = str(rng.choice(["-3", "121", "89.5", "95", "90", "1e2"]))
        answers.append({name: "" if rng.random() < 0.15 else value for name, value in answer.items()})
    return answers
