"""One patient's risk over time, beside what happened to the patients most like them, who were followed for unequal time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.patient.reference import Reference
from medcore.features import AnyRows
from medcore.statistics.proportions import Z95
from medcore.statistics.survival.incidence import Incidence, complementary_bounds

Floats = NDArray[np.float64]
N_SIMILAR = 100
"""Patients whose incidence is shown beside: with fewer it has steps and a band of half the drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCurve:
    """The patient's cumulative incidence ``risk`` (T,) of the event in question by ``times`` (T,), beside what was observed.

    ``similar`` (T,) is that of the ``n_similar`` training patients most like them, with its 95 % band, ``everybody``
    (T,) that of all (Kaplan–Meier's complement, Aalen–Johansen where events compete); NaN beyond their follow-up.
    """

    times: Floats = field(repr=False)
    risk: Floats = field(repr=False)
    similar: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    everybody: Floats = field(repr=False)
    n_similar: int


def patient_curve(
    reference: Reference,
    patient: AnyRows,
    risk: Floats,
    times: Floats,
    *,
    duration: Floats,
    event: NDArray[np.int64],
    weights: Floats | None = None,
) -> PatientCurve:
    """Hold a patient's curve ``risk`` (T,) against what was observed.

    Curves begin with 0 at time 0. ``duration`` and ``event`` (n,) are those of the reference's patients, ``weights`` (P,) how much the model uses each column.
    """
    places = reference.nearest(patient, min(N_SIMILAR, len(duration)), weights=weights)
    alike, everybody = Incidence.of(duration[places], event[places]), Incidence.of(duration, event)
    times, risk = np.concatenate([[0.0], times]), np.concatenate([[0.0], risk])
    observed = np.array([alike.at(float(t)) for t in times])
    errors = np.sqrt([alike.variance_at(float(t)) for t in times])
    bounds = np.array([complementary_bounds(float(f), float(s), Z95) for f, s in zip(observed, errors, strict=True)])
    return PatientCurve(
        times=times,
        risk=risk,
        similar=observed,
        low=bounds[:, 0],
        high=bounds[:, 1],
        everybody=np.array([everybody.at(float(t)) for t in times]),
        n_similar=len(places),
    )
