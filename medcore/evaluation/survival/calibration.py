"""Of 100 patients given a risk of 20 % by a horizon, do 20 have the event by then? In figures and as a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.evaluation.curves.calibration import CalibrationCurve, RiskGroup, inhabited, tenths
from medcore.evaluation.figures.estimates import CONSTANT_RISK, ONE_CLASS, SEPARATED, Estimate, Floats, missing
from medcore.evaluation.figures.event import N_CHANCE, calibration_error, loess_errors
from medcore.evaluation.figures.resampling import Ints, default_n_boot, draw, risk_bins, sums
from medcore.evaluation.figures.smoothing import Smoother
from medcore.evaluation.survival.horizon import Horizon, observed
from medcore.statistics.survival.complementary import ComplementaryFit, in_the_large_fit, slope_fit
from medcore.statistics.survival.incidence import Incidence

_BINS = 500


def calibration_figures(at: Horizon, risk: Floats) -> dict[str, Estimate]:
    """Return slope, calibration in the large, observed over expected, and calibration errors by the horizon; ``risk`` (n,).

    Slope and in the large are of the pseudo-values of each patient on the scale of log(−log(1 − risk))
    (van Geloven 2022, BMJ 377:e069249); the observed share is Kaplan–Meier's or Aalen–Johansen's; errors are
    distances from the smooth curve (ICI, E50, E90; Austin 2020, Stat Med 39:2714).
    """
    if not at.some_had_it:
        return calibration_coefficients(at, risk) | dict.fromkeys(("ici", "e50", "e90"), missing(ONE_CLASS))
    return calibration_coefficients(at, risk) | _smooth_errors(at, at.incidence.pseudo_values(at.time), risk)


def calibration_coefficients(at: Horizon, risk: Floats) -> dict[str, Estimate]:
    """Return those of :func:`calibration_figures` that need no smooth curve: slope, in the large, observed over expected."""
    if not at.some_had_it:
        none = dict.fromkeys(("calibration_slope", "calibration_intercept"), missing(ONE_CLASS))
        return none | {"o_e_ratio": _ratio(at, risk)}
    pseudo = at.incidence.pseudo_values(at.time)
    return {
        "calibration_slope": _coefficient(at, slope_fit(pseudo, risk), CONSTANT_RISK),
        "calibration_intercept": _coefficient(at, in_the_large_fit(pseudo, risk), SEPARATED),
        "o_e_ratio": _ratio(at, risk),
    }


def _coefficient(at: Horizon, fit: ComplementaryFit | None, reason: str) -> Estimate:
    if fit is None:
        return missing(reason)
    return at.estimate(float(fit.coefficients[-1]), fit.influence[:, -1])


def _ratio(at: Horizon, risk: Floats) -> Estimate:
    """Return observed over expected events, with an interval on the log scale."""
    share, mean = at.incidence.at(at.time), float(risk.mean())
    if not share > 0 or not mean > 0:
        return missing(ONE_CLASS, share / mean if mean > 0 else float("nan"))
    if not at.some_had_it:  # everybody: the share has no variance, and an interval
        whole = at.observed()
        return Estimate(share / mean, whole.low / mean, whole.high / mean, whole.method)
    influence = at.incidence.influence(at.time) / mean - share / mean**2 * (risk - mean) / at.n
    return at.ratio(share / mean, influence)


@dataclass(frozen=True, slots=True, eq=False)
class _Binned:
    """Pseudo-values gathered in bins of risk: their number, their sum and the spread about the smooth curve."""

    bins: Ints
    n_bins: int
    count: Floats
    centres: Floats
    smoother: Smoother

    @classmethod
    def of(cls, risk: Floats) -> _Binned:
        bins, n_bins = risk_bins(risk, _BINS)
        count = sums(bins, np.ones(len(risk)), n_bins)
        centres = sums(bins, risk, n_bins) / count
        return cls(bins, n_bins, count, centres, Smoother.over(risk, centres))

    def smooth(self, pseudo: Floats) -> Floats:
        """Return the curve at the knots (M,)."""
        total = sums(self.bins, pseudo, self.n_bins)
        return np.asarray(np.clip(self.smoother.at_knots(self.count[None, :], total[None, :])[0], 0, 1))


def _smooth_errors(at: Horizon, pseudo: Floats, risk: Floats) -> dict[str, Estimate]:
    binned = _Binned.of(risk)
    total = sums(binned.bins, pseudo, binned.n_bins)[None, :]
    values = loess_errors(total, binned.count[None, :], binned.centres, binned.smoother)
    chance = {} if at.groups is not None else _by_chance(binned, pseudo, risk)
    found: dict[str, Estimate] = {}
    for name, value in values.items():
        found |= calibration_error(name, float(value[0]), chance.get(name))
    return found


def _by_chance(binned: _Binned, pseudo: Floats, risk: Floats) -> dict[str, float]:
    """Return the errors that 95 of 100 tables would stay below whose risks are right and whose pseudo-values vary as these do."""
    fitted = binned.smoother.between(binned.smooth(pseudo)[None, :], risk)[0]
    spread = np.sqrt(sums(binned.bins, (pseudo - fitted) ** 2, binned.n_bins))
    noise = np.random.default_rng(0).standard_normal((N_CHANCE, binned.n_bins))
    drawn = binned.count * binned.centres + spread * noise
    weight = np.broadcast_to(binned.count, drawn.shape)
    found = loess_errors(drawn, weight, binned.centres, binned.smoother)
    return {name: float(np.quantile(values, 0.95)) for name, values in found.items()}


def calibration_curve_at_horizon(
    duration: Floats,
    event: Ints,
    risk: Floats,
    horizon: float,
    *,
    groups: Ints | None = None,
    seed: int = 0,
    n_boot: int | None = None,
    n_groups: int = 10,
) -> CalibrationCurve:
    """Smooth what had happened by a horizon over what was predicted; arrays (n,), ``risk`` of cause 1 by then.

    The curve is the local-linear loess of the patients' pseudo-values, its band resamples patients; the
    groups' observed shares are Kaplan–Meier's or Aalen–Johansen's of the group. Where the horizon is beyond the
    follow-up the curve and its groups' shares are NaN.
    """
    at = Horizon.of(duration, event, horizon, groups)
    binned = _Binned.of(risk)
    knots = binned.smoother.knots
    curve, low, high = (np.full(len(knots), np.nan) for _ in range(3))
    if at.within_follow_up:
        pseudo = at.incidence.pseudo_values(horizon)
        draws = draw(at.n, groups, n_boot=n_boot or min(500, default_n_boot(at.n)), seed=seed)
        sizes, totals = (draws.by_cell(binned.bins, binned.n_bins, w) for w in (None, pseudo))
        drawn = np.clip(binned.smoother.at_knots(sizes, totals), 0, 1)
        there = inhabited(knots, risk, groups)
        curve[there], (low[there], high[there]) = (
            binned.smooth(pseudo)[there],
            np.nanpercentile(drawn, [2.5, 97.5], axis=0)[:, there],
        )
    edges = np.linspace(0, 1, 41)
    return CalibrationCurve(
        risk=knots,
        observed=curve,
        low=low,
        high=high,
        groups=_groups(duration, event, risk, horizon, groups, n_groups),
        edges=edges,
        counts=np.histogram(risk, edges)[0].astype(np.int64),
        n=at.n,
        n_events=int(at.event.sum()),
    )


def _groups(
    duration: Floats, event: Ints, risk: Floats, horizon: float, groups: Ints | None, n_groups: int
) -> tuple[RiskGroup, ...]:
    found = []
    for here in tenths(risk, n_groups):
        incidence = Incidence.of(duration[here], event[here])
        events = int(np.sum((event[here] == 1) & (duration[here] <= horizon)))
        share = observed(incidence, horizon, None if groups is None else groups[here])
        found.append(RiskGroup(int(here.sum()), events, float(risk[here].mean()), share))
    return tuple(found)
