"""How many patients a prediction model needs: the criteria of Riley and colleagues.

Sources: Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for
developing a clinical prediction model. BMJ 2020;368:m441, for a binary outcome, with the
mean absolute error of van Smeden 2019 (Stat Methods Med Res 28:2455) as its fourth
criterion; Pate A, Riley RD, Collins GS, et al. Minimum sample size for developing a
multivariable prediction model using multinomial logistic regression. Stat Methods Med
Res 2023;32:555, for more than two classes; Riley RD, Snell KIE, Ensor J, et al. Stat Med
2019;38:1276, whose criteria of the likelihood hold for the one equation of classes in an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, exp, log
from typing import Any

from medcore.errors import SettingsError
from medcore.i18n import N_

SHRINKAGE = 0.9
OPTIMISM = 0.05
MARGIN = 0.05
MEAN_ERROR = 0.05
MOST_PARAMETERS_FOR_ERROR = 30
"""Parameters up to which van Smeden's formula was derived; beyond, the fourth criterion is left out."""
# Riley 2020: without earlier work, assume that 15 % of the attainable variation is explained.
DEFAULT_SHARE_OF_MAX_R2 = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """The least number of patients by each criterion, and the assumptions behind it.

    ``shrinkage`` keeps overfitting below 10 %, ``optimism`` the optimism in
    explained variation below 0.05, ``prevalence`` the error of the average risk
    below 0.05. ``required`` is the largest of them.
    """

    n_parameters: int
    event_share: float
    r2: float
    max_r2: float
    shrinkage: int
    optimism: int
    prevalence: int
    error: int | None = None

    @property
    def criteria(self) -> tuple[int, ...]:
        """The numbers of the criteria that apply."""
        return (self.shrinkage, self.optimism, self.prevalence, *([] if self.error is None else [self.error]))

    @property
    def required(self) -> int:
        """The number of patients that meets all criteria."""
        return max(self.criteria)

    @property
    def required_events(self) -> int:
        """The number of events among them."""
        return ceil(self.required * self.event_share)

    @property
    def events_per_parameter(self) -> float:
        """Events per candidate parameter at the required size."""
        return self.required * self.event_share / self.n_parameters

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "required": self.required,
            "required_events": self.required_events,
            "events_per_parameter": self.events_per_parameter,
        }


def max_cox_snell(event_share: float) -> float:
    """Return the largest Cox–Snell R² that a model can reach at an event share (0–1).

    >>> round(max_cox_snell(0.5), 2)
    0.75
    """
    return 1.0 - float(event_share**event_share * (1 - event_share) ** (1 - event_share)) ** 2


def riley_sample_size(n_parameters: int, event_share: float, r2: float | None = None) -> SampleSize:
    """Calculate how many patients are needed to develop a model of a binary outcome.

    ``n_parameters`` counts candidate parameters (a category of k levels is k−1),
    ``event_share`` is the share of patients with the event, ``r2`` the expected
    Cox–Snell R², by default 15 % of its maximum. Raises SettingsError for values
    outside of what the formulas hold for.

    >>> size = riley_sample_size(24, 0.174, 0.288)
    >>> size.shrinkage, size.optimism, size.prevalence
    (623, 662, 221)
    """
    if n_parameters < 1 or not 0 < event_share < 1:
        raise SettingsError(
            N_(
                "A sample size needs at least one parameter and a share of events between 0 and 1; got {n} and {share}."
            ),
            n=n_parameters,
            share=event_share,
        )
    max_r2 = max_cox_snell(event_share)
    r2 = DEFAULT_SHARE_OF_MAX_R2 * max_r2 if r2 is None else r2
    if not 0 < r2 <= max_r2:
        raise SettingsError(
            N_("The expected R² is {r2}; at this share of events it must lie between 0 and {most}."),
            r2=round(r2, 3),
            most=round(max_r2, 3),
        )
    return SampleSize(
        n_parameters=n_parameters,
        event_share=event_share,
        r2=r2,
        max_r2=max_r2,
        shrinkage=_for_shrinkage(n_parameters, r2, SHRINKAGE),
        optimism=_for_shrinkage(n_parameters, r2, r2 / (r2 + OPTIMISM * max_r2)),
        prevalence=ceil((1.96 / MARGIN) ** 2 * event_share * (1 - event_share)),
        error=_for_error(n_parameters, min(event_share, 1 - event_share)),
    )


