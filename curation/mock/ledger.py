"""The ledger: what the endpoint billed, written before a byte of the answer is sent.

One JSON line a request: `time`, `key` (hash of the body), `path`, `status`, `fault`, `prompt_tokens`,
`completion_tokens`. Tokens of what was not billed are 0. A line that was written survives the end of this process in
any form; only a power cut could lose it.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from schemas.codec import dumps
from schemas.errors import DollyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request, and what it cost."""

    time: float
    """Seconds since 1970."""
    key: str
    """Hex sha256 of the body in canonical form."""
    path: str
    status: int
    fault: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Tokens billed."""
        return self.prompt_tokens + self.completion_tokens


class Ledger:
    """Appends entries to a file, if there is one, and counts."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, going on after what stands in it.

        Raises:
            DollyError: it cannot be written.
        """
        self.requests = self.tokens = 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if path else -1
        except OSError as error:
            raise DollyError(f"--ledger {path}: {error.strerror}") from error

    def enter(self, entry: Entry) -> None:
        """Write an entry down; when this returns the system has it."""
        self.requests += 1
        self.tokens += entry.tokens
        if self._file >= 0:
            os.write(self._file, dumps(asdict(entry)) + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_ledger(path: Path) -> Iterator[Entry]:
    """Read a ledger back, also while it is being written."""
    if path.exists():
        with path.open("rb") as file:
            yield from (Entry(**orjson.loads(line)) for line in file if line.endswith(b"\n"))
