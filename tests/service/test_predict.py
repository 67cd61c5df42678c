"""The service says what shell and page say, keeps it once, and refuses in one clear sentence without a value."""

from __future__ import annotations

import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from medcore.errors import SettingsError
from medcore.explanation import explain_row
from medcore.models.bundle.bundle import load_bundle
from medcore.service import batching
from medcore.service.serve import Serving, refuse_unencrypted

PATIENT = {"age": 63, "sex": "Male", "cp": "asymptomatic", "chol": {"value": 6.0, "unit": "mmol/L"}, "oldpeak": "2.3"}
PREDICT, EXPLAIN = "/v1/models/heart-disease/predict", "/v1/models/heart-disease/explain"


def rows_of(ward, n: int) -> list[dict]:
    names = [c.name for c in ward.cohort.schema.predictors]
    return json.loads(ward.cohort.frame[names].iloc[:n].to_json(orient="records"))


def test_the_risks_are_those_of_the_bundle_to_the_last_bit(ward) -> None:
    patients = [{"values": values} for values in rows_of(ward, 40)]
    bundle = load_bundle(ward.folder)
    expected = bundle.predict(ward.cohort.frame)[:40]
    told = ward.post(PREDICT, {"patients": patients, "record": False}).json()
    got = [[p["risks"][name] for name in bundle.classes] for p in told["predictions"]]
    assert np.array_equal(np.array(got), expected)
    flags = [[f"{flag['code']}:{flag['column']}" for flag in p["flags"]] for p in told["predictions"]]
    assert flags == [list(f) for f in bundle.flags(ward.cohort.frame)[:40]]
    assert [p["called"] for p in told["predictions"]] == [bool(r >= 0.4) for r in expected[:, 1]]
    alone = ward.post(PREDICT, {"patients": patients[7:8], "record": False}).json()["predictions"][0]
    assert alone == told["predictions"][7]
    assert (told["model"], told["version"], told["threshold"]) == ("heart-disease", 1, 0.4)
    assert told["caveats"] and told["for_whom"] == "Adults with chest pain."


def test_many_at_the_same_moment_get_the_answers_they_would_get_alone(ward) -> None:
    rows = rows_of(ward, 24)
    alone = [ward.post(PREDICT, {"patients": [{"values": v}], "record": False}).json()["predictions"] for v in rows]
    with ThreadPoolExecutor(8) as threads:
        together = list(
            threads.map(
                lambda v: ward.post(PREDICT, {"patients": [{"values": v}], "record": False}).json()["predictions"], rows
            )
        )
    assert together == alone


def test_explanations_have_a_process_of_their_own_that_is_started_again_where_it_was_lost(ward) -> None:
    asked = {"patient": {"values": PATIENT}, "record": False}
    first = ward.post(EXPLAIN, asked)
    process, _pipe = ward.app.state.service.explaining._child
    assert first.status_code == 200 and process.is_alive() and process.pid != os.getpid()
    process.kill()
    process.join()
    again = ward.post(EXPLAIN, asked)
    assert again.json()["contributions"] == first.json()["contributions"]
    assert ward.post(EXPLAIN, asked | {"class_name": "maybe"}).status_code == 404  # an error comes back as itself


