"""Which rows a split by time, by site or by a given column locks away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.findings import Finding
from medcore.data.preparation.outcomes import class_text
from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.allotment import Units
from medcore.errors import SettingsError
from medcore.i18n import N_, Message

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TEST_WORDS = frozenset(
    [
        "test",
        "testing",
        "validation",
        "valid",
        "val",
        "holdout",
        "hold-out",
        "external",
        "1",
        "true",
        "yes",
        "y",
        "测试",
        "测试集",
        "验证",
        "验证集",
        "外部验证",
        "是",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitMarks:
    """The test rows, the unit that a row must stay with, and the order of time if that rules the folds."""

    test: Bools
    unit: npt.NDArray[np.generic]
    ordered: Ints | None = None
    findings: tuple[Finding, ...] = ()


def patient_units(prepared: Prepared) -> Ints:
    """Return the patient of each row, or the row itself when no column names the patient."""
    return np.arange(prepared.n_rows, dtype=np.int64) if prepared.groups is None else prepared.groups


def time_marks(prepared: Prepared, test_size: float) -> SplitMarks:
    """Lock away the patients who came last; rows of one moment stay together.

    A patient counts from the first row on. Rows without a time are trained on,
    as the earliest.
    """
    if prepared.time is None:
        raise SettingsError(N_("A split by time needs a column with the role “time”. Choose one in the column table."))
    order, missing = _rank(prepared.time)
    if order.max(initial=0) == 0:
        raise SettingsError(N_("The time column has the same value in every row. Choose another split."))
    patient = pd.factorize(patient_units(prepared))[0]
    first = np.full(patient.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, patient, order)
    entered = first[patient]
    return SplitMarks(test=_latest(entered, test_size), unit=patient, ordered=entered, findings=_untimed(missing))


def site_units(prepared: Prepared) -> tuple[Units, tuple[Finding, ...]]:
    """Make whole sites the units; a patient of several sites belongs to the one of most rows."""
    if prepared.sites is None:
        raise SettingsError(N_("A split by site needs a column with the role “site”. Choose one in the column table."))
    sites = pd.Series(prepared.sites, dtype=object)
    filled = sites.where(sites.notna(), "—")
    if filled.nunique() < 2:
        raise SettingsError(N_("All rows are of one site. A split by site needs at least two; choose another split."))
    moved = 0
    if prepared.groups is not None:
        counts = (
            pd.DataFrame({"patient": prepared.groups, "site": filled}).value_counts(sort=False).reset_index(name="n")
        )
        home = (
            counts.sort_values(["n", "site"], ascending=[False, True], kind="stable").groupby("patient")["site"].first()
        )
        homes = home.reindex(prepared.groups).reset_index(drop=True)
        moved = int((homes != filled).sum())
        filled = homes
    units = Units.of(prepared.outcome, len(prepared.classes), filled.to_numpy(dtype=str))
    return units, _moved(moved)


def column_marks(prepared: Prepared, name: str | None, value: str | None) -> SplitMarks:
    """Lock away the rows that a column of the table marks as test rows.

    They are those with ``value``; without one, those with a word that means
    test or validation. A patient with any such row is locked away whole.
    """
    if name is None:
        raise SettingsError(N_("A split by a given column needs the column's name."))
    texts = prepared.column(name).map(lambda v: class_text(v).strip().casefold(), na_action="ignore")
    wanted = {value.strip().casefold()} if value is not None else TEST_WORDS
    test = texts.isin(wanted).to_numpy(dtype=bool)
    if not test.any() or test.all():
        raise SettingsError(
            N_(
                "The column “{column}” does not tell test rows from training rows. Its test rows must say “test” (and others something else), or name the value that marks them."
            ),
            column=name,
        )
    unit = patient_units(prepared)
    patient = pd.factorize(unit)[0]
    locked = np.zeros(patient.max() + 1, dtype=bool)
    np.logical_or.at(locked, patient, test)
    moved = int((locked[patient] & ~test).sum())
    return SplitMarks(test=locked[patient], unit=unit, findings=_moved(moved))


def _rank(time: npt.NDArray[np.generic]) -> tuple[Ints, int]:
    codes, _ = pd.factorize(time, sort=True)
    missing = codes < 0
    return np.where(missing, 0, codes).astype(np.int64), int(missing.sum())


def _latest(order: Ints, share: float) -> Bools:
    """Mark the rows from the moment on that leaves the share closest to what is asked."""
    if share <= 0:
        return np.zeros(len(order), dtype=bool)
    moments = np.unique(order)[1:]
    if not len(moments):
        raise SettingsError(N_("All patients entered at one time. Choose another split."))
    shares = 1 - np.searchsorted(np.sort(order), moments) / len(order)
    cut = moments[int(np.argmin(np.abs(shares - share)))]
    return np.asarray(order >= cut)


def _untimed(n: int) -> tuple[Finding, ...]:
    if not n:
        return ()
    return (
        Finding(
            code="split.no_time",
            severity="warning",
            n_rows=n,
            message=Message(N_("{n} rows have no time; they are trained on as if they were the earliest."), {"n": n}),
            why=Message(N_("A row whose time is not known may belong to the test period.")),
            remedy=Message(N_("Fill in the time, or leave these rows out of the file.")),
        ),
    )


def _moved(n: int) -> tuple[Finding, ...]:
    if not n:
        return ()
    return (
        Finding(
            code="split.moved_rows",
            severity="info",
            n_rows=n,
            message=Message(
                N_("{n} rows follow their patient to the side where the patient's other rows are."), {"n": n}
            ),
            why=Message(N_("A patient on both sides would make the test look better than it is.")),
            remedy=Message(N_("Nothing needs to be done.")),
        ),
    )
