"""What a command found, for programs and for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medcore.errors import SettingsError
from medcore.i18n import N_, _

if TYPE_CHECKING:
    from medcore.data.describe.mended import Mend
    from medcore.data.findings import Finding
    from medcore.evaluation import Evaluation
    from medcore.evaluation.groups.sites import SiteComparison

HEADLINE = ("auroc", "auprc", "brier", "log_loss", "calibration_slope", "calibration_intercept")
OF_CLASSES = ("hand_till", "pdi", "orc", "generalised_c", "rps")
"""Told as well where there are more than two classes, the last three where they stand in an order."""


def check_readable(unreadable: Sequence[str]) -> None:
    """Refuse to recalibrate a model to patients whose categories it cannot read.

    Raises:
        SettingsError: there are such columns; they are named.

    """
    if unreadable:
        raise SettingsError(
            N_("A model is not recalibrated to patients whose categories it cannot read: {columns}."),
            columns=list(unreadable),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found: ``data`` for programs, ``lines`` for people."""

    data: Mapping[str, Any]
    lines: tuple[str, ...]
    code: int = 0
    """The exit code of the command."""

    def with_more(self, data: Mapping[str, Any], lines: Sequence[str]) -> Result:
        """Return the same with more to tell."""
        return Result({**self.data, **data}, (*self.lines, *lines))

    def as_json(self) -> str:
        """Return one JSON object; what is not a number is ``null``."""
        return json.dumps(_plain(self.data), ensure_ascii=False, allow_nan=False)

    def as_text(self) -> str:
        """Return the text for people."""
        return "\n".join(self.lines)


def kept_line(found: Mapping[str, Any]) -> str:
    """Say what was trained on how many patients, and where it is kept."""
    return _(
        "Trained {model} on {n} patients in {seconds} s; kept in {out}.",
        model=found["model"],
        n=found["n_train"],
        seconds=found["seconds"],
        out=found["bundle"],
    )


def headline(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures that every command tells, each with its interval."""
    names = (*HEADLINE, *(name for name in OF_CLASSES if name in evaluation.metrics))
    return {name: evaluation.metrics[name].to_dict() for name in names}


def ordinal_told(cross_validated: Evaluation, tested: Evaluation | None) -> dict[str, Any] | None:
    """Return the order of the classes and, for each cut of it in two, the figures of being at or above; None without an order."""
    if not cross_validated.target.ordered:
        return None
    sides = {"cross_validated": cross_validated, "test": tested}
    return {"levels": list(cross_validated.classes)} | {
        side: None
        if judged is None
        else {c: {name: of[name].to_dict() for name in HEADLINE} for c, of in judged.cumulative.items()}
        for side, judged in sides.items()
    }


def step_lines(evaluation: Evaluation) -> list[str]:
    """Write, for each cut of an ordered outcome in two, how well being at or above is told and calibrated."""
    return [
        _(
            "  {name} or higher: AUROC {auroc}, calibration slope {slope}, calibration in the large {large}",
            name=name,
            auroc=f"{of['auroc']:.3f}",
            slope=f"{of['calibration_slope']:.2f}",
            large=f"{of['calibration_intercept']:.2f}",
        )
        for name, of in evaluation.cumulative.items()
    ]


def metric_lines(title: str, metrics: Mapping[str, Any] | None) -> list[str]:
    """Write figures with their intervals, a line each."""
    if not metrics:
        return []
    from medcore.evaluation.figures.estimates import Estimate

    return [
        f"{title}:",
        *(f"  {name}: {Estimate.from_dict(m):.3f}" for name, m in metrics.items()),
    ]


def site_lines(found: SiteComparison | None) -> list[str]:
    """Write the mean over sites with what is expected at another one, then each site's AUROC."""
    if found is None or not found.means:
        return []
    means = [str(mean.sentence(name)) for name, mean in found.means.items()]
    without = [str(w) for mean in found.means.values() if (w := mean.without()) is not None]
    each = [f"{site.key} (n = {site.n}): {site.figures['auroc']:.3f}" for site in found.sites]
    return [_("Over sites:"), *(f"  {line}" for line in (*means, *without, _("AUROC by site: {sites}.", sites=each)))]


def finding_lines(findings: Iterable[Finding]) -> list[str]:
    """Write findings, a line each: what was seen, what to do, and the options that do it."""
    return [
        f"[{f.severity}] {f.message} {f.remedy}" + (f" ({options})" if f.fix and (options := f.fix.options()) else "")
        for f in findings
    ]


def _plain(value: Any) -> Any:
    """Turn what JSON cannot say into what it can: NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


def mended_lines(mends: Sequence[Mend]) -> tuple[str, ...]:
    """Say what was mended on the way from the file to its numbers."""
    return tuple(str(mend.message) for mend in mends)
