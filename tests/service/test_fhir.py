"""FHIR in and out, by HL7's own examples; CDS Hooks by the rules of version 2.0."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fhir.resources.R4B.riskassessment import RiskAssessment

from medcore.errors import InputError, SettingsError
from medcore.models.bundle.bundle import load_bundle
from medcore.service.records.codes import read_codes
from medcore.service.records.fhir import read_bundle

CODES: dict = {
    "age": {"patient": "age"},
    "sex": {"patient": "gender", "levels": {"male": "Male", "female": "Female"}},
    "trestbps": {"observation": ["http://loinc.org|8480-6"]},
    "thalach": {"observation": ["http://loinc.org|8867-4"], "hours": 48},
    "exang": {"condition": ["http://snomed.info/sct|39065001"], "present": "TRUE", "absent": "FALSE"},
}
EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "fhir" / "examples.json").read_text())
FHIR = "/v1/models/heart-disease/fhir"
SEPTEMBER = datetime(2012, 9, 18, tzinfo=UTC)


def bundle_of(*names: str, **more: dict) -> dict:
    resources = [copy.deepcopy(EXAMPLES[name]) for name in names] + list(more.values())
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def test_hl7s_examples_are_read() -> None:
    codes = read_codes(CODES)
    everything = bundle_of(
        "Patient-example", "Observation-blood-pressure", "Observation-heart-rate", "Condition-example"
    )
    (found,) = read_bundle(everything, codes, at=SEPTEMBER)
    assert found.values["age"] == 37  # born on 25 December 1974
    assert found.values["sex"] == "Male"
    assert found.values["trestbps"] == {"value": "107", "unit": "mmHg"}
    assert found.values["exang"] == "TRUE"
    assert found.values["thalach"] is None
    assert found.set_aside == {"too old": 1}  # a heart rate of 1999
    assert found.basis == ("Observation/blood-pressure", "Condition/example")


def test_what_is_cancelled_or_absent_or_of_later_is_no_value_and_is_counted() -> None:
    codes = read_codes(CODES)
    for name in ("Observation-blood-pressure-cancel",):
        (found,) = read_bundle(bundle_of("Patient-example", name), codes, at=SEPTEMBER)
        assert found.values["trestbps"] is None
        assert sum(found.set_aside.values()) == 1
    (found,) = read_bundle(
        bundle_of("Patient-example", "Observation-blood-pressure"), codes, at=SEPTEMBER - timedelta(days=30)
    )
    assert found.values["trestbps"] is None
    assert found.set_aside == {"after the moment that is asked about": 1}
    assert found.values["exang"] == "FALSE"  # the form says what the absence of the condition means


def test_a_risk_assessment_comes_back_with_the_shells_risk(ward) -> None:
    answer = ward.post(f"{FHIR}?at=2012-09-18T00:00:00Z", bundle_of("Patient-example", "Observation-blood-pressure"))
    told = answer.json()
    assessed = RiskAssessment.model_validate(told)
    bundle = load_bundle(ward.folder)
    frame = ward.app.state.service.models.in_use("ann", "heart-disease").model.frame(
        [{"age": 37, "sex": "Male", "trestbps": "107 mmHg", "exang": "FALSE"}]
    )
    assert float(assessed.prediction[0].probabilityDecimal) == pytest.approx(bundle.predict(frame)[0, 1], abs=1e-6)
    assert told["subject"] == {"reference": "Patient/example"}
    assert told["method"] == {"text": "heart-disease 1"}
    assert any("filled in" in note["text"] for note in told["note"])


def test_two_patients_are_told_apart() -> None:
    other = copy.deepcopy(EXAMPLES["Patient-example"]) | {"id": "two", "gender": "female"}
    pressure = copy.deepcopy(EXAMPLES["Observation-blood-pressure"]) | {"subject": {"reference": "urn:uuid:two"}}
    found = read_bundle(bundle_of("Patient-example", other=other, pressure=pressure), read_codes(CODES), at=SEPTEMBER)
    assert [(p.id, p.values["sex"], p.values["trestbps"] is None) for p in found] == [
        ("example", "Male", True),
        ("two", "Female", False),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"resourceType": "Patient", "id": "x"}, "no FHIR bundle"),
        ([], "no FHIR bundle"),
        ({"resourceType": "Bundle", "type": "collection"}, "no Patient"),
        (
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]},
            "no id",
        ),
        (
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": {"resourceType": "Patient", "birthDate": "4711-99"}}],
            },
            "not valid R4 at",
        ),
    ],
)
def test_what_is_no_bundle_of_patients_is_refused_by_its_place(content, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        read_bundle(content, read_codes(CODES))
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"patient": "name"},
        {"observation": []},
        {"observation": "x", "condition": "y"},
        "x",
        {"observation": "x", "hours": -1},
    ],
)
def test_a_form_that_is_not_understood_names_its_column(entry) -> None:
    with pytest.raises(SettingsError, match="creatinine"):
        read_codes({"creatinine": entry})


def hook(**change) -> dict:
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/example", "patientId": "example"},
        "prefetch": {
            "patient": EXAMPLES["Patient-example"],
            "observations": bundle_of("Observation-blood-pressure") | {"type": "searchset"},
        },
    } | change


def test_discovery_names_a_service_for_each_hook_and_what_to_prefetch(ward) -> None:
    services = {s["id"]: s for s in ward.get("/cds-services").json()["services"]}
    view = services["heart-disease.patient-view"]
    assert view["hook"] == "patient-view" and view["description"]
    assert view["prefetch"]["patient"] == "Patient/{{context.patientId}}"
    assert "http://loinc.org|8480-6" in view["prefetch"]["observations"]
    assert "heart-disease.order-select" in services


def test_a_card_has_risk_reasons_limits_and_a_link_without_a_value(ward) -> None:
    card = ward.post("/cds-services/heart-disease.patient-view", hook()).json()["cards"][0]
    assert len(card["summary"]) < 140 and "%" in card["summary"]
    assert "from 4 of 13 values" in card["summary"]
    assert card["indicator"] == "info"  # too little is known to warn
    assert "Not known and filled in: " in card["detail"]
    assert card["source"]["label"].startswith("medcore")
    assert "What counts most" in card["detail"] and "Adults with chest pain." in card["detail"]
    assert " not known (" in card["detail"].split("\n\n")[0]
    (link,) = card["links"]
    number = ward.store.find_patient("ann", "heart-disease", "example")
    assert link["url"] == f"http://localhost:8501/patients?model=heart-disease&patient={number}"
    assert (link["type"], link["autoLaunchable"]) == ("absolute", False)
    told = ward.post("/cds-services/heart-disease.patient-view", hook(), **{"Accept-Language": "zh"}).json()
    assert "使用" in json.dumps(told, ensure_ascii=False) or "最" in told["cards"][0]["detail"]


def test_a_hook_called_twice_is_answered_twice_and_kept_once(ward) -> None:
    call = lambda: ward.post("/cds-services/heart-disease.patient-view", hook(hookInstance="the same"))  # noqa: E731
    first, number = call(), ward.store.find_patient("ann", "heart-disease", "example")
    before = len(ward.store.course("ann", number))
    again = call()
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert again.json()["cards"][0]["summary"] == first.json()["cards"][0]["summary"]
    assert len(ward.store.course("ann", number)) == before


def test_a_bundle_sent_twice_is_answered_twice_and_kept_once(ward) -> None:
    body = bundle_of("Patient-example", "Observation-blood-pressure")
    body["entry"][0]["resource"]["id"] = "twice"
    body["entry"][1]["resource"]["subject"]["reference"] = "Patient/twice"
    answers = [ward.post(FHIR, body, **{"Idempotency-Key": "bundle 1"}) for _time in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["prediction"] == answers[1].json()["prediction"]
    number = ward.store.find_patient("ann", "heart-disease", "twice")
    assert len(ward.store.course("ann", number)) == 1


def test_without_the_patients_data_nothing_is_said(ward) -> None:
    for without in ({}, {"patient": None}):
        assert ward.post("/cds-services/heart-disease.patient-view", hook(prefetch=without)).status_code == 412
    other = hook(context={"patientId": "somebody-else"})
    assert ward.post("/cds-services/heart-disease.patient-view", other).status_code == 412
    assert ward.post("/cds-services/heart-disease.order-select", hook()).status_code == 404
    assert ward.post("/cds-services/nothing.patient-view", hook()).status_code == 404


def test_feedback_is_noted(ward) -> None:
    body = {"feedback": [{"card": "4e0a3a1e", "outcome": "overridden", "outcomeTimestamp": "2026-11-29T10:00:00Z"}]}
    assert ward.post("/cds-services/heart-disease.patient-view/feedback", body).status_code == 200
    assert ward.store.audit("ann", ward.release.study_id)[-1].action == "model.feedback"
