"""What each command does: the rooms' functions in the order of the work.

Nothing is computed here. Each function returns a :class:`Result`, which prints
as one JSON object or as a short text.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from medcore.data.cohort import Cohort, Role, Schema
from medcore.data.export import to_csv
from medcore.data.inference import choose_target, propose_targets
from medcore.data.quality import inspect
from medcore.data.reading import read_table
from medcore.data.recipe import default_recipe, prepare
from medcore.data.splitting import SplitKind, SplitSettings, make_split
from medcore.data.values import typed
from medcore.errors import InputError, NotFoundError, SettingsError
from medcore.i18n import N_, _
from medcore.models.files import check_new
from medcore.models.progress import Progress
from medcore.models.settings import TrainSettings

if TYPE_CHECKING:
    from medcore.data.findings import Finding
    from medcore.models.external import ExternalValidation
    from medcore.models.settings import Strength

HEADLINE = ("auroc", "auprc", "brier", "log_loss", "calibration_slope", "calibration_intercept")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found: ``data`` for programs, ``lines`` for people."""

    data: Mapping[str, Any]
    lines: tuple[str, ...]

    def as_json(self) -> str:
        """Return one JSON object; what is not a number is ``null``."""
        return json.dumps(_plain(self.data), ensure_ascii=False, allow_nan=False)

    def as_text(self) -> str:
        """Return the text for people."""
        return "\n".join(self.lines)


def profile(data: Path) -> Result:
    """Say what a table holds and what is wrong with it."""
    cohort = read_table(data)
    proposals = propose_targets(cohort.frame, cohort.schema)
    findings = inspect(cohort)
    values = typed(cohort.frame, cohort.schema)
    columns = [
        c.to_dict()
        | {
            "reason": str(c.reason or ""),
            "missing": int(values[c.name].isna().sum()),
            "unique": int(values[c.name].nunique()),
        }
        for c in cohort.schema.columns
    ]
    found = {
        "n_rows": cohort.n_rows,
        "n_columns": len(columns),
        **cohort.source.to_dict(),
        "columns": columns,
        "targets": [p.to_dict() for p in proposals],
        "repairs": [str(m) for m in cohort.repairs],
        "findings": [f.to_dict() for f in findings],
    }
    heading = _(
        "{rows} rows, {columns} columns, {encoding}",
        rows=cohort.n_rows,
        columns=len(columns),
        encoding=cohort.source.encoding,
    )
    return Result(
        found,
        (
            heading,
            *(f"  {c['name']}: {c['kind']}, {c['role']}" for c in columns),
            *map(str, cohort.repairs),
            *_finding_lines(findings),
        ),
    )


def train_settings(*, model: str, seed: int, epochs: int | None, search_minutes: float = 0.0) -> TrainSettings:
    """Build the settings of a training job; raise SettingsError when they cannot work."""
    chosen = {"model": model, "seed": seed, "search_minutes": search_minutes} | (
        {} if epochs is None else {"epochs": epochs}
    )
    return TrainSettings.from_dict(chosen)


def train(
    data: Path,
    *,
    target: str,
    out: Path,
    settings: TrainSettings,
    positive: str | None = None,
    drop: Sequence[str] = (),
    roles: Mapping[Role, str] | None = None,
    test_size: float = 0.2,
    tensorboard: Path | None = None,
) -> Result:
    """Train a model on a table and keep it in a folder, and its curves in another if one is named."""
    from medcore.models.results import save_trained
    from medcore.models.training import train as train_model
    from medcore.reporting.tensorboard import write_events

    began = datetime.now(UTC)
    started = time.perf_counter()
    _check_free(out)
    cohort = read_table(data)
    cohort = cohort.with_schema(_study_schema(cohort, target, positive, drop, roles or {}))
    findings = inspect(cohort)
    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    kind: SplitKind = next((k for k in ("time", "site") if k in (roles or {})), "random")
    split = make_split(prepared, SplitSettings(kind=kind, test_size=test_size, seed=settings.seed))
    announcer = _Announcer()
    trained = train_model(
        prepared,
        split,
        settings,
        schema=cohort.schema,
        recipe=recipe,
        cohort_sha256=cohort.sha256,
        follower=announcer,
    )
    save_trained(trained, out)
    if tensorboard is not None:
        write_events(announcer.points, began, tensorboard)
    results = trained.results
    findings = (*split.findings, *results.findings, *findings)
    judged = {
        "cross_validated": _headline(results.cross_validated),
        "test": _headline(results.tested) if results.tested else None,
    }
    found = {
        "bundle": str(out),
        "model": settings.model,
        "n_train": int((~split.test).sum()),
        "n_test": int(split.test.sum()),
        "classes": list(prepared.classes),
        **judged,
        "candidates": [c.to_dict() for c in results.candidates],
        "search": results.manifest.get("search"),
        "seconds": round(time.perf_counter() - started, 3),
        "findings": [f.to_dict() for f in findings],
    }
    lines = [
        _(
            "Trained {model} on {n} patients in {seconds} s; kept in {out}.",
            model=settings.model,
            n=found["n_train"],
            seconds=found["seconds"],
            out=out,
        ),
        *_metric_lines(_("Cross-validated"), judged["cross_validated"]),
        *_metric_lines(_("Locked test set"), judged["test"]),
        *_finding_lines(findings),
    ]
    return Result(found, tuple(lines))


