"""Requests that come at the same moment are answered together: one reading, one prediction, one transaction.

What a single patient costs is mostly what any number of patients costs. While one batch is worked on
the next gathers, so that nobody waits for a batch to fill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from medcore.errors import MedcoreError, WorkerError
from medcore.explanation.patient.released import Answer, CellTexts
from medcore.i18n import N_
from medcore.service.opened import OpenModel
from medcore.studies import Store
from medcore.studies.stores.register_store import Answered, Call
from medcore.studies.use_records import AskedPatient

logger = logging.getLogger("medcore.service")
MOST_TOGETHER = 256
"""Patients of one batch."""
MOST_KEEPING = 8
"""Batches that are answered and wait to be kept."""
MOST_WAITING = 2_000
"""Patients who may wait; more are asked to come back."""


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """One call: some patients of one model. ``keep`` says what is to be kept of each, or None."""

    person: str
    used: OpenModel
    cells: CellTexts = field(repr=False)
    given: tuple[Given, ...] = field(repr=False)
    route: str
    keep: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a patient's values."""

    values: dict[str, Any]
    asked: dict[str, Any]
    """The moment, the identifier and the key of the request, where they were given."""


Answers = tuple[Answer, ...] | Exception
Reply = tuple[tuple[Answer, ...], tuple[Answered, ...]]
Asked = tuple[ModelQuestion, asyncio.Future[Reply]]


@dataclass(frozen=True, slots=True)
class AnsweredBatch:
    """Questions that were answered together, and are not kept yet."""

    asked: list[Asked]
    answers: Sequence[Answers] = field(repr=False)


class BusyError(WorkerError):
    """So many wait that whoever comes now had better come back."""


class Batcher:
    """Gathers questions and answers them together, then keeps together what was answered meanwhile.

    Each of the two has a thread of its own and takes whatever waits at the moment it is free: the next
    batch is answered while the last one is kept, and what several batches made goes to the disk at once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Asked] = []
        self._there = asyncio.Event()
        self._answered: asyncio.Queue[AnsweredBatch] = asyncio.Queue(MOST_KEEPING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="keep")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to answer; called once the event loop runs."""
        self._tasks = [asyncio.create_task(self._answer()), asyncio.create_task(self._keep())]

    async def stop(self) -> None:
        """Answer nothing any more; what was answered is kept."""
        for task in self._tasks[:1]:
            task.cancel()
        self._thread.shutdown(wait=True)
        if self._tasks:
            await self._answered.join()
        for task in self._tasks[1:]:
            task.cancel()
        self._writer.shutdown(wait=True)

    async def ask(self, question: ModelQuestion) -> Reply:
        """Return what a model says of a question's patients, once it is kept.

        Raises:
            BusyError: too many wait.
            MedcoreError: the model cannot answer, or the answer cannot be kept.

        """
        if sum(len(q.given) for q, _reply in self._waiting) > MOST_WAITING:
            raise BusyError(N_("Too many patients wait to be predicted for. Ask again in a second."))
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, reply))
        self._there.set()
        return await reply

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._there.wait()
            asked = self._next()
            questions = [question for question, _reply in asked]
            answers: Sequence[Answers]
            try:
                answers = await loop.run_in_executor(self._thread, answer_all, questions)
            except Exception as error:  # whatever it is, those who come next are answered
                answers = [_failed(error)] * len(asked)
            await self._answered.put(AnsweredBatch(asked, answers))

    async def _keep(self) -> None:
        """Keep what was answered, then tell it: nobody hears what is not kept."""
        loop = asyncio.get_running_loop()
        while True:
            batches = [await self._answered.get()]
            while not self._answered.empty():
                batches.append(self._answered.get_nowait())
            asked = [one for batch in batches for one in batch.asked]
            questions = [question for question, _reply in asked]
            answers = [found for batch in batches for found in batch.answers]
            kept: Sequence[Reply | Exception]
            try:
                kept = await loop.run_in_executor(self._writer, keep_all, self._store, questions, answers)
            except Exception as error:
                kept = [_failed(error)] * len(asked)
            try:
                _tell([reply for _question, reply in asked], kept)
            finally:
                for _batch in batches:
                    self._answered.task_done()

    def _next(self) -> list[Asked]:
        """Take the questions of one batch: those that came first, at least one."""
        patients = accumulate(len(question.given) for question, _reply in self._waiting)
        n = max(1, sum(so_far <= MOST_TOGETHER for so_far in patients))
        batch, self._waiting = self._waiting[:n], self._waiting[n:]
        if not self._waiting:
            self._there.clear()
        return batch


def _failed(error: Exception) -> WorkerError:
    logger.error("A batch failed: %s", type(error).__name__)
    return WorkerError(N_("The service failed ({kind}). Nothing was kept."), kind=type(error).__name__)


def _tell(replies: Sequence[asyncio.Future[Reply]], kept: Sequence[Reply | Exception]) -> None:
    for reply, outcome in zip(replies, kept, strict=True):
        if reply.done():
            continue  # whoever asked has gone
        if isinstance(outcome, Exception):
            reply.set_exception(outcome)
        else:
            reply.set_result(outcome)


def answer_all(questions: Sequence[ModelQuestion]) -> list[Answers]:
    """Answer some questions, those of one version together; one that cannot be answered gets its error."""
    answers: list[Answers] = [()] * len(questions)
    for release_id in {question.used.release.id for question in questions}:
        places = [i for i, question in enumerate(questions) if question.used.release.id == release_id]
        for place, found in zip(places, _answers([questions[i] for i in places]), strict=True):
            answers[place] = found
    return answers


def keep_all(store: Store, questions: Sequence[ModelQuestion], answers: Sequence[Answers]) -> list[Reply | Exception]:
    """Keep all answers in one transaction; where that cannot be, each in its own, so that the others are not lost."""
    calls = [
        Call(q.person, q.used.release, _kept(q, found) if q.keep else (), len(q.given), q.route)
        for q, found in zip(questions, answers, strict=True)
        if not isinstance(found, Exception)
    ]
    try:
        kept = iter(store.keep_calls(calls) if calls else ())
    except Exception as error:
        if len(questions) == 1:
            logger.warning("An answer could not be kept: %s", type(error).__name__)
            known = isinstance(error, MedcoreError)
            return [
                error if known else WorkerError(N_("The answer could not be kept ({kind})."), kind=type(error).__name__)
            ]
        return [reply for q, found in zip(questions, answers, strict=True) for reply in keep_all(store, [q], [found])]
    return [found if isinstance(found, Exception) else (found, next(kept)) for found in answers]


def _answers(questions: Sequence[ModelQuestion]) -> list[Answers]:
    """Answer questions about one version; where they cannot be answered together, each alone."""
    try:
        used = questions[0].used
        together = {name: [cell for q in questions for cell in q.cells[name]] for name in questions[0].cells}
        found = used.model.answer_rows(*used.reader.read(together))
    except MedcoreError as error:
        return [error] if len(questions) == 1 else [answer for q in questions for answer in _answers([q])]
    except Exception as error:
        failed = WorkerError(N_("The model failed ({kind})."), kind=type(error).__name__)
        return [failed] if len(questions) == 1 else [answer for q in questions for answer in _answers([q])]
    answers, first = [], 0
    for question in questions:
        answers.append(found[first : first + len(question.given)])
        first += len(question.given)
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
