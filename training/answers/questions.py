"""What models are asked and measured on: prompt sets and held-out records, read from files or from this package."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.codec import loads
from schemas.errors import InputError
from schemas.formats import detect, read_row
from schemas.record import InstructionRecord
from schemas.step import is_step
from training.answers.constraints import Constraint, read_constraint
from training.answers.respond import Prompt, Question
from training.records.data import open_data

SETS = Path(__file__).parents[1] / "prompts"
"""The prompt sets that come with this package: NAME.jsonl."""
TITLE_MOST = 60
"""Characters of an instruction that stand as its title where it has none."""


def find_prompts(name: str) -> Path:
    """Return the file of a prompt set: a path, or the name of a set that comes with this package.

    Raises:
        InputError: neither.
    """
    path, shipped = Path(name), SETS / f"{name}.jsonl"
    if path.is_file():
        return path
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(one.stem for one in SETS.glob("*.jsonl")))
    raise InputError(place=f"prompts {name!r}", expected=f"a JSONL file, or one of {known}", found="neither")


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read prompts: one JSON object a line with `instruction`, and where wished the other fields of a question.

    Those are `id`, `title`, `category`, `context`, `constraints` (see `training.answers.constraints`) and `answers`.

    Raises:
        InputError: names the line and the field; or there are none, or two of one id.
    """
    questions = tuple(_question(row, place) for place, row in _rows(path))
    if not questions:
        raise InputError(place=path, expected="at least one prompt", found="none")
    seen: set[str] = set()
    for one in questions:
        if one.id and one.id in seen:
            raise InputError(place=path, field="id", expected="each once", found=f"{one.id} twice")
        seen.add(one.id)
    return questions


def read_held_out(path: Path) -> tuple[InstructionRecord, ...]:
    """Read records to measure the loss on: a step directory, a release, or JSONL in a format that is known.

    Raises:
        InputError: names the line and what is wrong; or there are none.
    """
    if path.is_dir() and is_step(path):
        return open_data(path).records
    records = tuple(_record(row, place) for place, row in _rows(path))
    if not records:
        raise InputError(place=path, expected="at least one record", found="none")
    return records


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(place=path, expected="a JSONL file", found=error.strerror or str(error)) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path}:{number}", _object(line, f"{path}:{number}")


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = loads(line)
    except ValueError as error:
        raise InputError(place=place, expected="a JSON object", found=str(error)) from error
    if not isinstance(row, dict):
        raise InputError(place=place, expected="a JSON object", found=type(row).__name__)
    return row


def _question(row: dict[str, Any], place: str) -> Question:
    instruction = _text(row, "instruction", place)
    if not instruction.strip():
        raise InputError(place=place, field="instruction", expected="a text", found="an empty one")
    return Question(
        title=_text(row, "title", place) or _short(instruction),
        category=_text(row, "category", place),
        prompt=Prompt(instruction, _text(row, "context", place)),
        id=_text(row, "id", place),
        constraints=_constraints(row, place),
        answers=tuple(_text({"answers": one}, "answers", place) for one in _list(row, "answers", place)),
    )


def _constraints(row: dict[str, Any], place: str) -> tuple[Constraint, ...]:
    return tuple(read_constraint(one, f"{place}: constraints") for one in _list(row, "constraints", place))


def _list(row: dict[str, Any], name: str, place: str) -> list[Any]:
    value = row.get(name, [])
    if not isinstance(value, list):
        raise InputError(place=place, field=name, expected="a list", found=type(value).__name__)
    return value


def _text(row: dict[str, Any], name: str, place: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str):
        raise InputError(place=place, field=name, expected="a text", found=type(value).__name__)
    return value


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_MOST else line[: TITLE_MOST - 1] + "…"


def _record(row: dict[str, Any], place: str) -> InstructionRecord:
    name = detect(row)
    if not name:
        raise InputError(place=place, expected="a record", found=f"fields {', '.join(row)}")
    reading = read_row(row, name)
    if isinstance(reading, InstructionRecord):
        return reading
    raise InputError(place=place, field=reading[0].field, expected="a text", found=reading[0].found)
