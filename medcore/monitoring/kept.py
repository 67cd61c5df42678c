"""Predictions that were kept as they were made, with the values as they were given, made into what is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.preparation.replay import required_columns
from medcore.data.values.given import cell_text
from medcore.models.bundle.bundle import Bundle
from medcore.monitoring.table import column_of, inputs_of, interval, moments, predicts
from medcore.monitoring.watched import Watched
from medcore.statistics.arrays import Floats
from medcore.targets import EventTime
from medcore.targets.event_time import DAYS


def watched_kept(
    bundle: Bundle,
    values: Sequence[Mapping[str, Any]],
    *,
    at: Sequence[datetime],
    risk: Sequence[Sequence[float]],
    outcome: Sequence[float | None],
    known: Sequence[datetime | None],
    dated: Sequence[bool],
    patients: Sequence[str | None] = (),
    groups: Sequence[str] = (),
    version: str = "",
    n_of_month: Mapping[str, int] | None = None,
) -> Watched:
    """Make of predictions what is watched; the risks are those that were given out, and are not computed again.

    ``values`` are by column, as text, numbers or ``{"value": …, "unit": …}``; ``risk`` has one number a class. ``outcome`` is the
    place of the class that came true, or the number; ``known`` the day of it where it is ``dated``, else that on
    which it was entered. ``patients`` tell who is the same, by any names. The columns ``groups`` are those of the model by which patients are watched apart, the site among them
    where the model has one; one that was never given is left out. ``n_of_month`` counts the predictions of each month where these are
    a sample of them.
    """
    schema = bundle.schema
    groups = [name for name in groups if any(one.get(name) not in (None, "") for one in values)]
    names = list(dict.fromkeys((*required_columns(schema, bundle.recipe), *groups)))
    frame = pd.DataFrame({name: [cell_text(name, one.get(name)) for one in values] for name in names}, dtype="str")
    site = next((c.name for c in schema.columns if c.role == "site" and c.name in groups), None)
    risks = np.array(risk, dtype=np.float64).reshape(len(values), -1)
    time = moments(pd.to_datetime(pd.Series(list(at)), utc=True))
    day = moments(pd.to_datetime(pd.Series(list(known), dtype="object"), utc=True))
    given = np.array([np.nan if y is None else float(y) for y in outcome])
    came, duration = _followed(bundle, time, day, given)
    return Watched(
        time=time,
        risk=risks,
        predicts=predicts(bundle),
        interval=interval(bundle, risks),
        outcome=came,
        duration=duration,
        known=day,
        dated=np.array(dated, dtype=bool),
        inputs=inputs_of(bundle, frame, bundle.encode(frame)),
        places=pd.DataFrame({name: column_of(frame, schema[name]) for name in groups}),
        site=site,
        version=version,
        n_of_month=n_of_month,
        patient=pd.factorize(pd.Series(list(patients), dtype="object"))[0].astype(np.int64) if patients else None,
    )


def _followed(
    bundle: Bundle, time: NDArray[np.datetime64], day: NDArray[np.datetime64], outcome: Floats
) -> tuple[Floats, Floats | None]:
    """Return outcomes, of an event with a time with how long each patient was followed; one of a day before the prediction is unknown."""
    if not isinstance(bundle.target, EventTime):
        return outcome, None
    whole_day = day.astype("datetime64[D]") - time.astype("datetime64[D]")
    followed = np.where(np.isnat(day), np.nan, whole_day.astype(float)) / DAYS[bundle.target.unit]
    unknown = np.isnan(outcome) | ~(followed >= 0)
    return np.where(unknown, np.nan, outcome), np.where(unknown, np.nan, followed)