@pytest.mark.parametrize("station", ["answer_all", "keep_all"])
def test_a_batch_that_fails_is_told_and_the_next_is_answered(ward, station, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(batching, station, lambda *_of: 1 / 0)
        failed = ward.post(PREDICT, {"patients": [{"values": PATIENT}], "record": False})
    assert failed.status_code == 500 and "ZeroDivisionError" in failed.json()["detail"]
    assert ward.post(PREDICT, {"patients": [{"values": PATIENT}], "record": False}).status_code == 200


def test_what_was_left_out_or_cannot_be_read_is_flagged_in_the_readers_language(ward) -> None:
    values = PATIENT | {"trestbps": "very high", "thalach": 999, "chol": {"value": 6, "unit": "mmHg"}}
    told = ward.post(PREDICT, {"patients": [{"values": values}], "record": False}).json()["predictions"][0]
    codes = {f"{flag['code']}:{flag['column']}" for flag in told["flags"]}
    assert {"imputed:ca", "unreadable:trestbps", "not_used:thalach", "unknown_unit:chol"} <= codes
    assert 0 <= told["low"] <= told["high"] <= 1
    words = ward.post(PREDICT, {"patients": [{"values": values}], "record": False}, **{"Accept-Language": "zh-CN"})
    assert any("缺失" in flag["message"] for flag in words.json()["predictions"][0]["flags"])


def test_a_unit_is_converted(ward) -> None:
    ask = lambda chol: ward.post(PREDICT, {"patients": [{"values": {"age": 60, "chol": chol}}], "record": False})  # noqa: E731
    one, other = (ask(c).json()["predictions"][0] for c in ({"value": 232, "unit": "mg/dL"}, 232))
    assert one["risk"] == other["risk"]
    converted = ask({"value": 6.0, "unit": "mmol/L"}).json()["predictions"][0]
    assert converted["risk"] == pytest.approx(one["risk"], abs=1e-3)


def test_an_explanation_is_that_of_the_shell_and_adds_up(ward) -> None:
    values = rows_of(ward, 1)[0]
    told = ward.post(EXPLAIN, {"patient": {"values": values}, "record": False}).json()
    expected = explain_row(load_bundle(ward.folder), ward.cohort.frame, 0)
    got = {c["column"]: c["contribution"] for c in told["contributions"]}
    assert got == pytest.approx({c.column: c.contribution for c in expected.contributions}, abs=1e-9)
    assert told["base_value"] + sum(got.values()) == pytest.approx(told["prediction"]["risk"], abs=1e-6)
    top = ward.post(EXPLAIN, {"patient": {"values": values}, "top": 2, "record": False}).json()
    assert top["contributions"] == told["contributions"][:2]


def test_a_request_sent_twice_is_kept_once(ward) -> None:
    body = {"patients": [{"id": "T-1", "values": PATIENT}, {"id": "T-2", "values": PATIENT}]}
    first, second = (ward.post(PREDICT, body, **{"Idempotency-Key": "round 7"}).json() for _ in range(2))
    assert [p["again"] for p in first["predictions"]] == [False, False]
    assert [p["again"] for p in second["predictions"]] == [True, True]
    assert [p["number"] for p in first["predictions"]] == [p["number"] for p in second["predictions"]]
    number = ward.store.find_patient("ann", "heart-disease", "T-1")
    assert len(ward.store.course("ann", number)) == 1
    other = {"patients": [{"id": "T-1", "values": PATIENT | {"age": 64}}]}
    refused = ward.post(PREDICT, other, **{"Idempotency-Key": "round 7"})
    assert (refused.status_code, "used before" in refused.json()["detail"]) == (422, True)


def test_every_call_is_in_the_trail_without_a_value(ward) -> None:
    ward.post(PREDICT, {"patients": [{"id": "Wang Wu", "values": PATIENT | {"age": 61.7}}]})
    entries = ward.store.audit("ann", ward.release.study_id)
    assert entries[-1].action == "model.asked"
    said = json.dumps([entry.to_dict() for entry in entries])
    assert "Wang" not in said and "61.7" not in said


def test_an_outcome_is_entered_later_and_who_is_unknown_is_named(ward) -> None:
    ward.post(PREDICT, {"patients": [{"id": "T-9", "at": "2026-03-02T08:00:00Z", "values": PATIENT}]})
    came = [{"id": "T-9", "outcome": 1, "on": "2026-03-05"}, {"id": "T-0", "outcome": 0}]
    told = ward.post("/v1/models/heart-disease/outcomes", {"outcomes": came})
    assert told.json() == {"n": 1, "unknown": ["T-0"]}
    kept = ward.store.course("ann", ward.store.find_patient("ann", "heart-disease", "T-9"))[-1]
    assert (kept.outcome, kept.at.isoformat(), kept.version) == (1.0, "2026-03-02T08:00:00+00:00", 1)
    assert str(kept.outcome_on) == "2026-03-05"


def test_a_batch_is_answered_line_by_line_with_its_progress(ward) -> None:
    rows = rows_of(ward, 600)
    path = "/v1/models/heart-disease/predict-stream"
    answer = ward.post(path, {"patients": [{"values": v} for v in rows], "record": False})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["done"], line["of"]) for line in lines] == [(500, 600), (600, 600)]
    told = [p["risks"] for line in lines for p in line["predictions"]]
    bundle = load_bundle(ward.folder)
    assert np.array_equal([[r[c] for c in bundle.classes] for r in told], bundle.predict(ward.cohort.frame)[:600])


