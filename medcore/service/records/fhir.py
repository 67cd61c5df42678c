"""FHIR R4: a Bundle of Patient, Observation and Condition in, RiskAssessment out.

Checked by ``fhir.resources`` (its R4B models: of these resources R4 and R4B are the same). What is
not final, was entered in error or says why it is absent is no value, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from medcore.errors import InputError, SettingsError
from medcore.i18n import N_, _, percent
from medcore.service.bodies import ExplainReply, PredictionReply
from medcore.service.opened import OpenModel
from medcore.service.records.codes import Coded

MOST_RESOURCES = 100_000
_VALID = frozenset({"final", "amended", "corrected", "preliminary"})
_DOUBTFUL = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "remission", "resolved"})
UCUM: Mapping[str, str] = {
    "mm[Hg]": "mmHg",
    "cm[H2O]": "cmH2O",
    "Cel": "°C",
    "[degF]": "°F",
    "[lb_av]": "lb",
    "[oz_av]": "oz",
    "[in_i]": "in",
    "[ft_i]": "ft",
    "10*9/L": "10^9/L",
    "10*12/L": "10^12/L",
    "10*3/uL": "10^3/µL",
    "10*6/uL": "10^6/µL",
    "[IU]/L": "IU/L",
    "m[IU]/L": "mIU/L",
    "a": "years",
    "mo": "months",
    "1": "",
}
"""Units as UCUM writes them (ucum.org) and as tables do; others are written alike."""


@dataclass(frozen=True, slots=True)
class FoundPatient:
    """A patient of a bundle: values by column, the resources they come from, and what was set aside, by reason."""

    id: str
    at: datetime
    values: dict[str, Any] = field(repr=False)
    basis: tuple[str, ...] = field(repr=False)
    set_aside: Mapping[str, int]


def read_bundle(content: Any, codes: Mapping[str, Coded], *, at: datetime | None = None) -> tuple[FoundPatient, ...]:
    """Read every patient of a FHIR bundle, as known at a moment (now, or the last measurement where that is later).

    Raises:
        InputError: it is no R4 bundle, or holds no patient; it says where.

    """
    resources = _resources(_checked(content))
    moment = at or datetime.now(UTC)
    patients = [r for r in resources if r.get("resourceType") == "Patient"]
    if not patients:
        raise InputError(N_("The FHIR bundle holds no Patient."))
    if any(not p.get("id") for p in patients):
        raise InputError(N_("A Patient of the FHIR bundle has no id, so that nothing can be told of whom."))
    by_patient: dict[str, list[Mapping[str, Any]]] = {str(p["id"]): [] for p in patients}
    for resource in resources:
        if resource.get("resourceType") in {"Observation", "Condition"}:
            whose = _subject(resource) or (next(iter(by_patient)) if len(by_patient) == 1 else "")
            if whose in by_patient:
                by_patient[whose].append(resource)
    return tuple(_patient(p, by_patient[str(p["id"])], codes, moment) for p in patients)


def risk_assessment(
    used: OpenModel, patient: FoundPatient, prediction: PredictionReply, why: ExplainReply | None = None
) -> dict[str, Any]:
    """Return what the model says of a patient as a RiskAssessment, checked."""
    from fhir.resources.R4B.riskassessment import RiskAssessment

    told, release = prediction, used.release
    words = [f"{flag.message}." for flag in told.flags]
    if patient.set_aside:
        words.append(_("Set aside in the FHIR data: {what}.", what=_counted(patient.set_aside)))
    names = dict(zip(used.model.bundle.classes, map(str, used.model.class_names), strict=True))
    outcomes = used.model.bundle.target.told if used.model.bundle.schema.number is None else ()
    classes = [used.model.bundle.classes[k] for k in outcomes]
    return _without_nothing(
        RiskAssessment.model_validate(
            {
                "resourceType": "RiskAssessment",
                "status": "final",
                "subject": {"reference": f"Patient/{patient.id}"},
                "occurrenceDateTime": patient.at.isoformat(),
                "method": {"text": f"{release.model} {release.version}"},
                "basis": [{"reference": reference} for reference in patient.basis] or None,
                "prediction": [
                    {
                        "outcome": {"text": names[name]},
                        "probabilityDecimal": round(told.risks[name], 6),
                        "rationale": _rationale(told, why),
                    }
                    for name in classes
                ],
                "note": [
                    {"text": text}
                    for text in (*words, release.terms.intended_use, release.terms.for_whom, *_caveats(used))
                ],
            }
        ).model_dump(mode="json", exclude_none=True)
    )


def collected(resources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return resources as one bundle."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": dict(r)} for r in resources]}


def _caveats(used: OpenModel) -> list[str]:
    return [_(limit) for limit in used.model.bundle.manifest.get("limits", [])]


def _rationale(told: PredictionReply, why: ExplainReply | None) -> str:
    words = []
    if told.low is not None and told.high is not None:
        words.append(
            _(
                "Of training patients with such a risk, {low} to {high} had the outcome (95 % interval).",
                low=percent(told.low, 0),
                high=percent(told.high, 0),
            )
        )
    if why is not None:
        words.append(_("What counts most: {reasons}.", reasons=reasons_of(why)))
    return " ".join(words)


def reasons_of(why: ExplainReply) -> str:
    """Name the largest contributions with their values and directions."""
    unknown = _("not known")
    return ", ".join(
        f"{c.label} {unknown if c.value is None else c.value} ({'+' if c.contribution >= 0 else '−'}"
        f"{percent(abs(c.contribution), 1)})"
        for c in why.contributions
    )


def _checked(content: Any) -> Mapping[str, Any]:
    """See that it is a bundle of R4; a fault is told by its place, never with a value."""
    from fhir.resources.R4B.bundle import Bundle

    if not isinstance(content, Mapping) or content.get("resourceType") != "Bundle":
        raise InputError(N_("This is no FHIR bundle: send a resource of type Bundle with the patients’ resources."))
    if len(content.get("entry") or []) > MOST_RESOURCES:
        raise SettingsError(N_("The FHIR bundle holds more than {n} resources. Send fewer."), n=MOST_RESOURCES)
    try:
        Bundle.model_validate(dict(content))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_context=False)[0]
        raise InputError(
            N_("The FHIR bundle is not valid R4 at {place}: {what}"),
            place=".".join(map(str, fault["loc"]))[:200],
            what=str(fault["type"]),
        ) from None
    return content


def _resources(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a bundle's resources, those of bundles inside it among them."""
    found: list[Mapping[str, Any]] = []
    for entry in bundle.get("entry") or []:
        resource = entry.get("resource") or {}
        found += _resources(resource) if resource.get("resourceType") == "Bundle" else [resource]
    return found


