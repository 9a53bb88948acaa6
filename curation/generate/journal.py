"""The journal: every request before it is sent, every answer before it is parsed, for good.

    DIR.journal/
      answers.jsonl    {"t": "request", "key": …} and {"t": "answer", "key": …, "body": …}, one a line, only appended;
                       {"t": "lost", …}: sent, perhaps billed, to be sent again; {"t": "unbilled", …}: given up
      spending.json    what the answers cost
      proposals.jsonl  what requests were for, so that --reparse can read their answers again
      batches.jsonl    the jobs of batch mode
      weights.json     which weights answered, of models at a path
      last_run.json    what the last run sent and reused, for people
      lock             held by the process that writes

It stands beside the step directory, not in it: steps are made again, answers were paid for. A line is on the disk
before the work goes on (whatever waits at the same time shares one flush). A crash can only tear the last line, which
is dropped when the journal is opened. Of a request without an answer nobody can say whether it was billed.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from curation.generate.endpoint import UNANSWERED, Answer, Endpoint, Request, read_answer
from curation.generate.index import Index
from curation.generate.spending import Tracker
from curation.generate.trouble import LetGoError
from schemas.codec import dumps, loads, read_config, sha256_of
from schemas.errors import DollyError, InputError

ANSWERS = "answers.jsonl"
LOCK = "lock"
LAST_RUN = "last_run.json"
PIECE = 1 << 13
"""Bytes read at a time; most answers are shorter."""


def journal_beside(step: Path) -> Path:
    """Return where the journal of a step directory stands."""
    return step.parent / f"{step.name}.journal"


def whole_rows(path: Path) -> Iterator[Any]:
    """Yield the rows of a file beside the answers; a line that a crash or a full disk broke is none."""
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if line.endswith(b"\n"):
            with suppress(ValueError):
                yield loads(line)


def drop_torn(path: Path) -> None:
    """Cut off half a line at the end of such a file: it would spoil the next one."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        if file.seek(0, os.SEEK_END) and _last_byte(file) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


