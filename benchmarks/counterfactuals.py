"""Are the changes that carry a patient across the threshold few, small and real? ``python benchmarks/counterfactuals.py``.

The reference network on heart disease (four hospitals) and breast masses; patients of
the test set above 0.5 and the columns that nobody can change locked, for medcore and
for dice-ml's three methods that need no gradient (random, genetic, kdtree), at their
defaults and with three answers asked for. dice-ml runs in an environment of its own
(``--peer``, made by ``python -m venv .envs/dice`` and its pip) and asks the same network
through a pipe. "Own seconds" are without those of the model, and without the pipe. dice-ml takes no missing values: they are filled beforehand, for both.
The first patient warms up and is not counted. The script ends with code 1 when an
answer of medcore does not cross the threshold, changes a locked column, or has a
value that no training patient has.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target
from medcore.explanation import counterfactuals
from medcore.explanation.patient.changes import unchangeable
from medcore.explanation.patient.changes.counterfactual import different
from medcore.explanation.patient.reference import Reference
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort

THRESHOLD, N_ANSWERS = 0.5, 3
PEER = Path(__file__).resolve().parents[1] / ".envs" / "dice" / "bin" / "python"
METHODS = ("medcore", "dice random", "dice genetic", "dice kdtree")


@dataclass(frozen=True)
class Case:
    """One network, its training patients, and the patients to be carried across, as codes."""

    name: str
    bundle: Bundle
    reference: Reference
    patients: np.ndarray
    locked: tuple[str, ...]

    def risk(self, codes: np.ndarray) -> np.ndarray:
        """Return the risk of the second class."""
        return np.asarray(self.bundle.risk(codes), dtype=np.float64)[:, 1]

    @property
    def numeric(self) -> np.ndarray:
        """Which columns are numbers."""
        return np.array([kind == "numeric" for kind in self.bundle.codebook.kinds])


@dataclass(frozen=True)
class Answer:
    """What one method says of one patient: changed patients as codes, and how long it took."""

    changed: np.ndarray
    seconds: float
    own_seconds: float


def filled(key: str) -> Cohort:
    """Return a sample without missing values: the median, or the most frequent category."""
    cohort = load_sample(key)
    prepared = prepare(cohort, default_recipe(cohort.schema))
    frame = prepared.predictors.copy()
    for name, kind in prepared.kinds.items():
        frame[name] = frame[name].fillna(frame[name].median() if kind == "numeric" else frame[name].mode()[0])
    frame["outcome_known"] = [prepared.classes[int(k)] for k in prepared.outcome]
    read = read_table((f"{key}.csv", frame.to_csv(index=False).encode()))
    return read.with_schema(choose_target(read.schema, read.frame, "outcome_known", positive=str(prepared.classes[-1])))


def case_of(name: str, cohort: Cohort, n_patients: int) -> Case:
    trained = train_cohort(cohort, TrainSettings(model="seed"))
    prepared, split, bundle, training = trained.prepared, trained.split, trained.bundle, trained.results.training
    codes = bundle.codebook.transform(prepared.predictors).codes
    reference = Reference.from_arrays(
        bundle.codebook, bundle.classes, codes[split.train], prepared.outcome[split.train], training.risk, training.rows
    )
    test = bundle.codebook.transform(prepared.predictors[split.test]).codes
    above = np.flatnonzero((bundle.risk(test)[:, 1] >= THRESHOLD) & _told(test))
    return Case(name, bundle, reference, test[above[: n_patients + 1]], unchangeable(bundle.predictors))


def _told(codes: np.ndarray) -> np.ndarray:
    """Say which rows have only known values and categories that are not rare; dice-ml takes no others."""
    return np.asarray(((codes != -1) & ~np.isnan(codes)).all(axis=1))


def own_answers(case: Case) -> list[Answer]:
    """Ask medcore about every patient; the distances that are usual are worked out once, as a page does."""
    usual = case.reference.usual_distances()
    answers = []
    for row in case.patients:
        waited: list[float] = []

        def asked(codes: np.ndarray, waited: list[float] = waited) -> np.ndarray:
            begin = time.perf_counter()
            risk = case.bundle.risk(codes)
            waited.append(time.perf_counter() - begin)
            return risk

        start = time.perf_counter()
        found = counterfactuals(
            asked, row, case.reference, class_index=1, threshold=THRESHOLD, usual=usual, n=N_ANSWERS
        )
        seconds = time.perf_counter() - start
        changed = np.array([_applied(case, row, one) for one in found]).reshape(-1, len(row))
        answers.append(Answer(changed, seconds, seconds - sum(waited)))
    return answers[1:]


def _applied(case: Case, row: np.ndarray, one: Any) -> np.ndarray:
    """Write the changes as they are shown into a patient's codes."""
    changed, book = row.copy(), case.bundle.codebook
    for change in one.changes:
        place = book.columns.index(change.column)
        names = book.categories[place]
        changed[place] = names.index(change.then) if names else float(change.then)
    return changed


