"""What a released model says of patients who are brought in, and how that is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from medcore import jobs
from medcore.data.schema.targets import absence
from medcore.data.values.given import cell_text
from medcore.explanation.patient import worker_queries
from medcore.studies.use_records import AskedPatient, PredictionRecord
from medcore.ui.kit.shown import components
from medcore.ui.patient.choice import FLAG_ENDS
from medcore.ui.patient.many.listing import PATIENCE_A_ROW, PATIENCE_SECONDS
from medcore.ui.patients.in_use import InUse


def predicted(in_use: InUse, frame: pd.DataFrame, *identity: object, doing: str) -> pd.DataFrame | None:
    """Predict for every row of a table as it was read: a line each with risks and flags. ``None`` as yet."""
    model, patience = in_use.asked, PATIENCE_SECONDS + len(frame) * PATIENCE_A_ROW
    return components.waited(
        lambda task: jobs.call(worker_queries.predict_table, model, frame, timeout=patience, stop=task.stop),
        *("patients.predicted", in_use.release.id, *identity),
        key="patients.predicted",
        doing=doing,
    )


def asked_patients(
    in_use: InUse,
    frame: pd.DataFrame,
    found: pd.DataFrame,
    *,
    patients: Sequence[str],
    moments: Sequence[datetime | None],
    key: str,
) -> list[AskedPatient]:
    """Put what was predicted (``found``) for rows of a table beside who they are of and when they were seen.

    ``key`` names the table or form: brought in twice, its rows are kept once.
    """
    risks = found[["predicted"] if in_use.of_number else [f"risk_{name}" for name in in_use.classes]].to_numpy()
    risk, called = called_of(in_use, risks)
    return [
        AskedPatient(
            values=_values(frame.iloc[row]),
            risk=float(risk[row]),
            risks=[float(value) for value in risks[row]],
            called=bool(called[row]),
            flags=[flag for flag in FLAG_ENDS.split(found["flags"].iloc[row] or "") if flag],
            at=moments[row],
            patient=patients[row],
            request=_digest(in_use.person, in_use.release.id, key, row),
            request_body=_digest(in_use.release.id, patients[row], sorted(_values(frame.iloc[row]).items())),
        )
        for row in range(len(frame))
    ]


def called_of(in_use: InUse, risks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return of risks (n, K) that in question and whether it is called: the event's from the threshold on.

    Of more than two classes it is the likeliest, called unless it means that there is none of them.
    """
    none = absence(in_use.classes, in_use.schema.absence)
    classes, called = in_use.target.alerts(risks, in_use.threshold or 0.0, none)
    return risks[np.arange(len(risks)), classes], called


def as_table(columns: Sequence[str], visits: Sequence[PredictionRecord]) -> pd.DataFrame:
    """Lay visits out in some columns as a table that was just read."""
    cells = {name: [cell_text(name, visit.values.get(name)) for visit in visits] for name in columns}
    return pd.DataFrame({name: pd.Series(column, dtype="str") for name, column in cells.items()})


def moment_of(text: str | None) -> datetime | None:
    """Read a moment as a person types it, ``2026-11-28 14:30`` or ``2026-11-28``, in universal time; None for none.

    Raises:
        ValueError: it is none.

    """
    if text is None or not text.strip():
        return None
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _values(row: pd.Series) -> Mapping[str, str | None]:
    return {str(name): None if pd.isna(cell) else str(cell) for name, cell in row.items()}


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
