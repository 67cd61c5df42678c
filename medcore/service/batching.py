"""Requests that come at the same moment are answered together: one reading, one prediction, one transaction.

What a single patient costs is mostly what any number of patients costs. While one batch is worked on
the next gathers, so that nobody waits for a batch to fill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from medcore.errors import MedcoreError, WorkerError
from medcore.explanation.patient.released import Answer
from medcore.i18n import N_
from medcore.service.opened import InUse
from medcore.studies import Store
from medcore.studies.stores.register_store import Answered, Call
from medcore.studies.use_records import AskedPatient

MOST_TOGETHER = 256
"""Patients of one batch."""
MOST_WAITING = 2_000
"""Patients who may wait; more are asked to come back."""


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """One call: some patients of one model. ``keep`` says what is to be kept of each, or None."""

    person: str
    used: InUse
    frame: pd.DataFrame = field(repr=False)
    given: tuple[Given, ...] = field(repr=False)
    route: str
    keep: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a patient's values."""

    values: dict[str, Any]
    asked: dict[str, Any]
    """The moment, the identifier and the key of the request, where they were given."""


Reply = tuple[tuple[Answer, ...], tuple[Answered, ...]]


class BusyError(WorkerError):
    """So many wait that whoever comes now had better come back."""


class Batcher:
    """Gathers questions and answers them together in a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[ModelQuestion, asyncio.Future[Reply]]] = []
        self._there = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to answer; called once the event loop runs."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Answer nothing any more."""
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown(wait=True)

    async def ask(self, question: ModelQuestion) -> Reply:
        """Return what a model says of a question's patients, once it is kept.

        Raises:
            BusyError: too many wait.
            MedcoreError: the model cannot answer, or the answer cannot be kept.

        """
        if sum(len(q.frame) for q, _reply in self._waiting) > MOST_WAITING:
            raise BusyError(N_("Too many patients wait to be predicted for. Ask again in a second."))
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, reply))
        self._there.set()
        return await reply

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._there.wait()
            batch = self._next()
            if not batch:
                self._there.clear()
                continue
            questions = [question for question, _reply in batch]
            found = await loop.run_in_executor(self._thread, answer_all, self._store, questions)
            for (_question, reply), outcome in zip(batch, found, strict=True):
                if reply.done():
                    continue  # whoever asked has gone
                if isinstance(outcome, Exception):
                    reply.set_exception(outcome)
                else:
                    reply.set_result(outcome)

    def _next(self) -> list[tuple[ModelQuestion, asyncio.Future[Reply]]]:
        batch: list[tuple[ModelQuestion, asyncio.Future[Reply]]] = []
        n = 0
        while self._waiting and (not batch or n + len(self._waiting[0][0].frame) <= MOST_TOGETHER):
            batch.append(self._waiting.pop(0))
            n += len(batch[-1][0].frame)
        return batch


def answer_all(store: Store, questions: Sequence[ModelQuestion]) -> list[Reply | Exception]:
    """Answer some questions, those of one version together, and keep all in one transaction.

    A question that cannot be answered, or kept, gets its error, and the others their answers.
    """
    answers: list[tuple[Answer, ...] | Exception] = [()] * len(questions)
    for release_id in {question.used.release.id for question in questions}:
        places = [i for i, question in enumerate(questions) if question.used.release.id == release_id]
        for place, found in zip(places, _answers([questions[i] for i in places]), strict=True):
            answers[place] = found
    calls = [
        Call(q.person, q.used.release, _kept(q, found) if q.keep else (), len(q.given), q.route)
        for q, found in zip(questions, answers, strict=True)
        if not isinstance(found, Exception)
    ]
    try:
        kept = iter(store.keep_calls(calls) if calls else ())
    except MedcoreError as error:
        if len(questions) == 1:
            return [error]
        return [reply for question in questions for reply in answer_all(store, [question])]
    return [found if isinstance(found, Exception) else (found, next(kept)) for found in answers]


def _answers(questions: Sequence[ModelQuestion]) -> list[tuple[Answer, ...] | Exception]:
    """Answer questions about one version; where they cannot be answered together, each alone."""
    try:
        frame = (
            questions[0].frame if len(questions) == 1 else pd.concat([q.frame for q in questions], ignore_index=True)
        )
        found = questions[0].used.model.answer(frame)
    except MedcoreError as error:
        return [error] if len(questions) == 1 else [answer for q in questions for answer in _answers([q])]
    except Exception as error:
        failed = WorkerError(N_("The model failed ({kind})."), kind=type(error).__name__)
        return [failed] if len(questions) == 1 else [answer for q in questions for answer in _answers([q])]
    answers, first = [], 0
    for question in questions:
        answers.append(found[first : first + len(question.frame)])
        first += len(question.frame)
    return list(answers)


def _kept(question: ModelQuestion, answers: Sequence[Answer]) -> tuple[AskedPatient, ...]:
    return tuple(
        AskedPatient(
            values=given.values,
            risk=answer.risk,
            risks=answer.risks,
            called=answer.called,
            flags=answer.flags,
            **given.asked,
        )
        for given, answer in zip(question.given, answers, strict=True)
    )
