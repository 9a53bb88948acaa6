"""Answers that were paid for: on disk before they are used, found again by what was asked.

One JSON object a line, only appended: {"key": sha256 of the request, "request": …, "answer": …}. A torn last line,
which only a crash leaves, is passed over.
"""

import os
import threading
from pathlib import Path
from typing import Any

from schemas.codec import dumps, loads, sha256_of
from schemas.errors import DollyError


class Journal:
    """Requests and their answers; for several threads."""

    def __init__(self, path: Path) -> None:
        """Read what stands in `path`, which need not exist."""
        self.path = path
        self._lock = threading.Lock()
        self._answers = dict(_entries(path))

    def find(self, request: Any) -> Any:
        """Return the answer to a request, or None."""
        return self._answers.get(sha256_of(request))

    def keep(self, request: Any, answer: Any) -> None:
        """Write an answer down; it is on the disk when this returns.

        Raises:
            DollyError: it cannot be written.
        """
        key = sha256_of(request)
        line = dumps({"key": key, "request": request, "answer": answer}) + b"\n"
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                raise DollyError(f"{self.path}: {error.strerror or error}") from error
            self._answers[key] = answer

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(b"" if _ends_whole(self.path) else b"\n")
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    """Say whether the file ends with a whole line; a new line must not be glued to a torn one."""
    if not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _entries(path: Path) -> list[tuple[str, Any]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            row = loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "key" in row and "answer" in row:
            found.append((str(row["key"]), row["answer"]))
    return found
