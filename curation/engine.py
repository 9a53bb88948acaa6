"""An engine spreads work: it maps a picklable function over chunks, in order, and holds few chunks at a time.

The work is a pure function of its chunk. So the engine, the number of workers, the size of the chunks and a worker that
dies in the middle cannot change a byte of what comes out: a law in tests/laws/test_engine_laws.py.

What is spread: the records of stages that judge each by itself (`by_record`) and the rows that `validate` reads. What
is not: reading and writing, which one process does, in order, because a step's records have one hash.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from schemas.errors import InputError

Chunk = TypeVar("Chunk")
Part = TypeVar("Part")
Kind: TypeAlias = Literal["local", "ray"]

CHUNKS: Mapping[Kind, int] = {"local": 500, "ray": 2000}
"""Items a chunk: tens of milliseconds of checks, some hundred kilobytes; more where handing one out costs more."""

AHEAD = 3
"""Chunks a worker that are handed out, or done and not yet asked for: what bounds the memory."""

FEW = 4
"""Chunks that are done faster here than processes start."""


class Pool(Protocol):
    """Workers that all do the same work."""

    @property
    def workers(self) -> int:
        """How many chunks are worked on at a time."""

    def submit(self, chunk: Any) -> Any:
        """Hand a chunk out; return what to ask for its part with."""

    def result(self, handle: Any) -> Any:
        """Wait for a part; handles are asked for in the order in which they were given."""

    def close(self) -> None:
        """Let the workers go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where work is done. It changes no result, so it is part of no identity."""

    kind: Kind = "local"
    """`local`: processes of this machine; `ray`: a Ray cluster (the extra `ray`)."""
    workers: int = 0
    """Processes at a time; 0: one for each processor that may be used."""
    address: str = ""
    """Of a running Ray cluster, such as `auto` or `ray://head:10001`; empty: Ray is started on this machine."""
    chunk: int = 0
    """Items that a worker is given at a time; 0: what suits the kind."""
    shard: int = 0
    """Rows whose outcomes make a shard of the step directory that is written; 0: its files are not cut."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant.

        Raises:
            InputError: a negative number of workers, items or rows, or an address where Ray is not asked for.
        """
        for name in ("workers", "chunk", "shard"):
            if getattr(self, name) < 0:
                raise InputError(place="engine", field=name, expected="0 or more", found=str(getattr(self, name)))
        if self.address and self.kind != "ray":
            raise InputError(place="engine", field="ray-address", expected="--engine ray", found=f"engine {self.kind}")

    def chunks(self, items: Iterable[Chunk], at: int = 0) -> Iterator[list[Chunk]]:
        """Cut items, before which there were `at`, into what a worker is given at a time: of one shard, each."""
        items, most = iter(items), self.chunk or CHUNKS[self.kind]
        while chunk := list(islice(items, min(most, self.shard - at % self.shard) if self.shard else most)):
            yield chunk
            at += len(chunk)

    def map(self, work: Callable[[Chunk], Part], chunks: Iterable[Chunk], *, shares: bool = False) -> Iterator[Part]:
        """Yield what `work` makes of each chunk, in order; with one worker, or for few chunks, it is done right here.

        `shares`: the work holds large arrays, and leaves Python while it computes. Then this machine's workers are
        threads, which all look at the same arrays.

        Raises:
            InputError: Ray is asked for and not installed, or there is none at the address.
            DollyError: workers die again and again.
        """
        if self.kind == "local":
            chunks = iter(chunks)
            first = list(islice(chunks, FEW + 1))
            if self.workers == 1 or len(first) <= FEW:
                yield from map(work, chain(first, chunks))
                return
            chunks = chain(first, chunks)
        pool = POOLS["threads" if shares and self.kind == "local" else self.kind](work, self)
        try:
            yield from in_order(pool, chunks)
        finally:
            pool.close()


def in_order(pool: Pool, chunks: Iterable[Any]) -> Iterator[Any]:
    """Yield the parts in the order of their chunks, reading only so far ahead that no worker has to wait."""
    waiting: deque[Any] = deque()
    for chunk in chunks:
        waiting.append(pool.submit(chunk))
        if len(waiting) >= AHEAD * pool.workers:
            yield pool.result(waiting.popleft())
    while waiting:
        yield pool.result(waiting.popleft())


HERE = Engine()
"""The processors of this machine."""


def chunked(items: Iterable[Chunk], size: int) -> Iterator[list[Chunk]]:
    """Cut items into lists of `size`; the last may be shorter."""
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


def _threads(work: Callable[[Any], Any], engine: Engine) -> Pool:
    from curation.processes import Threads  # noqa: PLC0415  # only where there is much to do

    return Threads(work, engine.workers)


def _processes(work: Callable[[Any], Any], engine: Engine) -> Pool:
    from curation.processes import Processes  # noqa: PLC0415  # only where there is much to do

    return Processes(work, engine.workers)


def _ray(work: Callable[[Any], Any], engine: Engine) -> Pool:
    from curation.ray_engine import RayWorkers  # noqa: PLC0415  # heavy, and an extra

    return RayWorkers(work, workers=engine.workers, address=engine.address)


POOLS: dict[str, Callable[[Callable[[Any], Any], Engine], Pool]] = {
    "local": _processes,
    "threads": _threads,
    "ray": _ray,
}
"""Kind → what starts its workers; threads are the local ones of work that shares."""
