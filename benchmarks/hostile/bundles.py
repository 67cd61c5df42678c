"""Bundles changed in one place, opened."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from medcore.cli import main as shell
from medcore.data.samples import load_sample
from medcore.errors import MedcoreError
from medcore.models.bundle.bundle import load_bundle


def bundles(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Change a bundle in one place and open it."""
    table = folder / "heart.csv"
    load_sample("heart").frame.to_csv(table, index=False)
    target = load_sample("heart").schema.outcome
    assert target is not None
    assert shell(["train", str(table), "--target", target.name, "--model", "logistic", "--out", str(folder / "b")]) == 0
    load_bundle(folder / "b")  # as it was made it opens
    answers: Counter[str] = Counter()
    for number in range(n):
        rng = random.Random(seed + number)
        copy = folder / f"b{number}"
        shutil.copytree(folder / "b", copy)
        files = sorted(p for p in copy.rglob("*") if p.is_file())
        victim = rng.choice(files)
        change = rng.randrange(6)
        if change == 0:
            data = bytearray(victim.read_bytes())
            data[rng.randrange(len(data))] ^= 1 + rng.randrange(255)
            victim.write_bytes(data)
        elif change == 1:
            victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
        elif change == 2:
            victim.unlink()
        elif change == 3:
            (victim.parent / rng.choice(["x.pkl", "more.npy", "evil.py"])).write_bytes(rng.randbytes(90))
        elif change == 4:
            victim.unlink()
            victim.symlink_to("/etc/hostname")
        else:
            manifest = copy / "manifest.json"
            told = json.loads(manifest.read_text())
            key = rng.choice(sorted(told))
            told[key] = rng.choice([None, -1, "../../x", [], {}, 1e308, "x" * 10_000])
            manifest.write_text(json.dumps(told))
        try:
            load_bundle(copy)
            answers["opened"] += 1
        except MedcoreError:
            answers["one sentence"] += 1
        except Exception as error:
            answers[f"{type(error).__name__} (change {change}, {victim.name})"] += 1
        shutil.rmtree(copy)
    return {"bundles": n, "answers": dict(answers)}
