"""Recalibration: make a predicted 20 % mean that one in five has the outcome.

Every method is fitted on out-of-fold risks, and the one to use is chosen by its
log loss, a proper score, on folds that it has not seen. Sources: Platt 1999; Zadrozny & Elkan 2002
(isotonic); Kull 2017 (beta); Guo 2017 (temperature, vector scaling); Vovk &
Petej 2014 (Venn–Abers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize, minimize_scalar
from scipy.special import expit
from scipy.special import logit as scipy_logit

from medcore.models.contract.task import Indices, Risk, clean
from medcore.statistics.logistic import MODEL_EDGE
from medcore.statistics.scores import class_log_loss, class_log_loss_terms
from medcore.statistics.survival.complementary import complementary_log_log
from medcore.targets import Target

Floats = NDArray[np.float64]
EVENT_METHODS = ("none", "temperature", "platt", "beta", "isotonic_and_platt", "venn_abers_and_platt")
MANY_CLASS_METHODS = ("none", "temperature", "vector")
CURVES = ("isotonic", "venn_abers", "isotonic_and_platt", "venn_abers_and_platt")
"""Methods that leave a curve; in bundles from before decision 125 it may be one of steps."""
COMPLEMENTARY = "complementary"
"""A line on the scale of log(−log(1 − risk)) of the event in question, by a time; other events keep their risks where there is room."""
LINE = "line"
"""A line through predicted numbers."""
NO_SHIFT = ("none", "temperature")
"""Where folds are whole sites. A site left out is wrong by what sets it apart, and the others, whose models learnt from it,
by the contrary: what shifts risks to mend these moves the left-out site's the wrong way (decision 64)."""
_SAME_LOSS = 0.002
"""With few patients a smaller gain in log loss is mostly chance; a curve, which costs the order of patients between folds,
must always gain more over the others (decision 125)."""
_LEAST_SLOPE = 0.1
"""A recalibration may flatten risks to this share of their log odds and no further, for at 0 it is no longer the model that
is judged: where the order of patients is worse than chance, by chance, it would always become a tie (decision 78)."""
_VENN_ABERS_GRID = 100
_MIN_ROWS_FOR_STEPS = 100
"""Isotonic regression and Venn–Abers are not tried with fewer events or non-events in all: they would overfit."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A fitted recalibration: its method and its few numbers.

    ``then`` is a later recalibration, to other patients, applied to what this one gives.
    """

    method: str = "none"
    parameters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    then: Calibrator | None = None

    def apply(self, risk: Risk) -> Risk:
        """Recalibrate risks of shape ``(n, K)``, or numbers (n, 1)."""
        if self.method == COMPLEMENTARY:
            risk = _complementary(risk, self.parameters["intercept"][0], self.parameters["slope"][0])
        elif self.method == LINE:
            risk = self.parameters["intercept"][0] + self.parameters["slope"][0] * risk
        elif self.method != "none":
            risk = clean(_APPLY[self.method](risk, self.parameters), risk.shape[1])
        return risk if self.then is None else self.then.apply(risk)

    def at(self, time: float) -> Calibrator:
        """Return the recalibration of risks by a time; lines join what is known at several, and nothing else differs by time."""
        own: Mapping[str, tuple[float, ...]] = self.parameters
        if self.method == COMPLEMENTARY:
            own = {k: (float(np.interp(time, self.parameters["time"], v)),) for k, v in own.items()}
        return Calibrator(self.method, own, None if self.then is None else self.then.at(time))

    def curves(self, incidence: NDArray[np.float64], times: Floats) -> NDArray[np.float64]:
        """Recalibrate incidences of every cause by ``times`` (T,), (n, causes, T), at each time as :meth:`at` does."""
        if self.method == "none" and self.then is None:
            return incidence
        found = np.empty_like(incidence)
        for place, time in enumerate(times):
            risk = np.column_stack([1.0 - incidence[:, :, place].sum(axis=1), incidence[:, :, place]])
            found[:, :, place] = self.at(float(time)).apply(risk)[:, 1:]
        return found

    def followed_by(self, later: Calibrator) -> Calibrator:
        """Return this recalibration with another one applied after it, and after those that follow it already."""
        return replace(self, then=later if self.then is None else self.then.followed_by(later))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        own = {"method": self.method, "parameters": {k: list(v) for k, v in self.parameters.items()}}
        return own if self.then is None else own | {"then": self.then.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibrator:
        """Read what :meth:`to_dict` wrote."""
        later = data.get("then")
        parameters = {k: tuple(v) for k, v in data["parameters"].items()}
        return cls(data["method"], parameters, cls.from_dict(later) if later else None)


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """The chosen calibrator, honest risks under it, and the log loss of every method tried."""

    calibrator: Calibrator
    oof: Risk
    log_loss: Mapping[str, float]


def fit_calibrator(method: str, risk: Risk, outcome: Indices) -> Calibrator:
    """Fit one method on risks ``(n, K)`` from models that have not seen these rows."""
    if method == "none":
        return Calibrator()
    return Calibrator(method, _FIT[method](clean(risk, risk.shape[1]), outcome))


def choose_calibrator(
    risk: Risk,
    outcome: Indices,
    folds: Indices,
    *,
    enforced: bool = False,
    methods: Sequence[str] | None = None,
) -> CalibrationChoice:
    """Choose the method with the lowest log loss on held-out folds.

    With fewer than 100 events or non-events nothing is done unless it lowers the log
    loss by ``_SAME_LOSS``; a curve must lower that of the other methods by as much.
    The returned honest risks of a fold come from the method
    that the other folds chose: neither their log loss nor their calibration slope has
    had a say in the choice. Where recalibrating, so judged, does not lower the log loss, nothing is
    done, and the risks are returned as they are: what is delivered is what is judged. ``enforced`` rules
    out doing nothing; ``methods`` are those that may be chosen, instead of all.
    """
    allowed = [m for m in _methods(outcome, risk.shape[1], enforced) if methods is None or m in methods]
    honest = {m: _cross_fitted(m, risk, outcome, folds) for m in allowed}
    terms = {m: class_log_loss_terms(outcome, values) for m, values in honest.items()}
    margin = _SAME_LOSS if _is_small(outcome, risk.shape[1]) else 0.0

    def best(rows: NDArray[np.bool_]) -> str:
        losses = {m: float(values[rows].mean()) for m, values in terms.items()}
        lowest = min(losses, key=lambda m: losses[m] + _SAME_LOSS * (m in CURVES))
        return "none" if losses.get("none", np.inf) <= losses[lowest] + margin else lowest

    everybody = np.ones(len(outcome), dtype=bool)
    oof = np.empty_like(risk)
    for fold in np.unique(folds):
        held = folds == fold
        oof[held] = honest[best(everybody if held.all() else ~held)][held]
    method = best(everybody)
    if "none" in terms and (method == "none" or class_log_loss(outcome, oof) >= terms["none"].mean()):
        method, oof = "none", honest["none"]
    chosen = fit_calibrator(method, risk, outcome)
    return CalibrationChoice(chosen, oof, {m: float(values.mean()) for m, values in terms.items()})


def _is_small(outcome: Indices, n_classes: int) -> bool:
    """Whether the events, or all patients but those of the commonest class, are fewer than 100."""
    counts = np.bincount(outcome, minlength=n_classes)
    return bool(len(outcome) - counts.max() < _MIN_ROWS_FOR_STEPS)


def _methods(outcome: Indices, n_classes: int, enforced: bool) -> tuple[str, ...]:
    one_event = Target(n_classes).event is not None
    methods: tuple[str, ...] = EVENT_METHODS if one_event else MANY_CLASS_METHODS
    if one_event and _is_small(outcome, n_classes):
        methods = methods[:4]
    return methods[1:] if enforced else methods


def _cross_fitted(method: str, risk: Risk, outcome: Indices, folds: Indices) -> Risk:
    honest = np.empty_like(risk)
    for fold in np.unique(folds):
        held = folds == fold
        usable = len(np.unique(outcome[~held])) >= 2
        calibrator = fit_calibrator(method if usable else "none", risk[~held], outcome[~held])
        honest[held] = calibrator.apply(risk[held])
    return honest


def _scores(risk: Risk) -> Floats:
    # scipy's own logit, which differs from statistics.logit in the last bit: bundles give the risks they gave
    return np.asarray(scipy_logit(np.clip(risk[:, 1], MODEL_EDGE, 1 - MODEL_EDGE)))


def _complementary(risk: Risk, intercept: float, slope: float) -> Risk:
    event = -np.expm1(-np.exp(intercept + slope * complementary_log_log(risk[:, 1])))
    others = risk[:, 2:]
    room = np.minimum(1.0, (1.0 - event) / np.maximum(others.sum(axis=1), MODEL_EDGE))
    others = others * room[:, None]
    return np.column_stack([1.0 - event - others.sum(axis=1), event, others])


def _both(p: Floats) -> Risk:
    return np.column_stack([1.0 - p, p])


def _soft_targets(outcome: Indices) -> Floats:
    """Platt's targets: a little short of 0 and 1, so that a perfect separation has a finite fit."""
    n1 = int(outcome.sum())
    n0 = len(outcome) - n1
    return np.where(outcome == 1, (n1 + 1.0) / (n1 + 2.0), 1.0 / (n0 + 2.0))


def _logistic_fit(columns: Floats, target: Floats, *, lowest: Floats) -> Floats:
    """Fit coefficients of a logistic model (intercept last) by bounded quasi-Newton."""
    design = np.column_stack([columns, np.ones(len(target))])

    def loss(b: Floats) -> tuple[float, Floats]:
        scores = design @ b
        value = np.logaddexp(0.0, scores) - target * scores
        return float(value.mean()), np.asarray(design.T @ (expit(scores) - target) / len(target))

    start = np.append(np.ones(columns.shape[1]), 0.0)
    bounds = [(low, None) for low in lowest] + [(None, None)]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _fit_platt(risk: Risk, outcome: Indices) -> dict[str, tuple[float, ...]]:
    slope, intercept = _logistic_fit(_scores(risk)[:, None], _soft_targets(outcome), lowest=np.full(1, _LEAST_SLOPE))
    return {"slope": (float(slope),), "intercept": (float(intercept),)}


def _apply_platt(risk: Risk, p: Mapping[str, tuple[float, ...]]) -> Risk:
    return _both(expit(p["slope"][0] * _scores(risk) + p["intercept"][0]))


def _beta_columns(risk: Risk) -> Floats:
    p = np.clip(risk[:, 1], MODEL_EDGE, 1 - MODEL_EDGE)
    return np.column_stack([np.log(p), -np.log1p(-p)])


def _fit_beta(risk: Risk, outcome: Indices) -> dict[str, tuple[float, ...]]:
    a, b, c = _logistic_fit(_beta_columns(risk), _soft_targets(outcome), lowest=np.full(2, _LEAST_SLOPE))
    return {"abc": (float(a), float(b), float(c))}


def _apply_beta(risk: Risk, p: Mapping[str, tuple[float, ...]]) -> Risk:
    a, b, c = p["abc"]
    return _both(expit(_beta_columns(risk) @ np.array([a, b]) + c))


def _fit_temperature(risk: Risk, outcome: Indices) -> dict[str, tuple[float, ...]]:
    logs = np.log(risk)

    def loss(log_power: float) -> float:
        return class_log_loss(outcome, _softmax(np.exp(log_power) * logs))

    return {"power": (float(np.exp(minimize_scalar(loss, bounds=(-2.5, 2.0), method="bounded").x)),)}


def _apply_temperature(risk: Risk, p: Mapping[str, tuple[float, ...]]) -> Risk:
    return _softmax(p["power"][0] * np.log(clean(risk, risk.shape[1])))


def _fit_shift(risk: Risk, outcome: Indices) -> dict[str, tuple[float, ...]]:
    return _fit_vector(risk, outcome, power=(1.0, 1.0))


def _fit_vector(
    risk: Risk, outcome: Indices, *, power: tuple[float, float] = (0.05, 10.0)
) -> dict[str, tuple[float, ...]]:
    logs, n_classes = np.log(risk), risk.shape[1]
    hot = np.eye(n_classes)[outcome]

    def loss(b: Floats) -> tuple[float, Floats]:
        fitted = _softmax(b[0] * logs + b[1:])
        miss = (fitted - hot) / len(outcome)
        shrink = b[1:] / len(outcome)  # a class with a handful of rows must not run away
        gradient = np.append((miss * logs).sum(), miss.sum(axis=0) + shrink)
        return class_log_loss(outcome, fitted) + float(b[1:] @ shrink) / 2, gradient

    start = np.append(1.0, np.zeros(n_classes))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[power] + [(-10.0, 10.0)] * n_classes).x
    return {"power": (float(best[0]),), "shift": tuple(float(v) for v in best[1:])}