def _subject(resource: Mapping[str, Any]) -> str:
    return str((resource.get("subject") or {}).get("reference", "")).rpartition("/")[2].removeprefix("urn:uuid:")


def _patient(
    patient: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], codes: Mapping[str, Coded], moment: datetime
) -> FoundPatient:
    aside: dict[str, int] = {}
    basis: list[str] = []
    values: dict[str, Any] = {}
    for column, coded in codes.items():
        if coded.source == "patient":
            values[column] = _of_patient(patient, coded, moment)
            continue
        found = _newest(resources, coded, moment, aside)
        if found is None:
            values[column] = coded.absent if coded.source == "condition" else None
            continue
        value, resource = found
        values[column] = value
        if resource.get("id"):
            basis.append(f"{resource['resourceType']}/{resource['id']}")
    return FoundPatient(str(patient["id"]), moment, values, tuple(dict.fromkeys(basis)), aside)


def _of_patient(patient: Mapping[str, Any], coded: Coded, moment: datetime) -> Any:
    if coded.codes[0] == "gender":
        gender = patient.get("gender")
        return None if gender in {None, "unknown"} else coded.levels.get(str(gender), str(gender))
    born = str(patient.get("birthDate") or "")
    if len(born) < 4:
        return None
    year, month, day = (int(part) for part in (born + "-07-02"[len(born) - 4 :] if len(born) < 10 else born).split("-"))
    born_on, today = date(year, month, day), moment.date()
    years = today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
    return years if years >= 0 else None