@dataclass(frozen=True, slots=True)
class Recalibrate:
    """A recalibration that is asked for: how strong, and the folder for the new version."""

    strength: Strength
    out: Path

    @classmethod
    def of(cls, strength: Strength | None, out: Path | None) -> Recalibrate | None:
        """Put the two options together; raise SettingsError when only one is there."""
        if strength is None and out is None:
            return None
        if strength is None or out is None:
            raise SettingsError(
                N_("--recalibrate and --out go together: say how to recalibrate and into which folder.")
            )
        check_new(out)
        return cls(strength, out)


def evaluate(
    bundle: Path,
    data: Path,
    *,
    target: str | None = None,
    threshold: float | None = None,
    report: Path | None = None,
    recalibrate: Recalibrate | None = None,
) -> Result:
    """Judge a frozen model on new patients; write the report and keep a recalibrated version if they are asked for."""
    from medcore.models.bundle import load_bundle
    from medcore.models.external import validate
    from medcore.reporting import check_format

    if threshold is not None and not 0 < threshold < 1:
        raise SettingsError(
            N_("The threshold is {got}; it is a risk, so give a number between 0 and 1."), got=threshold
        )
    if report is not None:
        check_format(report.name)
    model = load_bundle(bundle)
    validation = validate(model, read_table(data), target=target, threshold=threshold)
    found: dict[str, Any] = {"bundle": str(bundle), **validation.to_dict()}
    if report is not None:
        _write_report(report, bundle, validation, model.threshold if threshold is None else threshold)
        found["report"] = str(report)
    kept: list[str] = []
    if recalibrate is not None:
        found["recalibration"], kept = _recalibrate(bundle, validation, recalibrate)
    judged = _headline(validation.evaluation)
    heading = _(
        "{n} patients judged, {dropped} without an outcome left out.",
        n=validation.n_patients,
        dropped=validation.n_without_outcome,
    )
    return Result(found | judged, (heading, *_metric_lines(_("New patients"), judged), *validation.lines(), *kept))


def _recalibrate(bundle: Path, validation: ExternalValidation, asked: Recalibrate) -> tuple[dict[str, Any], list[str]]:
    """Keep a recalibrated version; return what is told of it, for programs and for people."""
    from medcore.models.recalibration import recalibrate
    from medcore.models.versions import save_version

    change = recalibrate(validation, asked.strength)
    save_version(bundle, asked.out, change, validation)
    judged = _headline(change.evaluation)
    lines = [
        _("Recalibrated: {what}. Kept in {out}; the original is unchanged.", what=change.meaning, out=asked.out),
        *_metric_lines(_("Recalibrated, cross-validated on the new patients"), judged),
    ]
    return {"bundle": str(asked.out), **change.to_dict(), "cross_validated": judged}, lines


def _write_report(report: Path, bundle: Path, validation: ExternalValidation, threshold: float) -> None:
    from medcore.models.recalibration import recalibrations
    from medcore.models.results import read_results
    from medcore.reporting import Subject, render, study_report

    results = read_results(bundle)
    rationale = (
        str(results.manifest.get("threshold_rationale", "")) if threshold == results.manifest.get("threshold") else ""
    )
    subject = Subject(
        title=bundle.resolve().name,
        results=results,
        threshold=threshold,
        rationale=rationale,
        validation=validation,
        recalibrations=recalibrations(validation),
    )
    report.write_bytes(render(study_report(subject), report.name))


def predict(bundle: Path, data: Path, *, out: Path) -> Result:
    """Write the risk of every patient, one line a row of the table."""
    from medcore.models.bundle import load_bundle
    from medcore.models.external import predict_table

    table = predict_table(load_bundle(bundle), read_table(data).frame)
    out.write_text(to_csv(table), encoding="utf-8")
    flagged = int((table["flags"] != "").sum())
    found = {"bundle": str(bundle), "out": str(out), "n_rows": len(table), "n_flagged": flagged}
    return Result(
        found, (_("{n} risks written to {out}; {flagged} rows carry a flag.", n=len(table), out=out, flagged=flagged),)
    )