def _apply_vector(risk: Risk, p: Mapping[str, tuple[float, ...]]) -> Risk:
    return _softmax(p["power"][0] * np.log(clean(risk, risk.shape[1])) + np.asarray(p["shift"]))


def _softmax(scores: Floats) -> Risk:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _steps(x: Floats, y: Floats, weights: Floats | None = None) -> Floats:
    """Isotonic fit of y, already ordered by x (equal x share one value)."""
    values, starts, counts = np.unique(x, return_index=True, return_counts=True)
    w = counts.astype(float) if weights is None else np.add.reduceat(weights, starts)
    means = np.add.reduceat(y if weights is None else y * weights, starts) / w
    return np.asarray(np.interp(x, values, isotonic_regression(means, weights=w).x))


def _fit_isotonic(risk: Risk, outcome: Indices) -> dict[str, tuple[float, ...]]:
    order = np.argsort(risk[:, 1], kind="stable")
    x, target = risk[order, 1], _soft_targets(outcome)[order]
    fitted = _steps(x, target)
    edges = np.flatnonzero(np.diff(fitted, prepend=np.nan, append=np.nan) != 0)
    keep = np.unique(np.concatenate([edges[:-1], edges[1:] - 1]))
    return _rising(risk, outcome, x[keep], fitted[keep])


