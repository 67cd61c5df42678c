"""The specification of a logistic regression, or of proportional odds: all that another needs to compute its risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.data.shown import Shown
from medcore.features import Codes
from medcore.models.contract.candidate import LOGISTIC, ORDINAL
from medcore.models.contract.task import Risk, Task, clean
from medcore.models.learners.equation import Equation, Term, equation_of
from medcore.models.learners.logistic import LogisticPart
from medcore.models.learners.ordinal import OrdinalPart
from medcore.models.selection.calibration import Calibrator
from medcore.models.written.errors import standard_errors
from medcore.models.written.inputs import Input
from medcore.models.written.points import PointScore, point_score

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """A logistic regression written down; of an outcome in an order, proportional odds.

    ``delivered`` says whether the bundle is this model: its risks are then the
    bundle's, recalibration included. Otherwise it is the regression that was
    trained beside, without recalibration. ``errors`` ``(1 + T, S)``, a column a score, are standard errors of
    the intercepts and of the T terms' coefficients
    (:func:`~medcore.models.written.errors.standard_errors`), None where the model is too
    large for them. ``points`` is its score of whole points, for two classes.
    """

    outcome: str
    classes: tuple[str, ...]
    inputs: tuple[Input, ...]
    equation: Equation
    inverse_penalty: float
    calibrator: Calibrator
    delivered: bool
    n_rows: int
    n_patients: int
    errors: NDArray[np.float64] | None = field(repr=False, default=None)
    points: PointScore | None = None

    @property
    def learner(self) -> str:
        """The candidate that this is."""
        return ORDINAL if self.equation.ordered else LOGISTIC

    def shown(self, name: str) -> Shown:
        """Say how a predictor is shown to people."""
        return next((i.shown for i in self.inputs if i.name == name), Shown(name))

    def risk(self, codes: Codes) -> Risk:
        """Predict from codes ``(n, P)``: risks ``(n, K)``, rows summing to 1."""
        return self.calibrator.apply(clean(self.equation.risk(codes), len(self.classes)))  # as a bundle of one part

    def among(self, places: Sequence[int]) -> Specification:
        """Return the same model for codes of some predictors, those at ``places``; the others must be in no term."""
        new = {old: at for at, old in enumerate(places)}
        terms = tuple(replace(term, place=new[term.place]) for term in self.equation.terms)
        points = self.points
        if points is not None:
            points = replace(points, items=tuple(replace(item, place=new[item.place]) for item in points.items))
        inputs = tuple(self.inputs[place] for place in places)
        return replace(self, inputs=inputs, equation=replace(self.equation, terms=terms), points=points)

    def interval(self, row: int, k: int) -> tuple[float, float] | None:
        """Return the 95 % interval of a number of score ``k``: of the intercept (row 0) or a term's coefficient (from 1)."""
        if self.errors is None:
            return None
        value = self.equation.intercepts[k] if row == 0 else self.equation.terms[row - 1].coefficients[k]
        return value - Z95 * float(self.errors[row, k]), value + Z95 * float(self.errors[row, k])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        plain = replace(self, errors=None, calibrator=Calibrator(), points=None)
        return asdict(plain) | {
            "errors": None if self.errors is None else self.errors.tolist(),
            "calibrator": self.calibrator.to_dict(),
            "points": None if self.points is None else self.points.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Specification:
        """Read what :meth:`to_dict` wrote."""
        equation = data["equation"]
        terms = tuple(
            Term(**dict(t) | {"coefficients": tuple(t["coefficients"]), "knots": tuple(t["knots"])})
            for t in equation["terms"]
        )
        return cls(
            **dict(data)
            | {
                "classes": tuple(data["classes"]),
                "inputs": tuple(Input.from_dict(i) for i in data["inputs"]),
                "equation": Equation(tuple(equation["intercepts"]), terms, equation.get("ordered", False)),
                "calibrator": Calibrator.from_dict(data["calibrator"]),
                "errors": None if data["errors"] is None else np.asarray(data["errors"], dtype=np.float64),
                "points": None if data["points"] is None else PointScore.from_dict(data["points"]),
            }
        )


def specify(
    part: LogisticPart | OrdinalPart,
    task: Task,
    *,
    outcome: str,
    classes: tuple[str, ...],
    inputs: tuple[Input, ...],
    calibrator: Calibrator | None,
) -> Specification:
    """Write a trained regression down; ``calibrator`` is the bundle's, None when the bundle is another model."""
    equation = equation_of(part, ordered=isinstance(part, OrdinalPart))
    return Specification(
        outcome=outcome,
        classes=classes,
        inputs=inputs,
        equation=equation,
        inverse_penalty=part.inverse_penalty,
        calibrator=calibrator or Calibrator(),
        delivered=calibrator is not None,
        n_rows=task.n,
        n_patients=task.n if task.groups is None else len(np.unique(task.groups)),
        errors=standard_errors(equation, task, part.inverse_penalty),
        points=point_score(part, task) if task.target.event is not None and isinstance(part, LogisticPart) else None,
    )
