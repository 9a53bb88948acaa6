"""Self-Instruct (Wang et al. 2022, arXiv 2212.10560), for small models and large.

A request shows eight instructions of one category, six written by people and up to two made in this run, and asks for
more. Each new instruction is then done: at once, or, in categories that are about a text, after a text was asked for
(input first).

Where the model takes a text to continue, the list is continued; else it is asked for in a chat. Either way the answer
is read by its item numbers and needs no stop string that an item could contain.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from curation.generate.endpoint import Answer, Request
from curation.generate.strategies.shape import Asked, Pool, Task
from schemas.record import CATEGORIES, InstructionRecord, Reason

HUMAN, MACHINE = 6, 2
"""Instructions shown: written by people, and made in this run."""
INPUT_FIRST = frozenset({"closed_qa", "information_extraction", "summarization"})
"""Categories whose tasks are about a text that they bring."""
BRIEF = "Answer in at most three short sentences."
PASSAGE = "Write a short passage of three or four sentences, with names and numbers, on which this task can be done"

_ITEM = re.compile(r"^\s*(\d+)[.)]\s*(.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfInstruct:
    """The strategy and its settings."""

    chat: bool = True
    """Ask for the list in a chat; else have it continued as a text, which small models do better."""
    items: int = 5
    """Tasks asked for in one request."""
    task_tokens: int = 200
    """Most tokens of a list of tasks."""
    answer_tokens: int = 160
    """Most tokens of a text or a response."""
    task_temperature: float = 0.9
    answer_temperature: float = 0.4

    def ask_tasks(self, seeds: Pool, made: Pool, draw: Random, /) -> Asked:
        """Show tasks of one category and ask for more of it."""
        category = draw.choice([name for name in CATEGORIES if seeds.get(name)] or sorted(seeds))
        machine = _some(made.get(category, ()), MACHINE, draw)
        shown = [*machine, *_some(_fitting(seeds[category], category), HUMAN + MACHINE - len(machine), draw)]
        draw.shuffle(shown)
        listed = "".join(f"{number}. {_line(one.instruction)}\n" for number, one in enumerate(shown, 1))
        request = self._list_request(listed, category.replace("_", " "), len(shown) + 1, draw.getrandbits(31))
        return Asked(request=request, category=category, seeds=tuple(one.id for one in shown))

    def read_tasks(self, asked: Asked, answer: Answer, key: str, /) -> list[Task]:
        """Read the numbered items; of an answer that was cut, the last is not whole."""
        text = answer.text if self.chat else f"{len(asked.seeds) + 1}.{answer.text}"
        items = [item for item in _items(text) if item]
        last = len(items) if answer.finish_reason == "length" else 0
        return [
            Task(
                instruction=item,
                category=asked.category,
                seeds=asked.seeds,
                request=key,
                whole=number != last,
            )
            for number, item in enumerate(items, 1)
            if number <= self.items
        ]

    def ask_context(self, task: Task, draw: Random, /) -> Request | None:
        """Have the text written that a task is about."""
        if task.category not in INPUT_FIRST:
            return None
        return self._ask(f"{PASSAGE}: {task.instruction}\nWrite the passage alone, not the answer.", draw)

    def ask_response(self, task: Task, context: str, draw: Random, /) -> Request:
        """Have a task done, on its text if it has one."""
        return self._ask("\n\n".join(part for part in (BRIEF, context, task.instruction) if part), draw)

    def read_text(self, answer: Answer, part: str, /) -> str | Reason:
        """Take an answer as it stands, without the space around it; one that was cut or is empty is none."""
        text = answer.text.strip()
        if not text:
            return Reason(
                code="answer_empty", field=part, found=f"finish reason {answer.finish_reason!r}", limit="text"
            )
        if answer.finish_reason == "length":
            found = f"cut after {answer.completion_tokens} tokens: …{text[-60:]}"
            return Reason(code="answer_cut", field=part, found=found, limit=f"{self.answer_tokens} tokens")
        return text

    def _ask(self, content: str, draw: Random) -> Request:
        return Request(
            messages=({"role": "user", "content": content},),
            temperature=self.answer_temperature,
            max_tokens=self.answer_tokens,
            seed=draw.getrandbits(31),
        )

    def _list_request(self, listed: str, category: str, first: int, seed: int) -> Request:
        ask = Request(temperature=self.task_temperature, max_tokens=self.task_tokens, seed=seed)
        if not self.chat:
            return replace(ask, prompt=f"A list of {category} tasks, all different.\n\n{listed}{first}.")
        more = f"Write {self.items} more, all different, as items {first} to {first + self.items - 1}, one a line."
        content = f"Here are some {category} tasks:\n\n{listed}\n{more}"
        return replace(ask, messages=({"role": "user", "content": content},))


def _items(text: str) -> list[str]:
    """Return the numbered items of a list, each one line."""
    return [found[2].strip() for line in text.splitlines() if (found := _ITEM.match(line))]


def _fitting(seeds: Sequence[InstructionRecord], category: str) -> list[InstructionRecord]:
    """Return the seeds that show what is asked for: with a text where one is needed, else without."""
    return [seed for seed in seeds if bool(seed.context) == (category in INPUT_FIRST)] or list(seeds)


def _some(records: Sequence[InstructionRecord], count: int, draw: Random) -> list[InstructionRecord]:
    return draw.sample(list(records), min(count, len(records)))


def _line(text: str) -> str:
    return " ".join(text.split())
