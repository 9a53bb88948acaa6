"""Rows out of any file: JSON lines, JSON, CSV, Parquet, Arrow, plain or gzipped, one by one and with bounded memory.

A line that is broken or too large becomes a `Broken` row with its reason; the next line is read. A file that cannot be
read as a whole (not text, a torn gzip) is an `InputError`.
"""

import csv
import gzip
import hashlib
import io
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import IO, Any, cast

import orjson

from schemas.codec import by_python, not_deep
from schemas.errors import InputError
from schemas.formats import FOUND_MOST, shown
from schemas.record import Reason, Row

BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
GZIP = b"\x1f\x8b"
UTF8_BOM = b"\xef\xbb\xbf"
HEAD = 1000
"""Bytes of a too-large row that are kept as evidence; the rest stays in the input, found by offset and hash."""
CHUNK = 1 << 20
BATCH = 1024
"""Rows of a file of columns that are made at a time."""
WRAPPERS = ("data", "rows", "examples", "train")
"""Fields under which a JSON object may hold its list of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One row of a file, and its number from 1."""

    line: int
    row: Row
    problem: Reason | None = None
    """Why the row could not be read; `row` then holds it raw."""


def read_file(path: Path, max_row_bytes: int) -> Iterator[Read]:
    """Yield every row of a file.

    Raises:
        InputError: no format of ours, not UTF-8, or damaged as a whole.
    """
    reader = _reader_for(path)
    try:
        yield from reader(path, max_row_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(place=path, expected="a whole gzip file", found=f"a damaged one ({error})") from error


def is_readable(path: Path) -> bool:
    """Say whether a file's name is one that we read in a folder."""
    return _kind(path) in _READERS


def _kind(path: Path) -> str:
    """Return the ending that says what a file is: `.jsonl` for `a.jsonl.gz`."""
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    return endings[-1] if endings else ""


def _reader_for(path: Path) -> Callable[[Path, int], Iterator[Read]]:
    known = _READERS.get(_kind(path))
    if known is not None:
        return known
    with _opened(path) as file:
        first = file.read(CHUNK).lstrip()[:1]
    if first in (b"{", b"["):
        return _json
    raise InputError(place=path, expected=f"a file ending in {', '.join(_READERS)}, or JSON", found="something else")


def _opened(path: Path) -> IO[bytes]:
    """Open a file, unpacking gzip whatever its name says, past a UTF-8 byte order mark."""
    with path.open("rb") as probe:
        magic = probe.read(2)
    file = cast("IO[bytes]", gzip.open(path)) if magic == GZIP else path.open("rb")  # noqa: SIM115  # the caller closes it
    mark = file.read(3)
    if mark[:2] in BOMS:
        file.close()
        raise InputError(place=path, expected="UTF-8 text", found=BOMS[mark[:2]])
    if mark != UTF8_BOM:
        file.seek(0)
    return file


def _jsonl(path: Path, most: int) -> Iterator[Read]:
    with _opened(path) as file:
        number = 0
        while True:
            offset = file.tell()
            line = file.readline(most + 1)
            if not line:
                return
            number += 1
            if len(line) > most and not line.endswith(b"\n"):
                yield _too_large(file, line, number, offset, most)
            elif line.strip():
                yield _line(line, number)


def _line(line: bytes, number: int) -> Read:
    try:
        return _row(_parsed(line), number)
    except UnicodeDecodeError as error:
        found = f"byte 0x{line[error.start]:02x} at {error.start}"
        return _broken(number, {"base64": b64encode(line).decode()}, "row_not_utf8", found, "UTF-8")
    except ValueError as error:
        return _broken(number, {"raw": line.decode().rstrip("\n")}, "row_not_json", str(error), "a JSON object")


def _parsed(text: bytes) -> Any:
    """Parse JSON; what orjson refuses goes to the standard library, for lone surrogates and better messages."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = by_python(text.decode(), parse_constant=_refuse)
    return not_deep(value, text)


def _refuse(constant: str) -> None:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def _row(value: object, number: int) -> Read:
    if isinstance(value, Mapping):
        return Read(line=number, row=value)
    return _broken(number, {"raw": value}, "row_not_object", shown(value), "an object with named fields")


def _broken(number: int, row: Row, code: str, found: str, limit: str) -> Read:
    reason = Reason(code=code, field="row", found=found[:FOUND_MOST], limit=limit)
    return Read(line=number, row=row, problem=reason)


def _too_large(file: IO[bytes], head: bytes, number: int, offset: int, most: int) -> Read:
    """Skip the rest of a too-large line, keeping what finds it again: offset, size, hash, and its first bytes."""
    sha, size = hashlib.sha256(head), len(head)
    while not head.endswith(b"\n"):
        more = file.readline(CHUNK)
        if not more:
            break
        sha.update(more)
        size += len(more)
        head = head[:HEAD] + more[-1:]
    row = {"raw_head": head[:HEAD].decode(errors="replace"), "offset": offset, "bytes": size, "sha256": sha.hexdigest()}
    return _broken(number, row, "row_too_large", f"{size:,} bytes", f"{most:,} bytes")


def _json(path: Path, most: int) -> Iterator[Read]:
    with _opened(path) as file:
        content = file.read()
    try:
        value = _parsed(content)
    except (ValueError, UnicodeDecodeError) as error:
        if "\n" in content.decode(errors="replace").strip() and content.lstrip().startswith(b"{"):
            yield from _jsonl(path, most)
            return
        raise InputError(place=path, expected="JSON", found=str(error)) from error
    for number, row in enumerate(_rows_in(value, path), 1):
        yield _row(row, number)


def _rows_in(value: object, path: Path) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        held = [value[name] for name in WRAPPERS if isinstance(value.get(name), list)]
        return held[0] if held else [value]
    raise InputError(place=path, expected="a list of rows", found=shown(value))


def _csv(path: Path, most: int, delimiter: str = ",") -> Iterator[Read]:
    csv.field_size_limit(most)
    with _opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
            start = reader.line_num + 1
            for cells in reader:
                if cells:
                    yield _cells(header, cells, start)
                start = reader.line_num + 1
        except UnicodeDecodeError as error:
            raise InputError(place=path, expected="UTF-8 text", found=str(error)) from error
        except csv.Error as error:
            raise InputError(place=f"{path}:{reader.line_num}", expected="CSV", found=str(error)) from error


def _cells(header: list[str], cells: list[str], line: int) -> Read:
    if len(cells) == len(header):
        return Read(line=line, row=dict(zip(header, cells, strict=True)))
    return _broken(line, {"raw": cells}, "row_columns_differ", f"{len(cells)} columns", f"{len(header)} columns")


def _tsv(path: Path, most: int) -> Iterator[Read]:
    yield from _csv(path, most, "\t")


def _parquet(path: Path, _: int) -> Iterator[Read]:
    import pyarrow.parquet as pq  # noqa: PLC0415  # 0.1 s that only Parquet needs

    return _columns(path, "a Parquet file", lambda: pq.ParquetFile(path).iter_batches(BATCH))


def _arrow(path: Path, _: int) -> Iterator[Read]:
    return _columns(path, "an Arrow file", lambda: _arrow_batches(path))


def _arrow_batches(path: Path) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415  # as above

    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            yield from (batch.slice(start, BATCH) for start in range(0, batch.num_rows, BATCH))


def _columns(path: Path, kind: str, batches: Callable[[], Iterator[Any]]) -> Iterator[Read]:
    """Yield the rows of a file of columns."""
    import pyarrow as pa  # noqa: PLC0415  # as above

    try:
        rows = (row for batch in batches() for row in batch.to_pylist())
        for number, row in enumerate(rows, 1):
            yield Read(line=number, row=_as_json(row))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(place=path, expected=kind, found=str(error)) from error


def _as_json(value: Any) -> Any:
    """Return the value of a column as JSON can say it: dates in ISO's form, the rest in words; bytes are no text."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(inner) for inner in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    return {"base64": b64encode(value).decode()} if isinstance(value, bytes) else str(value)


_READERS: dict[str, Callable[[Path, int], Iterator[Read]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
    ".arrow": _arrow,
}
"""File ending → reader; `.gz` may follow the first five."""
