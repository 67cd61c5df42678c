"""Blood pressures as they are written, "120/80": one player, two numbers in the matrix, two parts inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medcore.data.preparation.predictors import PredictorReading
from medcore.features import CodedColumn, Payload
from medcore.features.kind import Alternatives

NAMES = ("systolic", "diastolic")


def pressures(texts: pd.Series) -> np.ndarray:
    """Read "120/80" as two numbers (n, 2); NaN where there are none."""
    return texts.astype("str").str.extract(r"^\s*(\d+)\s*/\s*(\d+)\s*$").astype(float).to_numpy()


def numbers_of(column: CodedColumn) -> np.ndarray:
    """Return both numbers (n, 2); NaN where the value is missing."""
    known = ~np.isnan(column.codes)
    found = np.full((len(column), 2), np.nan)
    found[known] = column.take(known).contents()
    return found


def coded(numbers: np.ndarray) -> CodedColumn:
    return CodedColumn(*Payload.of(numbers, ~np.isnan(numbers).any(axis=1)))


@dataclass(frozen=True)
class PressureParts:
    own: np.ndarray
    names: tuple[str, ...] = NAMES

    def mixed(self, present, others):
        return coded(np.where(present, self.own, numbers_of(others)))


@dataclass(frozen=True)
class PressureEncoder:
    low: tuple[float, ...]
    high: tuple[float, ...]
    kind = "pressure"
    levels = ()

    def encode(self, values):
        return coded(pressures(values))

    def values(self, column):
        return tuple(None if np.isnan(high) else f"{high:.0f}/{low:.0f}" for high, low in numbers_of(column))

    def known(self, codes):
        return ~np.isnan(codes)

    def flags(self, column):
        numbers = numbers_of(column)
        with np.errstate(invalid="ignore"):
            return {"pressure_out_of_range": ((numbers < self.low) | (numbers > self.high)).any(axis=1)}

    def alternatives(self, patients, own, *, n_points):
        known = patients.take(~np.isnan(patients.codes))
        codes, counts = np.unique(known.codes, return_counts=True)
        commonest = codes[np.argsort(-counts, kind="stable")[:n_points]]
        column = CodedColumn(commonest if own is None else np.unique(np.append(commonest, own.codes)), patients.payload)
        if own is not None:
            column = CodedColumn(column.codes, patients.payload.union(own.payload))
        support = np.array([np.mean(known.codes == code) if len(known) else 0.0 for code in column.codes])
        return Alternatives(column, self.values(column), support)

    def between(self, patients, own, other):
        return np.array([other])

    def difference(self, training, new):
        old, now = (numbers_of(side)[:, 0] for side in (training, new))
        old, now = old[~np.isnan(old)], now[~np.isnan(now)]
        if not len(old) or not len(now):
            return None
        return float(abs(old.mean() - now.mean()) / max(np.sqrt((old.var() + now.var()) / 2), 1e-12))

    def parts(self, own, shown):
        return PressureParts(numbers_of(own)[0])

    def to_dict(self):
        return {"low": list(self.low), "high": list(self.high)}


@dataclass(frozen=True)
class PressureScaler:
    places: np.ndarray
    entries: tuple
    centres: np.ndarray
    scales: np.ndarray

    def write(self, rows, matrix, starts):
        for place, entries, start, centre, scale in zip(
            self.places, self.entries, starts, self.centres, self.scales, strict=True
        ):
            numbers = (numbers_of(rows.column(int(place))) - centre) / np.where(scale > 0, scale, 1.0)
            for offset, entry in enumerate(entries):
                matrix[:, start + offset] = np.nan_to_num(numbers[:, entry])

    def to_dict(self):
        return {"centres": self.centres.tolist(), "scales": self.scales.tolist()}


class PressureKind:
    name = "pressure"
    reading = PredictorReading("pressure", ("blood pressure",), lambda cells: cells)
    scalar = False
    ordered = False
    in_order = False
    cautions = {"pressure_out_of_range": "{column} has a pressure outside the range of the training patients"}

    def fit(self, values):
        numbers = pressures(values)
        numbers = numbers[~np.isnan(numbers).any(axis=1)]
        return PressureEncoder(tuple(numbers.min(axis=0).tolist()), tuple(numbers.max(axis=0).tolist()))

    def load(self, data):
        return PressureEncoder(tuple(data["low"]), tuple(data["high"]))

    def spreads(self, rows):
        return np.array([np.nanstd(numbers_of(rows.column(p))) or 1.0 for p in range(rows.shape[1])])

    def distance(self, rows, one, spreads):
        columns = range(rows.shape[1])
        apart = [np.abs(numbers_of(rows.column(p)) - numbers_of(one.column(p))).mean(axis=1) for p in columns]
        return np.column_stack(apart) / spreads

    def entries(self, column, *, some_missing):
        numbers = numbers_of(column)
        return tuple(entry for entry in (0, 1) if len(np.unique(numbers[~np.isnan(numbers[:, entry]), entry])) > 1)

    def entry_names(self, entries, column):
        return [f"{column}: {NAMES[entry]}" for entry in entries]

    def numbers(self, column, entries):
        return numbers_of(column)[:, list(entries)]

    def scaler(self, rows, places, entries, *, scaling):
        numbers = [numbers_of(rows.column(int(place))) for place in places]
        centres, scales = (np.array([f(column, axis=0) for column in numbers]) for f in (np.nanmean, np.nanstd))
        return PressureScaler(places, tuple(entries), centres, scales)

    def load_scaler(self, data, places, entries):
        return PressureScaler(places, tuple(entries), np.array(data["centres"]), np.array(data["scales"]))


PRESSURE = PressureKind()
