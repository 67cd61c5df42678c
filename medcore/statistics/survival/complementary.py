"""Calibration of risks by a time: regression on the scale of log(−log(1 − risk)), on which hazards are proportional."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.logistic import EDGE

#: Steps at most, the size of a step at which they end, and the largest coefficient that counts as finite.
_STEPS, _SMALL, _LARGEST = 100, 1e-10, 1e4
#: Steps after which the curvature of the risks is reckoned with: with one or two events the others hardly come nearer.
_PATIENT = 20
#: Risks that differ by less on this scale are one risk for all: no slope can be told.
_CONSTANT = 1e-9


def complementary_log_log(risk: Floats) -> Floats:
    """Return log(−log(1−p)), with p kept 1e-8 away from 0 and 1.

    >>> complementary_log_log(np.array([0.5])).round(4).tolist()
    [-0.3665]
    """
    out: Floats = np.log(-np.log1p(-np.clip(risk, EDGE, 1 - EDGE)))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class ComplementaryFit:
    """Coefficients (p,) of a regression, and each row's influence on them (n, p), the outcomes taken as they are.

    The influence has the second derivatives of the risks in it, which the robust variance of ``geese`` leaves out:
    where risks are wrong, as those that are judged may be, residuals do not average to 0 at every risk.
    """

    coefficients: Floats
    influence: Floats


def slope_fit(outcome: Floats, risk: Floats) -> ComplementaryFit | None:
    """Fit cll(y) ~ a + b·cll(p) to outcomes or pseudo-values and ``risk`` (n,), cll being log(−log(1 − ·)).

    The slope b is the last coefficient (van Geloven 2022, BMJ 377:e069249). None when the risks
    do not differ or there is no finite solution.
    """
    x = complementary_log_log(risk)
    if np.ptp(x) <= _CONSTANT:
        return None
    return fit_complementary(outcome, np.column_stack([np.ones(len(x)), x]), start=np.array([0.0, 1.0]))


def in_the_large_fit(outcome: Floats, risk: Floats) -> ComplementaryFit | None:
    """Fit the intercept with cll(p) as offset; None where it has no finite solution."""
    return fit_complementary(outcome, np.ones((len(risk), 1)), offset=complementary_log_log(risk), start=np.zeros(1))


def fit_complementary(
    outcome: Floats, design: Floats, *, start: Floats, offset: Floats | None = None
) -> ComplementaryFit | None:
    """Fit y = 1 − exp(−exp(η)) by least squares, η linear in the ``design`` (n, p): generalised estimating equations.

    Pseudo-values (n,) may lie outside 0 to 1, so that a binomial variance, which would weigh such rows without
    bound, is not used; as in R, ``geepack::geese(mean.link = "cloglog")``. Gauss–Newton steps from ``start`` (p,),
    halved while they would raise the sum of squares, and Newton's where those come to no end. None without a finite solution.
    """
    offset = np.zeros(len(outcome)) if offset is None else offset
    beta = start
    slope, residual = _equations(outcome, design, offset + design @ beta)
    for step in range(_STEPS):
        information = slope.T @ slope
        if np.linalg.cond(information) > 1e14 or np.max(np.abs(beta)) > _LARGEST:
            return None
        if step >= _PATIENT:
            curved = _curvature(design, offset + design @ beta, slope, residual)
            information = curved if np.linalg.eigvalsh(curved)[0] > 0 else information
        move = np.linalg.solve(information, slope.T @ residual)
        if np.max(np.abs(move)) < _SMALL * (1 + np.max(np.abs(beta))):
            return ComplementaryFit(beta, _influence(design, offset + design @ beta, slope, residual))
        best = float(residual @ residual)
        for _half in range(30):
            tried = _equations(outcome, design, offset + design @ (beta + move))
            if float(tried[1] @ tried[1]) <= best * (1 + 1e-12):
                break
            move = move / 2
        beta = beta + move
        slope, residual = tried
    return None


def _influence(design: Floats, eta: Floats, slope: Floats, residual: Floats) -> Floats:
    derivative = _curvature(design, eta, slope, residual)
    if np.linalg.cond(derivative) > 1e14:
        return np.full(slope.shape, np.nan)
    out: Floats = (slope * residual[:, None]) @ np.linalg.inv(derivative)
    return out


def _curvature(design: Floats, eta: Floats, slope: Floats, residual: Floats) -> Floats:
    """Return half the second derivatives (p, p) of the sum of squares."""
    hazard = np.exp(np.clip(eta, -30, 30))
    bent = residual * hazard * np.exp(-hazard) * (1 - hazard)
    out: Floats = slope.T @ slope - design.T @ (design * bent[:, None])
    return out


def _equations(outcome: Floats, design: Floats, eta: Floats) -> tuple[Floats, Floats]:
    """Return the derivatives of the risks with respect to the coefficients (n, p), and the residuals (n,)."""
    hazard = np.exp(np.clip(eta, -30, 30))
    return design * (hazard * np.exp(-hazard))[:, None], outcome + np.expm1(-hazard)
