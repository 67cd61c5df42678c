"""CDS Hooks 2.0: cards with risk, reasons and limits where clinicians work.

Every model that was released with codes is a service for ``patient-view`` and one for
``order-select``. Nothing is fetched from the record's server: what is not prefetched is not known.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from medcore.errors import MedcoreError, NotFoundError
from medcore.i18n import N_, _, best_language, percent, use_language
from medcore.service.answers import class_shown, explained
from medcore.service.bodies import ExplainReply, PatientForm, PredictForm, PredictionReply
from medcore.service.opened import OpenModel
from medcore.service.records.codes import Coded, read_codes
from medcore.service.records.fhir import FoundPatient, collected, read_bundle, reasons_of
from medcore.service.records.fhir_routes import codes_of

if TYPE_CHECKING:
    from medcore.service.app import Service

HOOKS = ("patient-view", "order-select")
LONGEST_SUMMARY = 140
REASONS = 3
NOT_PREFETCHED = N_("The prefetched data hold no Patient of the context, so that nothing is said.")
FILLED_IN = frozenset({"imputed", "unreadable", "unknown_unit", "not_used"})
"""Flags of values that the model had to fill in. Where those are most, the card says so in its line and does not warn."""


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class HookForm(_Sent):
    """A call of a hook (CDS Hooks 2.0, "Calling a CDS Service")."""

    hook: Literal["patient-view", "order-select"]
    hookInstance: Annotated[str, Field(max_length=200)]  # noqa: N815 - the standard's own name
    context: dict[str, Any]
    prefetch: dict[str, Any] = {}


class FeedbackEntry(_Sent):
    """What a clinician did with a card."""

    card: Annotated[str, Field(max_length=200)]
    outcome: Literal["accepted", "overridden"]


class FeedbackForm(_Sent):
    """What clinicians did with cards."""

    feedback: Annotated[list[FeedbackEntry], Field(min_length=1, max_length=1000)]


class NotPrefetchedError(MedcoreError):
    """The patient's data did not come with the call."""


def add_cds_hooks(app: FastAPI, service: Service) -> None:
    """Add discovery, the services and their feedback."""

    @app.get("/cds-services", tags=["cds hooks"])
    async def discovery(request: Request) -> dict[str, Any]:
        """Say which services there are, and what each wants to be sent."""
        use_language(best_language(request.headers.get("accept-language")))
        person = await service.entering.person(request.headers, address=str(request.url))
        releases = await asyncio.to_thread(service.store.releases, person)
        usable = [r for r in releases if r.state == "in use" and r.terms.codes]
        return {
            "services": [
                {
                    "id": f"{release.model}.{hook}",
                    "hook": hook,
                    "title": f"{release.model} {release.version}",
                    "description": f"{release.terms.intended_use} {release.terms.for_whom}",
                    "prefetch": prefetch_of(read_codes(release.terms.codes)),
                }
                for release in usable
                for hook in HOOKS
            ]
        }

    @app.post("/cds-services/{service_id}", tags=["cds hooks"])
    async def call(request: Request, service_id: str, form: HookForm) -> JSONResponse:
        """Answer a hook with a card about the patient."""
        name, hook = _named(service_id)
        person, used = await service.used(request, name, record=True)
        if form.hook != hook:
            raise NotFoundError(N_("This service is for the hook {hook}."), hook=hook)
        codes = codes_of(used)
        patient = await asyncio.to_thread(_patient, form, codes)
        # No moment: a call that is sent again is the same call, though it comes later.
        asked = PredictForm(patients=[PatientForm(id=patient.id, values=patient.values)])
        said = await service.predict(person, used, asked, form.hookInstance, route=f"cds-hooks {hook}")
        found = await service.explaining.explain(used.release, patient.values)
        why = explained(used, said.predictions[0], found, REASONS)
        return JSONResponse({"cards": [card_of(used, said.predictions[0], why, patient, service.pages)]})

    @app.post("/cds-services/{service_id}/feedback", tags=["cds hooks"])
    async def feedback(request: Request, service_id: str, form: FeedbackForm) -> JSONResponse:
        """Take note of what clinicians did with cards."""
        name, _hook = _named(service_id)
        person, used = await service.used(request, name, record=True)
        n = len(form.feedback)
        await asyncio.to_thread(service.store.note, person, used.release.study_id, "model.feedback", n=n, model=name)
        return JSONResponse({})


