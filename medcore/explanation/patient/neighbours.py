"""Real training patients most like one patient, by the model's own weighting of the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from medcore.errors import SettingsError
from medcore.explanation.patient.patients import shown
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.game import Floats
from medcore.features import AnyRows, Rows
from medcore.i18n import N_
from medcore.settings import Settings

MIN_DIFFERENCE = 0.5
"""Numeric values closer than half a standard deviation are not called different."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training patient: where in the cohort, how far, what became of them, and what differs from the patient."""

    row: int
    distance: float
    outcome: str
    risk: float
    values: tuple[str | None, ...]
    differs: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return data | {"values": list(self.values), "differs": list(self.differs)}


def similar(
    reference: Reference, patient: AnyRows, *, class_index: int, weights: Floats | None = None, n: int = 5
) -> tuple[Neighbour, ...]:
    """Return the n training patients nearest to a patient (1, P), nearest first.

    ``risk`` is their out-of-fold risk of the class; ``weights`` (P,) says how much
    the model uses each column.

    Raises:
        SettingsError: this installation shows no real patients (``MEDCORE_SIMILAR_PATIENTS``).

    """
    if not Settings.from_env().similar_patients:
        raise SettingsError(N_("This installation shows no real patients similar to another."))
    apart, distances = reference.differences(patient), reference.distances(patient, weights=weights)
    found = []
    for place in np.argsort(distances, kind="stable")[:n]:
        differs = np.flatnonzero(apart[place] > MIN_DIFFERENCE)
        found.append(
            Neighbour(
                row=int(reference.rows[place]),
                distance=float(distances[place]),
                outcome=reference.classes[int(reference.outcome[place])],
                risk=float(reference.risk[place, class_index]),
                values=decoded(reference, reference.patients.take(place)),
                differs=tuple(reference.columns[i] for i in differs),
            )
        )
    return tuple(found)


def decoded(reference: Reference, patient: AnyRows) -> tuple[str | None, ...]:
    """Write one patient (1, P) as the values the codes stand for; None where missing, rare or unseen."""
    return tuple(shown(value) for value in reference.codebook.values(Rows.of(patient)))