class Journal:
    """Requests and answers on disk, found by key. For the coroutines of one event loop."""

    def __init__(self, folder: Path) -> None:
        """Open `answers.jsonl` in `folder`, which this process alone may write.

        Raises:
            InputError: a line amid the file is not one of ours.
        """
        path, self.folder = folder / ANSWERS, folder
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._answers = Index()
        self._open: dict[str, str] = {}
        self._expected: set[str] = set()
        self.models: set[str] = set()
        """Models that have answered something."""
        self._size = self._flushed = 0
        self._flushing: asyncio.Task[None] | None = None
        self._tracker = Tracker()
        try:
            self._read(path)
            self.spending = self._tracker.done()
        except BaseException:
            self.close()
            raise

    @property
    def unanswered(self) -> int:
        """Requests that were sent, or about to be, and have no answer: at most these were billed for nothing."""
        return len(self._open)

    def find(self, key: str) -> Answer | None:
        """Return the answer to a request that was asked before."""
        place = self._answers.find(key)
        if place is None:
            return None
        row = loads(self._line(place))
        return read_answer(row["body"]) if row["key"] == key else None

    def waits(self, key: str) -> bool:
        """Say whether a request was sent, or about to be, and has no answer."""
        return key in self._open

    def expect(self, keys: Iterable[str]) -> None:
        """Take note that jobs of earlier runs will answer these requests: nothing is sent for them."""
        self._expected = {key for key in keys if key in self._open}

    def expects(self, key: str) -> bool:
        """Say, once, whether a request is paid for already, by a job that will answer it."""
        expected = key in self._expected
        self._expected.discard(key)
        return expected

    async def asked(self, request: Request) -> None:
        """Write a request down before it is sent, unless it was sent and its answer is expected."""
        plain = request.plain()
        key = sha256_of(plain)
        if key in self._expected:
            return
        self._open[key] = request.model
        await self._append({"t": "request", "key": key, **plain})

    async def answered(self, key: str, answer: Answer) -> None:
        """Write an answer down as it came, before anybody reads it."""
        self._answers.enter(key, await self._append({"t": "answer", "key": key, "body": dict(answer.body)}))
        self._open.pop(key, None)

    async def lost(self, key: str) -> None:
        """Write down that a request may have been billed without an answer, before it is sent again."""
        await self._append({"t": "lost", "key": key})

    async def unbilled(self, key: str) -> None:
        """Write down that a request was given up, and that nothing more than what is lost was billed for it."""
        self._open.pop(key, None)
        await self._append({"t": "unbilled", "key": key})

    def close(self) -> None:
        """Close the file; everything in it is on the disk already."""
        os.close(self._file)

    def _line(self, place: int) -> bytes:
        """Return the line that begins at a place."""
        line = b""
        while b"\n" not in line:
            line += os.pread(self._file, PIECE, place + len(line))
        return line[: line.index(b"\n")]

    async def _append(self, row: Mapping[str, Any]) -> int:
        """Write a line through to the disk; returns where it begins."""
        line, start = dumps(row) + b"\n", self._size
        try:
            self._write_all(line)
        except OSError:
            os.ftruncate(self._file, start)  # half a line would spoil the next one
            raise
        self._size += len(line)
        await self._settle(start + len(line))
        return start

    def _write_all(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._file, line) :]

    async def _settle(self, upto: int) -> None:
        """Return when the first `upto` bytes are on the disk; whoever waits meanwhile is served by the next flush."""
        while self._flushed < upto:
            if self._flushing is None:
                self._flushing = asyncio.create_task(self._flush())
            await asyncio.shield(self._flushing)  # who is cancelled stops waiting, not the others

    async def _flush(self) -> None:
        size = self._size
        try:
            await asyncio.to_thread(os.fsync, self._file)
            self._flushed = size
        finally:
            self._flushing = None

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, self._size)
                    break
                self._note(line, f"{path}:{number}")
                self._size += len(line)
        self._flushed = self._size

    def _note(self, line: bytes, place: str) -> None:
        try:
            row = loads(line)
            kind, key = row["t"], row["key"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(place=place, expected="a line of a journal", found=repr(line[:60])) from error
        self._tracker.note(row)
        if kind == "answer":
            self._answers.enter(key, self._size)
            model = self._open.pop(key, "")
            self.models |= {model} if row["body"].get("choices") else set()
        elif kind == "unbilled":
            self._open.pop(key, None)
        elif key not in self._answers:
            self._open.setdefault(key, row.get("model", ""))


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """Open the journal in `folder`, made if it is not there, for this process alone.

    Raises:
        InputError: another process is writing it, or its file is damaged.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise DollyError(f"{folder}: {error.strerror or error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(place=folder, expected="one writer", found="another process is writing it") from error
        journal = Journal(folder)
        try:
            yield journal
        finally:
            journal.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """What a run asked of its model."""

    sent: int
    """Requests that were sent."""
    reused: int
    """Answers that came out of the journal instead."""
    tokens: int
    """Tokens of the answers to what was sent."""
    seconds: float
    unanswered: int
    """Requests in the journal that have no answer: at most these were billed for nothing."""
    left_out: int = 0
    """Requests that were not sent, because nothing was to be sent."""

    def __str__(self) -> str:
        sent = f"reused {self.reused:,} answers, sent {self.sent:,}"
        if self.sent and self.seconds:
            sent += f" in {self.seconds:.0f} s ({self.tokens / self.seconds:.0f} tokens/s)"
        lost = f"; {self.unanswered:,} requests have no answer and may have been billed" if self.unanswered else ""
        left = f"; {self.left_out:,} requests have no answer and were not sent" if self.left_out else ""
        return sent + left + lost


def last_run(folder: Path) -> LastRun:
    """Return what the last run with the journal in `folder` did."""
    run: LastRun = read_config(LastRun, loads((folder / LAST_RUN).read_bytes()), str(folder / LAST_RUN))
    return run


class Remembered:
    """An endpoint that never asks twice what the journal holds the answer to."""

    def __init__(self, endpoint: Endpoint, journal: Journal, *, sends_nothing: bool = False) -> None:
        """Ask the endpoint what the journal does not know; `sends_nothing`: leave it unanswered."""
        self._endpoint, self._journal, self._sends_nothing = endpoint, journal, sends_nothing
        self._started = time.monotonic()
        self._reused = self._sent = self._tokens = self._left_out = 0

    async def ask(self, request: Request) -> Answer:
        """Return the answer, from the journal or from the endpoint; then it is in the journal."""
        key = request.key
        known = self._journal.find(key)
        if known is not None:
            self._reused += 1
            return known
        if self._sends_nothing:
            self._left_out += 1
            return Answer(body={}, finish_reason=UNANSWERED)
        await self._journal.asked(request)
        try:
            answer = await self._endpoint.ask(request)
        except (DollyError, LetGoError):
            await self._journal.unbilled(key)
            raise
        await self._journal.answered(key, answer)
        self._sent += 1
        self._tokens += answer.completion_tokens or 0
        return answer

    def reuse(self) -> None:
        """Count an answer that another journal held."""
        self._reused += 1

    def speed(self, seconds: float) -> str:
        """Return how fast the endpoint was, as an addition to a line of progress."""
        return f", {self._tokens / seconds:.0f} tokens/s" if self._tokens and seconds else ""

    def summary(self) -> LastRun:
        """Return what this run did so far."""
        return LastRun(
            sent=self._sent,
            reused=self._reused,
            tokens=self._tokens,
            seconds=round(time.monotonic() - self._started, 1),
            unanswered=self._journal.unanswered,
            left_out=self._left_out,
        )

    def sum_up(self) -> None:
        """Write down beside the answers what this run did; not in the step, whose bytes do not depend on it."""
        (self._journal.folder / LAST_RUN).write_bytes(dumps(asdict(self.summary())) + b"\n")
