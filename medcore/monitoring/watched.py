"""What is watched: predictions in time, the values they were made from, and their outcomes as they become known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.shown import Naming, Shown
from medcore.errors import InputError
from medcore.evaluation.groups.grouping import MISSING, REST, GroupKey, grouping
from medcore.i18n import N_, Message
from medcore.statistics.arrays import Floats
from medcore.targets import Target

Mask = NDArray[np.bool_]
EVERYBODY = N_("all patients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The values that predictions were made from, as the model reads them.

    ``codes`` (n, P), missing as NaN; a number as it is, a category as its code, −1 where training never saw
    it. ``ordered`` (P,) are those whose codes are amounts, ``categories`` (P,) those whose codes are levels; of a column that is
    neither, such as a note, only what is missing or was not used is watched. ``unused`` (n, P) says where a value was given
    and could not be used (not to be read, in an unknown unit, impossible): its code is NaN, and it is not missing. ``unseen`` and
    ``outside`` (n, P) say where a category was never seen and a number lies outside the range of training. ``training`` (m, P) are
    codes of a sample of the training rows, where it is at hand.
    """

    columns: tuple[str, ...]
    codes: Floats = field(repr=False)
    ordered: Mask = field(repr=False)
    categories: Mask = field(repr=False)
    unused: Mask = field(repr=False)
    unseen: Mask = field(repr=False)
    outside: Mask = field(repr=False)
    training: Floats | None = field(repr=False, default=None)

    def take(self, rows: Any) -> Inputs:
        """Return those of some patients."""
        parts = {name: getattr(self, name)[rows] for name in ("codes", "unused", "unseen", "outside")}
        return replace(self, **parts)

    @property
    def missing(self) -> Mask:
        """Where (n, P) nothing was given."""
        return np.asarray(np.isnan(self.codes) & ~self.unused)


@dataclass(frozen=True, slots=True)
class Predicts:
    """What a model predicts: the ``target``, what its ``classes`` are called, and the place of the one that means ``none`` of the others."""

    target: Target
    classes: tuple[str, ...]
    none: int | None = None


