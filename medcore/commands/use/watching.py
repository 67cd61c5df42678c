"""The command that watches a bundle over a table of past predictions' patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore.commands.asked import Asked, columns_named
from medcore.commands.matching import read_mapped
from medcore.commands.output import check_out, write_out
from medcore.commands.result import Result
from medcore.errors import SettingsError
from medcore.i18n import N_, _, percent, running

if TYPE_CHECKING:
    from medcore.monitoring.alarms import WatchedChange
    from medcore.monitoring.watch import Watch

MOST_LINES = 20
"""Changes that are printed; all are in the JSON."""


ALARMED = 3
"""The exit code where something has changed: 1 and 2 are those of a command that could not do its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What is to be watched: the columns of time, of when an outcome was known, of site and groups; and how strictly."""

    time: str
    target: str | None = None
    known: str | None = None
    site: str | None = None
    groups: Sequence[str] = ()
    threshold: float | None = None
    reference: int | None = None
    rate: float | None = None


def watch(
    bundle: Path,
    data: Path,
    *,
    watching: Watching,
    report: Path | None = None,
    month: str | None = None,
    mapping: Sequence[str] = (),
    levels: Sequence[str] = (),
    asked: Asked | None = None,
) -> Result:
    """Watch a model over past patients, month by month: what changed, since when, where, and what to do.

    ``report`` is the file for the report of one ``month`` (2026-05), the last one where none is named.
    """
    from medcore.models.bundle.bundle import load_bundle
    from medcore.monitoring.table import watched_table
    from medcore.monitoring.watch import RATE, REFERENCE, WatchPlan
    from medcore.monitoring.watch import watch as watch_over
    from medcore.reporting import check_format
    from medcore.reporting.watching import report_of, write_month_report

    if report is not None:
        check_format(report.name)
        check_out(report, bundle, data)
    model = load_bundle(bundle)
    plan = WatchPlan(
        threshold=model.threshold if watching.threshold is None else watching.threshold,
        reference=REFERENCE if watching.reference is None else watching.reference,
        rate=RATE if watching.rate is None else watching.rate,
    )
    cohort, mapped = read_mapped(data, model, mapping, levels=levels, outcome=watching.target, asked=asked)
    watched = watched_table(
        model,
        cohort,
        time=watching.time,
        target=watching.target,
        known=watching.known,
        site=watching.site,
        groups=columns_named(watching.groups, [str(c) for c in cohort.frame.columns]),
    )
    found = watch_over(watched, plan)
    told: dict[str, Any] = {"bundle": str(bundle), "mapping": mapped, **found.to_dict()}
    lines = tuple(_lines(found))
    if report is not None:
        chosen = check_month(found, month)
        write_out(report, write_month_report(report_of(found, chosen, bundle), report.name))
        told |= {"report": str(report), "month": chosen}
        lines += (_("The report of {month} is written to {out}.", month=chosen, out=report),)
    return Result(told, lines)


def check_month(found: Watch, month: str | None) -> str:
    """Return the month a report is of, the last one unless another is named; raise SettingsError for one that is not judged."""
    judged = [m.name for m in found.months if not m.reference]
    if month is not None and month not in judged:
        raise SettingsError(N_("There is no judged month {month}. Name one of: {months}."), month=month, months=judged)
    return month or judged[-1]


def _lines(found: Watch) -> list[str]:
    months = found.months
    heading = _(
        "{n} predictions from {first} to {last}; the outcome of {known} is known.",
        n=found.n,
        first=months[0].name,
        last=months[-1].name,
        known=percent(found.known_share, 0),
    )
    changes = found.changes()
    if not changes:
        return [heading, _("No alarm."), "", *map(str, (*found.beginning.lines(), *found.notes()))]
    lines = [heading, _("{n} change(s), the latest first:", n=len(changes))]
    for change in changes[:MOST_LINES]:
        lines.append("– " + running(change.lines()))
        lines.append("  " + running(change.strongest.what_to_do()))
    more = len(changes) - MOST_LINES
    lines += [_("… and {n} more; --json has them all.", n=more)] if more > 0 else []
    return [*lines, "", *map(str, (*found.beginning.lines(), *found.notes()))]


def _by_action(changes: Sequence[WatchedChange]) -> list[str]:
    """Write changes by what they ask for, the gravest first, with what to do said once."""
    from medcore.monitoring.alarms import ACTIONS

    lines = []
    for action, text in ACTIONS.items():
        those = [change for change in changes if change.asks == action]
        if those:
            lines += [f"  {_(text)}", *(f"  – {running(change.lines())}" for change in those)]
    return lines


def card(bundle: Path, *, out: Path) -> Result:
    """Write the model card of a bundle, at any time."""
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.any_results import read_any_results
    from medcore.reporting import check_format, render
    from medcore.reporting.model_card import card_today, inputs_of

    check_format(out.name)
    check_out(out, bundle)
    results = read_any_results(bundle)
    threshold = float(results.manifest.get("threshold") or 0.5)
    inputs = inputs_of(results, title="", threshold=threshold, bundle_sha256=bundle_hash(bundle))
    write_out(out, render(card_today(inputs), out.name))
    line = _("The model card is written to {out}.", out=out)
    return Result({"bundle": str(bundle), "out": str(out), "bundle_sha256": inputs.bundle_sha256}, (line,))


def alarms() -> Result:
    """Watch every model in use of this installation, and say what has changed and still holds; the exit code is 3 where something has.

    Nothing is printed where nothing has changed: what cron prints, it sends.
    """
    from medcore.jobs.queries.watching import watch_all
    from medcore.settings import Settings

    told: list[dict[str, Any]] = []
    lines: list[str] = []
    n = 0
    for one in watch_all(Settings.from_env()):
        changes = () if one.found is None else one.found.standing()
        n += len(changes)
        told.append(
            {
                "model": one.release.model,
                "version": one.release.version,
                "not_watched": one.problem or None,
                "last_month": None if one.found is None else one.found.months[-1].name,
                "changes": [change.to_dict() for change in changes],
            }
        )
        if changes:
            lines += [_("{model} {version} in use:", model=one.release.model, version=one.release.version)]
            lines += _by_action(changes)
    return Result({"n_changes": n, "models": told}, tuple(lines), code=ALARMED if n else 0)
