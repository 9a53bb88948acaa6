"""Workers on a Ray cluster: the one place that knows Ray.

Chunks travel to actors and parts come back in order, as with the processes of one machine, so the driver holds few of
them at a time and the workers need no shared file system. That is Ray's core, not `ray.data`: a data set of Ray's has
to know its whole input beforehand, while ours streams. Actors, because work may hold a model, which is opened once.
"""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import monotonic, sleep
from typing import Any

from schemas.errors import DollyError, InputError

RETRIES = 3
"""Times that a chunk is done again because its worker died."""

GRACE = 10.0
"""Seconds for the workers to start before work begins with those that there are: few long chunks go to all of them."""

PATIENCE = 300.0
"""Seconds without any worker that answers, after which work ends; nodes that are started on demand take minutes."""

ASKED_AFTER = 30.0
"""Seconds after which a worker whose part does not come is asked whether it lives, and within which it has to answer.

A chunk that is long in work is waited for; one whose worker has lost its node, and found no place on another, is not.
"""

PAUSE = 0.1
"""Seconds between two looks for workers where there is none."""


@dataclass(slots=True)
class _Job:
    """A chunk that was handed out, and to whom."""

    chunk: Any
    worker: Any
    part: Any
    deaths: int = 0
    """Of workers that had it."""


class RayWorkers:
    """Actors that all do the same work: those that the cluster has a processor for; the others join when it has."""

    def __init__(self, work: Callable[[Any], Any], *, workers: int, address: str) -> None:
        self._ray = _started(workers, address)
        self._work = self._ray.put(work)  # its large arrays are mapped into every worker of a node, not copied
        kind = _kind_of(self._ray)
        self._actors = deque[Any]()
        self._expected: dict[Any, Any] = {}
        """What a worker answers once it has a place → that worker."""
        processors = max(1, self._processors(self._ray.cluster_resources))
        for _ in range(workers or processors):
            self._expect(kind.remote())
        self._wait([*self._expected], GRACE, most=min(workers or processors, processors))

    @property
    def workers(self) -> int:
        """How many there are by now."""
        return max(1, len(self._actors))

    def submit(self, chunk: Any) -> _Job:
        """Hand a chunk to the next worker in turn.

        Raises:
            DollyError: there has been none for long.
        """
        return _Job(chunk, *self._hand_out(chunk))

    def result(self, handle: _Job) -> Any:
        """Wait for a part; what a dead or lost worker had is done by another.

        Raises:
            DollyError: what the work itself refused, or workers that died too often.
        """
        errors = self._ray.exceptions
        while True:
            try:
                if self._comes(handle):
                    return self._ray.get(handle.part)
            except errors.RayTaskError as error:
                raise (error.cause if isinstance(error.cause, Exception) else error) from None
            except errors.RayError as error:
                handle.deaths += 1
                if handle.deaths > RETRIES:
                    said = f"Ray's workers died {handle.deaths} times over the same records"
                    raise DollyError(f"{said}: {str(error).splitlines()[0]}") from error
                self._miss(handle.worker)
            handle.worker, handle.part = self._hand_out(handle.chunk)

    def close(self) -> None:
        """Let the workers go; Ray itself runs on for the next work, and ends with this process."""
        for actor in (*self._actors, *self._expected.values()):
            self._ray.kill(actor)

    def _hand_out(self, chunk: Any) -> tuple[Any, Any]:
        """Return the next worker in turn, and what will be the part."""
        self._gather()
        until = monotonic() + PATIENCE
        while not self._actors:
            if monotonic() > until:
                all_, free = map(self._processors, (self._ray.cluster_resources, self._ray.available_resources))
                raise DollyError(f"Ray had no processor for a worker for {PATIENCE:.0f} s: of {all_}, {free} are free")
            sleep(PAUSE)
            self._gather()
        self._actors.rotate(-1)
        return self._actors[0], self._actors[0].do.remote(self._work, chunk)

    def _gather(self) -> None:
        """Count among the workers those that have answered by now.

        Raises:
            DollyError: one cannot start.
        """
        for answer in self._wait([*self._expected], 0):
            worker = self._expected.pop(answer)
            try:
                self._ray.get(answer)
            except self._ray.exceptions.ActorUnavailableError:
                self._expect(worker)
            except self._ray.exceptions.RayError as error:
                raise DollyError(f"Ray's workers do not start: {str(error).strip().splitlines()[-1]}") from error
            else:
                self._actors.append(worker)

    def _comes(self, job: _Job) -> bool:
        """Wait for a part while its worker answers; say whether it came."""
        while not self._wait([job.part], ASKED_AFTER if job.worker in self._actors else 0):
            if job.worker not in self._actors:
                return False
            if not self._wait([job.worker.answers.remote()], ASKED_AFTER):
                self._miss(job.worker)
        return True

    def _miss(self, worker: Any) -> None:
        """Count a worker among those to come."""
        if worker in self._actors:
            self._actors.remove(worker)
            self._expect(worker)

    def _expect(self, worker: Any) -> None:
        self._expected[worker.answers.remote()] = worker

    def _wait(self, parts: list[Any], seconds: float, most: int = 0) -> list[Any]:
        """Return those of the parts that are there, waiting some seconds for `most` of them, or for all."""
        return list(self._ray.wait(parts, num_returns=most or len(parts), timeout=seconds)[0]) if parts else []

    def _processors(self, resources: Callable[[], dict[str, float]]) -> int:
        return int(resources().get("CPU", 0))


class _Worker:
    """What lives in a worker's process; the work comes with each chunk, so that a new one knows it, too."""

    def do(self, work: Callable[[Any], Any], chunk: Any) -> Any:
        return work(chunk)

    def answers(self) -> bool:
        return True


def _kind_of(ray: Any) -> Any:
    """Return the actors' class; one answers beside its work."""
    ray.method(concurrency_group="answers")(_Worker.answers)
    return ray.remote(num_cpus=1, max_restarts=-1, concurrency_groups={"answers": 1})(_Worker)


def _started(workers: int, address: str) -> Any:
    """Return Ray, connected to the cluster at `address`, or started on this machine; nothing is reported to anyone."""
    if find_spec("ray") is None:
        raise InputError(
            place="engine", expected="Ray: pip install '.[ray]' in a checkout", found="it is not installed"
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray  # noqa: PLC0415  # heavy, and an extra

    if not ray.is_initialized():
        here = {} if address else {"num_cpus": workers or None, "include_dashboard": False}
        try:
            ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **here)
        except (ConnectionError, ValueError, RuntimeError) as error:
            expected = "a running Ray cluster (RAY_AUTH_MODE=token and RAY_AUTH_TOKEN for one that wants a token)"
            lines = [line for line in str(error).splitlines() if line] or [type(error).__name__]
            found = lines[-1] if lines[0].endswith(":") else lines[0]
            raise InputError(place="engine", field="ray-address", expected=expected, found=found) from error
    return ray
