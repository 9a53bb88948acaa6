"""An event: what one person did about one row, written once and never changed.

Taking something back is an event too. An event is named by a time-ordered id and carries the hash of the exact text
that was on the screen, so that it can be applied to that text and to no other.
"""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from schemas.codec import adapter, canonical, loads, sha256_of
from schemas.errors import InputError
from schemas.record import without_empty

Action: TypeAlias = Literal["accept", "reject", "edit", "flag", "skip", "undo", "draw"]
Queue: TypeAlias = Literal["hunt", "accept", "drops", "second", "adjudicate"]
Fate: TypeAlias = Literal["kept", "rejected"]

DECIDING = ("accept", "reject", "edit")
"""Actions that settle a row; a flag or a skip leaves it open."""

FAULT = ("reject", "edit")
"""Actions that say: not acceptable as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One act of one person."""

    event_id: str
    """UUID version 7: sorts by time."""
    at: str
    """UTC, to the millisecond."""
    reviewer: str
    action: Action
    queue: Queue = "hunt"
    """Where it was made: `hunt` improves the data, `accept` measures it, `drops` measures the checks, `second` measures
    the reviewers, `adjudicate` settles what two of them disagree on. Their counts never mix."""
    row_id: str = ""
    row_sha256: str = ""
    """Hash of the three texts (of a rejected row: of the row) that were on the screen."""
    fate: Fate = "kept"
    reasons: tuple[str, ...] = ()
    """Codes of `defects.DEFECTS`, for a reject."""
    severity: str = ""
    """The worst of the reasons', as the table said when the event was made; of an edit, what the reviewer said."""
    note: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Instruction, context and response as they are to be, for an edit."""
    ms: int | None = None
    """Milliseconds from the row on the screen to the decision."""
    shown_sha256: str = ""
    """Hash of the evidence that stood beside the row; empty where it was hidden."""
    batch: str = ""
    """Names the decisions that were made in one stroke."""
    undoes: str = ""
    """The event, or the batch, that is taken back."""
    draw: Mapping[str, Any] = field(default_factory=dict)
    """What was drawn for whom: `name`, `seed`, `rows`, for a draw."""
    plan: str = ""
    """Hash of the acceptance plan that drew the row; empty for every other decision."""
    dataset_sha256: str = ""
    """Digest of the step's records."""
    version: str = ""
    """The program's."""


def new_id() -> str:
    """Return a UUID version 7 (RFC 9562, method 3): milliseconds, a 4096th of one, random bits; ids sort by time."""
    millis, nanos = divmod(time.time_ns(), 1_000_000)
    value = millis << 80 | 0x7 << 76 | nanos * 4096 // 1_000_000 << 64 | 0b10 << 62
    text = f"{value | secrets.randbits(62):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def now() -> str:
    """Return the time in UTC to the millisecond."""
    seconds, millis = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{millis:03d}Z"


def event_row(event: Event) -> dict[str, Any]:
    """Return the event as a plain row, empty parts left out."""
    return without_empty(adapter(Event).dump_python(event, mode="json"))


def write_event(event: Event) -> bytes:
    """Return the event as a line of `decisions.jsonl`, with the hash that tells whether the line was changed."""
    row = event_row(event)
    return canonical({**row, "sha256": sha256_of(row)}) + b"\n"


def is_event(row: Mapping[str, Any]) -> bool:
    """Say whether a row of a decisions file is an event, not a line that a person wrote."""
    return "event_id" in row


def read_event(row: Mapping[str, Any], place: str) -> Event:
    """Read an event back.

    Raises:
        InputError: not an event, or its bytes are not those that were exported.
    """
    plain = {name: value for name, value in row.items() if name != "sha256"}
    if row.get("sha256") != sha256_of(plain):
        raise InputError(place=place, field="sha256", expected=sha256_of(plain), found=str(row.get("sha256")))
    try:
        event: Event = adapter(Event).validate_python(plain)
    except ValueError as error:
        raise InputError(place=place, expected="an event of a review", found=str(error).splitlines()[0]) from error
    return event


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of an exported file.

    Raises:
        InputError: no such file, or a line that is not an unchanged event.
    """
    if not path.is_file():
        raise InputError(place=path, expected="a file that dolly-data review export wrote", found="nothing")
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = loads(line)
        except ValueError as error:
            raise InputError(place=f"{path}:{number}", expected="an event", found=str(error)) from error
        if not isinstance(row, dict):
            raise InputError(place=f"{path}:{number}", expected="an event", found=type(row).__name__)
        yield read_event(row, f"{path}:{number}")


def export_lines(events: Iterable[Event]) -> bytes:
    """Return events in their canonical form: sorted by id, so that equal sets of events are equal bytes."""
    return b"".join(map(write_event, sorted(events, key=lambda one: one.event_id)))
