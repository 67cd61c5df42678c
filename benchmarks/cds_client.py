"""A CDS Hooks client of somebody else's asks the service: HealthChain's sandbox, with patients it makes up.

``python benchmarks/cds_client.py --client PYTHON`` (an environment of its own with ``healthchain[sandbox]==0.16.1``)
trains on the heart sample, releases it with codes, starts the service, and lets the client read the discovery,
send ``--patients`` calls of ``patient-view`` for patients of its own generator, and check every card
by its own models of the standard. HealthChain sends no token: it is put into its calls here. With
``--address http://localhost:8502 --model NAME`` it asks a service that runs already, whose token is in ``TOKEN``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from installation import leave
from service import running

from medcore.data.samples import load_sample
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.use_records import Terms
from tests.keeper import begin_to_keep

PORT = 8621
CODES = {
    "age": {"patient": "age"},
    "sex": {"patient": "gender", "levels": {"male": "Male", "female": "Female"}},
    "trestbps": {"observation": ["http://loinc.org|8480-6"]},
    "exang": {"condition": ["http://snomed.info/sct|194828000"], "present": "TRUE", "absent": "FALSE"},
}
CLIENT = """
import functools, json, sys
import httpx
from healthchain.models.responses.cdsdiscovery import CDSServiceInformation
from healthchain.models.responses.cdsresponse import CDSResponse
from healthchain.sandbox.generators import CdsDataGenerator
from healthchain.sandbox.requestconstructors import CdsRequestConstructor
from healthchain.sandbox.sandboxclient import SandboxClient, Workflow

address, token, n, model = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
headers = {"Authorization": f"Bearer {token}"}
services = CDSServiceInformation(**httpx.get(f"{address}/cds-services", headers=headers).json()).services
httpx.Client = functools.partial(httpx.Client, headers=headers)
client = SandboxClient(f"{address}/cds-services/{model}.patient-view", "patient-view")
generator = CdsDataGenerator()
generator.set_workflow(Workflow.patient_view)
for seed in range(n):
    made = generator.generate_prefetch(random_seed=seed)
    patient = next(r for r in made.values() if r.__resource_type__ == "Patient")
    sent = {name: r.model_dump(mode="json", exclude_none=True) | {"resourceType": r.__resource_type__} for name, r in made.items()}
    client.requests.append(CdsRequestConstructor().construct_request(sent, Workflow.patient_view, {"patientId": patient.id}))
answers = [CDSResponse(**answer) for answer in client.send_requests() if answer]
cards = [card for answer in answers for card in answer.cards]
print(json.dumps({"services": [s.id for s in services], "sent": n, "answered": len(answers), "cards": len(cards),
                  "first": cards[0].model_dump(mode="json", exclude_none=True) if cards else None}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", required=True, metavar="PYTHON")
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--address", help="a service that runs already")
    parser.add_argument("--model", default="heart", help="the model that it is asked about")
    args = parser.parse_args()
    if args.address:
        ask(args, args.address, os.environ["TOKEN"])
        return
    begin_to_keep()
    signal.signal(signal.SIGTERM, leave)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MEDCORE_DATA"] = str(folder / "data")
        heart = load_sample("heart")
        train_cohort(heart, TrainSettings(model="logistic"), folder=folder / "bundle")
        store = Store(Settings.from_env())
        study = store.create_study(LOCAL_OWNER, "Heart", heart)
        run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
        attempt = store.begin_attempt(LOCAL_OWNER, run.id)
        store.keep_result(LOCAL_OWNER, run.id, folder / "bundle")
        store.finish_run(LOCAL_OWNER, run.id, "done", attempt=attempt)
        terms = Terms(intended_use="A trial.", for_whom="Patients made up.", threshold=0.5, codes=CODES)
        store.release(LOCAL_OWNER, run.id, "heart", terms)
        token = store.new_token(LOCAL_OWNER, "client", days=1)[0]
        serve = [sys.executable, "-m", "medcore", "serve", "--port", str(PORT), "--pages", "http://localhost:8501"]
        with running(serve, dict(os.environ), PORT):
            ask(args, f"http://localhost:{PORT}", token)


def ask(args: argparse.Namespace, address: str, token: str) -> None:
    """Let the client ask, and print what it was told."""
    command = [args.client, "-c", CLIENT, address, token, str(args.patients), args.model]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(json.dumps(json.loads(found.splitlines()[-1]), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