def test_it_judges_the_model_by_patients_whose_outcome_is_known(ward) -> None:
    outcome = ward.cohort.frame["disease"].tolist()
    patients = [{"values": v, "outcome": y} for v, y in zip(rows_of(ward, 200), outcome, strict=False)]
    told = ward.post("/v1/models/heart-disease/evaluate", {"patients": patients}).json()
    assert told["n"] == 200 and told["threshold"] == 0.4
    assert told["evaluation"]["metrics"]["auroc"]["low"] < told["evaluation"]["metrics"]["auroc"]["value"]
    wrong = ward.post("/v1/models/heart-disease/evaluate", {"patients": [{"values": PATIENT, "outcome": "maybe"}]})
    assert wrong.status_code == 422 and "maybe" not in wrong.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"patients": [{"values": {"agee": 63}}]}, "do you mean age"),
        ({"patients": [{"values": {}}]}, "No value is given"),
        ({"patients": [{"values": {"age": [1, 2]}}]}, "not of the form"),
        ({"patients": [{"values": {"age": {"value": 1, "unt": "a"}}}]}, "neither text"),
        ({"patients": []}, "not of the form"),
        ({"patient": 4711}, "not of the form"),
        ({"patients": [{"values": {"age": 63}, "at": "yesterday 4711"}]}, "not of the form"),
    ],
)
def test_what_cannot_be_answered_gets_one_sentence_without_the_value(ward, body, says: str) -> None:
    answer = ward.post(PREDICT, body)
    assert (answer.status_code, says in answer.json()["detail"]) == (422, True), answer.text
    assert "4711" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_token_that_holds_nobody_is_told_anything(ward) -> None:
    for headers in ({}, {"Authorization": "Bearer mc_wrong"}, {"Authorization": f"Basic {ward.token}"}):
        for path in ("/v1/models", "/v1/models/heart-disease", "/openapi.json", "/cds-services"):
            assert ward.client.get(path, headers=headers).status_code == 401
    ended, kept = ward.store.new_token("ann", "ended")
    ward.store.end_token("ann", kept.id)
    assert ward.client.get("/v1/models", headers={"Authorization": f"Bearer {ended}"}).status_code == 401
    other, _kept = ward.store.new_token("bob", "not his")
    answer = ward.client.get("/v1/models/heart-disease", headers={"Authorization": f"Bearer {other}"})
    assert answer.status_code == 404
    assert ward.get("/v1/models", host="evil.example").status_code == 401
    assert ward.get("/v1/models/nothing").status_code == 404


def test_a_withdrawn_version_answers_nothing_and_says_why(ward) -> None:
    again = ward.store.release("ann", ward.release.run_id, "short-lived", ward.release.terms)
    assert ward.get("/v1/models/short-lived").json()["version"] == 1
    ward.store.withdraw("ann", again.id, "A fault in a device.")
    ward.app.state.service.models._sure.clear()  # heard of within two seconds
    answer = ward.get("/v1/models/short-lived")
    assert (answer.status_code, "A fault in a device." in answer.json()["detail"]) == (422, True)


def test_a_request_that_is_too_long_is_ended_before_it_is_read(ward) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ward.client.base_url.port, timeout=60)
    connection.putrequest("POST", PREDICT)
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_description_has_the_models_own_schema(ward) -> None:
    told = ward.get("/openapi.json").json()
    values = told["components"]["schemas"]["Values_heart-disease"]
    assert values["properties"]["chol"]["x-unit"] == "mg/dL"
    assert "asymptomatic" in values["properties"]["cp"]["examples"]
    post = told["paths"]["/v1/models/heart-disease/predict"]["post"]
    example = post["requestBody"]["content"]["application/json"]["example"]
    assert ward.post(PREDICT, example).status_code == 200
    assert told["openapi"].startswith("3.1")


def test_nothing_is_said_in_clear_to_other_machines(tmp_path) -> None:
    with pytest.raises(SettingsError, match="without encryption"):
        refuse_unencrypted(Serving(host="0.0.0.0"))
    with pytest.raises(SettingsError, match="no file"):
        refuse_unencrypted(Serving(certificate=tmp_path / "none.pem"))
    refuse_unencrypted(Serving())


def test_it_is_healthy_while_it_reaches_its_database(ward) -> None:
    told = ward.client.get("/healthz").json()
    assert told["healthy"] is True and isinstance(told["ready"], bool)
