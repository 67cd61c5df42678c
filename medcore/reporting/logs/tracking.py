"""Send a run's settings, figures and curves to an MLflow server through its REST API.

Nothing of a patient is sent: no rows, no risks, no bundle (which holds training
patients for explanations), no study's name. Figures are out-of-fold ones; sending
those of the locked test set would be a look at it. API: MLflow's REST API 2.0.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from itertools import islice
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

from medcore.errors import WorkerError
from medcore.evaluation import Estimate
from medcore.i18n import N_
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import Results
from medcore.reporting.logs.tensorboard import MEASURES
from medcore.settings import check_mlflow_url

EXPERIMENT = "medcore"
_FIRST_SECONDS, _SECONDS = 5.0, 15.0
"""How long the server may take to answer at all, and to take what it is sent."""
_BATCH = 900
"""Metrics a call; the server takes 1,000 at most."""


@dataclass(frozen=True, slots=True)
class Server:
    """An MLflow server; ``repr`` hides a password in its address.

    Raises:
        SettingsError: not an http or https address.

    """

    address: str = field(repr=False)

    def __post_init__(self) -> None:
        check_mlflow_url(self.address)

    @property
    def public_address(self) -> str:
        """The address without a name and password."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = _SECONDS
    ) -> dict[str, Any]:
        """Call the API.

        Raises:
            WorkerError: no answer, or a refusal; the message names the server and its code.

        """
        request = Request(  # noqa: S310 - http or https, checked above
            f"{self.public_address}/api/2.0/mlflow/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._credentials()},
            method=method,
        )
        try:
            with urlopen(request, timeout=seconds) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except HTTPError as error:
            with error:
                raise _refused(self.public_address, error) from None
        except (URLError, OSError, ValueError, HTTPException) as error:
            raise WorkerError(
                N_("The MLflow server at {address} does not answer ({kind}). Check MEDCORE_MLFLOW_URL and the server."),
                address=self.public_address,
                kind=type(error).__name__,
            ) from None

    def _credentials(self) -> dict[str, str]:
        parts = urlsplit(self.address)
        if parts.username is None:
            return {}
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def send_run(
    server: Server,
    *,
    run_id: str,
    number: int,
    settings: TrainSettings,
    results: Results,
    points: Sequence[Progress],
    started: datetime,
    seconds: float,
) -> str:
    """Send a finished run as a run of the experiment “medcore” and return its address there.

    Raises:
        WorkerError: the server does not answer or refuses.

    """
    begun = round(started.timestamp() * 1000)
    experiment = _experiment(server)
    tags = {"medcore.run": run_id, "medcore.data_sha256": str(results.manifest.get("data_sha256", ""))}
    made = server.ask(
        "POST",
        "runs/create",
        {
            "experiment_id": experiment,
            "run_name": f"run {number} {settings.model}",
            "start_time": begun,
            "tags": _pairs(tags),
        },
    )
    there = str(made["run"]["info"]["run_id"])
    server.ask("POST", "runs/log-batch", {"run_id": there, "params": _pairs(settings.to_dict())})
    metrics = iter([*_figures(results, begun + round(seconds * 1000)), *_curves(points, begun)])
    while batch := list(islice(metrics, _BATCH)):
        server.ask("POST", "runs/log-batch", {"run_id": there, "metrics": batch})
    server.ask(
        "POST", "runs/update", {"run_id": there, "status": "FINISHED", "end_time": begun + round(seconds * 1000)}
    )
    return f"{server.public_address}/#/experiments/{experiment}/runs/{there}"


def _experiment(server: Server) -> str:
    try:
        made = server.ask("POST", "experiments/create", {"name": EXPERIMENT}, seconds=_FIRST_SECONDS)
        return str(made["experiment_id"])
    except _RefusedError:  # most often it exists already; if not, the next question says what is wrong
        found = server.ask("GET", f"experiments/get-by-name?experiment_name={quote(EXPERIMENT)}")
        return str(found["experiment"]["experiment_id"])


def _figures(results: Results, moment: int) -> Iterator[dict[str, Any]]:
    sets = {"cross_validated": results.cross_validated.metrics} | {
        f"candidate/{c.name}": c.cross_validated.metrics for c in results.candidates
    }
    for place, metrics in sets.items():
        for name, estimate in metrics.items():
            yield from _estimate(f"{place}/{name}", estimate, moment)


def _estimate(key: str, estimate: Estimate, moment: int) -> Iterator[dict[str, Any]]:
    for suffix, value in (("", estimate.value), ("/low", estimate.low), ("/high", estimate.high)):
        if math.isfinite(value):
            yield {"key": key + suffix, "value": float(value), "timestamp": moment, "step": 0}


def _curves(points: Sequence[Progress], begun: int) -> Iterator[dict[str, Any]]:
    for point in points:
        moment = begun + round(point.seconds * 1000)
        if point.trial is not None and point.trial["loss"] is not None:
            step = int(point.trial["number"]) + 1
            yield {"key": "search/log_loss", "value": float(point.trial["loss"]), "timestamp": moment, "step": step}
        if point.epoch > 0 and point.n_epochs > 0:
            for name, tag in MEASURES.items():
                value = getattr(point, name)
                if value is not None:
                    key = f"{point.model}/{point.stage}/{tag}"
                    yield {"key": key, "value": float(value), "timestamp": moment, "step": point.epoch}


def _pairs(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"key": key, "value": str(value)} for key, value in values.items()]


class _RefusedError(WorkerError):
    """The server is there and said no."""


def _refused(address: str, error: HTTPError) -> WorkerError:
    try:
        code = str(json.load(error).get("error_code", error.code))
    except (ValueError, AttributeError):
        code = str(error.code)
    return _RefusedError(N_("The MLflow server at {address} refused ({code})."), address=address, code=code)
