"""What a strategy is: it asks for tasks, for the texts they are about, and for responses, and reads the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeAlias

from curation.generate.endpoint import Answer, Request
from schemas.record import InstructionRecord, Reason

Pool: TypeAlias = Mapping[str, Sequence[InstructionRecord]]
"""Category → the records a request may show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for tasks, and what it shows."""

    request: Request
    category: str
    seeds: tuple[str, ...]
    """Ids of the records that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An instruction that a model wrote, not answered yet."""

    instruction: str
    category: str
    seeds: tuple[str, ...]
    request: str
    """Key of the request it came out of."""
    whole: bool = True
    """False where the model's answer was cut within it."""


class Strategy(Protocol):
    """Writes requests and reads answers; pure: all chance comes in as `draw`."""

    def ask_tasks(self, seeds: Pool, made: Pool, draw: Random, /) -> Asked:
        """Return a request for new tasks that shows some of the seeds and of what was made so far."""

    def read_tasks(self, asked: Asked, answer: Answer, key: str, /) -> list[Task]:
        """Return the tasks in an answer; none where there are none."""

    def ask_context(self, task: Task, draw: Random, /) -> Request | None:
        """Return the request for the text that a task is about; None where it needs none."""

    def ask_response(self, task: Task, context: str, draw: Random, /) -> Request:
        """Return the request that has a task done."""

    def read_text(self, answer: Answer, part: str, /) -> str | Reason:
        """Return the context or response (`part`) in an answer, or why it is none."""
