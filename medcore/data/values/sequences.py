"""A patient's results of one measurement as one cell: the mean of each of equal steps of the time before the question.

``1|73,,80`` says that a step lasts one hour, and that in the second nothing was measured. Nothing is
filled in: what was not measured stays empty, and the steps are as many for every patient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STEPS = 48
"""Steps of the time before the question: hours of two days. More would add little to means of an hour."""
_DIGITS = ".6g"
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def write_sequences(who: Ints, since: Floats, values: Floats, n: int, *, begin: float, end: float) -> list[str | None]:
    """Write the results of ``n`` patients as cells; None where there is none.

    ``who`` (m,) numbers whose each of the ``values`` (m,) is, ``since`` (m,) when it was, in days, from ``begin`` to
    ``end``; what was known before counts to the first step.
    """
    length = (end - begin) / STEPS
    step = np.clip(np.floor((since - begin) / length + 1e-9), 0, STEPS - 1).astype(np.int64)
    place = who * STEPS + step
    counts = np.bincount(place, minlength=n * STEPS)
    with np.errstate(invalid="ignore"):
        means = (np.bincount(place, weights=values, minlength=n * STEPS) / counts).reshape(n, STEPS)
    told = np.full(n * STEPS, "", dtype=object)
    there = np.flatnonzero(counts)
    told[there] = [format(v, _DIGITS) for v in means.reshape(-1)[there]]
    hours = format(24.0 * length, _DIGITS)
    rows = told.reshape(n, STEPS)
    some = np.asarray(counts.reshape(n, STEPS).any(axis=1))
    return [f"{hours}|{','.join(row)}" if any_there else None for row, any_there in zip(rows, some, strict=True)]


def read_sequences(cells: Sequence[object]) -> tuple[npt.NDArray[np.float32], float]:
    """Read cells as values (n, STEPS), NaN where nothing was measured, and the hours that a step lasts (NaN without any).

    A cell that is none, or has another number of steps, is read as one without any measurement.
    """
    found = np.full((len(cells), STEPS), np.nan, dtype=np.float32)
    hours = np.nan
    for row, cell in enumerate(cells):
        length, bar, steps = cell.partition("|") if isinstance(cell, str) else ("", "", "")
        parts = steps.split(",")
        if not bar or len(parts) != STEPS:
            continue
        try:
            found[row] = [float(part) if part else np.nan for part in parts]
            hours = float(length)
        except ValueError:
            found[row] = np.nan
    found[~np.isfinite(found)] = np.nan
    return found, hours
