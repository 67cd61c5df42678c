"""What a worker answers about patients: each function takes a bundle's folder and small arrays or one table.

A bundle that has been read is kept for the next question, so that a change on
the patient page is answered without reading it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from medcore.explanation.patient.changes.change import differences
from medcore.explanation.patient.changes.counterfactual import Counterfactual, counterfactuals
from medcore.explanation.patient.effort import patient_effort
from medcore.explanation.patient.patients import explained_in_words, explained_inside, scale_for, shown_values
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.explain import explain
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Explanation, Scale
from medcore.features import CodedColumn, Rows
from medcore.features.kind import Encoder
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.models.bundle.coalitions import BundlePatientRisk, BundleRisk
from medcore.models.bundle.files import SUMS, bundle_hash
from medcore.models.contract.candidate import COX, LINEAR, LOGISTIC
from medcore.models.deployed.external import predict_table as predict
from medcore.models.deployed.number import predict_number_table
from medcore.sealing import Folder

N_WEIGHED, N_WEIGHED_AGAINST = 20, (3, 50)
"""Training patients explained, and against how few and how many others, to find out how much the model uses each column."""
WEIGHING_ROWS = 40_000
"""Composite rows that may be asked about for this."""
TOGETHER = 20
"""Patients that a page has read together: the one who is opened and those who may be next."""
ROUND_ROWS, MOST_ROUNDS = 40, 5
"""Background rows in one round about a change, and how many rounds refine it at most."""


@dataclass(frozen=True, slots=True)
class By:
    """A bundle's folder, where it is asked about the risks by a time."""

    folder: Folder
    horizon: float


Asked = Folder | By


@dataclass(frozen=True, slots=True)
class PatientRisk:
    """One patient as the model sees them: their row (1, P), risks (K,), each member's risks, values as shown, flags."""

    rows: Rows
    risk: Floats
    members: tuple[tuple[str, float, Floats], ...]
    values: tuple[str | None, ...]
    flags: tuple[str, ...]

    @property
    def likeliest(self) -> int:
        """The place of the class with the highest risk."""
        return int(np.argmax(self.risk))

    @property
    def simple_risk(self) -> Floats | None:
        """The risks of the logistic or Cox regression, or the number of the linear one, if it is a member."""
        return next((risk for kind, _weight, risk in self.members if kind in (LOGISTIC, COX, LINEAR)), None)


def read_risks(folder: Asked, frame: pd.DataFrame) -> list[PatientRisk]:
    """Predict for every row of a small table as it was read."""
    bundle = opened(folder)
    read = bundle.read(frame)
    rows = read.rows
    risks, flags, values = bundle.risk(rows), bundle.flags_of(rows, read.unused), shown_values(bundle, read)
    bundle_risk(folder).remember(rows, risks)
    members = [(part.kind, weight, np.asarray(part.risk(rows))) for weight, part in bundle.parts]
    return [
        PatientRisk(
            rows=rows.take(i).compact(),
            risk=risks[i],
            members=tuple((kind, weight, each[i]) for kind, weight, each in members),
            values=values[i],
            flags=flags[i],
        )
        for i in range(len(rows))
    ]


def explain_patient(
    folder: Asked,
    patient: PatientRisk,
    background: Rows | None,
    *,
    class_index: int,
    scale: Scale = "probability",
    max_evaluations: int | None = None,
    seed: int = 0,
) -> Explanation:
    """Explain one patient against the bundle's background, or the given rows (m, P).

    Without ``max_evaluations`` it takes what :func:`~medcore.explanation.patient.effort.patient_effort` says.
    """
    bundle = opened(folder)
    others = bundle.background if background is None else background
    risk = bundle_risk(folder)
    effort = patient_effort(risk, len(others))
    effort["seed"] = seed
    if max_evaluations is not None:
        effort["max_evaluations"] = max_evaluations
    found = explain(
        risk.knowing(patient.rows, others),
        patient.rows.codes[0],
        others.codes,
        columns=bundle.predictors,
        class_index=class_index,
        scale=scale_for(bundle, scale),
        **effort,
    )
    found = explained_in_words(bundle, found, patient.values, class_index)
    return explained_inside(risk, found, patient.rows, others, class_index, seed=seed)


