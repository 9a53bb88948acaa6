"""Files and batches, as the Batch API has them: a file of requests goes in, later a file of answers comes out.

A batch is worked off at once when it is first looked at after its time; what it costs is billed then. Where `done` is
under 1 it expires instead, with that share of its requests answered. Everything is in memory.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from curation.mock.http import Received, Reply, json_object, json_reply
from schemas.codec import dumps, loads

Work = Callable[[Mapping[str, Any]], tuple[int, Mapping[str, Any]]]
"""Answers one request of a batch: status and body."""

ENDED = ("completed", "expired", "cancelled", "failed")
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_NAME = re.compile(rb'\bname="([^"]*)"')
_FILENAME = re.compile(rb'filename="([^"]*)"')


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch."""

    id: str
    input_file_id: str
    endpoint: str
    metadata: Mapping[str, Any]
    created: float
    window: str = "24h"
    status: str = "in_progress"
    output_file_id: str | None = None
    error_file_id: str | None = None
    counts: dict[str, int] = field(default_factory=lambda: {"total": 0, "completed": 0, "failed": 0})

    def plain(self) -> dict[str, Any]:
        """Return the batch as the API shows it."""
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "input_file_id": self.input_file_id,
            "completion_window": self.window,
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": int(self.created),
            "request_counts": self.counts,
            "metadata": self.metadata,
        }


@dataclass(slots=True, kw_only=True)
class Batches:
    """All files and batches of an endpoint."""

    work: Work
    takes_s: float = 0.0
    """Seconds until a batch is done."""
    done: float = 1.0
    """Share (0 to 1) of its requests that a batch answers before it expires."""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Id → name and content."""
    batches: dict[str, Batch] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self, received: Received, path: str, now: float) -> Reply | None:
        """Answer a request about a file or a batch; nothing where there is nothing of the kind."""
        kind, name, *rest = [*path.strip("/").split("/"), ""]
        shape = "/".join(one for one in (kind, name and "ID", *rest) if one)
        routes: dict[str, Callable[[], Reply]] = {
            "POST files": lambda: self.upload(received),
            "GET files/ID": lambda: self.file(name),
            "GET files/ID/content": lambda: self.content(name),
            "POST batches": lambda: self.create(json_object(received), now),
            "GET batches": lambda: self.all(now),
            "GET batches/ID": lambda: self.look(name, now),
            "POST batches/ID/cancel": lambda: self.cancel(name),
        }
        route = routes.get(f"{received.method} {shape}")
        return route() if route else None

    def upload(self, received: Received) -> Reply:
        """Take a file out of a form."""
        parts = dict(_form(received))
        if "file" not in parts:
            return _wrong("expected a form with the part `file`")
        name, content = parts["file"]
        return json_reply(self._shown(self._keep(name, content)))

    def file(self, name: str) -> Reply:
        """Tell about a file."""
        return json_reply(self._shown(name)) if name in self.files else _missing("file", name)

    def content(self, name: str) -> Reply:
        """Return what is in a file."""
        if name not in self.files:
            return _missing("file", name)
        return Reply(body=self.files[name][1], headers={"Content-Type": "application/octet-stream"})

    def create(self, asked: Mapping[str, Any], now: float) -> Reply:
        """Begin a batch."""
        source = str(asked.get("input_file_id"))
        if source not in self.files:
            return _missing("file", source)
        batch = Batch(
            id=f"batch_{next(self._ids)}",
            input_file_id=source,
            endpoint=str(asked.get("endpoint")),
            metadata=asked.get("metadata") or {},
            created=now,
        )
        batch.counts["total"] = len(self.files[source][1].splitlines())
        self.batches[batch.id] = batch
        return json_reply(batch.plain())

    def look(self, name: str, now: float) -> Reply:
        """Tell about a batch, working it off if its time has come."""
        if name not in self.batches:
            return _missing("batch", name)
        self._go_on(self.batches[name], now)
        return json_reply(self.batches[name].plain())

    def all(self, now: float) -> Reply:
        """Tell about every batch, the latest first."""
        for batch in self.batches.values():
            self._go_on(batch, now)
        shown = [batch.plain() for batch in reversed(self.batches.values())]
        return json_reply({"object": "list", "data": shown, "has_more": False})

    def cancel(self, name: str) -> Reply:
        """Stop a batch that has not ended."""
        if name not in self.batches:
            return _missing("batch", name)
        batch = self.batches[name]
        batch.status = batch.status if batch.status in ENDED else "cancelled"
        return json_reply(batch.plain())

    def _go_on(self, batch: Batch, now: float) -> None:
        if batch.status in ENDED or now < batch.created + self.takes_s:
            return
        lines = self.files[batch.input_file_id][1].splitlines()
        answered = int(len(lines) * self.done)
        rows = [self._row(line) for line in lines[:answered]]
        late = [_expired(line) for line in lines[answered:]]
        good = [row for row in rows if row["response"]["status_code"] == 200]  # noqa: PLR2004  # HTTP's OK
        bad = [row for row in rows if row["response"]["status_code"] != 200] + late  # noqa: PLR2004
        batch.output_file_id = self._keep("output.jsonl", _jsonl(good)) if good else None
        batch.error_file_id = self._keep("errors.jsonl", _jsonl(bad)) if bad else None
        batch.counts |= {"completed": len(good), "failed": len(bad)}
        batch.status = "expired" if late else "completed"

    def _row(self, line: bytes) -> dict[str, Any]:
        asked = loads(line)
        status, body = self.work(asked["body"])
        response = {"status_code": status, "request_id": f"req_{next(self._ids)}", "body": body}
        return {
            "id": f"batch_req_{next(self._ids)}",
            "custom_id": asked["custom_id"],
            "response": response,
            "error": None,
        }

    def _keep(self, name: str, content: bytes) -> str:
        made = f"file-{next(self._ids)}"
        self.files[made] = (name, content)
        return made

    def _shown(self, name: str) -> dict[str, Any]:
        filename, content = self.files[name]
        shown = {"id": name, "object": "file", "bytes": len(content), "created_at": 0}
        return {**shown, "filename": filename, "purpose": "batch", "status": "processed"}


def _expired(line: bytes) -> dict[str, Any]:
    error = {
        "code": "batch_expired",
        "message": "This request could not be executed before the completion window expired.",
    }
    return {"id": "", "custom_id": loads(line)["custom_id"], "response": None, "error": error}


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(dumps(row) + b"\n" for row in rows)


def _form(received: Received) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Yield the parts of a form: name, then file name and content."""
    boundary = _BOUNDARY.search(received.headers.get("content-type", ""))
    if boundary is None:
        return
    for part in received.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name, filename = _NAME.search(head), _FILENAME.search(head)
        if name:
            yield name[1].decode(), (filename[1].decode() if filename else "", content.removesuffix(b"\r\n"))


def _missing(kind: str, name: str) -> Reply:
    return json_reply({"error": {"message": f"No such {kind}: {name}", "type": "invalid_request_error"}}, 404)


def _wrong(message: str) -> Reply:
    return json_reply({"error": {"message": message, "type": "invalid_request_error"}}, 400)
