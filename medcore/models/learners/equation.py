"""A logistic regression, or proportional odds, as an equation: what is computed from a patient's values, and with which numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes, FeatureMaker, kind_named
from medcore.models.contract.task import Risk, clean
from medcore.models.learners.splines import Splines, spline_term
from medcore.statistics.proportional_odds import class_probabilities
from medcore.targets import Target

if TYPE_CHECKING:
    from medcore.models.learners.ridge import RidgePart

TermKind = Literal["linear", "spline", "level", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term: ``(g − centre) / scale`` times a coefficient for each score, ``g`` made from one predictor's code.

    By ``kind``, g is the value ("linear"); its restricted cubic spline
    (:func:`~medcore.models.learners.splines.spline_term` with ``knots``, in the predictor's
    unit, and ``curve``, the curve's number); 1 for the category of code ``level``, −1 being a
    rare or unknown one ("level"); or 1 where the value is missing ("missing"). A missing
    number is ``fill``.
    """

    place: int
    kind: TermKind
    coefficients: tuple[float, ...]
    centre: float = 0.0
    scale: float = 1.0
    fill: float = 0.0
    level: int = 0
    knots: tuple[float, ...] = ()
    curve: int = 0

    def value(self, codes: Codes) -> NDArray[np.float64]:
        """Return ``(g − centre) / scale`` for codes ``(n, P)``."""
        values = codes[:, self.place]
        if self.kind == "missing":
            return np.asarray(np.isnan(values), dtype=np.float64)
        if self.kind == "level":
            return np.asarray(values == self.level, dtype=np.float64)
        filled = np.where(np.isnan(values), self.fill, values)
        shaped = spline_term(filled, self.knots, self.curve) if self.knots else filled
        return np.asarray((shaped - self.centre) / self.scale)


@dataclass(frozen=True, slots=True)
class Equation:
    """Scores: ``intercepts`` plus all terms. Those of every class (K,), of which the risks are the softmax.

    With two classes the scores of class 0 are 0, so that the risk of class 1 is
    ``1 / (1 + exp(−score))``: intercept, coefficients and odds ratios are those of
    ``coefficients[1]``.

    In proportional odds (``ordered``) there is a score for each class but the lowest (K − 1,):
    ``1 / (1 + exp(−score))`` is the risk of that class or a higher one, and the coefficients of
    all scores are the same. The risks are then kept within 1e-7 and 1 and made to sum to 1
    (:func:`~medcore.models.contract.task.clean`), and the bundle's calibrator follows.
    """

    intercepts: tuple[float, ...]
    terms: tuple[Term, ...]
    ordered: bool = False

    @property
    def n_classes(self) -> int:
        """How many classes the equation gives risks of."""
        return len(self.intercepts) + int(self.ordered)

    @property
    def told(self) -> tuple[int, ...]:
        """The scores that say something: all, but with two classes that of the event alone."""
        return tuple(range(len(self.intercepts))) if self.ordered else Target(self.n_classes).told

    def scores(self, codes: Codes) -> NDArray[np.float64]:
        """Add up the terms of codes ``(n, P)``: scores ``(n, K)``, or ``(n, K − 1)``."""
        scores = np.tile(np.asarray(self.intercepts), (len(codes), 1))
        for term in self.terms:
            scores += term.value(codes)[:, None] * np.asarray(term.coefficients)
        return scores

    def risk(self, codes: Codes) -> Risk:
        """Predict before recalibration, shape ``(n, K)``."""
        scores = self.scores(codes)
        if self.ordered:
            score, thresholds = scores[:, 0] - self.intercepts[0], -np.asarray(self.intercepts)
            return clean(class_probabilities(score, thresholds), self.n_classes)
        return clean(np.exp(scores - scores.max(axis=1, keepdims=True)), len(self.intercepts))


def equation_of(part: RidgePart, *, ordered: bool = False) -> Equation:
    """Write a trained logistic regression as an equation, or proportional odds: its thresholds with their sign turned."""
    coefficients = np.broadcast_to(part.coefficients, (len(part.coefficients), len(part.intercepts)))
    terms = terms_of(part.maker, part.splines or Splines(), coefficients)
    intercepts = -part.intercepts if ordered else part.intercepts
    return Equation(tuple(intercepts.tolist()), terms, ordered)


def terms_of(maker: FeatureMaker, splines: Splines, numbers: NDArray[np.float64]) -> tuple[Term, ...]:
    """Name what each row of coefficients ``(F + S, scores)`` is multiplied with: the maker's columns, then the splines'."""
    terms: list[Term] = []
    rows = iter(numbers.tolist())
    for place, kind in enumerate(maker.kinds):
        entries = maker.layout_.entries[place]
        if entries and not kind_named(kind).scalar:
            raise ValueError(f"the kind of column {kind!r} holds contents: no equation of its codes can be written")
        if entries and kind_named(kind).ordered:
            coefficients = next(rows)
            scale = float(maker.scales_[place])  # 0: the same in all training rows of this model, so it counts nothing
            terms.append(
                Term(
                    place=place,
                    kind="linear",
                    coefficients=tuple(coefficients if scale > 0 else [0.0] * len(coefficients)),
                    centre=float(maker.centres_[place]),
                    scale=scale if scale > 0 else 1.0,
                    fill=float(maker.medians_[place]),
                )
            )
        else:
            terms += [Term(place=place, kind="level", coefficients=tuple(next(rows)), level=level) for level in entries]
        if maker.layout_.missing[place]:
            terms.append(Term(place=place, kind="missing", coefficients=tuple(next(rows))))
    terms += [
        Term(
            place=place,
            kind="spline",
            coefficients=tuple(next(rows)),
            centre=splines.centres[at],
            scale=splines.scales[at],
            fill=float(maker.medians_[place]),
            knots=splines.knots[at],
            curve=splines.terms[at],
        )
        for at, place in enumerate(splines.places)
    ]
    return tuple(terms)
