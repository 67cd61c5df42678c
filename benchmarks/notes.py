"""Is a model of notes better than weighted words in a regression? ``python benchmarks/notes.py [--csv FILE] [--model NAME] [--rows N] [--only abstracts] [--json FILE]``.

On abstracts of five kinds of disease (columns ``condition`` and ``abstract``) a model of medcore and
scikit-learn's TF-IDF with logistic regression, as it comes and with balanced classes, learn from and are
judged on the same folds, several times parted anew: log loss, and macro-F1 by each rule that Evaluate offers, of the
likeliest class and of the class whose risk is the highest beside its share (what balanced classes come to). Then on simulated patients, whose event
depends on age and on two signs that only the note tells, AUROC of the column, of the note and of both; and whether the
highlights mean something: what striking the phrase that did most changes beside striking another one, the share of
the contributions that phrases without a sign have, and how the highlights of a model of shuffled outcomes go with them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.evaluation.curves.calls import CALL_RULES, called
from medcore.explanation.patient.patients import explain_row
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.statistics.scores import class_log_loss

ABSTRACTS = Path(__file__).resolve().parent.parent / "shared" / "data" / "medical_abstracts.csv"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, default=ABSTRACTS)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rows", type=int, help="abstracts, drawn by chance, where not all")
    parser.add_argument("--only", choices=("abstracts", "simulated"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = pd.read_csv(options.csv)
    table = table.sample(options.rows, random_state=0) if options.rows else table
    rows = []
    if options.only != "simulated":
        rows += [repeat(table, seed, options.model) for seed in range(options.repeats)]
    if options.only != "abstracts":
        rows.append(simulated(options.model))
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def cohort_of(table: pd.DataFrame, outcome: str, note: str | None, positive: str | None = None) -> Cohort:
    cohort = read_table(("table.csv", table.to_csv(index=False).encode()))
    schema = cohort.schema.change(outcome, role="outcome")
    schema = schema.change(note, kind="note", role="predictor") if note else schema
    return cohort.with_schema(schema.__class__(schema.columns, positive))


def repeat(table: pd.DataFrame, seed: int, model: str) -> dict[str, float]:
    """Judge all on the same folds."""
    cohort, split = cohort_of(table, "condition", "abstract"), SplitSettings(test_size=0.0, seed=seed)
    started = time.process_time()
    run = train_cohort(cohort, TrainSettings(model=model, seed=seed), split=split)
    seconds = time.process_time() - started
    training = run.results.training
    found = {"seed": float(seed), "cpu_s": seconds} | judged(model, training.outcome, training.risk)
    for one in run.results.candidates:
        found |= judged(f"part {one.name}", training.outcome, one.oof)
    prepared = prepare(cohort, default_recipe(cohort.schema))
    folds = make_split(prepared, split).folds
    text, outcome = prepared.predictors["abstract"].to_numpy(), prepared.outcome
    for name, weights in (("tfidf + regression", None), ("tfidf + balanced regression", "balanced")):
        risk = np.zeros(training.risk.shape)
        for fold in range(folds.max() + 1):
            peer = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000, class_weight=weights))
            risk[folds == fold] = peer.fit(text[folds != fold], outcome[folds != fold]).predict_proba(
                text[folds == fold]
            )
        found |= judged(name, outcome, risk)
    print(", ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)
    return found


def judged(name: str, outcome: np.ndarray, risk: np.ndarray) -> dict[str, float]:
    """Return a model's log loss, and its macro-F1 by each rule."""
    shares = np.bincount(outcome) / len(outcome)
    said = {rule: called(risk, rule, shares) for rule in CALL_RULES}
    figures = {f"{name}: {rule}": float(f1_score(outcome, said[rule], average="macro")) for rule in CALL_RULES}
    return {f"{name}: log loss": class_log_loss(outcome, risk)} | figures


def simulated(model: str, n: int = 600) -> dict[str, float]:
    """Judge a column, a note and both where the event depends on both."""
    rng = np.random.default_rng(0)
    age, (short, swollen) = rng.normal(60, 10, n).round(), rng.random((2, n)) < 0.5
    event = rng.random(n) < 1 / (1 + np.exp(-(1.5 * short + 1.5 * swollen - 1.5 + (age - 60) / 8)))
    notes = [
        f"{'Reports' if s else 'Denies'} dyspnoea. {'Ankle oedema' if o else 'No oedema'}. Seen on day {i % 30}."
        for i, (s, o) in enumerate(zip(short, swollen, strict=True))
    ]
    table = pd.DataFrame({"age": age, "note": notes, "event": np.where(event, "yes", "no")})
    found = {}
    for name, columns in (("age", ["age"]), ("note", ["note"]), ("age and note", ["age", "note"])):
        cohort = cohort_of(table[[*columns, "event"]], "event", "note" if "note" in columns else None, "yes")
        run = train_cohort(cohort, TrainSettings(model=model), split=SplitSettings(test_size=0.0))
        found[name] = run.results.cross_validated.metrics["auroc"].value
    found |= highlights(run.bundle, shuffled(table, model), table)
    print(", ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)
    return found


def shuffled(table: pd.DataFrame, model: str) -> Bundle:
    """Train on outcomes that belong to other patients."""
    mixed = table.assign(event=np.random.default_rng(1).permutation(table["event"]))
    return train_cohort(
        cohort_of(mixed, "event", "note", "yes"), TrainSettings(model=model), split=SplitSettings(test_size=0.0)
    ).bundle


def highlights(bundle: Bundle, other: Bundle, table: pd.DataFrame, n: int = 40) -> dict[str, float]:
    """Strike phrases of some patients, and compare their contributions with those by a model that learnt nothing."""
    rng = np.random.default_rng(2)
    moved, beside, silent, whole, own, nothing = [], [], 0.0, 0.0, [], []
    for row in range(n):
        parts = explain_row(bundle, table, row).contributions[1].parts
        sizes = np.abs([part.contribution for part in parts])
        most = int(sizes.argmax())
        random = int(rng.choice([k for k in range(len(parts)) if k != most]))
        silent += float(sum(s for s, part in zip(sizes, parts, strict=True) if "Seen" in part.part))
        whole += float(sizes.sum())
        own.extend(part.contribution for part in parts)
        nothing.extend(part.contribution for part in explain_row(other, table, row).contributions[1].parts)
        for place, into in ((most, moved), (random, beside)):
            rest = "".join(part.part for k, part in enumerate(parts) if k != place)
            struck = table.iloc[[row]].assign(note=rest)
            into.append(abs(float((bundle.predict(struck) - bundle.predict(table.iloc[[row]]))[0, 1])))
    return {
        "struck most": float(np.mean(moved)),
        "struck another": float(np.mean(beside)),
        "silent phrases' share": silent / whole,
        "correlation with shuffled": float(spearmanr(own, nothing).statistic),
    }


if __name__ == "__main__":
    raise SystemExit(main())
