"""Explanations of a whole table of patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.explanation.patient.patients import background_rows, class_index, scale_for, shown_values
from medcore.explanation.shapley.explain import explain
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Explanation, Scale
from medcore.models.bundle.bundle import Bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.task import n_threads

TABLE_TOLERANCE = 0.03
TABLE_EVALUATIONS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """Contributions of n patients: arrays of shape (n, P), a column of the table each.

    ``codes`` are the patients' values as the model reads them and ``values`` as
    they are shown (None where missing). All rows share class, scale and background.
    """

    columns: tuple[str, ...]
    class_name: str
    scale: Scale
    base_value: float
    prediction: Floats = field(repr=False)
    contributions: Floats = field(repr=False)
    standard_errors: Floats = field(repr=False)
    codes: Floats = field(repr=False)
    values: tuple[tuple[str | None, ...], ...] = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """A line a patient: row, risk (or log odds), base value, then a contribution a column."""
        head = {"row": self.rows, "risk": self.prediction, "base_value": self.base_value}
        parts = pd.DataFrame(self.contributions, columns=[f"contribution: {c}" for c in self.columns])
        return pd.concat([pd.DataFrame(head), parts], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "columns": list(self.columns),
            "class_name": self.class_name,
            "scale": self.scale,
            "base_value": self.base_value,
            "rows": self.rows.tolist(),
            "prediction": self.prediction.tolist(),
            "contributions": self.contributions.tolist(),
            "standard_errors": self.standard_errors.tolist(),
        }


def explain_rows(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    class_name: str | None = None,
    background: pd.DataFrame | None = None,
    scale: Scale = "probability",
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Explanations:
    """Explain every row of a table; the class is the event, or the last one where there is none, unless it is named.

    Each row is exact where that takes at most ``TABLE_EVALUATIONS`` composite
    rows, and otherwise sampled to ``TABLE_TOLERANCE`` within that budget.
    """
    read = bundle.read(frame)
    rows = read.rows
    event = bundle.target.event
    index = class_index(bundle, rows, class_name or bundle.classes[-1 if event is None else event])
    scale = scale_for(bundle, scale)
    others = background_rows(bundle, background, seed=seed)
    risk = BundleRisk(bundle).knowing(rows, others)

    def explained(row: Floats) -> Explanation:
        return explain(
            risk,
            row,
            others.codes,
            columns=bundle.predictors,
            class_index=index,
            scale=scale,
            tolerance=TABLE_TOLERANCE,
            max_evaluations=TABLE_EVALUATIONS,
            seed=seed,
        )

    found = _side_by_side(explained, rows.codes, progress)
    return laid_out(
        found,
        columns=bundle.predictors,
        class_name=bundle.classes[index],
        scale=scale,
        codes=rows.codes,
        values=shown_values(bundle, read),
    )


def laid_out(
    found: Sequence[Explanation],
    *,
    columns: tuple[str, ...],
    class_name: str,
    scale: Scale,
    codes: Floats,
    values: Sequence[tuple[str | None, ...]],
) -> Explanations:
    """Lay explanations of n patients of codes (n, P) out side by side; all are of one class, scale and background."""
    return Explanations(
        columns=columns,
        class_name=class_name,
        scale=scale,
        base_value=found[0].base_value if found else float("nan"),
        prediction=np.array([e.prediction for e in found]),
        contributions=_array([[c.contribution for c in e.contributions] for e in found], len(columns)),
        standard_errors=_array([[c.standard_error for c in e.contributions] for e in found], len(columns)),
        codes=codes,
        values=tuple(values),
        rows=np.arange(len(codes)),
    )


def _side_by_side(
    explained: Callable[[Floats], Explanation], codes: Floats, progress: Callable[[float], None] | None
) -> list[Explanation]:
    """Explain rows on every core, the first alone: it prepares what all others share."""
    first = [explained(row) for row in codes[:1]]
    found = []
    with ThreadPoolExecutor(n_threads()) as threads:
        asked = [threads.submit(copy_context().run, explained, row) for row in codes[1:]]
        try:
            for answer in chain(first, (a.result() for a in asked)):
                found.append(answer)
                if progress is not None:
                    progress(len(found) / len(codes))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return found


def _array(rows: Sequence[Sequence[float]], n_columns: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), n_columns)
