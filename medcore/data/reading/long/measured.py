"""Measurements over time as they were taken, kept beside the table so that a patient's can be drawn; never in a model."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from medcore.data.attachments import Attachments
from medcore.data.cohort import Cohort
from medcore.data.reading.long.summaries import AnalyteSeries

ATTACHED = "measurements over time"
"""The name under which they are attached to a cohort."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PatientSeries:
    """One patient's results of one measurement: ``hours`` (n,) after the index, in order, and ``values`` (n,) in ``unit``."""

    name: str
    unit: str
    hours: Floats
    values: Floats


def attached(series: Iterable[tuple[str, AnalyteSeries]], rows: npt.NDArray[np.int64], until: float) -> Attachments:
    """Keep what was measured up to ``until`` days: rows of the table, names, hours and values, and nobody's identifier.

    ``rows`` (n,) says by row of the table whose series it is, by number; −1 for none.
    """
    parts = []
    for place, (name, own) in enumerate(series):
        if own.since is None or not own.results.numeric:
            continue
        used = np.flatnonzero(~np.isnan(own.results.numbers) & ~np.isnan(own.since) & (own.since <= until))
        found = {"patient": own.patients[used], "hours": 24.0 * own.since[used], "value": own.results.numbers[used]}
        parts.append(pd.DataFrame(found).assign(place=place, name=name, unit=own.results.unit))
    if not parts:
        return Attachments()
    whose = pd.DataFrame({"patient": rows, "row": np.arange(len(rows))})
    kept = whose[whose["patient"] >= 0].merge(pd.concat(parts), on="patient")
    kept = kept.sort_values(["row", "place", "hours"], kind="stable").drop(columns=["patient", "place"])
    table = pa.Table.from_pandas(kept.astype({"name": "category", "unit": "category"}), preserve_index=False)
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", row_group_size=100_000)
    return Attachments.of([(ATTACHED, out.getvalue())])


def keeps_measured(cohort: Cohort) -> bool:
    """Say whether measurements were kept beside a cohort's table."""
    return any(file.name == ATTACHED for file in cohort.attachments.files)


def measured_of(cohort: Cohort, row: int) -> tuple[PatientSeries, ...]:
    """Return what was measured of the patient in a row (from 0) of a cohort; nothing where it was not kept.

    Raises:
        NotFoundError: it was kept and is gone from the file store, or was changed there.

    """
    if not keeps_measured(cohort):
        return ()
    data = io.BytesIO(cohort.attachments.read(ATTACHED))
    own = pq.read_table(data, filters=[("row", "=", row)]).to_pandas()
    groups = own.groupby(["name", "unit"], sort=False, observed=True)
    return tuple(
        PatientSeries(str(name), str(unit), part["hours"].to_numpy(np.float64), part["value"].to_numpy(np.float64))
        for (name, unit), part in groups
    )
