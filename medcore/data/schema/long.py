"""Recognise tables that hold one row a result and not one row a patient."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.long import FROM_FILE, Pivot
from medcore.data.quantities.units import conversion, known_unit
from medcore.data.schema.names import folded, says, spoken
from medcore.data.values.time.spans import unit_of_time

_ANALYTE = re.compile(
    r"\b(test|tests|analyte|item|parameter|param|variable|component|measure|measurement|observation|lab|assay|exam"
    r"|itemid|loinc|label|labname|testname|panel)\b|检验项目|检查项目|项目|指标|化验",
)
_VALUE = re.compile(
    r"\b(result|results|value|val|valuenum|reading|numeric|resultat|wert)\b|结果|数值|检测值|测定值|检验值"
)
_UNIT = re.compile(r"\b(unit|units|uom|valueuom|einheit)\b|单位")
MOST_ANALYTES = 3000
FEWEST_A_PATIENT = 2.0
"""Rows a patient, on average, from which on rows may be results."""
LOOKED_AT = 200_000
_WHO = ("identifier", "group")
"""Roles of columns that name patients or records."""
MINUTE = 1 / 1440  # days; a column of seconds is a clotting time or an interval of the heart, not the time of a visit


def propose_pivot(frame: pd.DataFrame, schema: Schema) -> Pivot | None:
    """Propose how a table of results becomes one of patients; None where the rows are patients.

    There must be patients who come in several rows, a column that names what was
    measured, other in a patient's rows, and one that holds the result; and either
    a column of units or names that say so.
    """
    frame = frame.head(LOOKED_AT)
    patient = _patient(frame, schema)
    if patient is None:
        return None
    others = [c for c in schema.columns if c.name != patient and c.name in frame.columns]
    rows = _Rows(frame[patient])
    varying = [c for c in others if rows.vary_in(frame[c.name])]
    units = next((c.name for c in others if _holds_units(frame, c, varies=c in varying)), "")
    analytes = [c for c in varying if c.name != units and _may_name(frame, c)]
    values = [c for c in varying if _VALUE.search(spoken(c.name)) and not _ANALYTE.search(spoken(c.name))]
    named = [c for c in analytes if _ANALYTE.search(spoken(c.name)) and c not in values[:1]]
    analyte = next(iter(named), None) or (next((c for c in analytes if c not in values), None) if units else None)
    numbers = [c for c in varying if c.kind == "numeric" and c.name not in (units, analyte.name if analyte else "")]
    value = next(iter(values), None) or (numbers[0] if units and len(numbers) == 1 else None)
    if analyte is None or value is None or not (units or named):
        return None
    dates = [c for c in schema.columns if c.kind == "date" and not says(c.name, "birth")]
    when = next((c.name for c in dates if rows.vary_in(frame[c.name])), "")
    index = next((c.name for c in dates if c.name != when and not says(c.name, "after")), "") if when else ""
    return Pivot(patient=patient, analyte=analyte.name, value=value.name, unit=units, when=when, index=index)


def propose_series(long: Schema, patients: Schema, frame: pd.DataFrame) -> dict[str, str]:
    """Propose what the columns of a table of measurements are that lies beside the patients' table.

    ``frame`` holds the measurements. Returns names by field of Pivot, empty where nothing says.
    """
    ours = {folded(name): name for name in patients.names}
    shared = [name for name in long.names if folded(name) in ours]
    named = [name for name in shared if says(name, "patient") or patients[ours[folded(name)]].role in _WHO]
    if not shared and FROM_FILE in long.names:  # a file a patient, named by the patient
        named = [c.name for c in patients.columns if says(c.name, "patient") or c.role in _WHO]
    patient = next(iter(named or shared), "")
    known_as = ""
    if not named and (pair := _alike_named(long, patients, frame)):
        patient, known_as = pair
    rest = [c for c in long.columns if c.name not in (patient, FROM_FILE)]
    analyte = next((c.name for c in rest if _ANALYTE.search(spoken(c.name)) and c.kind != "numeric"), "")
    rest = [c for c in rest if c.name != analyte]
    unit = next((c.name for c in rest if _holds_units(frame.head(LOOKED_AT), c, varies=False)), "")
    numbers = [c.name for c in rest if c.kind == "numeric" and not _says_when(c)]
    value = next((c.name for c in rest if _VALUE.search(spoken(c.name))), numbers[0] if len(numbers) == 1 else "")
    when = max((c for c in rest if c.name not in (unit, value)), key=_says_when, default=None)
    return {
        "patient": patient,
        "analyte": analyte,
        "value": value,
        "unit": unit,
        "when": when.name if when and _says_when(when) else "",
        "index": "",
        "known_as": known_as,
    }


def _alike_named(long: Schema, patients: Schema, frame: pd.DataFrame) -> tuple[str, str] | None:
    """Return the columns that seem to name the patients in either table, where their names differ: MRN in one, 病案号 in the other."""
    theirs = [c.name for c in long.columns if says(c.name, "patient") or c.role == "group"]
    theirs = [name for name in theirs if name in frame.columns and frame[name].nunique() < len(frame)]
    ours = [c.name for c in patients.columns if says(c.name, "patient") or c.role in _WHO]
    return (theirs[0], ours[0]) if theirs and ours else None


def _says_when(column: Column) -> int:
    """Say how likely a column holds the time of a measurement: a date most, then hours, then a name that ends in a unit of time."""
    if column.kind == "date":
        return 3
    if column.kind != "numeric":
        return 0
    factor = conversion(unit_of_time(column.name).casefold() or "g", "d")
    return (
        2 if column.unit == "h" else int(factor is not None and factor.scale >= MINUTE and not says(column.name, "age"))
    )


def _patient(frame: pd.DataFrame, schema: Schema) -> str | None:
    group = schema.only("group")
    named = [group.name] if group else [c.name for c in schema.columns if says(c.name, "patient")]
    for name in named:
        if name in frame.columns and len(frame) >= FEWEST_A_PATIENT * max(1, frame[name].nunique()):
            return name
    return None


class _Rows:
    """The rows of patients who have several, one patient's after the other's."""

    def __init__(self, patient: pd.Series) -> None:
        codes = pd.factorize(patient)[0]
        several = (codes >= 0) & (np.bincount(codes + 1)[codes + 1] > 1)
        order = np.argsort(codes, kind="stable")
        self.order = order[several[order]]
        self.starts = np.flatnonzero(np.diff(codes[self.order], prepend=-1))

    def vary_in(self, values: pd.Series) -> bool:
        """Say whether a column has several values within most of these patients."""
        if not len(self.order):
            return False
        codes = pd.factorize(values)[0][self.order]
        low, high = (ends.reduceat(codes, self.starts) for ends in (np.minimum, np.maximum))
        return float((low < high).mean()) > 0.5


def _may_name(frame: pd.DataFrame, column: Column) -> bool:
    k = frame[column.name].nunique()
    return column.kind != "date" and column.kind != "boolean" and 2 <= k <= min(MOST_ANALYTES, len(frame) / 4)


def _holds_units(frame: pd.DataFrame, column: Column, *, varies: bool) -> bool:
    """Say whether a column is one of units: by its name, or by its words where they differ in a patient's rows (a sex is F or M)."""
    named = bool(_UNIT.search(spoken(column.name)))
    if column.kind not in ("category", "text") or not (named or varies):
        return False
    words = [str(w) for w in frame[column.name].dropna().unique()[:50]]
    share = float(np.mean([known_unit(w) and not w.isdigit() for w in words])) if words else 0.0
    return share > (0.3 if named else 0.7)
