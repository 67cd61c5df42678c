"""The service's addresses: models, their predictions and explanations, judging, outcomes, health."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response, StreamingResponse

from medcore.errors import MedcoreError
from medcore.i18n import best_language, use_language
from medcore.models.run.manifest import package_version
from medcore.service import judging
from medcore.service.answers import explained, model_reply, prediction_of, told_of
from medcore.service.batching import Batcher, Given, ModelQuestion
from medcore.service.bodies import (
    EvaluateForm,
    ExplainForm,
    ExplainReply,
    ModelReply,
    OutcomesForm,
    OutcomesReply,
    PatientForm,
    PredictForm,
    PredictReply,
)
from medcore.service.described import example_of, schema_of
from medcore.service.entering import Entering
from medcore.service.explaining import Explaining
from medcore.service.faults import add_faults
from medcore.service.opened import OpenModel, OpenModels
from medcore.service.records.cds_hooks import add_cds_hooks
from medcore.service.records.fhir_routes import add_fhir
from medcore.studies import Store

logger = logging.getLogger("medcore.service")
CHUNK = 500
"""Patients of one line of a streamed answer."""
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


@dataclass(frozen=True, slots=True)
class Service:
    """What the addresses share."""

    store: Store
    entering: Entering
    models: OpenModels
    batcher: Batcher
    explaining: Explaining
    pages: str | None = None
    """Where the dashboard is, for links."""

    async def used(self, request: Request, name: str, *, record: bool = False) -> tuple[str, OpenModel]:
        """Return who asks, and the version of a model that answers them; the answer is in their language.

        ``record`` says that hospitals' records may show a token of their own here.
        """
        use_language(best_language(request.headers.get("accept-language")))
        person = await self.entering.person(request.headers, name, address=str(request.url) if record else None)
        known = self.models.known(person, name)
        return person, await asyncio.to_thread(self.models.in_use, person, name) if known is None else known

    async def predict(
        self, person: str, used: OpenModel, form: PredictForm, key: str | None, *, route: str, first: int = 0
    ) -> PredictReply:
        """Answer about some patients; ``first`` is the place of the first among all of the request."""
        cells = used.model.cells([patient.values for patient in form.patients])
        given = tuple(_given(person, used, p, key, first + i) for i, p in enumerate(form.patients))
        question = ModelQuestion(person, used, cells, given, route, form.record)
        answers, kept = await self.batcher.ask(question)
        entries = kept or (None,) * len(answers)
        said = [
            prediction_of(used, answer, patient.id, entry)
            for answer, patient, entry in zip(answers, form.patients, entries, strict=True)
        ]
        return PredictReply(**told_of(used), predictions=said)


def build(
    store: Store, *, origins: tuple[str, ...] = (), entering: Entering | None = None, pages: str | None = None
) -> FastAPI:
    """Return the service over an installation.

    ``origins`` are pages of other programs that may ask it, ``pages`` is the address of the dashboard.
    """
    service = Service(
        store,
        entering or Entering(store),
        OpenModels(store),
        Batcher(store),
        Explaining(store.settings),
        pages,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        opening = asyncio.create_task(_open(service))
        yield
        opening.cancel()
        await service.batcher.stop()
        service.explaining.stop()
        await asyncio.to_thread(service.models.close)

    app = FastAPI(
        title="medcore",
        version=package_version("medcore"),
        description="Released risk models. For research use; not a medical device.",
        docs_url=None,  # their pages fetch scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    add_faults(app)
    _add_models(app, service)
    _add_questions(app, service)
    _add_description(app, service)
    add_fhir(app, service)
    add_cds_hooks(app, service)
    if origins:
        headers = ["authorization", "content-type", "idempotency-key", "accept-language"]
        app.add_middleware(
            CORSMiddleware, allow_origins=list(origins), allow_methods=["GET", "POST"], allow_headers=headers
        )
    return app


async def _open(service: Service) -> None:
    """Open what is in use, here and where it is explained."""
    opened = await asyncio.to_thread(service.models.open_all)
    prepared = map(asyncio.wrap_future, service.explaining.prepare(opened))
    for error in await asyncio.gather(*prepared, return_exceptions=True):
        if error is not None:
            logger.warning("A model cannot be made ready to explain: %s", type(error).__name__)
    service.models.ready.set()


def _add_models(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["upkeep"])
    async def healthz() -> JSONResponse:
        """Say whether the service answers and reaches its database, and whether all models in use are open."""
        try:
            await asyncio.to_thread(service.store.probe)
        except MedcoreError as error:
            return JSONResponse({"healthy": False, "message": str(error)}, 503)
        return JSONResponse({"healthy": True, "ready": service.models.ready.is_set()})

    @app.get("/v1/models", tags=["models"])
    async def models(request: Request) -> list[dict[str, Any]]:
        """List the versions open to the token, by model, the newest first."""
        person = await service.entering.person(request.headers)
        return [release.to_dict() for release in await asyncio.to_thread(service.store.releases, person)]

    @app.get("/v1/models/{name}", tags=["models"])
    async def model(request: Request, name: str) -> ModelReply:
        """Say which version answers, on what terms, and what must be known of it."""
        _person, used = await service.used(request, name)
        return model_reply(used)

    @app.get("/v1/models/{name}/schema", tags=["models"])
    async def schema(request: Request, name: str) -> dict[str, Any]:
        """Say what the model reads: names, units, ranges, levels, and an example."""
        _person, used = await service.used(request, name)
        return schema_of(used.model) | {"examples": [example_of(used.model)]}


def _add_questions(app: FastAPI, service: Service) -> None:
    @app.post("/v1/models/{name}/predict", tags=["questions"], response_model=PredictReply)
    async def predict(request: Request, name: str, form: PredictForm, key: IdempotencyKey = None) -> Response:
        """Predict for some patients. Sent again with the same Idempotency-Key, it is kept once."""
        person, used = await service.used(request, name)
        said = await service.predict(person, used, form, key, route="predict")
        return Response(said.model_dump_json(), media_type="application/json")  # which it is: not looked through again

    @app.post("/v1/models/{name}/predict-stream", tags=["questions"])
    async def predict_stream(
        request: Request, name: str, form: PredictForm, key: IdempotencyKey = None
    ) -> StreamingResponse:
        """Predict for many patients: a line of JSON for each five hundred, which says how many are done."""
        person, used = await service.used(request, name)
        used.model.cells([patient.values for patient in form.patients])  # what is wrong is said before the first line
        lines = _lines(service, person, used, form, key)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    @app.post("/v1/models/{name}/explain", tags=["questions"])
    async def explain(request: Request, name: str, form: ExplainForm, key: IdempotencyKey = None) -> ExplainReply:
        """Say why one patient has this risk."""
        person, used = await service.used(request, name)
        asked = PredictForm(patients=[form.patient], record=form.record)
        said = await service.predict(person, used, asked, key, route="explain")
        found = await service.explaining.explain(used.release, form.patient.values, form.class_name)
        return explained(used, said.predictions[0], found, form.top)

    @app.post("/v1/models/{name}/evaluate", tags=["questions"])
    async def evaluate(request: Request, name: str, form: EvaluateForm) -> dict[str, Any]:
        """Judge the model on patients whose outcome is known; nothing of them is kept."""
        person, used = await service.used(request, name)
        return await asyncio.to_thread(judging.judge, service.store, person, used, form)

    @app.post("/v1/models/{name}/outcomes", tags=["register"])
    async def outcomes(request: Request, name: str, form: OutcomesForm) -> OutcomesReply:
        """Enter what came of patients of the register, or take it back."""
        person, _used = await service.used(request, name)
        known = {entry.id: entry.outcome for entry in form.outcomes}
        days = {entry.id: entry.on for entry in form.outcomes if entry.on is not None}
        n, unknown = await asyncio.to_thread(service.store.enter_outcomes, person, name, known, days=days)
        return OutcomesReply(n=n, unknown=list(unknown))


async def _lines(
    service: Service, person: str, used: OpenModel, form: PredictForm, key: str | None
) -> AsyncIterator[str]:
    for first in range(0, len(form.patients), CHUNK):
        some = PredictForm(patients=form.patients[first : first + CHUNK], record=form.record)
        try:
            found = await service.predict(person, used, some, key, route="predict-stream", first=first)
        except MedcoreError as error:
            yield json.dumps({"done": first, "of": len(form.patients), "error": str(error)}) + "\n"
            return
        progress = {"done": first + len(some.patients), "of": len(form.patients)}
        yield json.dumps(progress | found.model_dump(mode="json"), ensure_ascii=False) + "\n"


def _add_description(app: FastAPI, service: Service) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def description(request: Request) -> JSONResponse:
        """Describe the service, with the schema of each model that is open to the token."""
        person = await service.entering.person(request.headers)
        told = json.loads(json.dumps(app.openapi()))
        names = {r.model for r in await asyncio.to_thread(service.store.releases, person) if r.state == "in use"}
        for name in sorted(names):
            used = await asyncio.to_thread(service.models.in_use, person, name)
            _describe(told, name, used)
        return JSONResponse(told)


def _describe(told: dict[str, Any], name: str, used: OpenModel) -> None:
    """Add a model's own address to the description, with its own schema and an example."""
    values = f"Values_{name}"
    told["components"]["schemas"][values] = schema_of(used.model)
    operation = json.loads(json.dumps(told["paths"]["/v1/models/{name}/predict"]))
    post = operation["post"]
    post["operationId"] = f"predict_{name}"
    post["summary"] = f"Predict by {name} {used.release.version}"
    post["description"] = f"{used.release.terms.intended_use} {used.release.terms.for_whom}"
    post["parameters"] = [p for p in post.get("parameters", []) if p["in"] != "path"]
    content = post["requestBody"]["content"]["application/json"]
    patient = {"type": "object", "properties": {"values": {"$ref": f"#/components/schemas/{values}"}}}
    content["schema"] = {"allOf": [content["schema"], {"properties": {"patients": {"items": patient}}}]}
    content["example"] = {"patients": [{"id": "example", "values": example_of(used.model)}], "record": False}
    told["paths"][f"/v1/models/{name}/predict"] = operation


def _given(person: str, used: OpenModel, patient: PatientForm, key: str | None, place: int) -> Given:
    """Return what came with a patient's values; the key of a request holds for the person and the model."""
    asked: dict[str, Any] = {"at": patient.at, "patient": patient.id}
    if key:
        asked["request"] = _digest([person, used.release.model, key, place])
        asked["request_body"] = _digest(patient.model_dump(mode="json"))
    return Given(dict(patient.values), asked)


def _digest(value: list[Any] | Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
