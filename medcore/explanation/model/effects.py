"""The mean risk along one column, over real patients: partial dependence and accumulated local effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.explanation.patient.changes.what_if import axis
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.game import Floats, RiskFunction

MAX_PATIENTS = 200
N_POINTS, N_BINS = 31, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Mean risk (0–1) of patients along one column.

    ``partial`` is the partial dependence at ``values``: every patient is given
    the value, also where nobody like that exists. ``accumulated`` at ``edges`` is
    the accumulated local effect (Apley and Zhu, 2020), which moves each patient
    only within the own part of the range, and so holds where columns go together;
    empty for categories, which have no order. ``support`` is the share of
    training patients near each value.
    """

    column: str
    values: tuple[float, ...] | tuple[str, ...]
    partial: Floats = field(repr=False)
    edges: Floats = field(repr=False)
    accumulated: Floats = field(repr=False)
    support: Floats = field(repr=False)
    n: int
    unit: str | None = None

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return bool(self.values) and not isinstance(self.values[0], str)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        arrays = {n: getattr(self, n).tolist() for n in ("partial", "edges", "accumulated", "support")}
        return {"column": self.column, "values": list(self.values), "n": self.n, "unit": self.unit} | arrays


def effect(
    risk: RiskFunction, reference: Reference, column: str, *, class_index: int, unit: str | None = None, seed: int = 0
) -> Effect:
    """Return the mean risk along a column, over at most 200 training patients."""
    place = reference.columns.index(column)
    patients = reference.codes
    if len(patients) > MAX_PATIENTS:
        patients = patients[np.random.default_rng(seed).choice(len(patients), MAX_PATIENTS, replace=False)]
    along = axis(reference, column, n_points=N_POINTS)
    partial = _given(risk, patients, place, along.codes, class_index).mean(axis=0)
    edges, accumulated = np.empty(0), np.empty(0)
    if reference.codebook.ordered[place]:
        edges, accumulated = accumulated_effect(risk, patients, place, class_index=class_index)
    return Effect(
        column=column,
        values=along.values,
        partial=partial,
        edges=edges,
        accumulated=accumulated,
        support=along.support,
        n=len(patients),
        unit=unit,
    )


def accumulated_effect(risk: RiskFunction, patients: Floats, place: int, *, class_index: int) -> tuple[Floats, Floats]:
    """Return edges and the accumulated local effect there, moved so that its mean over patients is their mean risk.

    Patients without the value have no part of the range and take no part. Empty
    when fewer than two values are known.
    """
    known = patients[~np.isnan(patients[:, place])]
    edges = np.unique(np.quantile(known[:, place], np.linspace(0, 1, N_BINS + 1))) if len(known) else np.empty(0)
    if len(edges) < 2:
        return np.empty(0), np.empty(0)
    part = np.clip(np.searchsorted(edges, known[:, place], side="left") - 1, 0, len(edges) - 2)
    lower, upper, own = (known.copy() for _ in range(3))
    lower[:, place], upper[:, place] = edges[part], edges[part + 1]
    risks = np.asarray(risk(np.concatenate([lower, upper, own])), dtype=np.float64)[:, class_index].reshape(3, -1)
    steps = np.bincount(part, risks[1] - risks[0], len(edges) - 1) / np.maximum(
        np.bincount(part, minlength=len(edges) - 1), 1
    )
    path = np.concatenate([[0.0], np.cumsum(steps)])
    at_patients = np.interp(known[:, place], edges, path)
    return edges, path - at_patients.mean() + risks[2].mean()


def _given(risk: RiskFunction, patients: Floats, place: int, codes: Floats, class_index: int) -> Floats:
    """Return each patient's risk with the column set to each code: (patients, codes)."""
    rows = np.repeat(patients, len(codes), axis=0)
    rows[:, place] = np.tile(codes, len(patients))
    return np.asarray(risk(rows), dtype=np.float64)[:, class_index].reshape(len(patients), len(codes))
