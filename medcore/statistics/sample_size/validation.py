"""How many patients the judging of a finished model needs: the criteria of Riley and colleagues for a binary outcome.

Source: Riley RD, Debray TPA, Collins GS, et al. Minimum sample size for external
validation of a clinical prediction model with a binary outcome. Stat Med 2021;40:4230.
Checked against the program pmvalsampsize, which the authors published.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asinh, ceil
from typing import Any

import numpy as np

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.statistics.arrays import Floats
from medcore.statistics.logistic import logit
from medcore.statistics.proportions import Z95

WIDTH_O_E = 0.2
WIDTH_SLOPE = 0.2
WIDTH_AUROC = 0.1
"""Widths of the 95 % intervals to be had (Riley 2021): O:E of 0.9–1.1, a slope of 0.9–1.1, an AUROC of ±0.05."""
_STEP = 1e-4
"""The standard error of log O:E is found in steps of this size by pmvalsampsize."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSize:
    """The least number of new patients by each criterion; ``required`` is the largest.

    ``o_e``, ``slope`` and ``auroc`` are those that give intervals of the widths
    ``WIDTH_O_E``, ``WIDTH_SLOPE`` and ``WIDTH_AUROC``, if the model is well calibrated there.
    """

    event_share: float
    expected_auroc: float
    o_e: int
    slope: int
    auroc: int

    @property
    def required(self) -> int:
        """The number of patients that meets all criteria."""
        return max(self.o_e, self.slope, self.auroc)

    @property
    def required_events(self) -> int:
        """The number of events among them."""
        return ceil(self.required * self.event_share)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "required": self.required,
            "required_events": self.required_events,
        }


def validation_size(risk: Floats, expected_auroc: float, event_share: float | None = None) -> ValidationSize:
    """Calculate how many new patients judge a model precisely enough.

    ``risk`` (n,) are risks that the model is expected to give there, such as those of its
    training patients out of fold; ``event_share`` is by default their mean. Raises
    SettingsError for values outside of what the formulas hold for.

    >>> validation_size(np.linspace(0.05, 0.8, 100), 0.8).required > 500
    True
    """
    share = float(risk.mean()) if event_share is None else event_share
    if not 0 < share < 1 or not 0.5 < expected_auroc < 1 or np.ptp(risk) == 0:
        raise SettingsError(
            N_(
                "A sample size for judging needs risks that differ, a share of events between 0 and 1 and an AUROC between 0.5 and 1; got {share} and {auroc}."
            ),
            share=round(share, 3),
            auroc=round(expected_auroc, 3),
        )
    return ValidationSize(
        event_share=share,
        expected_auroc=expected_auroc,
        o_e=for_o_e(share),
        slope=for_slope(logit(risk)),
        auroc=for_auroc(expected_auroc, share),
    )


def size_if_possible(risk: Floats, expected_auroc: float, event_share: float) -> ValidationSize | None:
    """Calculate :func:`validation_size`, or None where the formulas do not hold (no discrimination, one class)."""
    try:
        return validation_size(risk, expected_auroc, event_share)
    except SettingsError:
        return None


def for_o_e(event_share: float, width: float = WIDTH_O_E) -> int:
    """Return the number that gives O:E, if it is 1, an interval of a width.

    >>> for_o_e(0.018, 1.0), for_o_e(0.43)
    (905, 510)
    """
    error = ceil(asinh(width / 2) / Z95 / _STEP) * _STEP
    return ceil((1 - event_share) / (event_share * error**2))


def for_slope(scores: Floats, width: float = WIDTH_SLOPE) -> int:
    """Return the number that gives the calibration slope of log odds distributed like ``scores`` (n,) an interval of a width."""
    p = 1 / (1 + np.exp(-scores))
    weight = p * (1 - p)
    own, cross, square = weight.mean(), (weight * scores).mean(), (weight * scores**2).mean()
    error = width / (2 * Z95)
    return ceil(float(own / (error**2 * (own * square - cross**2))))


def for_auroc(auroc: float, event_share: float, width: float = WIDTH_AUROC) -> int:
    """Return the number that gives an AUROC an interval of a width (Newcombe 2006, method 4).

    >>> for_auroc(0.8, 0.018), for_auroc(0.8, 0.43)
    (4252, 308)
    """

    def error(n: float) -> float:
        half = n / 2 - 1
        terms = 1 + half * (1 - auroc) / (2 - auroc) + half * auroc / (1 + auroc)
        return float(np.sqrt(auroc * (1 - auroc) * terms / (n**2 * event_share * (1 - event_share))))

    low, high = 1, 2
    while 2 * Z95 * error(high) > width:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if 2 * Z95 * error(middle) > width else (low, middle)
    return high