def _apply_curve(risk: Risk, p: Mapping[str, tuple[float, ...]]) -> Risk:
    return _both(np.interp(risk[:, 1], p["x"], p["y"]))


def _fit_venn_abers(risk: Risk, outcome: Indices) -> dict[str, tuple[float, ...]]:
    """Fit inductive Venn–Abers, worked out on a grid of the observed risks and joined by lines.

    At each grid point x the isotonic fit is repeated with (x, 0) and with (x, 1)
    added; the two values p0 and p1 make one risk p1 / (1 − p0 + p1).
    """
    scores, target = risk[:, 1], outcome.astype(np.float64)
    grid = np.unique(np.quantile(scores, np.linspace(0.0, 1.0, _VENN_ABERS_GRID)))
    x, y, w = _binned(scores, target)
    values = []
    for point in grid:
        at = int(np.searchsorted(x, point))
        p0, p1 = (
            _steps(np.insert(x, at, point), np.insert(y, at, label), np.insert(w, at, 1.0))[at] for label in (0.0, 1.0)
        )
        values.append(float(p1 / (1.0 - p0 + p1)))
    return _rising(risk, outcome, grid, np.maximum.accumulate(values))


def _rising(risk: Risk, outcome: Indices, x: Floats, y: Floats) -> dict[str, tuple[float, ...]]:
    """Meet a curve of steps, y at the risks x, halfway to Platt's line, in log odds: it rises everywhere then (decision 125)."""
    x = np.concatenate([[0.0], x, [1.0]])
    steps = _scores(_both(np.concatenate([y[:1], y, y[-1:]])))
    line = _scores(_apply_platt(_both(x), _fit_platt(risk, outcome)))
    return {"x": tuple(x.tolist()), "y": tuple(expit((steps + line) / 2).tolist())}


def _binned(scores: Floats, target: Floats, most: int = 2000) -> tuple[Floats, Floats, Floats]:
    """Average neighbours so that at most ``most`` ordered points remain."""
    order = np.argsort(scores, kind="stable")
    pieces = np.array_split(order, min(most, len(order)))
    x, y = (np.array([v[p].mean() for p in pieces]) for v in (scores, target))
    return x, y, np.array([float(len(p)) for p in pieces])


_Parameters = Mapping[str, tuple[float, ...]]
_FIT: Mapping[str, Callable[[Risk, Indices], dict[str, tuple[float, ...]]]] = {
    "temperature": _fit_temperature,
    "platt": _fit_platt,
    "beta": _fit_beta,
    "isotonic_and_platt": _fit_isotonic,
    "venn_abers_and_platt": _fit_venn_abers,
    "vector": _fit_vector,
    "shift": _fit_shift,
}
_APPLY: Mapping[str, Callable[[Risk, _Parameters], Risk]] = {
    "temperature": _apply_temperature,
    "platt": _apply_platt,
    "beta": _apply_beta,
    "vector": _apply_vector,
    "shift": _apply_vector,
    **dict.fromkeys(CURVES, _apply_curve),
}
