"""A nomogram: the equation as scales of points, to be read with a ruler."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from medcore.features import UNSEEN
from medcore.models.written.points import effect
from medcore.models.written.specification import Specification
from medcore.targets import Target

FULL_SCALE = 100.0
"""Points of the predictor that moves the log-odds most, over the training patients' range."""
_GRID = 201
_RISKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class ScaleMark:
    """A value and the points it has; ``value`` None is a missing one, "" another category than the known."""

    value: float | str | None
    points: float


@dataclass(frozen=True, slots=True)
class Scale:
    """One predictor: marks in the order of its values; ``span`` are its lowest and highest points."""

    name: str
    marks: tuple[ScaleMark, ...]
    span: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Nomogram:
    """Scales of points; the sum of a patient's points is the total that belongs to a risk.

    ``risks`` are pairs of a risk (0–1) and its total; ``largest`` is the highest total
    that the training patients' ranges allow.
    """

    scales: tuple[Scale, ...]
    risks: tuple[tuple[float, float], ...]
    largest: float


def nomogram(model: Specification) -> Nomogram | None:
    """Lay out the scales; None for more than two classes, or where nothing moves the risk."""
    if Target.of(model.classes).event is None:
        return None
    found = []
    for place in sorted({t.place for t in model.equation.terms if t.coefficients[-1]}):
        values = _values(model, place)
        known = np.array([v for v in values if isinstance(v, float)])
        numeric = model.inputs[place].numeric
        path = np.linspace(known.min(), known.max(), _GRID) if numeric and known.size else np.empty(0)
        marks = effect(
            model.equation, place, np.array([model.inputs[place].code(v) if v != "" else UNSEEN for v in values])
        )
        found.append((model.inputs[place].name, values, marks, np.r_[marks, effect(model.equation, place, path)]))
    widest = max((float(np.ptp(all_)) for _n, _v, _m, all_ in found), default=0.0)
    if widest <= 0:
        return None
    unit = widest / FULL_SCALE
    least = sum(float(all_.min()) for _n, _v, _m, all_ in found) + model.equation.intercepts[-1]
    scales = tuple(
        Scale(
            name,
            tuple(ScaleMark(v, float((m - all_.min()) / unit)) for v, m in zip(values, marks, strict=True)),
            (0.0, float(np.ptp(all_) / unit)),
        )
        for name, values, marks, all_ in found
    )
    largest = sum(scale.span[1] for scale in scales)
    totals = np.linspace(0.0, largest, 4001)
    raw = 1.0 / (1.0 + np.exp(-(least + unit * totals)))
    risk = model.calibrator.apply(np.column_stack([1.0 - raw, raw]))[:, 1]
    risks = tuple((r, float(np.interp(logit(r), logit(risk), totals))) for r in _RISKS if risk[0] <= r <= risk[-1])
    return Nomogram(scales, risks, largest)


def _values(model: Specification, place: int) -> list[float | str | None]:
    """Return the values that get a mark: round numbers over the training range, or the categories."""
    source, terms = model.inputs[place], [t for t in model.equation.terms if t.place == place]
    values: list[float | str | None] = list(source.categories)
    if source.numeric and source.low is not None and source.high is not None:
        values = [float(v) for v in _round_numbers(source.low, source.high)]
    if any(t.kind == "level" and t.level < 0 for t in terms):
        values.append("")
    return [*values, None] if any(t.kind == "missing" for t in terms) else values


def _round_numbers(low: float, high: float, n: int = 8) -> list[float]:
    """Return about ``n`` round numbers from ``low`` to ``high``, both ends among them; whole ones between whole ends.

    >>> _round_numbers(29.0, 77.0)
    [29.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0, 65.0, 70.0, 77.0]
    >>> _round_numbers(1.0, 4.0)
    [1.0, 2.0, 3.0, 4.0]
    """
    if high <= low:
        return [low]
    rough = (high - low) / n
    size = 10.0 ** np.floor(np.log10(rough))
    step = float(min((m * size for m in (1, 2, 5, 10)), key=lambda s: abs(np.log(s / rough))))
    if low == round(low) and high == round(high):
        step = max(step, 1.0)  # codes and counts have nothing between
    inner = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    kept = [float(np.round(v, 12)) for v in inner if low + 0.6 * step < v < high - 0.6 * step]
    return [low, *kept, high]
