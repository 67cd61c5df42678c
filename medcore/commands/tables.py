"""Commands on a table: say what it holds, train on it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore.commands.asked import Asked, AsNumber, When, columns_named
from medcore.commands.options import OWN_OPTIONS
from medcore.commands.outcomes.number import number_told
from medcore.commands.outcomes.timed import timed_told
from medcore.commands.output import check_writable
from medcore.commands.result import (
    Result,
    finding_lines,
    headline,
    kept_line,
    mended_lines,
    metric_lines,
    ordinal_told,
    site_lines,
    step_lines,
)
from medcore.commands.stability import check_refits, stability_told
from medcore.data.cohort import Cohort, Role, Schema
from medcore.data.describe.mended import Mend, mended
from medcore.data.parts import names_of_parts
from medcore.data.preparation.event_time import propose_event_times, unit_finding
from medcore.data.preparation.fixes import split_column
from medcore.data.preparation.number import is_number, propose_numbers
from medcore.data.quality import inspect
from medcore.data.schema.inference import choose_target, propose_targets
from medcore.data.splitting.split import SplitSettings
from medcore.data.values.typed import typed
from medcore.errors import InputError, SettingsError
from medcore.i18n import N_, Message, _
from medcore.models.bundle.files import SUMS, check_nothing_else
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.workers import ThisProcess, Workers
from medcore.sealing import Folder
from medcore.settings import Settings

if TYPE_CHECKING:
    from medcore.data.findings import Finding
    from medcore.models.run.training import Trained


def profile(
    data: Path,
    *,
    target: str | None = None,
    positive: str | None = None,
    order: Sequence[str] | None = None,
    how: When | AsNumber | None = None,
    classes: bool = False,
    asked: Asked | None = None,
) -> Result:
    """Say what a table holds and what is wrong with it; for an outcome, if one is named."""
    asked = asked or Asked()
    cohort = asked.read(data)
    proposals = propose_targets(cohort.frame, cohort.schema)
    timed = propose_event_times(cohort.frame, cohort.schema)
    if target is not None:
        schema = _outcome(cohort, target, positive=positive, order=order, how=how, classes=classes)
        cohort = cohort.with_schema(asked.named(schema, cohort.frame))
    findings = inspect(cohort)
    values, mends = typed(cohort.frame, cohort.schema), mended(cohort)
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
        "event_times": [p.to_dict() for p in timed],
        "numbers": [p.to_dict() for p in propose_numbers(cohort.frame, cohort.schema)],
        "repairs": [str(m) for m in cohort.repairs],
        "mended": [m.to_dict() for m in mends],
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
            *(f"  {cohort.schema.shown(c['name'])}: {c['kind']}, {c['role']}" for c in columns),
            *mended_lines(mends),
            *finding_lines(findings),
        ),
    )


def train_settings(
    *, model: str, seed: int, epochs: int | None, search_minutes: float | None = None, others: Sequence[str] = ()
) -> TrainSettings:
    """Build the settings of a training job, ``others`` written as NAME=VALUE; raise SettingsError when they cannot work."""
    if search_minutes == 0:
        raise SettingsError(N_("A search of 0 minutes finds nothing. Give --search more minutes, or leave it out."))
    chosen: dict[str, Any] = {"model": model, "seed": seed, "search_minutes": search_minutes, "epochs": epochs}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    return TrainSettings.from_dict(dict(map(_setting, others)) | chosen)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise SettingsError(
            N_(
                "--set takes a setting's name and its value, for example --set learning_rate=0.001; it was given {text}."
            ),
            text=text,
        )
    if name in OWN_OPTIONS:
        raise SettingsError(N_("Give {name} by its own option: {option}."), name=name, option=OWN_OPTIONS[name])
    for kind in () if name == "layers" else (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(value)
    return name, value


def _parts(cohort: Cohort, name: str) -> tuple[str, ...]:
    kept = cohort.schema[name].name
    parts = names_of_parts(cohort.frame[kept].dropna())
    if not parts:
        raise SettingsError(
            N_("“{column}” is not split: most of its cells are not several numbers, as in {examples}."),
            column=kept,
            examples=["120/80", "9/10/10", "E4V5M6"],
        )
    return parts


def train(
    data: Path,
    *,
    target: str,
    out: Path,
    settings: TrainSettings,
    split: SplitSettings,
    positive: str | None = None,
    order: Sequence[str] | None = None,
    how: When | AsNumber | None = None,
    classes: bool = False,
    drop: Sequence[str] = (),
    split_columns: Sequence[str] = (),
    roles: Mapping[Role, str] | None = None,
    tensorboard: Path | None = None,
    n_refits: int = 0,
    asked: Asked | None = None,
) -> Result:
    """Train a model on a table and keep it in a folder, and its curves in another if one is named.

    ``n_refits`` is on how many bootstrap samples the modelling is repeated, to see how stable it is. ``how`` says how
    the outcome comes with its time, or is predicted as a number; ``classes`` that it is one of classes, whatever it looks like.
    """
    from medcore.models.run.cohort import save_run, train_cohort
    from medcore.models.run.number.results import NumberResults
    from medcore.models.run.timed.results import TimedResults
    from medcore.models.run.training import Trained
    from medcore.reporting.logs.tensorboard import write_events

    began = datetime.now(UTC)
    started = time.perf_counter()
    _check_asked(out, settings, n_refits)
    asked = asked or Asked()
    cohort = asked.read(data)
    chosen = _outcome(cohort, target, positive=positive, order=order, how=how, classes=classes)
    schema = asked.named(_study_schema(chosen, target, drop, roles or {}), cohort.frame)
    for name in split_columns:
        schema = split_column(schema, name, _parts(cohort, name))
    cohort = cohort.with_schema(schema)
    findings = inspect(cohort)
    announcer = _Announcer()
    with _workers(settings) as workers:
        trained = train_cohort(cohort, settings, split=split, folder=out, follower=announcer, workers=workers)
    if tensorboard is not None:
        write_events(announcer.points, began, tensorboard)
    findings = (*trained.findings, *findings)
    if isinstance(trained.results, TimedResults):
        findings = (*unit_finding(schema), *findings)
        told = timed_told(trained, findings, mended(cohort), out=out)
    elif isinstance(trained.results, NumberResults):
        told = number_told(trained, findings, mended(cohort), out=out)
    else:
        assert isinstance(trained, Trained)
        told = _told(trained, findings, mended(cohort), out=out, seconds=time.perf_counter() - started)
    if not n_refits:
        return told
    found, lines = stability_told(trained, settings, n_refits)
    save_run(replace(trained, results=replace(trained.results, stability=found)), out)
    return told.with_more({"stability": found}, lines)


def _check_asked(out: Path, settings: TrainSettings, n_refits: int) -> None:
    """Refuse what cannot be done before a table is read."""
    from medcore.models.contract.checks import check_installed

    _check_free(out)
    check_writable(out)
    check_installed(settings.model)
    check_refits(n_refits)


def _outcome(
    cohort: Cohort,
    target: str,
    *,
    positive: str | None,
    order: Sequence[str] | None,
    how: When | AsNumber | None,
    classes: bool,
) -> Schema:
    """Make a column the outcome as the options say; a measurement of which nothing is said is predicted as a number."""
    silent = how is None and positive is None and order is None and not classes
    if silent and target in cohort.schema.names and _measured(cohort, target):
        how = AsNumber()
    if how is not None:
        return how.schema(cohort, target)
    return choose_target(cohort.schema, cohort.frame, target, positive=positive, order=order)


def _measured(cohort: Cohort, target: str) -> bool:
    column = cohort.schema[target]
    return column.role not in ("identifier", "group", "site", "time") and is_number(cohort.frame, column)


def _workers(settings: TrainSettings) -> AbstractContextManager[Workers]:
    """Have the trials of a search made by the workers of a named cluster; all else is done by this process."""
    if not settings.search_minutes:
        return nullcontext(ThisProcess())
    from medcore.jobs.runs.workers import workers_of_named_cluster

    return workers_of_named_cluster(Settings.from_env())


def _told(trained: Trained, findings: Sequence[Finding], mends: Sequence[Mend], *, out: Path, seconds: float) -> Result:
    from medcore.models.run.sites import site_comparison

    results = trained.results
    sites = site_comparison(results, schema=trained.bundle.schema)
    judged = {
        "cross_validated": headline(results.cross_validated),
        "test": headline(results.tested) if results.tested else None,
    }
    found = {
        "bundle": str(out),
        **results.to_dict(),
        **judged,
        "event": trained.bundle.schema.positive,
        "class_names": [str(name) for name in results.class_names],
        "ordinal": ordinal_told(results.cross_validated, results.tested),
        "sites": sites.to_dict() if sites else None,
        "search": results.manifest.get("search"),
        "seconds": round(seconds, 3),
        "mended": [m.to_dict() for m in mends],
        "findings": [f.to_dict() for f in findings],
    }
    return Result(
        found,
        (
            kept_line(found),
            *_event_line(trained.bundle.schema, results.class_names),
            *site_lines(sites),
            *metric_lines(_("Cross-validated"), judged["cross_validated"]),
            *([str(delivered)] if (delivered := results.cross_validated.delivered()) else []),
            *step_lines(results.cross_validated),
            *metric_lines(_("Locked test set"), judged["test"]),
            *(step_lines(results.tested) if results.tested else ()),
            *mended_lines(mends),
            *finding_lines(findings),
        ),
    )


def _event_line(schema: Schema, names: Sequence[Message]) -> tuple[str, ...]:
    """Say which class is the event, what it and its absence are called, and why it was taken; or the classes' order."""
    if schema.outcome is None:
        return ()
    if schema.positive is None:
        ordered = schema.target is not None and schema.target.ordered
        return (str(schema.outcome.reason),) if ordered else ()
    said = _(
        "The event is {outcome} = {event}: “{name}”, against “{absence}”.",
        outcome=schema.outcome.name,
        event=schema.positive,
        name=names[-1],
        absence=names[0],
    )
    return (f"{said} {schema.outcome.reason or ''}".strip(),)


class _Announcer:
    """Follows a run on standard error."""

    checkpoint_dir: Folder | None = None

    def __init__(self) -> None:
        self._last = 0.0
        self.points: list[Progress] = []

    def report(self, progress: Progress) -> None:
        """Keep each moment, and say where the run is, once a second at most."""
        self.points.append(progress)
        now = time.monotonic()
        if now - self._last >= 1:
            self._last = now
            epochs = f" {progress.epoch}/{progress.n_epochs}" if progress.n_epochs else ""
            sys.stderr.write(f"{progress.fraction:4.0%} {progress.stage} {progress.model}{epochs}\n")

    def cancelled(self) -> bool:
        """Never: a shell stops a run with Ctrl-C."""
        return False


def _study_schema(schema: Schema, target: str, drop: Sequence[str], roles: Mapping[Role, str]) -> Schema:
    drop = columns_named(drop, schema.names)
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
    if (out / SUMS).is_file():
        check_nothing_else(out)
