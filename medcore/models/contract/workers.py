"""Who does the steps of a round: this process by itself, or several workers at the same time.

What is done is a function of what all steps share and of the step. A step's result
must depend on nothing else, so that it does not matter who did it, nor when.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Step = TypeVar("Step")
Result = TypeVar("Result")


class StopSignal(Protocol):
    """Tells whoever works whether to go on."""

    def cancelled(self) -> bool:
        """Whether the person asked to stop."""


StepFunction = Callable[[Shared, Step, StopSignal], Result]


class Workers(Protocol):
    """Does the steps of a round and hands back each result as soon as it is there, in whatever order.

    ``shared`` may be large: it is sent to a worker once, however many rounds follow
    with the same object. Whoever closes a round gives up what is still being made.
    """

    def round(
        self, work: StepFunction[Shared, Step, Result], shared: Shared, steps: Sequence[Step], sign: StopSignal, /
    ) -> Generator[Result, None, None]:
        """Yield ``work(shared, step, sign)`` of every step.

        Raises:
            CancelledError: the person asked to stop.

        """


class ThisProcess:
    """No workers but the process at hand, which does one step after another."""

    def round(
        self, work: StepFunction[Shared, Step, Result], shared: Shared, steps: Sequence[Step], sign: StopSignal, /
    ) -> Generator[Result, None, None]:
        """Yield ``work(shared, step, sign)`` of every step, in their order."""
        for step in steps:
            yield work(shared, step, sign)