def change_patient(
    folder: Asked,
    patient: Rows,
    changed: Rows,
    background: Rows | None,
    *,
    round_number: int,
    class_index: int,
    scale: Scale = "probability",
) -> tuple[Floats, Floats]:
    """Say what changing a patient (1, P) does: the risks (K,) after it, and differences (n, P) of contributions.

    Each round, from 0, is about other rows of the background, ``ROUND_ROWS`` of them.
    """
    everyone = opened(folder).background if background is None else background
    mixed = drawn(everyone, len(everyone))
    others = mixed.take(slice(round_number * ROUND_ROWS, (round_number + 1) * ROUND_ROWS))
    before = _kept_patient(folder, _changed(folder), _Known.of(patient, others))
    row, now, codes = patient.codes[0], changed.codes[0], others.codes
    after = _kept_parts(folder, _changed(folder)).knowing(changed, others).for_patient(now, codes)
    scale = scale_for(opened(folder), scale)
    found = differences(before, after, row, now, codes, class_index=class_index, scale=scale, seed=round_number)
    return np.asarray(after.grand_and_empty()[0]), found


def prepare_changes(folder: Asked, patient: Rows, background: Rows | None) -> None:
    """Get ready for changes of a patient (1, P), so that the first one is answered as fast as the next."""
    everyone = opened(folder).background if background is None else background
    for number in range(n_rounds(len(everyone))):
        change_patient(folder, patient, everyone.take(0), background, round_number=number, class_index=0)


