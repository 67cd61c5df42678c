"""What is taken of a patient's results of one analyte within a window of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.long import SEQUENCE, Form, Pivot, Summarised, Window
from medcore.data.reading.long.results import ResultsTable
from medcore.data.values.sequences import write_sequences

OF_WORDS: tuple[Form, ...] = ("first", "last", "count", "since")
"""What can be taken of results that are no numbers."""
OTHER_SCALE: tuple[Form, ...] = ("sd", "total", "count", "slope", "since", "sequence")
"""What is no value that was measured: its numbers say nothing of how results are written, or of codes among them."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Summary:
    """A form of the results within a window; ``late`` where that is the last part of another one."""

    form: Form
    window: Window
    late: bool = False

    def name(self, analyte: str, pivot: Pivot) -> str:
        """Name the column of an analyte: by itself, and with form and days where there are several.

        >>> pivot = Pivot(patient="id", analyte="test", value="x", beside=True)
        >>> Summary("mean", (None, 2.0)).name("HR", pivot)
        'HR mean'
        """
        if self.late:
            return f"{analyte} last {pivot.late_span} {self.form}"
        parts = [analyte]
        if len(pivot.forms) > 1 or pivot.beside or self.form in OTHER_SCALE:
            parts.append(self.form)
        if len(pivot.windows) > 1:
            parts.append("..".join("" if d is None else f"{d:g}" for d in self.window))
        return " ".join(parts)

    def of(self, analyte: str, pivot: Pivot, measured: int) -> Summarised | None:
        """Return what the column says that it is, of results ``measured`` with so many decimals; None where its name names no form."""
        if self.name(analyte, pivot) == analyte or len(pivot.windows) > 1:
            return None
        decimals = {"mean": measured + 1, "sd": measured + 1, "total": measured, "slope": measured + 2, "since": 1}
        return Summarised(analyte, self.form, pivot.late_span if self.late else "", decimals.get(self.form))

    def unit(self, unit: str) -> str:
        """Return its unit, where results are in ``unit``."""
        if self.form == "since":
            return "h"
        if self.form == "count" or not unit:
            return ""
        return f"{unit}/d" if self.form == "slope" else unit


def summaries_of(pivot: Pivot) -> Iterator[Summary]:
    """Give what a pivot takes, in the order of its columns; the last parts of windows after all others."""
    for window in pivot.windows or ((None, None),):
        yield from (Summary(form, window) for form in pivot.forms)
    for low, high in pivot.windows if pivot.late_forms else ():
        if high is not None:
            late = (high - pivot.late if low is None else max(low, high - pivot.late), high)
            yield from (Summary(form, late, late=True) for form in pivot.late_forms)


@dataclass(frozen=True, slots=True)
class AnalyteSeries:
    """Results of one analyte, in the order of patients and time.

    ``patients`` (n,) numbers whose each is, of ``n_patients``; ``when`` its time in days, ``since`` that after the index.
    """

    results: ResultsTable
    patients: Ints
    n_patients: int
    when: Floats | None
    since: Floats | None

    def inside(self, window: Window) -> Mask:
        """Mark the results of a window; those without a date are in none where dates count."""
        inside = np.ones(len(self.patients), dtype=bool) if self.when is None else ~np.isnan(self.when)
        if self.since is None:
            return inside
        low, high = window
        if low is not None:
            inside &= self.since >= low
        if high is not None:
            inside &= self.since <= high
        return inside

    def taken(self, summary: Summary) -> pd.Series:
        """Return what is taken of each patient's results, missing where there is nothing to take it of."""
        results, n, form = self.results, self.n_patients, summary.form
        inside = self.inside(summary.window)
        if form == "count":
            return pd.Series(np.bincount(self.patients[inside], minlength=n).astype(np.float64))
        inside &= ~results.coded
        if form in ("first", "last", "since"):
            used = np.flatnonzero(inside & ~results.absent)
            return self._since(used, summary.window[1]) if form == "since" else self._written(used, form)
        used = np.flatnonzero(inside & ~np.isnan(results.numbers))
        if form == SEQUENCE and self.since is not None:
            low, high = summary.window
            found = write_sequences(
                self.patients[used], self.since[used], results.numbers[used], n, begin=low or 0.0, end=high or 0.0
            )
            return pd.Series(found, dtype="str")
        return pd.Series(self._summed_up(used, form))

    def _since(self, used: Ints, end: float | None) -> pd.Series:
        last = np.full(self.n_patients, np.nan)
        if self.since is not None:
            last[self.patients[used]] = self.since[used]
        return pd.Series(24.0 * (np.nan if end is None else end) - 24.0 * last)

    def _written(self, used: Ints, form: Form) -> pd.Series:
        out = np.full(self.n_patients, None, dtype=object)
        mine = used[::-1] if form == "first" else used
        out[self.patients[mine]] = self.results.texts[mine]
        return pd.Series(out, dtype="str")

    def _summed_up(self, used: Ints, form: Form) -> Floats:
        who, values, n = self.patients[used], self.results.numbers[used], self.n_patients
        count = np.bincount(who, minlength=n)
        if form == "slope":
            return _slope(who, self.when[used] if self.when is not None else np.zeros(len(used)), values, n)
        if form in ("minimum", "maximum"):
            extreme = np.full(n, np.inf if form == "minimum" else -np.inf)
            (np.minimum if form == "minimum" else np.maximum).at(extreme, who, values)
            return np.where(count > 0, extreme, np.nan)
        total = np.bincount(who, weights=values, minlength=n)
        if form == "total":
            return np.where(count > 0, total, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / count
            if form == "mean":
                return mean
            squares = np.bincount(who, weights=(values - mean[who]) ** 2, minlength=n)
            return np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)


def _slope(who: Ints, when: Floats, values: Floats, n: int) -> Floats:
    """Return the least-squares slope of each patient's values over days; NaN with fewer than two times."""
    count = np.bincount(who, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle_t = np.bincount(who, weights=when, minlength=n) / count
        middle_v = np.bincount(who, weights=values, minlength=n) / count
        off = when - middle_t[who]
        top = np.bincount(who, weights=off * (values - middle_v[who]), minlength=n)
        below = np.bincount(who, weights=off * off, minlength=n)
        return np.where(below > 1e-12, top / below, np.nan)