def peer_answers(case: Case, python: Path) -> tuple[dict[str, list[Answer]], list[str]]:
    """Let dice-ml answer in its own environment, and serve it the network."""
    book, reference = case.bundle.codebook, case.reference
    known = _told(reference.codes)
    told = {
        "columns": list(book.columns),
        "categories": [list(names) for names in book.categories],
        "training": reference.codes[known].tolist(),
        "outcome": reference.outcome[known].tolist(),
        "patients": case.patients.tolist(),
        "locked": list(case.locked),
        "n": N_ANSWERS,
    }
    answers: dict[str, list[Answer]] = {}
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        command = [str(python), str(Path(__file__).with_name("counterfactuals_peer.py")), str(path)]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ) as peer:
            assert peer.stdin is not None
            assert peer.stdout is not None
            for line in peer.stdout:
                message = json.loads(line)
                if "rows" in message:
                    n, width = message["rows"], len(book.columns)
                    codes = np.frombuffer(peer.stdout.read(8 * n * width)).reshape(n, width)
                    peer.stdin.write(case.risk(codes).tobytes())
                    peer.stdin.flush()
                elif "method" in message:
                    changed = np.array(message["answers"], dtype=float).reshape(-1, len(book.columns))
                    answers.setdefault(f"dice {message['method']}", []).append(
                        Answer(changed, message["seconds"], message["seconds"] - message["waited"])
                    )
                    if message["error"]:
                        problems.append(f"{message['method']}, patient {message['patient']}: {message['error']}")
        if peer.returncode:
            raise RuntimeError(f"the peer ended with code {peer.returncode}")
    return {method: found[1:] for method, found in answers.items()}, problems


def measured(case: Case, answers: list[Answer]) -> dict[str, float]:
    """Return what one method's answers are like, means over answers unless the name says otherwise."""
    rows = [(row, one) for row, answer in zip(case.patients[1:], answers, strict=True) for one in answer.changed]
    found = {
        "patients answered": float(np.mean([_valid(case, a.changed).any() for a in answers])),
        "answers": float(len(rows)) / max(1, len(answers)),
        "seconds": float(np.median([a.seconds for a in answers])),
        "own seconds": float(np.median([a.own_seconds for a in answers])),
    }
    if not rows:
        return found
    own, changed = np.array([r for r, _ in rows]), np.array([c for _, c in rows])
    moved = different(changed, own)
    locked = np.array([c in case.locked for c in case.reference.columns])
    real = np.array([case.reference.distances(c).min() for c in changed])
    before = np.array([case.reference.distances(r).min() for r in own])
    return found | {
        "valid": float(_valid(case, changed).mean()),
        "columns changed": float(moved.sum(axis=1).mean()),
        "size": float(_sizes(case, own, changed).mean()),
        "values observed": float(_observed(case, changed)[moved].mean()) if moved.any() else 1.0,
        "locked kept": float((~moved[:, locked]).mean()) if locked.any() else 1.0,
        "further from real": float((real / np.maximum(before, 1e-9)).mean()),
        "diversity": _diversity(case, answers),
    }


def _valid(case: Case, changed: np.ndarray) -> np.ndarray:
    return case.risk(changed) < THRESHOLD if len(changed) else np.zeros(0, dtype=bool)


def _sizes(case: Case, own: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """Return how large the changes of each answer are together: median absolute deviations, 1 a category."""
    codes = case.reference.codes
    mad = np.nanmedian(np.abs(codes - np.nanmedian(codes, axis=0)), axis=0)
    mad = np.where(mad > 0, mad, case.reference.spreads)
    return np.where(case.numeric, np.abs(changed - own) / mad, different(changed, own)).sum(axis=1)


def _observed(case: Case, changed: np.ndarray) -> np.ndarray:
    """Say which values are in the training patients' range and of their kind: whole numbers, known categories."""
    codes = case.reference.codes
    inside = (changed >= np.nanmin(codes, axis=0)) & (changed <= np.nanmax(codes, axis=0))
    whole = ((codes == np.round(codes)) | np.isnan(codes)).all(axis=0)
    return inside & (~whole | (changed == np.round(changed))) & (case.numeric | (changed >= 0))


def _diversity(case: Case, answers: list[Answer]) -> float:
    """Return how different the columns are that two answers for a patient change: mean of 1 − Jaccard's index."""
    found = []
    for row, answer in zip(case.patients[1:], answers, strict=True):
        places = [set(np.flatnonzero(different(one, row)).tolist()) for one in answer.changed]
        found += [1 - len(a & b) / max(1, len(a | b)) for a, b in combinations(places, 2)]
    return float(np.mean(found)) if found else float("nan")


def _printed(results: dict[str, dict[str, dict[str, float]]]) -> None:
    for table, methods in results.items():
        names = list(methods)
        print(f"\n{table:24}", *(f"{name:>14}" for name in names))
        for fact in methods["medcore"]:
            print(f"{fact:24}", *(f"{methods[name].get(fact, float('nan')):14.3f}" for name in names))
        own = methods["medcore"]["seconds"]
        print(f"{'times medcore seconds':24}", *(f"{methods[name]['seconds'] / own:14.1f}" for name in names))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--peer", type=Path, default=PEER)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, key in (("heart", "heart"), ("breast_wdbc", "breast")):
        case = case_of(name, filled(key), options.patients)
        answers, problems = {"medcore": own_answers(case)}, list[str]()
        if options.peer.exists():
            theirs, problems = peer_answers(case, options.peer)
            answers |= theirs
        results[name] = {method: measured(case, answers[method]) for method in METHODS if method in answers}
        print(*problems, sep="\n", file=sys.stderr)
    own = [methods["medcore"] for methods in results.values()]
    claims = {
        "every answer crosses the threshold": all(one.get("valid", 0) == 1 for one in own),
        "locked columns keep their values": all(one.get("locked kept", 0) == 1 for one in own),
        "all values are such as training patients have": all(one.get("values observed", 0) == 1 for one in own),
    }
    if options.json:
        print(json.dumps({"results": results, "claims": claims}))
    else:
        _printed(results)
        for claim, holds in claims.items():
            print("holds " if holds else "FAILS ", claim)
    return 0 if all(claims.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