def _newest(
    resources: Iterable[Mapping[str, Any]], coded: Coded, moment: datetime, aside: dict[str, int]
) -> tuple[Any, Mapping[str, Any]] | None:
    """Return the newest value of a column known at a moment, with the resource that says it."""
    best: tuple[datetime, Any, Mapping[str, Any]] | None = None
    for resource in resources:
        if resource["resourceType"] != coded.source.capitalize():
            continue
        for part in (resource, *(resource.get("component") or [])):
            if not _is_of(part.get("code"), coded):
                continue
            reason = _reason_against(resource, part, coded, moment)
            if reason:
                aside[reason] = aside.get(reason, 0) + 1
                continue
            taken = _moment(resource) or datetime.min.replace(tzinfo=UTC)
            value = coded.present if coded.source == "condition" else _value(part, coded)
            if value is not None and (best is None or taken >= best[0]):
                best = (taken, value, resource)
    return None if best is None else (best[1], best[2])


def _reason_against(resource: Mapping[str, Any], part: Mapping[str, Any], coded: Coded, moment: datetime) -> str | None:
    """Say why what a resource says is no value of a patient at a moment, or None where it is one."""
    taken = _moment(resource)
    if coded.source == "condition":
        state = {c.get("code") for c in _codings(resource.get("verificationStatus"))}
        if state & _DOUBTFUL or {c.get("code") for c in _codings(resource.get("clinicalStatus"))} & _OVER:
            return N_("not (any more) so")
    elif resource.get("status") not in _VALID:
        return N_("not final")
    if part.get("dataAbsentReason"):
        return N_("not measured")
    if taken is not None and taken > moment:
        return N_("after the moment that is asked about")
    if coded.hours is not None and (taken is None or (moment - taken).total_seconds() > coded.hours * 3600):
        return N_("too old")
    return None


def _value(part: Mapping[str, Any], coded: Coded) -> Any:
    quantity = part.get("valueQuantity")
    if quantity is not None:
        if quantity.get("value") is None:
            return None
        unit = _unit(str(quantity.get("code") or quantity.get("unit") or coded.unit or ""))
        return {"value": f"{quantity.get('comparator', '')}{quantity['value']}", "unit": unit or None}
    for name in ("valueInteger", "valueBoolean", "valueString"):
        if part.get(name) is not None:
            return coded.levels.get(str(part[name]).lower(), coded.levels.get(str(part[name]), part[name]))
    concept = part.get("valueCodeableConcept")
    if concept is None:
        return None
    found = [word for c in _codings(concept) for word in (c.get("code"), c.get("display"))]
    said = [str(word) for word in (*found, concept.get("text")) if word]
    return next((coded.levels[word] for word in said if word in coded.levels), said[-1] if said else None)


def _unit(unit: str) -> str:
    """Write a UCUM unit as tables do; annotations in braces say nothing of size."""
    plain = unit.split("{")[0] + unit.rpartition("}")[2] if "{" in unit else unit
    return UCUM.get(plain, plain)


def _is_of(concept: Any, coded: Coded) -> bool:
    found = {f"{c.get('system', '')}|{c.get('code')}" for c in _codings(concept)}
    local = {str(c.get("code")) for c in _codings(concept)}
    return any(code in (found if "|" in code else local) for code in coded.codes)


def _codings(concept: Any) -> list[Mapping[str, Any]]:
    return list((concept or {}).get("coding") or [])


def _moment(resource: Mapping[str, Any]) -> datetime | None:
    period = resource.get("effectivePeriod") or {}
    said = resource.get("effectiveDateTime") or resource.get("effectiveInstant") or period.get("end")
    said = said or resource.get("onsetDateTime") or resource.get("recordedDate") or resource.get("issued")
    if not said:
        return None
    text = str(said)
    text += "-01-01"[len(text) - 4 :] if len(text) < 10 else ""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _counted(aside: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {_(reason)}" for reason, n in aside.items())


def _without_nothing(resource: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "RiskAssessment"} | resource
