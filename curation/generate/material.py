"""What strategies work on besides the seeds, read from the files that the user names."""

from collections.abc import Collection
from pathlib import Path

from curation.generate.draw import draw
from curation.generate.passages import document_files, read_passages
from curation.generate.raw import raw_prompt
from curation.generate.seeds import DRAFT, undecided
from curation.generate.strategies import Material
from schemas.errors import InputError
from schemas.manifest import FileDigest, digest_file
from schemas.mirror import here
from schemas.models import ModelPlace
from schemas.record import InstructionRecord
from schemas.step import RECORDS, StepDirectory, is_step, step_input

TOPICS = Path(__file__).with_name("topics.txt")
"""150 topics, written for this project."""
PERSONAS = Path(__file__).with_name("personas.txt")
"""80 people, invented for this project."""


def read_material(
    strategies: Collection[str],
    *,
    seed: int,
    topics: str = "",
    personas: str = "",
    docs: tuple[str, ...] = (),
    records: str = "",
    raw: str = "",
    place: ModelPlace | None = None,
) -> Material:
    """Read what these strategies need; `place`: where the model is, if it is on this machine.

    Raises:
        InputError: something that a strategy needs is not there.
    """
    return Material(
        topics=read_topics(Path(topics) if topics else TOPICS, seed) if "topic" in strategies else (),
        personas=read_personas(Path(personas) if personas else PERSONAS, seed) if "persona" in strategies else (),
        passages=read_passages(docs, seed) if "docs" in strategies else (),
        records=read_answered(records) if "answer" in strategies else (),
        raw_prompt=raw_prompt(raw, place) if "magpie" in strategies else "",
    )


def material_files(
    strategies: Collection[str], *, topics: str, personas: str, docs: tuple[str, ...], records: str
) -> list[FileDigest]:
    """Return the digests of the files that these strategies read."""
    files = []
    if "topic" in strategies:
        files.append(digest_file(_file(Path(topics), "a file of topics") if topics else TOPICS))
    if "persona" in strategies:
        files.append(digest_file(_file(Path(personas), "a file of personas") if personas else PERSONAS))
    if "docs" in strategies:
        files += [digest_file(path) for path in document_files(docs)]
    if "answer" in strategies:
        files.append(step_input(_step(records)))
    return files


def read_topics(path: Path, seed: int) -> tuple[str, ...]:
    """Return the topics of a file, one a line, in an order that the seed decides.

    Raises:
        InputError: none in it.
    """
    return _drawn_lines(path, seed, "topics")


def read_personas(path: Path, seed: int) -> tuple[str, ...]:
    """Return the people of a file, one a line, in an order that the seed decides.

    Raises:
        InputError: none in it.
    """
    return _drawn_lines(path, seed, "personas")


def _drawn_lines(path: Path, seed: int, what: str) -> tuple[str, ...]:
    lines = (line.strip() for line in _file(path, f"a file of {what}").read_text(encoding="utf-8").splitlines())
    found = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not found:
        raise InputError(place=path, expected=f"{what}, one a line", found="none")
    return tuple(draw(found, len(found), seed, what))


def read_answered(path: str) -> tuple[InstructionRecord, ...]:
    """Return the records of the step that is to be answered anew.

    Raises:
        InputError: one of them is a draft of a seed that nobody approved.
    """
    step = _step(path)
    found = tuple(step.records())
    for line, record in enumerate(found, 1):
        if why := undecided(record):
            place = f"{step.path / RECORDS}:{line}"
            raise InputError(place=place, field=DRAFT, expected="a draft that was approved", found=why)
    return found


def _step(path: str) -> StepDirectory:
    if not path or not is_step(here(path)):
        expected = "a step directory to answer anew"
        raise InputError(place="generate", field="records", expected=expected, found=path or "none")
    return StepDirectory.open(here(path))


def _file(path: Path, expected: str) -> Path:
    if not path.is_file():
        raise InputError(place=path, expected=expected, found="nothing")
    return path
