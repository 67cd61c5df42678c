"""One patient's risk over time, beside what happened to the patients most like them, who were followed for unequal time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.patient.bands import incidence_band
from medcore.explanation.patient.reference import Reference
from medcore.features import AnyRows
from medcore.statistics.proportions import Z95
from medcore.statistics.survival.incidence import complementary_bounds

Floats = NDArray[np.float64]
N_SIMILAR = 100
"""Patients whose incidence is shown beside: with fewer it has steps and a band of half the drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCurve:
    """The patient's cumulative incidence ``risk`` (T,) of the event in question by ``times`` (T,), beside what was observed.

    ``risk_low`` and ``risk_high`` (T,) are the 95 % bounds of how often it had come to training patients of such a risk.
    ``similar`` (T,) is that of the ``n_similar`` training patients most like them, with its 95 % band, ``everybody``
    (T,) that of all (Kaplan–Meier's complement, Aalen–Johansen where events compete); NaN beyond their follow-up.
    """

    times: Floats = field(repr=False)
    risk: Floats = field(repr=False)
    risk_low: Floats = field(repr=False)
    risk_high: Floats = field(repr=False)
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
    expected: Floats,
    weights: Floats | None = None,
) -> PatientCurve:
    """Hold a patient's curve ``risk`` (T,) against what was observed among the reference's patients, who were followed.

    Curves begin with 0 at time 0. ``expected`` (n, T) are the curves that models which had not seen them gave the
    reference's patients: the band of the patient's own curve is what became of those of like risk. ``weights`` (P,) are how much the model uses each column.
    """
    places = reference.nearest(patient, min(N_SIMILAR, len(reference.codes)), weights=weights)
    alike, everybody = reference.incidence(1, places), reference.incidence(1)
    times, risk = np.concatenate([[0.0], times]), np.concatenate([[0.0], risk])
    assert reference.followed is not None
    own = [
        incidence_band(reference.followed.duration, reference.outcome, expected[:, t], risk[t + 1 : t + 2], float(time))
        for t, time in enumerate(times[1:])
    ]
    band = np.array([(0.0, 0.0), *((float(low[0]), float(high[0])) for low, high in own)])
    observed = np.array([alike.at(float(t)) for t in times])
    errors = np.sqrt([alike.variance_at(float(t)) for t in times])
    bounds = np.array([complementary_bounds(float(f), float(s), Z95) for f, s in zip(observed, errors, strict=True)])
    return PatientCurve(
        times=times,
        risk=risk,
        risk_low=np.fmax.accumulate(band[:, 0]),
        risk_high=np.fmin.accumulate(band[::-1, 1])[::-1],
        similar=observed,
        low=bounds[:, 0],
        high=bounds[:, 1],
        everybody=np.array([everybody.at(float(t)) for t in times]),
        n_similar=len(places),
    )
