"""How fast is one patient with a note and measurements over time explained? ``python benchmarks/explanation_of_visits.py [--model auto] [--patients N] [--bundle DIR] [--check SWEEPS]``.

800 intensive care stays (``icu_2012_a``) with the ten summaries and the sequences of 36 measurements of 48 hours, and a
made note of 300 words each, are learnt by ``auto``; the bundle is kept in ``--bundle`` with the first patients and read
again from there, so that another run does not read 1.7 million measurements. Patients
are then explained as the page does it, against the background of the bundle, inside the note and the series that matter
most too. Seconds are of the processor, all threads together, and on the clock; one patient is explained first. The script
ends with code 1 when a claim does not hold: within 2 s, standard errors of 2 % of the contributions together, a residual
of 1e-6, the inside adding up to the outside. With ``--check`` one patient is explained against four background patients
by coalitions that tell of every column and by so many sweeps of permutations, which take minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from series import AFTER, DATA, OUTCOME, UNTIL

from medcore.data.cohort import Cohort
from medcore.data.long import FORMS, Pivot
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.data.schema.long import propose_series
from medcore.data.splitting.split import SplitSettings
from medcore.explanation.patient.worker_queries import explain_patient, get_ready, read_risks
from medcore.explanation.shapley import pairs, sampling
from medcore.explanation.shapley.game import Game
from medcore.models.bundle.bundle import load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort

NOTE, N_WORDS, KEPT = "note", 300, 20
CHECKED_AGAINST, CHECKED_ROUNDS = 4, 200
SENTENCES = (
    "The patient was admitted from the ward with {a} and {b}.",
    "On examination the chest was {a} and the abdomen {b}.",
    "There was {a} overnight, treated with fluids and {b}.",
    "The family was told about {a} by the team on call.",
    "Denies {a} but reports {b} since yesterday morning.",
    "Plan: repeat blood gases, watch {a}, review {b} at noon.",
)
SIGNS = ("dyspnoea", "oedema", "fever", "cough", "pain", "nausea", "confusion", "oliguria", "hypotension", "sepsis")


def note(died: bool, rng: np.random.Generator) -> str:
    """Write a note of some 300 words, which tells a little of the outcome."""
    weights = np.ones(len(SIGNS)) + np.linspace(0, 2 * died, len(SIGNS))
    said: list[str] = []
    while sum(len(s.split()) for s in said) < N_WORDS:
        a, b = rng.choice(SIGNS, 2, replace=False, p=weights / weights.sum())
        said.append(str(rng.choice(SENTENCES)).format(a=a, b=b))
    return " ".join(said)


def visits(folder: Path, n: int) -> Cohort:
    """Read n patients, write their notes and join their measurements."""
    table = pd.read_csv(folder / "icu_2012_a_patients.csv", dtype=str).sample(n, random_state=0).sort_index()
    rng = np.random.default_rng(0)
    table[NOTE] = [note(died == "1", rng) for died in table[OUTCOME]]
    patients = read_table(("visits.csv", table.to_csv(index=False).encode()))
    long = read_table(folder / "icu_2012_a_measurements.csv.gz")
    columns = propose_series(long.schema, patients.schema, long.frame)
    cohort = with_series(patients, long, Pivot.of_series(columns, until=UNTIL, forms=FORMS))
    schema = cohort.schema.change(OUTCOME, role="outcome").change(NOTE, kind="note", role="predictor")
    for name in AFTER:
        schema = schema.change(name, role="ignored")
    return cohort.with_schema(schema.__class__(schema.columns, "1", series=schema.series))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DATA)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--patients", type=int, default=5)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--check", type=int, default=0, metavar="SWEEPS")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.bundle or Path(name) / "bundle"
        kept = folder.with_suffix(".patients.pickle")
        if not kept.exists():
            cohort = visits(options.folder, options.rows)
            settings, split = TrainSettings(model=options.model), SplitSettings(test_size=0.0)
            began = time.process_time()
            train_cohort(cohort, settings, split=split, folder=folder)
            print(f"trained in {time.process_time() - began:.0f} processor seconds", flush=True)
            cohort.frame.iloc[:KEPT].to_pickle(kept)
        frame = pd.read_pickle(kept)
        if options.check:
            checked(folder, frame, options.check)
        return 0 if measured(folder, frame.iloc[: options.patients]) else 1


def checked(folder: Path, frame: pd.DataFrame, n_sweeps: int) -> None:
    """Compare coalitions that tell of every column with permutations, by the sum of differences over that of the values."""
    bundle = load_bundle(folder)
    patient, others = bundle.encode(frame.iloc[[0]]), bundle.background.take(slice(CHECKED_AGAINST))

    def game() -> Game:
        risk = BundleRisk(bundle).knowing(patient, others)
        return Game.of(risk, patient.codes[0], others.codes, class_index=1, scale="probability")

    most = pairs.cost(CHECKED_AGAINST, CHECKED_ROUNDS)
    *_, (told, told_errors) = pairs.rounds(game(), seed=0, max_evaluations=most)
    walked = game()
    *_, (values, errors) = sampling.sweeps(walked, seed=1, max_evaluations=n_sweeps * sampling.sweep_cost(walked))
    whole = np.abs(values).sum()
    print(
        f"apart by {np.abs(told - values).sum() / whole:.2%}, standard errors {told_errors.sum() / whole:.2%} "
        f"and of permutations {errors.sum() / whole:.2%}; beyond twice both: "
        f"{(np.abs(told - values) > 2 * np.hypot(told_errors, errors)).sum()} of {(values != 0).sum()} columns",
        flush=True,
    )


def measured(folder: Path, frame: pd.DataFrame) -> bool:
    """Explain patients one after the other; return whether the claims hold."""
    get_ready(folder)
    seconds, residuals, apart, errors = [], [], [], []
    for patient in read_risks(folder, frame):
        began, on_clock = time.process_time(), time.perf_counter()
        found = explain_patient(folder, patient, None, class_index=1)
        seconds.append((time.process_time() - began, time.perf_counter() - on_clock))
        residuals.append(found.additivity_residual)
        inside = [(c.contribution, [p.contribution for p in c.parts]) for c in found.contributions if c.parts]
        apart.append(max((abs(whole - sum(parts)) for whole, parts in inside), default=0.0))
        sizes, ses = np.array([(c.contribution, c.standard_error) for c in found.contributions]).T
        errors.append(ses.sum() / np.abs(sizes).sum())
        print(
            f"{len(sizes)} columns, {len(inside)} gone into, {found.n_evaluations} composite rows, "
            f"{seconds[-1][0]:.2f} processor seconds, {seconds[-1][1]:.2f} s, standard errors {errors[-1]:.2%}",
            flush=True,
        )
    worst = float(np.median([clock for _processor, clock in seconds]))
    print(f"median of processor seconds {float(np.median([own for own, _clock in seconds])):.2f}")
    print(f"median {worst:.2f} s, residual at most {max(residuals):.1e}, inside apart {max(apart):.1e}")
    return worst <= 2 and max(errors) <= 0.02 and max(residuals) <= 1e-6 and max(apart) <= 1e-6


if __name__ == "__main__":
    raise SystemExit(main())
