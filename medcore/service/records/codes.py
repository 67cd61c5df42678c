"""How a model's columns are found in FHIR resources: the form that is kept with a release.

``{"age": {"patient": "age"}, "sex": {"patient": "gender", "levels": {"male": "M"}},
"creatinine": {"observation": ["http://loinc.org|2160-0"], "unit": "mg/dL", "hours": 48},
"diabetes": {"condition": ["http://snomed.info/sct|73211009"], "present": "yes", "absent": "no"}}``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from medcore.errors import MissingColumnsError, SettingsError
from medcore.explanation.patient.released import ReleasedModel
from medcore.i18n import N_

Source = Literal["patient", "observation", "condition"]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
_FIELDS = frozenset({"patient", "observation", "condition", "unit", "hours", "levels", "present", "absent"})
_OF_PATIENT = ("age", "gender")


@dataclass(frozen=True, slots=True)
class Coded:
    """Where one column's value is found.

    ``codes`` are ``system|code``, or ``code`` alone for local ones; ``unit`` is taken where a
    quantity names none; older than ``hours`` before the moment it is not known; ``levels`` say what a
    code or word means for the model; ``present`` and ``absent`` are what a condition, and its absence
    from the list, mean (absent: not known, unless it is said).
    """

    source: Source
    codes: tuple[str, ...]
    unit: str | None = None
    hours: float | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    present: str = "true"
    absent: str | None = None


def read_codes(given: Mapping[str, Any]) -> dict[str, Coded]:
    """Read the form that is kept with a release.

    Raises:
        SettingsError: an entry is not of the form; its column is named.

    """
    return {str(column): _coded(str(column), entry) for column, entry in given.items()}


def check_codes(given: Mapping[str, Any], model: ReleasedModel) -> None:
    """See that a form names columns of the model, each by something that can be found.

    Raises:
        SettingsError: an entry is not of the form.
        MissingColumnsError: the model reads no such column.

    """
    names = [column.name for column in model.columns]
    for column in read_codes(given):
        if column not in names:
            raise MissingColumnsError(
                N_("The model reads no column {column}. It reads {columns}."), column=column, columns=names
            )


def _coded(column: str, entry: Any) -> Coded:
    if not isinstance(entry, Mapping) or set(entry) - _FIELDS:
        raise _wrong(column)
    sources = [source for source in ("patient", "observation", "condition") if source in entry]
    if len(sources) != 1:
        raise _wrong(column)
    source: Source = sources[0]  # type: ignore[assignment]
    codes = [entry[source]] if isinstance(entry[source], str) else entry[source]
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) and code for code in codes):
        raise _wrong(column)
    if source == "patient" and codes[0] not in _OF_PATIENT:
        raise _wrong(column)
    hours, levels = entry.get("hours"), entry.get("levels", {})
    if (hours is not None and not (isinstance(hours, int | float) and hours > 0)) or not isinstance(levels, Mapping):
        raise _wrong(column)
    return Coded(
        source,
        tuple(codes),
        unit=entry.get("unit"),
        hours=hours,
        levels={str(k): str(v) for k, v in levels.items()},
        present=str(entry.get("present", "true")),
        absent=None if entry.get("absent") is None else str(entry["absent"]),
    )


def _wrong(column: str) -> SettingsError:
    return SettingsError(
        N_(
            "How {column} is found in FHIR is not said in a form that is understood. Write one of “patient” (age or gender), “observation” or “condition” with its codes, such as http://loinc.org|2160-0, and, where needed, unit, hours, levels, present, absent."
        ),
        column=column,
    )
