"""The Parquet files of a release, in an order and with bytes that depend on the records alone.

Records are read one by one and written in row groups: what is held in memory is one row group and, of every record, its
id and where it stands. Lines become places and rows in an engine's workers; one process reads, orders and writes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from curation.engine import HERE, Engine, chunked
from curation.terms.table import terms_of
from schemas.codec import read_record, sha256_of
from schemas.formats import write_row
from schemas.record import InstructionRecord
from schemas.release import RowsDigest
from schemas.step import StepDirectory

ROW_GROUP = 20_000
"""Records that are held in memory and written at once."""
DATA_FILE = "data/train-00000-of-00001.parquet"
MESSAGES_FILE = "messages/train-00000-of-00001.parquet"
EDITED = "reviewer_edited"
"""The repair that a person's correction leaves."""

Status: TypeAlias = Literal["unreviewed", "accepted", "edited"]

COLUMNS = {
    "id": ("string", "First 16 hex digits of content_sha256; equal content, equal id."),
    "instruction": ("string", "What is asked."),
    "context": ("string", "The text that the instruction is about; often empty."),
    "response": ("string", "The answer that is to be learned."),
    "category": ("string", "Kind of task; empty where none was given."),
    "source": ("string", "The file or step that the record came from."),
    "model": ("string", "The model that wrote it; empty where that is not known."),
    "terms": ("string", "Class of its models' terms: open, custom, unknown, no-compete, non-commercial."),
    "request": ("string", "Key of the request whose answer it came out of; empty for records from files."),
    "review": ("string", "What a person said of it: accepted, edited, or unreviewed."),
    "flags": ("list", "Codes of what checks noticed without rejecting the record."),
    "previous": ("list", "Its ids before each repair or correction, oldest first."),
    "content_sha256": ("string", "sha256 over the JSON array of instruction, context and response."),
}
"""Column → its type, a text or a list of texts, and what it holds. No column holds nulls."""

