"""Explanations in a process of their own: one under way takes nothing from risks that are asked for meanwhile.

In the same process it holds the interpreter for a second, and whatever answers a risk has to wait for it at
every step. The process is given a version and values and gives back the explanation; it is less urgent to
the machine than risks are. It ends with the service: nobody holds the other end of its pipe any more.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from medcore.errors import MedcoreError, WorkerError
from medcore.explanation.shapley.results import Explanation
from medcore.i18n import N_
from medcore.jobs.logs import keep_values_out_of_logs
from medcore.service.opened import OpenModels
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.use_records import Release

logger = logging.getLogger("medcore.service")
LESS_URGENT = 5
"""By how much the process gives way to others (nice)."""


@dataclass(frozen=True, slots=True)
class WhyQuestion:
    """Why one patient gets the risk of a version; without values the version is opened and made ready."""

    release: Release
    values: Mapping[str, Any] | None = field(repr=False)
    class_name: str | None = None


class Explaining:
    """Asks the process, one question after the other; it is started with the first, and again where it was lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self._child: tuple[BaseProcess, Connection] | None = None

    async def explain(self, release: Release, values: Mapping[str, Any], class_name: str | None = None) -> Explanation:
        """Say why a patient gets that risk.

        Raises:
            MedcoreError: the version cannot be opened, or a value is at fault.
            WorkerError: the process was lost.

        """
        question = WhyQuestion(release, values, class_name)
        found = await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question)
        assert isinstance(found, Explanation)
        return found

    def prepare(self, releases: Sequence[Release]) -> list[Future[Explanation | None]]:
        """Open versions before they are asked about."""
        return [self._thread.submit(self._ask, WhyQuestion(release, None)) for release in releases]

    def stop(self) -> None:
        """End the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._child is not None:
            process, there = self._child
            process.kill()
            process.join()
            there.close()

    def _ask(self, question: WhyQuestion) -> Explanation | None:
        if self._child is None or not self._child[0].is_alive():
            self._child = _started(self._settings)
        _process, there = self._child
        try:
            there.send(question)
            found: Explanation | Exception | None = there.recv()
        except (OSError, EOFError):
            raise WorkerError(N_("The explanation was interrupted. Ask again.")) from None
        if isinstance(found, Exception):
            raise found
        return found


def _started(settings: Settings) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(settings, theirs), name="explain", daemon=True)
    process.start()
    theirs.close()  # or this end would stay open when the process is gone
    return process, ours


def _answer(settings: Settings, there: Connection) -> None:
    """Answer until nobody asks any more."""
    keep_values_out_of_logs()
    os.nice(LESS_URGENT)
    models = OpenModels(Store(settings))
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            there.send(_explained(models, there.recv()))


def _explained(models: OpenModels, question: WhyQuestion) -> Explanation | Exception | None:
    try:
        model, _reader = models.open(question.release)
        if question.values is None:
            model.warm_explaining()
            return None
        return model.explain(model.frame([question.values]), class_name=question.class_name)
    except MedcoreError as error:
        return error
    except Exception as error:
        return WorkerError(N_("The model failed ({kind})."), kind=type(error).__name__)