def survival_sample_size(
    n_parameters: int, rate: float, mean_follow_up: float, horizon: float, r2: float | None = None
) -> SampleSize:
    """Calculate how many patients are needed to develop a model of an event with its time.

    ``rate`` is that of events by unit of time, ``mean_follow_up`` and ``horizon`` are in that unit; ``event_share`` is
    then how many events a patient's mean follow-up sees. The criteria are those of Riley et al., Stat Med 2019;38:1276
    (part II) as in ``pmsampsize``: small overfitting, small optimism, and a risk by the horizon known within 0.05 where
    the rate is even. Raises SettingsError for values outside of what the formulas hold for.

    >>> size = survival_sample_size(30, 0.065, 2.07, 2.0, 0.051)
    >>> size.shrinkage, size.optimism, size.required_events, round(size.events_per_parameter, 2)
    (5143, 1039, 692, 23.07)
    """
    seen = rate * mean_follow_up
    if n_parameters < 1 or not 0 < seen < 1 or not horizon > 0:
        raise SettingsError(
            N_(
                "A sample size needs at least one parameter and a share of events between 0 and 1; got {n} and {share}."
            ),
            n=n_parameters,
            share=seen,
        )
    max_r2 = 1.0 - exp(2.0 * (seen * log(seen) - seen))
    r2 = DEFAULT_SHARE_OF_MAX_R2 * max_r2 if r2 is None else r2
    if not 0 < r2 <= max_r2:
        raise SettingsError(
            N_("The expected R² is {r2}; at this share of events it must lie between 0 and {most}."),
            r2=round(r2, 3),
            most=round(max_r2, 3),
        )
    # The lower bound of exp(−rate · horizon) is the further one: rate − d moves the risk by MARGIN.
    off = log(1.0 + MARGIN * exp(rate * horizon)) / horizon
    return SampleSize(
        n_parameters=n_parameters,
        event_share=seen,
        r2=r2,
        max_r2=max_r2,
        shrinkage=_for_shrinkage(n_parameters, r2, SHRINKAGE),
        optimism=_for_shrinkage(n_parameters, r2, r2 / (r2 + OPTIMISM * max_r2)),
        prevalence=ceil(1.96**2 * rate / (mean_follow_up * off**2)),
    )


def multinomial_sample_size(
    n_parameters: int, shares: Sequence[float], *, r2_of_pairs: Sequence[float] | None = None
) -> SampleSize:
    """Calculate how many patients are needed to develop a multinomial model of K classes with the given shares.

    ``n_parameters`` counts the candidate parameters of one of the K − 1 equations. Every
    pair of classes must shrink by less than 10 %, the whole model's optimism and the error
    of every class's average risk (together) be small; each pair and the whole are assumed
    to explain 15 % of what can be explained, unless the Cox–Snell R² of each pair (1 and 2, 1 and 3, …, of the classes
    that occur) is given. Raises SettingsError for fewer than two
    classes or no parameter.

    >>> multinomial_sample_size(17, (0.66, 0.17, 0.17)).shrinkage
    3745
    """
    present = _present(n_parameters, shares)
    pairs = list(combinations(present, 2))
    r2 = r2_of_pairs or [DEFAULT_SHARE_OF_MAX_R2 * max_cox_snell(a / (a + b)) for a, b in pairs]
    shrinkage = max(
        ceil(_shrinking(n_parameters, own, SHRINKAGE) / (a + b)) for (a, b), own in zip(pairs, r2, strict=True)
    )
    return _of_classes(n_parameters * (len(present) - 1), present, shrinkage=shrinkage)


def ordinal_sample_size(n_parameters: int, shares: Sequence[float]) -> SampleSize:
    """Calculate how many patients are needed to develop a proportional odds model of K classes with the given shares.

    Its one equation has ``n_parameters`` beside the thresholds, so that the criteria are those of two
    classes with the likelihood of all; the error of every class's share is held as in
    :func:`multinomial_sample_size`. Raises SettingsError for fewer than two classes or no parameter.

    >>> ordinal_sample_size(10, (0.5, 0.3, 0.2)).shrinkage < multinomial_sample_size(10, (0.5, 0.3, 0.2)).shrinkage
    True
    """
    return _of_classes(n_parameters, _present(n_parameters, shares))


def _present(n_parameters: int, shares: Sequence[float]) -> list[float]:
    present = [float(s) for s in shares if s > 0]
    if n_parameters < 1 or len(present) < 2:
        raise SettingsError(
            N_(
                "A sample size needs at least one parameter and a share of events between 0 and 1; got {n} and {share}."
            ),
            n=n_parameters,
            share=round(max(present, default=0.0), 3),
        )
    return present


def _of_classes(n_parameters: int, shares: Sequence[float], *, shrinkage: int | None = None) -> SampleSize:
    """Apply the criteria of the whole likelihood to K classes; ``shrinkage`` where every pair of classes asks for its own."""
    from scipy.special import gammaincinv

    max_r2 = 1.0 - exp(2 * sum(s * log(s) for s in shares))
    r2 = DEFAULT_SHARE_OF_MAX_R2 * max_r2
    together = 2 * float(gammaincinv(0.5, 1 - 0.05 / len(shares)))  # chi squared's quantile, one degree of freedom
    return SampleSize(
        n_parameters=n_parameters,
        event_share=min(shares),
        r2=r2,
        max_r2=max_r2,
        shrinkage=_for_shrinkage(n_parameters, r2, SHRINKAGE) if shrinkage is None else shrinkage,
        optimism=_for_shrinkage(n_parameters, r2, r2 / (r2 + OPTIMISM * max_r2)),
        prevalence=max(ceil(together * s * (1 - s) / MARGIN**2) for s in shares),
    )


def _for_shrinkage(n_parameters: int, r2: float, shrinkage: float) -> int:
    return ceil(_shrinking(n_parameters, r2, shrinkage))


def _shrinking(n_parameters: int, r2: float, shrinkage: float) -> float:
    return n_parameters / ((shrinkage - 1) * log(1 - r2 / shrinkage))


def _for_error(n_parameters: int, rarer_share: float) -> int | None:
    """Return the number at which the mean absolute error of the risks is 0.05 (van Smeden 2019, equation in BMJ 2020)."""
    if n_parameters > MOST_PARAMETERS_FOR_ERROR:
        return None
    return ceil(exp((-0.508 + 0.259 * log(rarer_share) + 0.504 * log(n_parameters) - log(MEAN_ERROR)) / 0.544))
