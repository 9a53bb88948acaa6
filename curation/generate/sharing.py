"""One run on several machines: each sends its share of the requests, and has a journal of its own.

    RUN.journal/
      shard-1-of-3/  shard-2-of-3/  …    the journal of each machine
      answers.jsonl                      that of a run without --shard, which reads the others', too

Every machine walks the whole run. Which requests come next follows from the answers to those before, whoever gave
them, and a request's key says whose it is. A machine sends what is its own, and waits for every other answer until it
stands in the other's journal, which they all can read. So all come to the same records, and a machine that has all
journals comes to them without sending anything.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from curation.generate.endpoint import Answer, Request, read_answer
from curation.generate.index import Index
from curation.generate.journal import ANSWERS, Journal, Remembered
from curation.generate.shard import Shard
from curation.generate.trouble import LetGoError
from schemas.codec import loads
from schemas.errors import EndpointError, InputError

FOLDER = "shard-"
"""What the names of the machines' journals begin with."""
LOOK_S = 0.1
"""Seconds between two looks at the others' journals."""


def folder_of(journal: str, shard: Shard) -> Path:
    """Return the journal of a machine in the folder that they have in common."""
    folder, name = Path(journal), f"{FOLDER}{shard}"
    return folder if folder.name == name else folder / name


class Other:
    """The journal of another machine, read while it grows."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ANSWERS
        self._answers, self._size = Index(), 0

    def look(self) -> bool:
        """Take up the whole lines that are new; say whether there were any.

        Raises:
            InputError: a line is not one of ours.
        """
        before = self._size
        with self._path.open("rb") as file:
            file.seek(before)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._note(line)
        return self._size > before

    def _note(self, line: bytes) -> None:
        try:
            row = loads(line)
            if row["t"] == "answer":
                self._answers.enter(row["key"], self._size)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(place=self._path, expected="a line of a journal", found=repr(line[:60])) from error
        self._size += len(line)

    def find(self, key: str) -> Answer | None:
        """Return the answer to a request that was asked there."""
        place = self._answers.find(key)
        if place is None:
            return None
        with self._path.open("rb") as file:
            file.seek(place)
            row = loads(file.readline())
        return read_answer(row["body"]) if row["key"] == key else None


class Sharing:
    """An endpoint that sends a machine's share, and has the other answers from the other machines."""

    def __init__(
        self,
        endpoint: Remembered,
        journal: Journal,
        *,
        shard: Shard | None,
        at_once: int,
        patience_s: float,
        closing: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask `endpoint`, which writes into `journal`, what is `shard`'s; all, where there is none.

        Of a machine's own requests `at_once` are in its journal without an answer, so that a kill loses no more.
        `closing` is told, too, that nothing more is to be sent.
        """
        self._endpoint, self._shard, self._patience_s, self._closing = endpoint, shard, patience_s, closing
        self._common = journal.folder.parent if shard else journal.folder
        self._own, self._slots = journal.folder, asyncio.Semaphore(at_once)
        self._journals: dict[Path, Journal | Other] = {journal.folder: journal}
        self._over = False
        self._moved_at, self._looked_at = time.monotonic(), float("-inf")

    def close(self) -> None:
        """Wait for nobody any more."""
        self._over = True
        self._closing()

    async def ask(self, request: Request) -> Answer:
        """Return the answer, from a journal, from this machine's endpoint, or when another machine has it.

        Raises:
            EndpointError: the others have written nothing for as long as a run is patient.
        """
        key = request.key
        self._look()
        answer = self._found(key)
        if answer is None:
            if self._shard is None or self._shard.has(key):
                return await self._sent(request)
            answer = await self._awaited(key, self._shard)
        self._endpoint.reuse()
        return answer

    async def _sent(self, request: Request) -> Answer:
        async with self._slots:
            if self._over:
                raise LetGoError
            answer = await self._endpoint.ask(request)
            self._moved_at = time.monotonic()
            return answer

    async def _awaited(self, key: str, shard: Shard) -> Answer:
        while (answer := self._found(key)) is None:
            if self._over:
                raise LetGoError
            if time.monotonic() - self._moved_at > self._patience_s:
                raise EndpointError(
                    f"{self._common}: shard {shard.part_of(key)}/{shard.of} has written nothing for "
                    f"{self._patience_s:g} s: is it running, with the same settings? The same command goes on from here"
                )
            await asyncio.sleep(LOOK_S)
            self._look()
        return answer

    def _found(self, key: str) -> Answer | None:
        """Return the answer that a journal holds; of several the first by name, so that all machines take the same."""
        for folder in sorted(self._journals):
            if (answer := self._journals[folder].find(key)) is not None:
                return answer
        return None

    def _look(self) -> None:
        """Take up what the others have written meanwhile, now and then."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        for file in (self._common / ANSWERS, *self._common.glob(f"{FOLDER}*/{ANSWERS}")):
            if file.parent != self._own and file.exists():
                other = self._journals.setdefault(file.parent, Other(file.parent))
                if isinstance(other, Other) and other.look():
                    self._moved_at = now
