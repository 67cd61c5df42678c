"""Studies: create, open, change, undo, delete."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from medcore.data.cohort import Cohort, Schema
from medcore.data.preparation.recipe import Recipe, default_recipe
from medcore.data.splitting.split import SplitSettings
from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_
from medcore.studies.audit import entries as audit
from medcore.studies.kept.cohorts import keep_cohort, read_cohort, read_original
from medcore.studies.kept.identity import plan_identity
from medcore.studies.people.access import access_of, require, require_role, visible_to
from medcore.studies.people.roles import Access
from medcore.studies.records import REMOVED, AuditEntry, Choice, RunPlan, StudyRecord
from medcore.studies.stores.fairness import check_studies, room_left
from medcore.studies.stores.put_back import put_back, set_fields
from medcore.studies.stores.release_store import refuse_while_in_use
from medcore.studies.stores.session import STUDIES, StoreBase, access_to, study_row
from medcore.studies.tables import CohortRow, LookRow, RunRow, StudyRow, now

LONGEST_NAME = 200
_RUNS = (RunRow.study_id == bindparam("study_id")) & (RunRow.state != REMOVED)
COUNTS = select(
    select(func.count()).where(_RUNS).scalar_subquery().label("runs"),
    select(func.count()).where(LookRow.study_id == bindparam("study_id")).scalar_subquery().label("looks"),
)
"""How many runs a study has, and how often its locked test set was looked at."""
SHARING = ("study.shared_reader", "study.shared_modeller", "study.unshared")
"""With whom a study is shared touches nothing in it: others undo what was changed before."""
OWNERS_ALONE = ("study.deleted", "similar.hidden", "similar.shown", *SHARING)
"""Changes that only the owner may make, and undo."""


class StudyStore(StoreBase):
    """The part of the store that keeps studies."""

    def create_study(
        self, owner: str, name: str, cohort: Cohort, *, original: bytes | None = None, reason: str | None = None
    ) -> StudyRecord:
        """Store a table and open a study on it; nothing is kept if storing fails.

        ``reason`` says why attached files are kept in which an identifier was found; it is recorded.
        """
        with self._writing() as session:
            require_role(session, owner, "modeller")
            check_studies(session, self.settings, owner)
            room = room_left(session, self.settings, owner)
            kept = keep_cohort(session, self.files, owner, cohort, original=original, reason=reason, room=room)
            session.flush()
            row = StudyRow(
                id=uuid.uuid4().hex,
                owner=owner,
                cohort_id=kept.id,
                name=clean_name(name),
                table_schema=cohort.schema.to_dict(),
            )
            session.add(row)
            session.flush()
            audit.record(session, owner, "study.created", study_id=row.id)
            if len(cohort.attachments) and reason:
                audit.record(session, owner, "attachments.kept", study_id=row.id, details={"reason": reason})
            return study_record(session, row, owner)

    def get_study(self, owner: str, study_id: str) -> StudyRecord:
        """Return a study; NotFoundError when it does not exist or is somebody else's."""
        with self._reading() as session:
            return study_record(session, study_row(session, owner, study_id), owner)

    def list_studies(self, owner: str, *, deleted: bool = False) -> tuple[StudyRecord, ...]:
        """Return a person's studies and those shared with them, the last changed first; or their own deleted ones."""
        chosen = (
            (StudyRow.owner == owner) & StudyRow.deleted_at.is_not(None)
            if deleted
            else visible_to(owner) & StudyRow.deleted_at.is_(None)
        )
        query = STUDIES.where(chosen).order_by(StudyRow.updated_at.desc())
        with self._reading() as session:
            return tuple(study_record(session, row, owner) for row, _table in session.execute(query))

    def load_cohort(self, owner: str, study_id: str) -> Cohort:
        """Return a study's rows under its present schema."""
        with self._reading() as session:
            row = study_row(session, owner, study_id)
            kept = session.get_one(CohortRow, row.cohort_id)
            return read_cohort(self.files, kept, Schema.from_dict(row.table_schema))

    def load_original(self, owner: str, study_id: str) -> bytes | None:
        """Return the bytes of the file as it was brought, or None when they were not kept."""
        with self._reading() as session:
            row = study_row(session, owner, study_id, wants="change")
            return read_original(self.files, session.get_one(CohortRow, row.cohort_id))

    def rename_study(self, owner: str, study_id: str, name: str) -> StudyRecord:
        """Give a study another name; undo puts the old one back."""
        return self._change(owner, study_id, "study.renamed", {"name": clean_name(name)})

    def save_schema(self, owner: str, study_id: str, schema: Schema) -> StudyRecord:
        """Keep an edited schema; runs of the old one become out of date."""
        old = self.get_study(owner, study_id).schema
        changed = [c.name for c in schema.columns if c.name not in old.names or old[c.name] != c]
        return self._change(
            owner, study_id, "schema.changed", {"table_schema": schema.to_dict()}, details={"columns": changed}
        )

    def save_recipe(self, owner: str, study_id: str, recipe: Recipe) -> StudyRecord:
        """Keep an edited recipe; runs of the old one become out of date."""
        return self._change(owner, study_id, "recipe.changed", {"recipe": recipe.to_dict()})

    def save_split(self, owner: str, study_id: str, split: SplitSettings) -> StudyRecord:
        """Keep edited split settings; runs of the old ones become out of date."""
        return self._change(owner, study_id, "split.changed", {"split": split.to_dict()})

    def save_choice(self, owner: str, study_id: str, choice: Choice) -> StudyRecord:
        """Keep the model and threshold a person settled on, with the reason."""
        threshold = choice.threshold
        if threshold is not None and not 0.0 <= threshold <= 1.0:
            raise SettingsError(N_("The threshold is {value}; it is a risk between 0 and 1."), value=threshold)
        return self._change(owner, study_id, "choice.changed", {"choice": choice.to_dict()})

    def save_answers(self, owner: str, study_id: str, answers: Mapping[str, str]) -> StudyRecord:
        """Keep what people wrote for the report; an empty answer is none."""
        kept = {key: text.strip() for key, text in answers.items() if text.strip()}
        return self._change(owner, study_id, "answers.changed", {"answers": kept})

    def save_similar_patients(self, owner: str, study_id: str, *, shown: bool) -> StudyRecord:
        """Keep whether real training patients may be shown beside another one; undo puts it back."""
        action = "similar.shown" if shown else "similar.hidden"
        return self._change(owner, study_id, action, {"privacy": {"similar_patients": shown}}, wants="own")

    def delete_study(self, owner: str, study_id: str) -> None:
        """Take a study off the list; undo brings it back until it is purged."""
        with self._reading() as session:
            refuse_while_in_use(session, study_id=study_id)
        self._change(owner, study_id, "study.deleted", {"deleted_at": now().isoformat()}, wants="own")

    def restore_study(self, owner: str, study_id: str) -> StudyRecord:
        """Bring a deleted study back."""
        with self._writing() as session:
            row = study_row(session, owner, study_id, wants="own", deleted=True, lock=True)
            row.deleted_at = None
            last = audit.last_undoable(session, study_id)
            undoes = last.id if last is not None and last.action == "study.deleted" else None
            audit.record(session, owner, "study.restored", study_id=study_id, undoes=undoes)
            return study_record(session, row, owner)

    def last_change(self, owner: str, study_id: str) -> AuditEntry | None:
        """Return the change that undo would take back, if this person may undo it."""
        with self._reading() as session:
            access = access_to(session, owner, study_id)
            last = audit.last_undoable(session, study_id, but=() if access == "own" else SHARING)
            if last is None or access == "read" or (last.action in OWNERS_ALONE and access != "own"):
                return None
            return audit.entry_of(last, undoable=True)

    def undo(self, owner: str, study_id: str, *, seq: int | None = None) -> StudyRecord:
        """Undo the last change of a study, also its deletion; again undoes the one before.

        ``seq`` is the number of the entry that is meant, so that nobody undoes what another person did meanwhile.

        Raises:
            NotFoundError: there is nothing to undo, no such study, or the change meant is not the last one any more.

        """
        with self._writing() as session:
            row = study_row(session, owner, study_id, wants="change", deleted=True, lock=True)
            mine = access_of(session, owner, row) == "own"
            last = audit.last_undoable(session, study_id, but=() if mine else SHARING)
            if last is None or last.before is None:
                raise NotFoundError(N_("There is nothing to undo in this study."))
            if seq is not None and last.id != seq:
                raise NotFoundError(
                    N_("This study was changed again meanwhile. Look at the last change before it is undone.")
                )
            if last.action in OWNERS_ALONE:
                require(session, owner, row, "own")
            put_back(session, row, last.before)
            details = {"undone": last.action}
            audit.record(session, owner, "change.undone", study_id=study_id, details=details, undoes=last.id)
            return study_record(session, row, owner)

    def _change(
        self,
        owner: str,
        study_id: str,
        action: str,
        fields: Mapping[str, Any],
        *,
        details: Mapping[str, Any] | None = None,
        wants: Access = "change",
    ) -> StudyRecord:
        with self._writing() as session:
            row = study_row(session, owner, study_id, wants=wants, lock=True)
            before = {name: _plain(getattr(row, name)) for name in fields}
            if before != dict(fields):
                set_fields(row, fields)
                audit.record(session, owner, action, study_id=study_id, details=details, before=before)
            return study_record(session, row, owner)


