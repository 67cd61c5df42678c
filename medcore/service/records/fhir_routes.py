"""The address at which FHIR bundles are answered with RiskAssessments."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.service.bodies import PatientForm, PredictForm
from medcore.service.opened import OpenModel
from medcore.service.records.codes import Coded, read_codes
from medcore.service.records.fhir import collected, read_bundle, risk_assessment

if TYPE_CHECKING:
    from medcore.service.app import Service

FHIR_JSON = "application/fhir+json"


def codes_of(used: OpenModel) -> dict[str, Coded]:
    """Return how a version's columns are found in FHIR.

    Raises:
        SettingsError: it was released without saying so.

    """
    if not used.release.terms.codes:
        raise SettingsError(
            N_(
                "{model} {version} was released without saying how its columns are found in FHIR. Release it with --codes."
            ),
            model=used.release.model,
            version=used.release.version,
        )
    return read_codes(used.release.terms.codes)


def add_fhir(app: FastAPI, service: Service) -> None:
    """Add the address to the service."""

    @app.post("/v1/models/{name}/fhir", tags=["fhir"])
    async def assess(
        request: Request,
        name: str,
        at: Annotated[datetime | None, Query(description="As known at this moment; now, where it is left out.")] = None,
        record: bool = True,
    ) -> JSONResponse:
        """Take a Bundle of Patient, Observation and Condition (R4); return a RiskAssessment a patient."""
        person, used = await service.used(request, name)
        codes = codes_of(used)
        found = await asyncio.to_thread(read_bundle, await body_of(request), codes, at=at)
        patients = [PatientForm(id=p.id, at=at, values=p.values) for p in found]  # sent again, it is the same request
        key = request.headers.get("idempotency-key")
        said = await service.predict(person, used, PredictForm(patients=patients, record=record), key, route="fhir")
        resources = [risk_assessment(used, p, told) for p, told in zip(found, said.predictions, strict=True)]
        answer = resources[0] if len(resources) == 1 else collected(resources)
        return JSONResponse(answer, media_type=FHIR_JSON)


async def body_of(request: Request) -> Any:
    """Return the JSON that came with a request.

    Raises:
        SettingsError: it is none.

    """
    try:
        return await request.json()
    except ValueError:
        raise SettingsError(N_("What was sent is not JSON.")) from None
