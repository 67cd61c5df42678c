"""What a preparation did to its table, in counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.data.preparation.replay import Prepared
from medcore.data.preparation.steps import StepLog
from medcore.i18n import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What a preparation did to its table: counts only, so that it can be kept with a model and printed later.

    ``n_patients`` is None where no column names the patient; ``log`` has the
    steps in order, ``set_aside`` the columns left out and why.
    """

    n_source: int
    n_rows: int
    n_patients: int | None
    class_counts: Mapping[str, int]
    predictors: tuple[str, ...] = field(repr=False)
    log: tuple[StepLog, ...] = field(repr=False)
    set_aside: Mapping[str, Message] = field(repr=False)

    @classmethod
    def of(cls, prepared: Prepared) -> Preparation:
        """Count what was done to a table."""
        counts = np.bincount(prepared.outcome, minlength=len(prepared.classes))
        return cls(
            n_source=len(prepared.source),
            n_rows=prepared.n_rows,
            n_patients=None if prepared.groups is None else prepared.n_patients,
            class_counts={name: int(n) for name, n in zip(prepared.classes, counts, strict=True)},
            predictors=tuple(prepared.kinds),
            log=prepared.log,
            set_aside=prepared.set_aside,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "n_source": self.n_source,
            "n_rows": self.n_rows,
            "n_patients": self.n_patients,
            "class_counts": dict(self.class_counts),
            "predictors": list(self.predictors),
            "log": [entry.to_dict() for entry in self.log],
            "set_aside": {name: reason.to_dict() for name, reason in self.set_aside.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preparation:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            n_source=data["n_source"],
            n_rows=data["n_rows"],
            n_patients=data["n_patients"],
            class_counts=dict(data["class_counts"]),
            predictors=tuple(data["predictors"]),
            log=tuple(StepLog.from_dict(entry) for entry in data["log"]),
            set_aside={name: Message.from_dict(reason) for name, reason in data["set_aside"].items()},
        )
