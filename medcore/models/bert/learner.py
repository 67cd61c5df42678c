"""BERT as a model that a run can train: notes word by word, and the table's other columns beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import FeatureMaker, Rows
from medcore.features.text.base import SHA256, read
from medcore.i18n import N_
from medcore.models.bert.fine_tuning import BATCH, DROPPED, EPOCHS, RATE, Learnt, Lesson, logits_of, read_totals
from medcore.models.bert.head import first_head, means_of
from medcore.models.bert.members import Training
from medcore.models.bert.part import BertPart, Columns, Floats
from medcore.models.bert.segments import Notes, read_frozen
from medcore.models.bert.weights import Frozen, trained_at_first
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.progress import stop_if_cancelled
from medcore.models.contract.task import (
    CandidateFollower,
    Fitted,
    Indices,
    ProgressReporter,
    Risk,
    Task,
    clean,
    spread_of,
)
from medcore.models.trainer.checkpoint import Checkpoint
from medcore.models.trainer.metrics import risk_of
from medcore.models.trainer.plan import Member, members_for

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_JUDGING = 0.2
"""The share of a member's rows that chooses its best epoch, as for the network for tables."""
_READING = 0.3
"""The share of the time that reading the notes once takes, roughly."""


def fit_bert(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fine-tune the last layers in every fold from one reading of the notes by the frozen ones; these members are the model."""
    members = members_for(
        task.outcome,
        folds=task.folds,
        n_seeds=task.settings.n_seeds,
        seed=task.settings.seed,
        validation_share=_JUDGING,
        groups=task.groups,
    )
    base, columns = read(), tuple(_columns(task, fold) for fold in range(task.n_folds))
    notes = Notes.of(task.rows, columns[0].notes.tolist())
    frozen = Frozen.of(base, sorted({piece for segment in notes.segments for piece in segment}))
    first = trained_at_first(base)

    def tell(done: float) -> None:
        reporter.tell("folds", _READING * done)

    each = [columns[place // task.settings.n_seeds] for place in range(len(members))]
    lesson = Lesson(
        shape=frozen.shape,
        notes=notes,
        activations=read_frozen(frozen, notes.segments, tell),
        outcome=task.outcome,
        importance=[_importance(task, member.rows) for member in members],
        tables=[own.table(task.rows) for own in each],
        members=members,
        focal_gamma=2.0 if task.settings.class_weight == "focal" else 0.0,
        rate=task.tuned.get("learning_rate", RATE),
        dropped=task.tuned.get("dropout", DROPPED),
    )
    stop_if_cancelled(reporter)
    begun = _begun(task, lesson, first)
    training = Training(lesson, begun, reporter, most_epochs=task.settings.epochs, begin=_READING)
    folder = CandidateFollower(reporter).checkpoint_dir
    learnt = training.run(Checkpoint(folder, _fingerprint(task, members)))
    oof, spread = _out_of_fold(task, lesson, learnt)
    return Fitted(oof, BertPart(frozen, tuple(each), learnt, task.n_classes), spread)


def _columns(task: Task, fold: int) -> Columns:
    """Learn from a fold's training rows how the columns beside the notes are written."""
    is_note = np.array([kind == "note" for kind in task.kinds])
    notes, others = np.flatnonzero(is_note), np.flatnonzero(~is_note)
    maker = FeatureMaker(tuple(task.kinds[place] for place in others), scaling="standard")
    own: Rows = task.rows.take(task.training(fold)).columns(others)
    return Columns(notes, others, maker.fit(own, layout=task.layout.only(~is_note)))


def _importance(task: Task, rows: Indices) -> Floats:
    """Return what each row counts (n,) for a member that learns from some of them."""
    counts, weights = np.ones(task.n, np.float32), task.weights(rows)
    if weights is not None:
        counts[rows] = weights
    return counts


def _begun(task: Task, lesson: Lesson, first: Sequence[dict[str, Floats]]) -> list[Learnt]:
    """Fit each member's head on what the layers give untrained."""
    totals = read_totals(lesson.shape, first, lesson.activations)
    means, there = means_of(lesson.notes, totals, np.arange(task.n))
    heads = [
        first_head(
            means,
            there,
            table,
            task.outcome,
            task.n_classes,
            rows=member.rows,
            judging=member.validation,
            weights=task.weights(member.rows),
        )
        for member, table in zip(lesson.members, lesson.tables, strict=True)
    ]
    return [Learnt(tuple(first), head) for head in heads]


def _out_of_fold(task: Task, lesson: Lesson, learnt: Sequence[Learnt]) -> tuple[Risk, NDArray[np.float64] | None]:
    """Return each row's risks (n, K) by the members of its own fold, and how far these differ, where there are several."""
    oof, spread, n_seeds = np.empty((task.n, task.n_classes)), np.zeros(task.n), task.settings.n_seeds
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        own = range(fold * n_seeds, (fold + 1) * n_seeds)
        risks = [risk_of(logits_of(lesson, learnt[m], m, held)[:, None]).astype(np.float64) for m in own]
        oof[held] = clean(np.mean(risks, axis=0), task.n_classes)
        between = spread_of(risks)
        spread[held] = 0.0 if between is None else between
    return oof, spread if n_seeds > 1 else None


def _fingerprint(task: Task, members: Sequence[Member]) -> str:
    """Return a name for exactly this training; the codes of notes are those of their contents."""
    settings: Any = replace(task.settings, search_minutes=0.0)
    digest = hashlib.sha256(
        repr((SHA256, BATCH, EPOCHS, RATE, settings, task.kinds, sorted(task.tuned.items()))).encode()
    )
    arrays = (task.codes, task.outcome, *(a for m in members for a in (m.rows, m.validation, np.int64(m.seed))))
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]


def bert_space() -> Mapping[str, BaseDistribution]:
    """Return the settings that are searched, with their limits."""
    from optuna.distributions import FloatDistribution

    return {"learning_rate": FloatDistribution(1e-5, 1e-3, log=True), "dropout": FloatDistribution(0.0, 0.5)}


BERT = Candidate(
    name="bert",
    title=N_("BERT over notes"),
    hint=N_("Reads notes word by word: a small multilingual BERT, fine-tuned. Slow: minutes for each hundred notes."),
    order=78,
    menu=7,
    share=20.0,
    learner=fit_bert,
    part=BertPart,
    space=bert_space,
    missing="filled",
    reads=frozenset({"epochs", "n_seeds"}),
    word_by_word=True,
)
CANDIDATES = (BERT,)
