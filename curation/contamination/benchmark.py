"""Benchmarks: what stands in the files that a model is to be tested on, as items to look for.

A row of any shape is read: the names of its fields say which texts are prompts, which are contexts to a prompt and
which are answers. Everything else (ids, categories, sources) is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

from curation.rows import read_file
from curation.sources import MIB, input_files
from curation.text import tokens
from schemas.errors import InputError
from schemas.manifest import FileDigest, digest_file

PROMPTS = frozenset(
    ("prompt", "instruction", "question", "query", "text", "problem", "conversations", "messages", "turns", "goal",
     "sentence", "premise", "task", "content", "value")
)  # fmt: skip
CONTEXTS = frozenset(("input", "context", "passage", "paragraph", "article", "document"))
ANSWERS = frozenset(
    ("output", "response", "answer", "answers", "completion", "target", "solution", "choices", "reference", "options",
     "canonical_solution", "best_answer", "correct_answers")
)  # fmt: skip
Role = Literal["prompt", "context", "answer"]
SHORTEST = 3
"""Tokens of the shortest prompt that is looked for."""
SHORTEST_ANSWER = 8
"""Tokens of the shortest answer that is looked for: "Paris" is in no benchmark's possession."""
MOST_MIB = 64
"""Largest row that is read, in MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One text that a model is tested on."""

    file: str
    line: int
    field: str
    text: str
    context: str = ""
    """What the prompt is about, where it stands in a field of its own."""
    is_answer: bool = False

    @property
    def whole(self) -> str:
        """The text with its context."""
        return f"{self.text}\n{self.context}".strip()


class _Text(NamedTuple):
    role: Role
    field: str
    text: str


def benchmark_files(against: Sequence[str]) -> list[Path]:
    """Return the files of the benchmarks.

    Raises:
        InputError: no benchmark is named, or nothing can be read where one should be.
    """
    if not against:
        raise InputError(place="decontaminate", field="against", expected="a benchmark: file or folder", found="none")
    return [path for source in against for path in input_files(source)]


def digests(against: Sequence[str]) -> list[FileDigest]:
    """Return the digests of the benchmarks' files."""
    return [digest_file(path) for path in benchmark_files(against)]


def read_benchmarks(against: Sequence[str], fields: Sequence[str] = ()) -> list[Item]:
    """Return the items of all benchmarks, each text once.

    Raises:
        InputError: a file without anything to look for; what was not loaded must not be called clean.
    """
    items: dict[tuple[str, str, bool], Item] = {}
    for path in benchmark_files(against):
        before, seen = len(items), set()
        found = 0
        for read in read_file(path, MOST_MIB * MIB):
            seen |= set(read.row)
            for item in _items(read.row, path.name, read.line, frozenset(fields)):
                found += 1
                items.setdefault((item.text, item.context, item.is_answer), item)
        if not found and before == len(items):
            names = ", ".join(sorted(seen)) or "nothing"
            raise InputError(place=path, expected="prompts or answers (--field NAME says where)", found=names)
    return list(items.values())


def _items(row: Any, file: str, line: int, fields: frozenset[str]) -> Iterator[Item]:
    """Yield what is to be looked for in one row: every prompt with every context, and the longer answers."""
    texts = list(_texts(row, "", None, fields))
    prompts, contexts = ([one for one in texts if one.role == role] for role in ("prompt", "context"))
    given = [one.text for one in contexts] if prompts else []
    for prompt, context in product(prompts or contexts, given or [""]):
        item = Item(file=file, line=line, field=prompt.field, text=prompt.text, context=context)
        if len(tokens(item.whole)) >= SHORTEST:
            yield item
    for answer in texts:
        if answer.role == "answer" and len(tokens(answer.text)) >= SHORTEST_ANSWER:
            yield Item(file=file, line=line, field=answer.field, text=answer.text, is_answer=True)


def _texts(value: Any, field: str, role: Role | None, fields: frozenset[str]) -> Iterator[_Text]:
    """Walk through a row, whatever its nesting; a field's role holds for all that is in it."""
    if isinstance(value, str):
        if role is not None and value.strip():
            yield _Text(role, field, value.strip())
    elif isinstance(value, dict):
        speaker = str(value.get("role", value.get("from", ""))).lower()
        spoken: Role | None = "answer" if speaker in {"assistant", "gpt", "model"} else None
        for name, part in value.items():
            yield from _texts(part, name, spoken or _role(name, fields) or role, fields)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, field, role, fields)


def _role(name: str, fields: frozenset[str]) -> Role | None:
    lower = name.lower()
    if name in fields or (not fields and lower in PROMPTS):
        return "prompt"
    return "context" if lower in CONTEXTS else "answer" if lower in ANSWERS else None
