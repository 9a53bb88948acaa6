"""Rows of the real data as records, for the benchmarks of filters."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from schemas.record import InstructionRecord


def rows(path: Path, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON lines, gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else Path.open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, islice(file, most))


def records(path: Path, most: int | None = None) -> list[InstructionRecord]:
    """Return records of rows in Alpaca's or Dolly's field names."""
    return [
        InstructionRecord(
            instruction=row["instruction"],
            context=row.get("context", row.get("input", "")),
            response=row.get("response", row.get("output", "")),
            category=row.get("category", ""),
        )
        for row in rows(path, most)
    ]