def plan_of(row: StudyRow) -> RunPlan:
    """Return what a run started now would be made from; unset parts have their defaults."""
    return _plan(_as_text(row))


def _as_text(row: StudyRow) -> str:
    return json.dumps([row.table_schema, row.recipe, row.split])


@lru_cache(maxsize=512)
def _plan(text: str) -> RunPlan:
    """Read what a row says; every page asks for the same few studies several times."""
    table_schema, steps, parts = json.loads(text)
    schema = Schema.from_dict(table_schema)
    recipe = Recipe.from_dict(steps) if steps else default_recipe(schema)
    split = SplitSettings.from_dict(parts) if parts else SplitSettings()
    return RunPlan(schema, recipe, split)


@lru_cache(maxsize=512)
def _identity_of_plan(text: str, content_key: str) -> str:
    plan = _plan(text)
    return plan_identity(content_key, plan.schema, plan.recipe.to_dict(), plan.split.to_dict())


def identity_of(session: Session, row: StudyRow) -> str:
    """Return the identity that a run started now would have."""
    kept = session.get_one(CohortRow, row.cohort_id)
    return _identity_of_plan(_as_text(row), kept.content_key)


def study_record(session: Session, row: StudyRow, person: str | None = None) -> StudyRecord:
    """Return a study as a person sees it: its owner, unless somebody else is named."""
    person = person or row.owner
    kept = session.get_one(CohortRow, row.cohort_id)
    counted = session.execute(COUNTS, {"study_id": row.id}).one()
    text = _as_text(row)
    plan = _plan(text)
    return StudyRecord(
        id=row.id,
        owner=person,
        access=access_of(session, person, row) or "read",
        shared_by=None if row.owner == person else row.owner,
        name=row.name,
        cohort_name=kept.name,
        cohort_sha256=kept.sha256,
        content_key=kept.content_key,
        n_rows=kept.n_rows,
        n_columns=kept.n_columns,
        schema=plan.schema,
        recipe=plan.recipe,
        split=plan.split,
        choice=Choice(**row.choice) if row.choice else None,
        identity=_identity_of_plan(text, kept.content_key),
        n_runs=counted.runs or 0,
        n_looks=counted.looks or 0,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        answers=dict(row.answers or {}),
        similar_patients=bool((row.privacy or {}).get("similar_patients", True)),
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def clean_name(name: str) -> str:
    """Keep a name to one printable line of bearable length."""
    text = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME]
    if not text:
        raise SettingsError(N_("The study has no name; give it one."))
    return text
