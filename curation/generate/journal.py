"""The journal: every request is written down before it is sent, and every raw answer before it is parsed.

    {"t": "ask", "key": …, "request": …}
    {"t": "answer", "key": …, "raw": …}

One process writes it, append-only; each line is on disk before the work goes on. A line that was torn by a kill is
dropped when the journal is opened. Answers cost money or time, so the journal stands beside the step directory, not in
it, and outlives every re-making of the step.
"""

import fcntl
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from curation.generate.endpoint import Answer, Request, read_answer
from schemas.codec import dumps, loads
from schemas.errors import InputError

ANSWERS = "answers.jsonl"


def journal_of(step: Path) -> Path:
    """Return where the journal of a step directory stands: beside it."""
    return step.parent / f"{step.name}.journal"


class Journal:
    """The answers that were paid for, by key."""

    def __init__(self, folder: Path) -> None:
        """Open or make the journal in `folder`, for this process alone.

        Raises:
            InputError: another process has it open, or a line in its middle is no journal line.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / ANSWERS
        self._lock = threading.Lock()
        self._file = self.path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InputError(
                place=folder, expected="one writer", found="another process is generating into it"
            ) from error
        self._answers: dict[str, Answer] = {}
        self._asked: set[str] = set()
        self._read()
        self.unanswered = len(self._asked)
        """Requests of earlier runs that were sent and whose answer never arrived: they may have been billed."""

    def __enter__(self) -> Self:
        """Return the open journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._file.close()

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self._answers)

    def get(self, key: str) -> Answer | None:
        """Return the answer to a request, if there is one."""
        return self._answers.get(key)

    def asking(self, key: str, request: Request) -> None:
        """Write down that a request is about to be sent."""
        self._write({"t": "ask", "key": key, "request": asdict(request)})

    def answered(self, key: str, raw: Mapping[str, Any]) -> Answer:
        """Write a raw answer down, then read it."""
        self._write({"t": "answer", "key": key, "raw": dict(raw)})
        answer = read_answer(raw)
        self._answers[key] = answer
        return answer

    def _write(self, row: Mapping[str, Any]) -> None:
        with self._lock:
            self._file.write(dumps(row) + b"\n")
            self._file.flush()
            os.fdatasync(self._file.fileno())

    def _read(self) -> None:
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            self._remember(line, f"{self.path}:{number}")
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)

    def _remember(self, line: bytes, place: str) -> None:
        try:
            row = loads(line)
            if row["t"] == "ask":
                self._asked.add(row["key"])
            else:
                self._answers[row["key"]] = read_answer(row["raw"])
                self._asked.discard(row["key"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(place=place, expected="a line of the journal", found=repr(line[:60])) from error