TYPES = {"string": pa.string(), "list": pa.list_(pa.string())}
SCHEMA = pa.schema([(name, TYPES[kind]) for name, (kind, _) in COLUMNS.items()])
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
MESSAGES_SCHEMA = pa.schema([("id", pa.string()), ("messages", pa.list_(MESSAGE))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the rows of a release came to."""

    rows: int
    digest: str
    first: Mapping[str, Any]
    """The first row."""
    memory_bytes: int
    """Size of the rows in memory."""
    messages_memory_bytes: int
    models: Mapping[str, int] = field(default_factory=dict)
    """Model → records, commonest first; the empty name: not known."""
    status: Mapping[str, int] = field(default_factory=dict)
    terms: Mapping[str, int] = field(default_factory=dict)
    """Class of terms → records; a record that several models wrote has the strictest of theirs."""


class _Line(NamedTuple):
    """A record that was not looked at yet, and where it stands."""

    file: int
    start: int
    line: bytes
    place: str
    """What an error calls it."""


class _Place(NamedTuple):
    """Where a record stands, under what decides its order."""

    id: str
    sha256: str
    file: int
    start: int
    size: int


class _Made(NamedTuple):
    """What a record is in each configuration."""

    row: dict[str, Any]
    messages: dict[str, Any]


def write_rows(
    step: StepDirectory, folder: Path, accepted: frozenset[str] = frozenset(), engine: Engine = HERE
) -> Written:
    """Write the records as rows and as messages, ordered by id; equal content is ordered by all else it carries.

    `accepted` holds the ids of records that a person accepted. Processes of this machine are started only where their
    number was given: they take longer to start than 20,000 records take.
    """
    engine = engine if engine.kind != "local" or engine.workers else replace(engine, workers=1)
    digest, models, status, terms = RowsDigest(), Counter[str](), Counter[str](), Counter[str]()
    memory = messages_memory = 0
    first: Mapping[str, Any] = {}
    with ExitStack() as stack:
        rows_file = stack.enter_context(_writer(folder / DATA_FILE, SCHEMA))
        messages_file = stack.enter_context(_writer(folder / MESSAGES_FILE, MESSAGES_SCHEMA))
        for group in chunked(_all_made(step, accepted, engine), ROW_GROUP):
            rows = [one.row for one in group]
            first = first or rows[0]
            digest.add(rows)
            models.update(row["model"] for row in rows)
            status.update(row["review"] for row in rows)
            terms.update(row["terms"] for row in rows if row["terms"])
            memory += _write(rows_file, rows, SCHEMA)
            messages_memory += _write(messages_file, [one.messages for one in group], MESSAGES_SCHEMA)
    return Written(
        rows=len(digest),
        digest=digest.hexdigest(),
        first=first,
        memory_bytes=memory,
        messages_memory_bytes=messages_memory,
        models=dict(models.most_common()),
        status=dict(status.most_common()),
        terms=dict(terms.most_common()),
    )


def row_of(record: InstructionRecord, accepted: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return a record as a row."""
    where = record.provenance
    return {
        "id": record.id,
        "instruction": record.instruction,
        "context": record.context,
        "response": record.response,
        "category": record.category,
        "source": where.source,
        "model": where.model,
        "terms": where.terms or (terms_of(where.model).kind if where.model else ""),
        "request": where.request,
        "review": status_of(record, accepted),
        "flags": [flag.code for flag in record.flags],
        "previous": list(where.previous),
        "content_sha256": sha256_of([record.instruction, record.context, record.response]),
    }


def messages_of(record: InstructionRecord) -> dict[str, Any]:
    """Return a record as a row of the messages configuration: a question and its answer."""
    return {"id": record.id, **write_row(record, "messages")}


def status_of(record: InstructionRecord, accepted: frozenset[str]) -> Status:
    """Return what a person said of a record."""
    if any(repair.code == EDITED for repair in record.repairs):
        return "edited"
    return "accepted" if record.id in accepted else "unreviewed"


def _all_made(step: StepDirectory, accepted: frozenset[str], engine: Engine) -> Iterator[_Made]:
    """Yield what the records are in the release, in its order."""
    paths = step.paths()
    # all placed before others are asked to work: a cluster has room for one set of workers at a time
    places = sorted(chain.from_iterable(engine.map(_placed, engine.chunks(_standing(paths)))))
    parts = engine.map(partial(_make, accepted), engine.chunks(_ordered(paths, places)))
    return chain.from_iterable(parts)


def _make(accepted: frozenset[str], lines: list[bytes]) -> list[_Made]:
    return [_Made(row_of(record, accepted), messages_of(record)) for record in map(read_record, lines)]


def _ordered(paths: Sequence[Path], places: Sequence[_Place]) -> Iterator[bytes]:
    """Yield the lines in order, reading those of a row group at a time; nothing is kept but where they stand."""
    for group in chunked(places, ROW_GROUP):
        lines = _lines(paths, group)
        yield from (lines[place] for place in group)


def _placed(lines: list[_Line]) -> list[_Place]:
    records = [read_record(one.line, one.place) for one in lines]
    return [
        _Place(record.id, sha256_of(row_of(record)), one.file, one.start, len(one.line))
        for record, one in zip(records, lines, strict=True)
    ]


def _standing(paths: Sequence[Path]) -> Iterator[_Line]:
    for number, path in enumerate(paths):
        start = 0
        with path.open("rb") as file:
            for row, line in enumerate(file, 1):
                yield _Line(number, start, line, f"{path}:{row}")
                start += len(line)


def _lines(paths: Sequence[Path], places: Iterable[_Place]) -> dict[_Place, bytes]:
    """Read lines in the order in which they stand: one file is open at a time, however many parts a step has."""
    found = {}
    for number, some in groupby(sorted(places, key=_in_files), key=lambda place: place.file):
        with paths[number].open("rb") as file:
            for place in some:
                file.seek(place.start)
                found[place] = file.read(place.size)
    return found


def _in_files(place: _Place) -> tuple[int, int]:
    return place.file, place.start


def _writer(path: Path, schema: Any) -> Any:
    """Open a file in which unchanged runs of rows stay unchanged runs of bytes, which the Hub stores once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return pq.ParquetWriter(path, schema, compression="zstd", use_content_defined_chunking=True, write_page_index=True)


def _write(file: Any, rows: list[dict[str, Any]], schema: Any) -> int:
    table = pa.Table.from_pylist(rows, schema=schema)
    file.write_table(table)
    return int(table.nbytes)
