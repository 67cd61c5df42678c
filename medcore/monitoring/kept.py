"""Predictions that were kept as they were made, with the values as they were given, made into what is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.preparation.replay import required_columns
from medcore.data.values.given import cell_text
from medcore.errors import SettingsError
from medcore.models.bundle.bundle import Bundle
from medcore.monitoring.table import NOT_READY, column_of, inputs_of, moments
from medcore.monitoring.watched import Watched


def watched_kept(
    bundle: Bundle,
    values: Sequence[Mapping[str, Any]],
    *,
    at: Sequence[datetime],
    risk: Sequence[float],
    outcome: Sequence[float | None],
    known: Sequence[datetime | None],
    groups: Sequence[str] = (),
    version: str = "",
) -> Watched:
    """Make of predictions what is watched; the risks are those that were given out, and are not computed again.

    ``values`` are by column, as text, numbers or ``{"value": …, "unit": …}``; the columns ``groups`` are those of the model by
    which patients are watched apart, the site among them where the model has one; one that
    was never given is left out.

    Raises:
        SettingsError: the model is not of two classes.

    """
    schema = bundle.schema
    if bundle.target.event is None or schema.follow_up is not None or schema.number is not None:
        raise SettingsError(NOT_READY, classes=len(bundle.classes))
    groups = [name for name in groups if any(one.get(name) not in (None, "") for one in values)]
    names = list(dict.fromkeys((*required_columns(schema, bundle.recipe), *groups)))
    frame = pd.DataFrame({name: [cell_text(name, one.get(name)) for one in values] for name in names}, dtype="str")
    site = next((c.name for c in schema.columns if c.role == "site" and c.name in groups), None)
    return Watched(
        time=moments(pd.to_datetime(pd.Series(list(at)), utc=True)),
        risk=np.asarray(risk, dtype=np.float64),
        outcome=np.array([np.nan if y is None else float(y) for y in outcome]),
        known=moments(pd.to_datetime(pd.Series(list(known), dtype="object"), utc=True)),
        inputs=inputs_of(bundle, frame, bundle.encode(frame)),
        places=pd.DataFrame({name: column_of(frame, schema[name]) for name in groups}),
        site=site,
        version=version,
    )