def explain(
    bundle: Path, data: Path, *, row: int, background: Path | None = None, class_name: str | None = None
) -> Result:
    """Say why the model gives one patient that risk."""
    from medcore.explanation import CAPTION, explain_row
    from medcore.models.bundle import load_bundle

    frame = read_table(data).frame
    if not 0 <= row < len(frame):
        raise NotFoundError(
            N_("There is no row {row}: the table has the rows 0 to {last}."), row=row, last=len(frame) - 1
        )
    others: pd.DataFrame | None = read_table(background).frame if background else None
    explanation = explain_row(load_bundle(bundle), frame, row, background=others, class_name=class_name)
    lines = [
        _(
            "Risk of {name}: {risk}; average of the comparison patients: {base}.",
            name=explanation.class_name,
            risk=f"{explanation.prediction:.3f}",
            base=f"{explanation.base_value:.3f}",
        ),
        *(
            f"  {c.column} = {c.value}: {c.contribution:+.4f} ± {c.standard_error:.4f}"
            for c in explanation.contributions
        ),
        _(CAPTION),
    ]
    return Result(explanation.to_dict(), tuple(lines))


def explain_all(
    bundle: Path, data: Path, *, out: Path | None, background: Path | None = None, class_name: str | None = None
) -> Result:
    """Write every patient's contributions with their standard errors, one line a row of the table."""
    from medcore.explanation import CAPTION
    from medcore.explanation.batch import as_table
    from medcore.explanation.tables import explain_rows
    from medcore.models.bundle import load_bundle

    if out is None:
        raise SettingsError(N_("Say with --out where the explanations of all patients are to be written."))
    others: pd.DataFrame | None = read_table(background).frame if background else None
    found = explain_rows(
        load_bundle(bundle), read_table(data).frame, class_name=class_name, background=others, progress=_say_share
    )
    out.write_text(to_csv(as_table(found)), encoding="utf-8")
    written = {"bundle": str(bundle), "out": str(out), "n_rows": len(found.rows), "class_name": found.class_name}
    return Result(written, (_("{n} explanations written to {out}.", n=len(found.rows), out=out), _(CAPTION)))


def _say_share(done: float) -> None:
    """Say on standard error, in place, how much is done."""
    sys.stderr.write(f"\r{done:4.0%}{'' if done < 1 else chr(10)}")


def app(*, host: str, port: int) -> None:
    """Start the dashboard and stay until it is stopped."""
    from medcore.jobs.serve import serve

    serve(host, port)


class _Announcer:
    """Follows a run on standard error."""

    checkpoint_dir: Path | None = None

    def __init__(self) -> None:
        self._last = 0.0
        self.points: list[Progress] = []

    def report(self, progress: Progress) -> None:
        """Keep each moment, and say where the run is, once a second at most."""
        self.points.append(progress)
        now = time.monotonic()
        if now - self._last >= 1:
            self._last = now
            sys.stderr.write(
                f"{progress.fraction:4.0%} {progress.stage} {progress.model} {progress.epoch}/{progress.n_epochs}\n"
            )

    def cancelled(self) -> bool:
        """Never: a shell stops a run with Ctrl-C."""
        return False


def _study_schema(
    cohort: Cohort, target: str, positive: str | None, drop: Sequence[str], roles: Mapping[Role, str]
) -> Schema:
    schema = choose_target(cohort.schema, cohort.frame, target, positive=positive)
    taken = [name for name in (*drop, *roles.values()) if name == target]
    if taken:
        raise SettingsError(
            N_("{column} is the target; it cannot be dropped or have a second role. Name another column."),
            column=target,
        )
    schema = schema.drop(drop)
    for role, name in roles.items():
        for other in schema.with_role(role):
            schema = schema.change(other.name, role="identifier" if role == "group" else "ignored")
        schema = schema.change(name, role=role)
    return schema


def _check_free(out: Path) -> None:
    """Refuse a folder that holds other things than an earlier bundle: nothing of the person's is overwritten."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file()):
        raise InputError(
            N_("{out} is there already and is not a bundle. Give --out a new or an empty folder."), out=str(out)
        )


def _headline(evaluation: Any) -> dict[str, Any]:
    return {name: evaluation.metrics[name].to_dict() for name in HEADLINE}


def _metric_lines(title: str, metrics: Mapping[str, Any] | None) -> list[str]:
    if not metrics:
        return []
    return [
        f"{title}:",
        *(
            f"  {name}: {_number(m['value'])} ({_number(m['low'])} to {_number(m['high'])})"
            for name, m in metrics.items()
        ),
    ]


def _finding_lines(findings: Iterable[Finding]) -> list[str]:
    return [f"[{f.severity}] {f.message} {f.remedy}" for f in findings]


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _plain(value: Any) -> Any:
    """Turn what JSON cannot say into what it can: NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
