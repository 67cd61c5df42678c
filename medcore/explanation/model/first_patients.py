"""The first patients of a run's list, answered when training ends: after a restart nobody waits for a worker to start.

What is kept says by which code and of which bundle it was made; made by others it is not used.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.data.schema.targets import diseases_first
from medcore.explanation.model.tables import Explanations, laid_out
from medcore.explanation.patient.worker_queries import (
    TOGETHER,
    By,
    PatientRisk,
    column_weights,
    curve_of,
    explain_patient,
    read_risks,
)
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Explanation
from medcore.features.rows import Rows, stack
from medcore.models.bundle.files import bundle_hash
from medcore.models.run.any_results import AnyResults
from medcore.models.run.results import Results
from medcore.models.run.timed.results import TimedResults
from medcore.sealing import Folder, packed_arrays, unpacked_arrays
from medcore.settings import ROOT

MOST_SECONDS = 60.0
"""Within which patients are begun to be explained: of a wide table fewer than are listed."""
COMPUTING = ("statistics", "targets", "data", "features", "evaluation", "models", "explanation")
"""The rooms that a patient's risk and explanation come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPatients:
    """What a model says of the patients who stand first in its list.

    ``patients`` are by their row in the study's table, from 0, in the order of the list; ``explanations``
    by row and class, against the model's own background; ``weights`` (P,) by class are how much the
    model uses each column; ``curves`` (T,) by row where an event comes with its time, by ``horizon``.
    ``reasons`` are what the list says of all of them, of the class that it is about: of these explanations, so that
    list and page say the same.
    """

    bundle_sha256: str
    code: str
    source: str
    class_index: int
    horizon: float | None
    patients: Mapping[int, PatientRisk] = field(repr=False)
    explanations: Mapping[tuple[int, int], Explanation] = field(repr=False)
    weights: Mapping[int, Floats] = field(repr=False)
    curves: Mapping[int, Floats] = field(repr=False)
    reasons: Explanations | None = field(repr=False)

    def of(self, bundle_sha256: str, horizon: float | None) -> bool:
        """Whether it was made by the present code, from this bundle, about this horizon."""
        return (self.bundle_sha256, self.code, self.horizon) == (bundle_sha256, code_digest(), horizon)

    def explanation(self, patient: PatientRisk, class_index: int) -> Explanation | None:
        """Return why one of the patients got the risk of a class, against the model's own background, if it was answered."""
        row = next((row for row, one in self.patients.items() if one is patient), None)
        return None if row is None else self.explanations.get((row, class_index))

    def curve(self, patient: PatientRisk) -> Floats | None:
        """Return the risk of one of the patients over time (T,), where an event comes with its time."""
        row = next((row for row, one in self.patients.items() if one is patient), None)
        return None if row is None else self.curves.get(row)

    def to_bytes(self) -> bytes:
        """Return it as one file, without pickle, that :meth:`from_bytes` reads."""
        rows = stack([patient.rows for patient in self.patients.values()]).compact()
        told = {
            "bundle_sha256": self.bundle_sha256,
            "code": self.code,
            "source": self.source,
            "class_index": self.class_index,
            "horizon": self.horizon,
            "rows": list(self.patients),
            "patients": [_told(patient) for patient in self.patients.values()],
            "explanations": [[row, k, found.to_dict()] for (row, k), found in self.explanations.items()],
            "weights": [[k, each.tolist()] for k, each in self.weights.items()],
            "curves": [[row, each.tolist()] for row, each in self.curves.items()],
            "reasons": self.reasons
            and self.reasons.to_dict() | {"codes": self.reasons.codes.tolist(), "values": self.reasons.values},
        }
        text = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
        return packed_arrays({**rows.payload_arrays(), "told": text, "codes": rows.codes}, compressed=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> FirstPatients:
        """Read what :meth:`to_bytes` wrote."""
        arrays = unpacked_arrays(data)
        told = json.loads(arrays["told"].tobytes())
        rows = Rows.with_payload_arrays(arrays["codes"], arrays)
        named = {name: told[name] for name in ("bundle_sha256", "code", "source", "class_index", "horizon")}
        return cls(
            **named,
            patients={row: _patient(rows.take(i).compact(), told["patients"][i]) for i, row in enumerate(told["rows"])},
            explanations={(row, k): Explanation.from_dict(found) for row, k, found in told["explanations"]},
            weights={k: np.array(each) for k, each in told["weights"]},
            curves={row: np.array(each) for row, each in told["curves"]},
            reasons=_reasons(told["reasons"]) if told["reasons"] else None,
        )


def first_patients(
    folder: Folder, results: AnyResults, frame: pd.DataFrame, *, seconds: float | None = None
) -> FirstPatients:
    """Answer what a page asks of the patients first in a run's list; ``frame`` has the rows of its table, as read.

    Each is explained for the class that their page begins with, and then for the list's, where that is another one: as
    many as are begun within some seconds (:data:`MOST_SECONDS`), the first in any case.
    """
    source, class_index = listed_source(results), listed_class(results)
    side = results.training if results.test is None else results.test
    order = np.argsort(-side.risk[:, class_index], kind="stable")[:TOGETHER]
    rows = [int(row) for row in side.rows[order]]
    horizon = results.target.main if isinstance(results, TimedResults) else None
    asked = folder if horizon is None else By(folder, horizon)
    needed = required_columns(
        Schema.from_dict(results.manifest["schema"]), Recipe.from_dict(results.manifest["recipe"])
    )
    listed = frame.iloc[rows][list(needed)]
    patients = dict(zip(rows, read_risks(asked, listed), strict=True))
    opened = {row: opened_class(results, patient.risk) for row, patient in patients.items()}
    questions = dict.fromkeys([*opened.items(), *((row, class_index) for row in rows)])
    explanations, began = dict[tuple[int, int], Explanation](), time.monotonic()
    for row, k in questions:
        if explanations and time.monotonic() - began > (MOST_SECONDS if seconds is None else seconds):
            break
        explanations[row, k] = explain_patient(asked, patients[row], None, class_index=k)
    curves = {}
    if isinstance(results, TimedResults):
        curves = {row: curve_of(asked, patient.rows, results.times)[0] for row, patient in patients.items()}
    return FirstPatients(
        bundle_sha256=bundle_hash(folder),
        code=code_digest(),
        source=source,
        class_index=class_index,
        horizon=horizon,
        patients=patients,
        explanations=explanations,
        weights={k: column_weights(asked, class_index=k) for k in sorted({k for _row, k in explanations})},
        curves=curves,
        reasons=_listed(patients, explanations, class_index, results.classes[class_index]),
    )


def _listed(
    patients: Mapping[int, PatientRisk],
    explanations: Mapping[tuple[int, int], Explanation],
    class_index: int,
    class_name: str,
) -> Explanations | None:
    """Return the explanations that a list is about side by side; ``None`` where there was no time for one of them."""
    found = [one for row in patients if (one := explanations.get((row, class_index))) is not None]
    if len(found) < len(patients):
        return None
    return laid_out(
        found,
        columns=tuple(c.column for c in found[0].contributions),
        class_name=class_name,
        scale=found[0].scale,
        codes=stack([patient.rows for patient in patients.values()]).codes,
        values=[patient.values for patient in patients.values()],
    )


def listed_source(results: AnyResults) -> str:
    """Name the patients that a run's list shows first: those of the locked test set, if there is one."""
    return "training" if results.test is None else "test"


def listed_class(results: AnyResults) -> int:
    """Return the class that a run's list is about at first: the event, or the most frequent disease of several."""
    if not isinstance(results, Results) or len(results.target.told) == 1:
        return results.target.told[0]
    counts = np.bincount(results.training.outcome, minlength=len(results.classes))
    return diseases_first(counts.tolist(), results.absence)[0]


def opened_class(results: AnyResults, risk: Floats) -> int:
    """Return the class that an opened patient of risks (K,) is explained for at first: the event, or their likeliest disease."""
    if not isinstance(results, Results) or len(results.target.told) == 1:
        return results.target.told[0]
    return diseases_first(risk.tolist(), results.absence)[0]


@cache
def code_digest() -> str:
    """Return the SHA-256 of the code that answers about patients: some 10 ms, once a process."""
    found = hashlib.sha256()
    for path in _sources(ROOT / "medcore"):
        found.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def _sources(root: Path) -> list[Path]:
    return sorted(path for room in COMPUTING for path in (root / room).rglob("*.py"))


def _told(patient: PatientRisk) -> dict[str, Any]:
    """Return what is said of a patient but their row, JSON-ready."""
    return {
        "risk": patient.risk.tolist(),
        "members": [[kind, weight, risk.tolist()] for kind, weight, risk in patient.members],
        "values": patient.values,
        "flags": patient.flags,
    }


def _patient(row: Rows, told: Mapping[str, Any]) -> PatientRisk:
    return PatientRisk(
        rows=row,
        risk=np.array(told["risk"]),
        members=tuple((kind, weight, np.array(risk)) for kind, weight, risk in told["members"]),
        values=tuple(told["values"]),
        flags=tuple(told["flags"]),
    )


def _reasons(told: Mapping[str, Any]) -> Explanations:
    numbers = ("prediction", "contributions", "standard_errors", "codes")
    return Explanations(
        columns=tuple(told["columns"]),
        class_name=told["class_name"],
        scale=told["scale"],
        base_value=told["base_value"],
        values=tuple(map(tuple, told["values"])),
        rows=np.array(told["rows"], dtype=np.int64),
        **{name: np.array(told[name], dtype=np.float64) for name in numbers},
    )
