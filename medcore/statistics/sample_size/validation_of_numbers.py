"""How many patients the judging of a finished model needs where it predicts a number: the criteria of Archer and colleagues.

Source: Archer L, Snell KIE, Ensor J, et al. Minimum sample size for external validation of
a clinical prediction model with a continuous outcome. Stat Med 2021;40:133.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.statistics.proportions import Z95
from medcore.statistics.sample_size.validation import WIDTH_SLOPE

WIDTH_R2 = 0.1
"""Width of the 95 % interval of R² to be had (Archer 2021)."""
MARGIN_VARIANCE = 1.1
"""A residual standard deviation is to be known to within 10 % (Archer 2021)."""
_OFFSET, _SLOPE = 1, 2
"""Parameters of the two calibration models whose residual variance is to be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberValidationSize:
    """The least number of new patients by each criterion; ``required`` is the largest.

    ``r2`` and ``slope`` give intervals of the widths ``WIDTH_R2`` and ``WIDTH_SLOPE``,
    ``mean`` one of ``width_mean`` (in the outcome's unit) for observed less predicted,
    ``variance`` knows the residual standard deviation of both calibration models to within 10 %.
    """

    expected_r2: float
    outcome_sd: float
    width_mean: float
    r2: int
    mean: int
    slope: int
    variance: int

    @property
    def required(self) -> int:
        """The number of patients that meets all criteria."""
        return max(self.r2, self.mean, self.slope, self.variance)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__} | {"required": self.required}


def validation_size_of_numbers(expected_r2: float, outcome_sd: float, width_mean: float) -> NumberValidationSize:
    """Calculate how many new patients judge a model of a number precisely enough, if it is well calibrated there.

    ``outcome_sd`` is the outcome's standard deviation there. Raises SettingsError for
    values outside of what the formulas hold for.

    >>> validation_size_of_numbers(0.5, 20.0, 10.0)
    NumberValidationSize(expected_r2=0.5, outcome_sd=20.0, width_mean=10.0, r2=769, mean=31, slope=386, variance=235)
    """
    if not 0 < expected_r2 < 1 or not outcome_sd > 0 or not width_mean > 0:
        raise SettingsError(
            N_(
                "A sample size for judging predicted numbers needs an R² between 0 and 1, and a standard deviation and a width above 0; got {r2}, {sd} and {width}."
            ),
            r2=expected_r2,
            sd=outcome_sd,
            width=width_mean,
        )
    unexplained = 1 - expected_r2
    return NumberValidationSize(
        expected_r2=expected_r2,
        outcome_sd=outcome_sd,
        width_mean=width_mean,
        r2=ceil(4 * expected_r2 * unexplained**2 / _error(WIDTH_R2) ** 2),
        mean=ceil(outcome_sd**2 * unexplained / _error(width_mean) ** 2),
        slope=ceil(unexplained / (_error(WIDTH_SLOPE) ** 2 * expected_r2) + 1),
        variance=max(for_residual_variance(p) for p in (_OFFSET, _SLOPE)),
    )


def for_residual_variance(n_parameters: int, margin: float = MARGIN_VARIANCE) -> int:
    """Return the number that knows a residual standard deviation to within a factor, in 95 of 100 tables.

    >>> for_residual_variance(1)
    234
    """
    n = n_parameters + 1
    while _factor(n - n_parameters) > margin:
        n += 1
    return n


def _factor(degrees: int) -> float:
    from scipy.special import gammaincinv

    low, high = (2 * float(gammaincinv(degrees / 2, p)) / degrees for p in (0.025, 0.975))  # of chi squared
    return sqrt(max(high, 1 / low))


def _error(width: float) -> float:
    return width / (2 * Z95)