AN_EVENT = Predicts(Target(2), ("no", "yes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Predictions of one released version, a row each, in any order.

    ``time`` (n,) datetime64 of the prediction; ``risk`` (n, K) of the classes (of a number its one column), as
    ``predicts`` says; ``outcome`` (n,) the place of the class that came true, or the number, NaN until it is known,
    and ``known`` (n,) datetime64 of when that was (NaT where nobody says). Of an event with a time the outcome is what ended the
    follow-up, 0 for nothing so far, after a ``duration`` (n,) in the target's unit. ``interval`` are the ends (n,) of a
    number's prediction interval. ``places`` has a column for the site and for each grouping of patients, ``site``
    names that of the site. ``dated`` (n,) says of which outcome ``known`` is its own date; of the others it is the time of entry.
    ``n_of_month`` says how many predictions each month
    (2026-05) has, where these are a sample of them that is the same in all places. ``patient`` (n,) tells who is the same, as codes,
    −1 where nobody says.

    Raises:
        InputError: no prediction has a time.

    """

    time: NDArray[np.datetime64] = field(repr=False)
    risk: Floats = field(repr=False)
    outcome: Floats = field(repr=False)
    inputs: Inputs = field(repr=False)
    predicts: Predicts = AN_EVENT
    known: NDArray[np.datetime64] | None = field(repr=False, default=None)
    dated: Mask | None = field(repr=False, default=None)
    duration: Floats | None = field(repr=False, default=None)
    interval: tuple[Floats, Floats] | None = field(repr=False, default=None)
    places: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    site: str | None = None
    version: str = ""
    n_of_month: Mapping[str, int] | None = field(repr=False, default=None)
    patient: NDArray[np.int64] | None = field(repr=False, default=None)

    def __post_init__(self) -> None:
        if not len(self.time) or np.isnat(self.time).all():
            raise InputError(N_("No prediction has a time, so nothing can be watched. Name the column of the time."))

    def __len__(self) -> int:
        return len(self.risk)

    def in_order(self) -> Watched:
        """Return the same in the order of time, without those that have none."""
        order = np.argsort(self.time, kind="stable")
        return self.take(order[~np.isnat(self.time[order])])

    def once_a_month(self) -> Watched:
        """Return each patient's first prediction of every month: limits are those of so many patients, who are not asked about daily.

        How many predictions there are stays known.
        """
        if self.patient is None:
            return self
        month = self.time.astype("datetime64[M]").astype(np.int64)
        alone = np.where(self.patient >= 0, -1, np.arange(len(self)))
        again = pd.DataFrame({"patient": self.patient, "month": month, "alone": alone}).duplicated().to_numpy()
        if not again.any():
            return self
        months, n = np.unique(month, return_counts=True)
        counts = self.n_of_month or dict(zip(months.astype("datetime64[M]").astype(str), n.tolist(), strict=True))
        return replace(self.take(~again), n_of_month=counts)

    def take(self, rows: Any) -> Watched:
        """Return some of the predictions."""
        return replace(
            self,
            time=self.time[rows],
            risk=self.risk[rows],
            outcome=self.outcome[rows],
            inputs=self.inputs.take(rows),
            known=None if self.known is None else self.known[rows],
            dated=None if self.dated is None else self.dated[rows],
            duration=None if self.duration is None else self.duration[rows],
            patient=None if self.patient is None else self.patient[rows],
            interval=None if self.interval is None else (self.interval[0][rows], self.interval[1][rows]),
            places=self.places.iloc[rows] if self.places.shape[1] else self.places,
        )

    @property
    def is_known(self) -> Mask:
        """Whose outcome (n,) is known, with an event by a time as far as the follow-up goes."""
        return np.asarray(~np.isnan(self.outcome))

    def called(self, threshold: float) -> Mask:
        """Return for whom (n,) there is an alert, at a threshold where one decides."""
        return self.predicts.target.alerts(self.risk, threshold, self.predicts.none)[1]

    @property
    def months(self) -> NDArray[np.datetime64]:
        """Every calendar month from the first prediction to the last, (M,)."""
        month = self.time[~np.isnat(self.time)].astype("datetime64[M]")
        return np.arange(month.min(), month.max() + 1)

    @property
    def delay_days(self) -> Floats:
        """After how many days each outcome was known, (n,); NaN where it is not, or nobody says when."""
        if self.known is None:
            return np.full(len(self), np.nan)
        days = (self.known - self.time).astype("timedelta64[s]").astype(float) / 86400
        days = np.maximum(days, 0.0)  # a day begins before a visit on it
        return np.where(np.isnat(self.known) | np.isnan(self.outcome), np.nan, days)


@dataclass(frozen=True, slots=True)
class WatchedPlace:
    """Where something is watched: all patients, one site, or one group of patients of a ``column``."""

    column: str | None = None
    key: GroupKey | None = None
    is_site: bool = False

    @property
    def message(self) -> Message:
        """The place's name, translated when it is shown."""
        if self.key is None:
            return Message(EVERYBODY)
        return Message("{column} {level}", {"column": self.column, "level": self.key.message})

    def shown(self, naming: Naming = Shown) -> Message:
        """Return the name with the column and its value in words."""
        if self.key is None or self.column is None:
            return self.message
        column = naming(self.column)
        return Message("{column} {level}", {"column": column.words, "level": self.key.shown([column]).message})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"column": self.column, "level": None if self.key is None else str(self.key)}


def places_of(watched: Watched) -> Mapping[WatchedPlace, Mask]:
    """Return who (n,) is at each place: everybody, then every site, then the groups; those without a value are at none."""
    found: dict[WatchedPlace, Mask] = {WatchedPlace(): np.ones(len(watched), dtype=bool)}
    columns = sorted(map(str, watched.places.columns), key=lambda name: name != watched.site)
    for column in columns:
        is_site = column == watched.site
        table = watched.places[[column]]
        parted = grouping(table.astype(object) if is_site else table, [column])
        for key, mask in parted.masks().items():
            if key.levels[0] not in (MISSING, REST):
                found[WatchedPlace(column, key, is_site)] = mask
    return found
