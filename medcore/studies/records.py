"""What the store gives back: small frozen records, safe to keep in a cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe
from medcore.data.splitting.split import SplitSettings
from medcore.errors import MedcoreError
from medcore.evaluation.curves.thresholds import Rule
from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import Message
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.manifest import YOUDEN
from medcore.studies.people.roles import Access

RunState = Literal["queued", "running", "done", "failed", "cancelled"]
RUN_STATES: tuple[str, ...] = get_args(RunState)
REMOVED = "removed"
"""The state of a run that was taken off its study's list: nobody is given it until that is undone."""
UNFINISHED: tuple[RunState, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Choice:
    """The model and threshold a person settled on, and why.

    ``threshold`` is the risk (0–1) from which a patient counts as positive, ``rule`` how it was chosen
    (:data:`~medcore.evaluation.curves.thresholds.Rule`) and ``target`` the number that the rule was given.
    """

    run_id: str
    model: str
    threshold: float | None = None
    rationale: str = ""
    rule: Rule = "by_hand"
    target: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study without its rows, as one person sees it.

    ``owner`` is the person in whose name it was asked for and every further call is made,
    ``access`` the most they may do with it, ``shared_by`` whose it is when it is not theirs.

    ``identity`` changes when cohort, schema, recipe or split change; a run with
    another identity is out of date. ``n_looks`` counts the looks at the locked
    test set. ``worker_queries`` is what people wrote for the report, by question;
    ``similar_patients`` whether real patients may be shown beside another one.
    ``content_key`` identifies the table as it was read: with it in the
    key, a cached frame is never stale.
    """

    id: str
    owner: str = field(repr=False)
    access: Access = "own"
    shared_by: str | None = field(repr=False, default=None)
    name: str
    cohort_name: str = field(repr=False)
    cohort_sha256: str
    content_key: str
    n_rows: int
    n_columns: int
    schema: Schema = field(repr=False)
    recipe: Recipe = field(repr=False)
    split: SplitSettings
    choice: Choice | None
    identity: str
    n_runs: int
    n_looks: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    answers: Mapping[str, str] = field(repr=False, default_factory=dict)
    similar_patients: bool = True

    def origin(self, run_id: str, threshold: float, manifest: Mapping[str, Any]) -> Choice | None:
        """Return where a run's threshold comes from: kept for the study, else the model's own; None if set by hand."""
        kept, own = self.choice, manifest.get("threshold")
        if kept is not None and kept.run_id == run_id and _same(kept.threshold, threshold):
            return kept
        if not _same(own, threshold):
            return None
        why = str(manifest.get("threshold_rationale", ""))
        return Choice(run_id, "", own, why, "youden" if why == YOUDEN else "by_hand")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, without the owner."""
        simple = ("id", "name", "cohort_name", "cohort_sha256", "n_rows", "n_columns", "identity", "n_runs", "n_looks")
        return {name: getattr(self, name) for name in simple} | {
            "schema": self.schema.to_dict(),
            "recipe": self.recipe.to_dict(),
            "split": self.split.to_dict(),
            "choice": self.choice.to_dict() if self.choice else None,
            "similar_patients": self.similar_patients,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


def _same(one: float | None, other: float) -> bool:
    """Whether two thresholds are the same to a tenth of a per cent, in which they are set and shown."""
    return one is not None and round(one, 3) == round(other, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One training job: what was asked for, how far it is, what came of it.

    ``owner`` is the person in whose name it was asked for and every further call is made.

    ``number`` counts a study's runs from 1. ``out_of_date`` tells that cohort,
    schema, recipe or split have been changed since the run was started.
    ``summary`` holds a few headline results of a finished run.
    """

    id: str
    owner: str = field(repr=False)
    study_id: str
    number: int
    state: RunState
    settings: TrainSettings
    identity: str
    out_of_date: bool
    summary: Mapping[str, Any] = field(repr=False)
    error: MedcoreError | None
    cancel_requested: bool
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def unfinished(self) -> bool:
        """Whether the run waits or works."""
        return self.state in UNFINISHED

    @property
    def version_of(self) -> int | None:
        """The number of the run of which this is a recalibrated version, if it is one."""
        link = self.summary.get("version_of")
        return int(link["number"]) if link else None

    @property
    def r2(self) -> Estimate | None:
        """The out-of-fold R² of a model that predicts a number."""
        found = self.summary.get("r2")
        return Estimate.from_dict(found) if found else None

    @property
    def auroc(self) -> Estimate | None:
        """The out-of-fold AUROC; runs of before it was kept give that of their weightiest candidate."""
        parts = sorted(self.summary.get("candidates", ()), key=lambda part: -part["weight"])
        found = self.summary.get("auroc") or next((part["auroc"] for part in parts if "auroc" in part), None)
        return None if found is None else Estimate.from_dict(found)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, without the owner."""
        simple = ("id", "study_id", "number", "state", "identity", "out_of_date", "cancel_requested", "attempt")
        return {name: getattr(self, name) for name in simple} | {
            "settings": self.settings.to_dict(),
            "summary": dict(self.summary),
            "error": self.error.to_dict() if self.error else None,
            "created_at": self.created_at.isoformat(),
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
        }


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Exactly what a run was started from; later edits of the study do not touch it."""

    schema: Schema
    recipe: Recipe
    split: SplitSettings

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"schema": self.schema.to_dict(), "recipe": self.recipe.to_dict(), "split": self.split.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunPlan:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            Schema.from_dict(data["schema"]), Recipe.from_dict(data["recipe"]), SplitSettings.from_dict(data["split"])
        )


@dataclass(frozen=True, slots=True)
class ProgressPoint:
    """One stored moment of a run; ``seq`` grows, so that a page asks only for what is new."""

    seq: int
    progress: Progress

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"seq": self.seq, **self.progress.to_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of the trail: who, what, when. ``sentence`` says it in the reader's language."""

    seq: int
    who: str
    action: str
    sentence: Message
    study_id: str | None
    run_id: str | None
    created_at: datetime
    undoable: bool
    link: str = field(repr=False)
    """The digest that chains the entry to the one before."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentence in the current language."""
        return {
            "seq": self.seq,
            "who": self.who,
            "action": self.action,
            "sentence": str(self.sentence),
            "study_id": self.study_id,
            "run_id": self.run_id,
            "created_at": self.created_at.isoformat(),
            "link": self.link,
        }
