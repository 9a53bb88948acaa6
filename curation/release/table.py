"""The Parquet file of a release: one row a record, in an order and with bytes that depend on the records alone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.codec import canonical, sha256_of
from schemas.record import InstructionRecord, to_row

COLUMNS = {
    "id": ("string", "First 16 hex digits of content_sha256; equal content, equal id."),
    "instruction": ("string", "What is asked."),
    "context": ("string", "The text that the instruction is about; often empty."),
    "response": ("string", "The answer that is to be learned."),
    "category": ("string", "Kind of task; empty where none was given."),
    "source": ("string", "The file or step that the record came from."),
    "model": ("string", "The model that wrote it; empty where that is not known."),
    "request": ("string", "Key of the request whose answer it came out of; empty for records from files."),
    "flags": ("list", "Codes of what checks noticed without rejecting the record."),
    "content_sha256": ("string", "sha256 over the JSON array of instruction, context and response."),
}
"""Column → its type, a text or a list of texts, and what it holds. No column holds nulls."""

TYPES = {"string": pa.string(), "list": pa.list_(pa.string())}
SCHEMA = pa.schema([(name, TYPES[kind]) for name, (kind, _) in COLUMNS.items()])


def records_table(records: Iterable[InstructionRecord]) -> Any:
    """Return the records as an Arrow table in order of their ids; equal content is ordered by all else it carries."""
    ordered = sorted(records, key=lambda record: (record.id, canonical(to_row(record))))
    return pa.Table.from_pylist([_row(record) for record in ordered], schema=SCHEMA)


def write_table(table: Any, path: Path) -> None:
    """Write the table so that unchanged runs of rows stay unchanged runs of bytes, which the Hub stores once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", use_content_defined_chunking=True, write_page_index=True)


def _row(record: InstructionRecord) -> dict[str, Any]:
    where = record.provenance
    return {
        "id": record.id,
        "instruction": record.instruction,
        "context": record.context,
        "response": record.response,
        "category": record.category,
        "source": where.source,
        "model": where.model,
        "request": where.request,
        "flags": [flag.code for flag in record.flags],
        "content_sha256": sha256_of([record.instruction, record.context, record.response]),
    }
