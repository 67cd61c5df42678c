"""How many patients a model of a number needs: the criteria of Riley and colleagues for a continuous outcome.

Source: Riley RD, Snell KIE, Ensor J, et al. Minimum sample size for developing a multivariable prediction
model: Part I, continuous outcomes. Stat Med 2019;38:1262, as in BMJ 2020;368:m441 and the R package pmsampsize.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Any

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.statistics.sample_size.development import DEFAULT_SHARE_OF_MAX_R2, OPTIMISM, SHRINKAGE
from medcore.statistics.sample_size.validation_of_numbers import for_residual_variance

MARGIN_MEAN = 1.1
"""The mean of the outcome is to be known to within 10 % (Riley 2019, criterion iv)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSampleSize:
    """The least number of patients by each criterion; ``required`` is the largest.

    ``shrinkage`` keeps overfitting below 10 %, ``optimism`` the optimism in R² below 0.05, ``variance`` knows the residual
    standard deviation to within 10 %, ``mean`` that of the outcome.
    """

    n_parameters: int
    r2: float
    shrinkage: int
    optimism: int
    variance: int
    mean: int

    @property
    def required(self) -> int:
        """The number of patients that meets all criteria."""
        return max(self.shrinkage, self.optimism, self.variance, self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__} | {"required": self.required}


def sample_size_of_numbers(n_parameters: int, mean: float, sd: float, r2: float | None = None) -> NumberSampleSize:
    """Calculate how many patients are needed to develop a model of a number.

    ``n_parameters`` counts candidate parameters, ``mean`` and ``sd`` are the outcome's, ``r2`` the expected adjusted R², by
    default 0.15. Raises SettingsError for values outside of what the formulas hold for.

    >>> sample_size_of_numbers(25, 1.9, 0.6, 0.2)
    NumberSampleSize(n_parameters=25, r2=0.2, shrinkage=918, optimism=401, variance=259, mean=259)
    """
    r2 = DEFAULT_SHARE_OF_MAX_R2 if r2 is None else r2
    if n_parameters < 1 or not 0 < r2 < 1 or not sd > 0:
        raise SettingsError(
            N_(
                "A sample size for a number needs at least one parameter, an R² between 0 and 1, and a standard deviation above 0; got {n}, {r2} and {sd}."
            ),
            n=n_parameters,
            r2=r2,
            sd=sd,
        )
    variance = for_residual_variance(n_parameters + 1)  # the intercept is one more
    return NumberSampleSize(
        n_parameters=n_parameters,
        r2=r2,
        shrinkage=_for_shrinkage(n_parameters, r2),
        optimism=1 + ceil(n_parameters * (1 - r2) / OPTIMISM - 1e-9),
        variance=variance,
        mean=_for_mean(n_parameters, abs(mean), sd * sqrt(1 - r2), variance),
    )


def _for_shrinkage(n_parameters: int, r2: float) -> int:
    """Return the least n at which 1 + (P − 2) / (n · log(1 − R² of the sample)) is 0.9."""
    n = n_parameters + 2
    while n_parameters > 2 and _shrinkage(n, n_parameters, r2) < SHRINKAGE:
        n += 1
    return n


def _shrinkage(n: int, n_parameters: int, r2: float) -> float:
    apparent = (r2 * (n - n_parameters - 1) + n_parameters) / (n - 1)
    return 1 + (n_parameters - 2) / (n * log(1 - apparent))


def _for_mean(n_parameters: int, mean: float, left: float, n: int) -> int:
    """Return the least n, from that of the variance on, at which the upper bound of the mean is 10 % above it at most; n where the mean is 0."""
    if not mean > 0:
        return n
    from scipy.special import stdtrit

    width = (MARGIN_MEAN - 1) * mean / left
    n = max(n, int((1.9 / width) ** 2))
    while float(stdtrit(n - n_parameters - 1, 0.975)) / sqrt(n) > width:
        n += 1
    return n