def prefetch_of(codes: dict[str, Coded]) -> dict[str, str]:
    """Return what a client is to send along, as templates of FHIR queries."""
    told = {"patient": "Patient/{{context.patientId}}"}
    for source, kind in (("observation", "Observation"), ("condition", "Condition")):
        wanted = [code for coded in codes.values() if coded.source == source for code in coded.codes]
        if wanted:
            told[f"{source}s"] = f"{kind}?patient={{{{context.patientId}}}}&code={','.join(wanted)}"
            told[f"{source}s"] += "&_sort=-date&_count=200" if source == "observation" else "&_count=200"
    return told


def card_of(
    used: OpenModel, told: PredictionReply, why: ExplainReply, patient: FoundPatient, pages: str | None
) -> dict[str, Any]:
    """Return a card: risk and event in one line, the reasons and limits beneath, a link to the page."""
    release = used.release
    risk = percent(told.risk, 0) if why.scale == "risk" else f"{told.risk:.4g} {why.unit or ''}".strip()
    event = why.event if why.scale == "value" else class_shown(used, why.class_name)
    filled = [flag.column for flag in told.flags if flag.code in FILLED_IN]
    n = len(used.model.columns)
    summary = _("{event}: {risk}", event=event, risk=risk)
    if 2 * len(set(filled)) > n:
        summary = _("{summary} – from {known} of {n} values", summary=summary, known=n - len(set(filled)), n=n)
    card: dict[str, Any] = {
        "uuid": str(uuid.uuid4()),
        "summary": summary if len(summary) < LONGEST_SUMMARY else summary[: LONGEST_SUMMARY - 2] + "…",
        "indicator": "warning" if told.called and 2 * len(set(filled)) <= n else "info",
        "detail": "\n\n".join(_details(used, why, told, patient)),
        "source": {"label": f"medcore · {release.model} {release.version}"},
        "overrideReasons": [
            {"code": code, "system": "urn:medcore:override", "display": _(words)}
            for code, words in (
                ("known", N_("Known already")),
                ("not-apply", N_("Does not apply to this patient")),
                ("wrong-data", N_("Rests on wrong data")),
            )
        ],
    }
    if pages:
        # The patient's number in the register: no identifier and no value stands in an address.
        address = f"{pages.rstrip('/')}/patients?{urlencode({'model': release.model, 'patient': told.patient or ''})}"
        card["links"] = [{"label": _("Open in medcore"), "url": address, "type": "absolute", "autoLaunchable": False}]
    return card


def _details(used: OpenModel, why: ExplainReply, told: PredictionReply, patient: FoundPatient) -> list[str]:
    lines = [_("What counts most: {reasons}.", reasons=reasons_of(why))]
    if told.low is not None and told.high is not None and why.scale == "risk":
        lines.append(
            _(
                "Of training patients with such a risk, {low} to {high} had the outcome (95 % interval).",
                low=percent(told.low, 0),
                high=percent(told.high, 0),
            )
        )
    shown = used.model.bundle.schema.shown
    missing = [shown(flag.column).words for flag in told.flags if flag.code == "imputed"]
    if missing:
        lines.append(_("Not known and filled in: {columns}.", columns=missing))
    others = [flag.message for flag in told.flags if flag.code != "imputed"]
    if others:
        lines.append(_("Be careful: {flags}.", flags="; ".join(others)))
    if patient.set_aside:
        what = ", ".join(f"{n} {_(reason)}" for reason, n in patient.set_aside.items())
        lines.append(_("Set aside in the FHIR data: {what}.", what=what))
    return [*lines, f"{why.intended_use} {why.for_whom}", *why.caveats]


def _named(service_id: str) -> tuple[str, str]:
    name, _dot, hook = service_id.rpartition(".")
    if hook not in HOOKS:
        raise NotFoundError(N_("There is no such service. /cds-services lists those there are."))
    return name, hook


def _patient(form: HookForm, codes: dict[str, Coded]) -> FoundPatient:
    """Return the patient in context as the prefetched resources tell them.

    Raises:
        NotPrefetchedError: they hold no such patient.
        InputError: they are no resources of R4.

    """
    if not isinstance(form.prefetch.get("patient"), dict):
        raise NotPrefetchedError(NOT_PREFETCHED)
    resources = [content for content in form.prefetch.values() if isinstance(content, dict)]
    whose = str(form.context.get("patientId", ""))
    drafts = form.context.get("draftOrders")
    found = read_bundle(collected([*resources, *([drafts] if isinstance(drafts, dict) else [])]), codes, at=_now())
    patient = next((p for p in found if p.id == whose), None)
    if patient is None:
        raise NotPrefetchedError(NOT_PREFETCHED)
    return patient


def _now() -> datetime:
    return datetime.now(UTC)
