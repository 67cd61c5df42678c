"""Take a run's training logs elsewhere: TensorBoard, and an MLflow server where one is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from medcore.i18n import _
from medcore.models.contract.candidate import AUTO, by_epochs
from medcore.reporting.logs.tensorboard import event_archive, event_files
from medcore.reporting.logs.tracking import Server, send_run
from medcore.reporting.reproduce import reproduction
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption, note
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.shown.tables import download


def reproduce_script(run: RunRecord, manifest: Mapping[str, Any]) -> None:
    """Offer the script that trains a run's model again; runs of before it could be written have none."""
    if "plan" in manifest:
        download(
            _("Reproduce this run (Python)"),
            lambda: reproduction(manifest),
            file_name="reproduce.py",
            mime="text/x-python",
            key=f"train.reproduce.{run.id}",
        )


def training_logs(run: RunRecord) -> None:
    """Offer the training logs of a finished run."""
    server = cache.store().settings.mlflow_url
    learns = by_epochs(run.settings.model) or run.settings.model == AUTO or run.settings.search_minutes
    if not (learns or server) or run.started_at is None:
        return
    if not st.toggle(_("Export the training logs"), key=f"train.logs.{run.id}"):
        return
    points, started = cache.progress(run), run.started_at
    if event_files(points, started):
        download(
            _("TensorBoard logs"),
            cache.once(lambda: event_archive(points, started), "tensorboard", run.id),
            file_name=f"medcore-run-{run.number}-tensorboard.zip",
            mime="application/zip",
            key=f"train.tensorboard.{run.id}",
        )
        caption(_("Unpack the archive and open it with: tensorboard --logdir FOLDER"))
    if server:
        _mlflow(run, server)


def _mlflow(run: RunRecord, address: str) -> None:
    if st.button(_("Send to the MLflow server"), key=f"train.mlflow.{run.id}", icon=":material/upload:"):
        with errors_shown(), st.spinner(_("Sending …")):
            if run.started_at is None or run.finished_at is None:
                return
            place = send_run(
                Server(address),
                run_id=run.id,
                number=run.number,
                settings=run.settings,
                results=cache.results(run),
                points=cache.progress(run),
                started=run.started_at,
                seconds=(run.finished_at - run.started_at).total_seconds(),
            )
            cache.store().note(run.owner, run.study_id, "data.exported", what="MLflow")
            note(_("Sent: {address}", address=place), look="success")
    caption(
        _("Settings, out-of-fold figures and curves are sent; no patient, no model and nothing of the locked test set.")
    )
