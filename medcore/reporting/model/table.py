"""The model as a table of numbers: one line a term, with every digit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from medcore.data.describe.export import to_csv as frame_to_csv
from medcore.models.run.results import Results
from medcore.models.written.specification import Specification

HEAD = (
    "class",
    "term",
    "kind",
    "predictor",
    "level",
    "knots",
    "curve",
    "fill",
    "centre",
    "scale",
    "coefficient",
    "low",
    "high",
)


def to_csv(model: Specification, results: Results) -> str:  # noqa: ARG001
    """Write intercepts and terms, then the recalibration, as CSV.

    A score is the intercept plus, for each term, coefficient times (g − centre) / scale; the
    risks are the softmax of the scores, with two classes 1 / (1 + exp(−score)), recalibrated
    by the last lines. In proportional odds (kind "intercept, or higher") 1 / (1 + exp(−score))
    is the risk of the class or a higher one. ``low`` and ``high`` are the 95 % interval of the coefficient.
    """
    rows: list[dict[str, object]] = []
    ordered = model.equation.ordered
    for k in model.equation.told:
        name = model.classes[k + 1] if ordered else model.classes[k]
        low, high = model.interval(0, k) or (math.nan, math.nan)
        kind = "intercept, or higher" if ordered else "intercept"
        intercept = {"term": 0, "kind": kind, "coefficient": model.equation.intercepts[k]}
        rows.append({"class": name} | intercept | {"low": low, "high": high})
        for number, term in enumerate(model.equation.terms, 1):
            source, numeric = model.inputs[term.place], term.kind in ("linear", "spline")
            low, high = model.interval(number, k) or (math.nan, math.nan)
            level = source.categories[term.level] if term.kind == "level" and term.level >= 0 else ""
            rows.append(
                {
                    "class": name,
                    "term": number,
                    "kind": "other level" if term.kind == "level" and term.level < 0 else term.kind,
                    "predictor": source.name,
                    "level": level,
                    "knots": _bracketed(term.knots),
                    "curve": term.curve if term.knots else "",
                    "fill": term.fill if numeric else "",
                    "centre": term.centre,
                    "scale": term.scale,
                    "coefficient": term.coefficients[k],
                    "low": low,
                    "high": high,
                }
            )
    step = model.calibrator if model.calibrator.method != "none" or model.calibrator.then else None
    while step is not None:
        for name, values in step.parameters.items():
            rows.append({"kind": "recalibration", "predictor": step.method, "level": name, "knots": _bracketed(values)})
        step = step.then
    return frame_to_csv(pd.DataFrame(rows, columns=list(HEAD)))


def _bracketed(values: Sequence[float]) -> str:
    return f"[{' '.join(repr(v) for v in values)}]" if values else ""