def n_rounds(n_background: int) -> int:
    """Return in how many rounds a change is looked at."""
    return min(MOST_ROUNDS, -(-n_background // ROUND_ROWS))


def risks_of(folder: Asked, rows: Rows) -> Floats:
    """Predict for rows (n, P): risks (n, K)."""
    return np.asarray(opened(folder).risk(rows.compact()))


def written(encoder: Encoder, values: pd.Series[Any]) -> CodedColumn:
    """Write values of one column as codes, for a page that is not to read what its encoder needs."""
    return encoder.encode(values)


def get_ready(folder: Asked) -> None:
    """Answer for one training patient what a page asks first, so that the first visit waits for nothing to be compiled."""
    bundle = opened(folder)
    for n in (TOGETHER, 1):
        rows = bundle.background.take(slice(0, n)).compact()
        bundle.risk(rows)
    members = tuple((part.kind, weight, np.asarray(part.risk(rows))[0]) for weight, part in bundle.parts)
    values = (None,) * len(bundle.predictors)
    patient = PatientRisk(rows=rows, risk=bundle.risk(rows)[0], members=members, values=values, flags=())
    class_index = bundle.target.in_question(0)
    column_weights(folder, class_index=class_index)
    explain_patient(folder, patient, None, class_index=class_index)


def column_weights(folder: Asked, *, class_index: int) -> Floats:
    """Return how much the model uses each column (P,): mean absolute contribution over some training patients."""
    return _kept_weights(folder, _changed(folder), class_index)


@lru_cache(maxsize=64)
def _kept_weights(folder: Asked, changed: str, class_index: int) -> Floats:  # noqa: ARG001 - part of the key
    bundle = opened(folder)
    n_columns = len(bundle.predictors)
    n_against = int(np.clip(WEIGHING_ROWS // (4 * N_WEIGHED * max(1, n_columns)), *N_WEIGHED_AGAINST))
    mixed = drawn(bundle.background, N_WEIGHED + n_against)
    patients, others = mixed.codes[:N_WEIGHED], mixed.codes[-n_against:]
    risk = BundleRisk(bundle).knowing(mixed)
    sizes = []
    for row in patients:
        found = explain(
            risk, row, others, columns=bundle.predictors, class_index=class_index, tolerance=1, max_evaluations=0
        )
        sizes.append([abs(c.contribution) for c in found.contributions])
    return np.asarray(np.mean(sizes, axis=0)) if sizes else np.ones(n_columns)


def drawn(rows: Rows, n: int) -> Rows:
    """Return n rows in random order, the same every time: a table is often sorted, by hospital for one."""
    return rows.take(np.random.default_rng(0).permutation(len(rows))[:n])


def find_counterfactuals(
    folder: Asked,
    patient: Rows,
    reference: Reference,
    *,
    class_index: int,
    threshold: float,
    locked: tuple[str, ...] | None = None,
    usual: Floats | None = None,
) -> tuple[Counterfactual, ...]:
    """Return the smallest changes that carry a patient (1, P) across the threshold."""
    return counterfactuals(
        opened(folder).risk_of_codes(patient, reference.patients),
        patient,
        reference,
        class_index=class_index,
        threshold=threshold,
        locked=locked,
        usual=usual,
    )


def curve_of(folder: Asked, rows: Rows, times: Floats) -> Floats:
    """Predict for rows (n, P) of a model that says by when: risks of the event in question by ``times``, (n, T)."""
    return np.asarray(opened(folder).curve(rows.compact(), times)[:, 0])


def predict_table(folder: Asked, frame: pd.DataFrame) -> pd.DataFrame:
    """Predict for every row of a table: row, a risk a class or a number with its interval, flags."""
    bundle = opened(folder)
    return predict(bundle, frame) if bundle.intervals is None else predict_number_table(bundle, frame)


def opened(folder: Asked) -> Bundle:
    """Return the bundle in a folder, read once while it does not change."""
    return _kept_bundle(folder, _changed(folder))


def bundle_risk(folder: Asked) -> BundleRisk:
    """Return the bundle in a folder as explanations ask it; what it knows of a background is kept."""
    return _kept_bundle_risk(folder, _changed(folder))


def forget() -> None:
    """Let go of every bundle and patient that this process has kept for the next question."""
    for kept in (_kept_weights, _kept_bundle_risk, _kept_parts, _kept_patient, _kept_bundle):
        kept.cache_clear()


def _changed(folder: Asked) -> str:
    if isinstance(folder, By):
        return _changed(folder.folder)
    return bundle_hash(folder) if (folder / SUMS).is_file() else ""


@lru_cache(maxsize=2)
def _kept_bundle_risk(folder: Asked, changed: str) -> BundleRisk:
    return BundleRisk(_kept_bundle(folder, changed))


@lru_cache(maxsize=2)
def _kept_parts(folder: Asked, changed: str) -> BundleRisk:
    """Return the bundle as changes ask it, with parts of backgrounds."""
    return BundleRisk(_kept_bundle(folder, changed), n_kept=2 * MOST_ROUNDS)


@dataclass(frozen=True, slots=True)
class _Known:
    """A patient against others, known again by their codes."""

    codes: bytes
    patient: Rows = field(compare=False)
    others: Rows = field(compare=False)

    @classmethod
    def of(cls, patient: Rows, others: Rows) -> _Known:
        return cls(patient.codes.tobytes() + others.codes.tobytes(), patient, others)


@lru_cache(maxsize=4 * MOST_ROUNDS)
def _kept_patient(folder: Asked, changed: str, known: _Known) -> BundlePatientRisk:
    """Return the patient as they are, who stays while values are changed."""
    patient, others = known.patient, known.others
    return _kept_parts(folder, changed).knowing(patient, others).for_patient(patient.codes[0], others.codes)


@lru_cache(maxsize=8)
def _kept_bundle(folder: Asked, changed: str) -> Bundle:
    if isinstance(folder, By):
        return _kept_bundle(folder.folder, changed).at(folder.horizon)
    return load_bundle(folder)
