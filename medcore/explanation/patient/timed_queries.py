"""What a worker answers about patients whose model says by when: risks by any time, and why by any horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from medcore.explanation.patient.patients import shown_values, units_of
from medcore.explanation.patient.worker_queries import column_weights, live_evaluations, opened
from medcore.explanation.shapley.explain import explain
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Explanation
from medcore.explanation.shapley.sampling import most_sweep_cost
from medcore.features import Rows
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.bundle.files import SUMS, bundle_hash
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True)
class TimedRisk:
    """One patient as the model sees them: row (1, P), risks of the event in question by the bundle's times (T,), values as shown, flags.

    ``weights`` (P,) is how much the model uses each column.
    """

    rows: Rows = field(repr=False)
    curve: Floats = field(repr=False)
    values: tuple[str | None, ...]
    flags: tuple[str, ...]
    weights: Floats = field(repr=False)


def read_timed_risk(folder: Folder, frame: pd.DataFrame) -> TimedRisk:
    """Predict for the one row of a table as it was read."""
    bundle = opened(folder)
    rows = bundle.encode(frame)
    return TimedRisk(
        rows=rows.compact(),
        curve=bundle.curve(rows)[0, 0],
        values=shown_values(bundle, frame)[0],
        flags=bundle.flags(frame)[0],
        weights=column_weights(folder, class_index=bundle.target.in_question(0)),
    )


def risks_by(folder: Folder, frame: pd.DataFrame, times: Sequence[float]) -> Floats:
    """Predict for every row of a table: risks of the event in question by ``times`` (T,), shape (n, T)."""
    bundle = opened(folder)
    return np.asarray(bundle.curve(bundle.encode(frame), np.asarray(times, dtype=np.float64))[:, 0])


def explain_by(folder: Folder, patient: TimedRisk, horizon: float) -> Explanation:
    """Explain one patient's risk by a horizon against the bundle's background."""
    changed = bundle_hash(folder) if (folder / SUMS).is_file() else ""
    risk = _asked_about(folder, changed, horizon)
    bundle = risk.bundle
    index = bundle.target.in_question(0)
    found = explain(
        risk.knowing(patient.rows, bundle.background),
        patient.rows.codes[0],
        bundle.background.codes,
        columns=bundle.predictors,
        class_index=index,
        max_evaluations=max(live_evaluations(folder), 2 * most_sweep_cost(*bundle.background.shape)),
    )
    return found.shown_as(patient.values, units=units_of(bundle), class_name=bundle.classes[index])


@lru_cache(maxsize=4)
def _asked_about(folder: Folder, changed: str, horizon: float) -> BundleRisk:  # noqa: ARG001 - part of the key
    return BundleRisk(opened(folder).at(horizon))
