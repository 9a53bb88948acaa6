"""Workers of this machine: processes, replaced when one of them dies, and threads."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

from schemas.errors import DollyError

DEATHS = 3
"""Times in a row that workers may die over the same chunk."""


@dataclass(slots=True)
class _Job:
    """A chunk that was handed out, kept until its part is there: a dead worker's chunk is handed out again."""

    chunk: Any
    future: Future[Any]


class Processes:
    """Workers started afresh (nothing is inherited, so threads of this process do no harm)."""

    def __init__(self, work: Callable[[Any], Any], workers: int) -> None:
        self._work, self.workers = work, workers or processors()
        self._jobs: deque[_Job] = deque()
        self._executor = self._start()

    def submit(self, chunk: Any) -> _Job:
        """Hand a chunk out."""
        try:
            future = self._executor.submit(self._work, chunk)
        except BrokenProcessPool:
            self._renew()
            future = self._executor.submit(self._work, chunk)
        self._jobs.append(_Job(chunk, future))
        return self._jobs[-1]

    def result(self, handle: _Job) -> Any:
        """Wait for a part, starting again whatever was under way when a worker died.

        Raises:
            DollyError: it happened too often.
        """
        assert handle is self._jobs[0]
        for _ in range(DEATHS):
            try:
                part = handle.future.result()
            except BrokenProcessPool:
                self._renew()
            else:
                self._jobs.popleft()
                return part
        raise DollyError(
            f"worker processes were killed {DEATHS} times over the same records: too little memory? --workers 1 needs "
            "the least"
        )

    def close(self) -> None:
        """Let the workers go."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _renew(self) -> None:
        self.close()
        self._executor = self._start()
        for job in self._jobs:
            job.future = self._executor.submit(self._work, job.chunk)

    def _start(self) -> ProcessPoolExecutor:
        fresh = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, mp_context=fresh, initializer=_begin)


class Threads:
    """Workers that share the arrays of this process; each multiplies with one thread, so that together they fit."""

    def __init__(self, work: Callable[[Any], Any], workers: int) -> None:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415  # looks at every loaded library

        self._work, self.workers = work, workers or processors()
        self._executor, self._limits = ThreadPoolExecutor(self.workers), threadpool_limits(1, "blas")

    def submit(self, chunk: Any) -> Future[Any]:
        """Hand a chunk out."""
        return self._executor.submit(self._work, chunk)

    def result(self, handle: Future[Any]) -> Any:
        """Wait for a part."""
        return handle.result()

    def close(self) -> None:
        """Let the workers go."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._limits.restore_original_limits()


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    """Leave interrupts to the parent, and end when it is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
