"""Explanations of a table in pieces, so that progress can be shown and the work stopped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medcore.explanation.model.tables import Explanations


def joined(parts: Sequence[Explanations]) -> Explanations:
    """Put pieces of one table, explained one after the other, together; rows are counted on from 0.

    Raises:
        ValueError: no pieces, or pieces of different models, classes or scales.

    """
    if not parts:
        raise ValueError("there are no pieces to join")
    first = parts[0]
    if any((p.columns, p.class_name, p.scale) != (first.columns, first.class_name, first.scale) for p in parts):
        raise ValueError("the pieces are not of the same columns, class and scale")
    return Explanations(
        columns=first.columns,
        class_name=first.class_name,
        scale=first.scale,
        base_value=first.base_value,
        prediction=np.concatenate([p.prediction for p in parts]),
        contributions=np.concatenate([p.contributions for p in parts]),
        standard_errors=np.concatenate([p.standard_errors for p in parts]),
        codes=np.concatenate([p.codes for p in parts]),
        values=tuple(values for p in parts for values in p.values),
        rows=np.arange(sum(len(p.rows) for p in parts)),
    )


def as_table(found: Explanations) -> pd.DataFrame:
    """Lay explanations out for a file: row, risk (or log odds), base value, contributions, standard errors."""
    errors = pd.DataFrame(found.standard_errors, columns=[f"standard error: {c}" for c in found.columns])
    table = pd.concat([found.frame, errors], axis=1)
    names = {"log_odds": "log_odds", "value": "predicted"}
    return table.rename(columns={"risk": names[found.scale]}) if found.scale in names else table
