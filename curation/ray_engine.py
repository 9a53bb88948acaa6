"""Workers on a Ray cluster: the one place that knows Ray.

Chunks travel to actors and parts come back in order, as with the processes of one machine, so the driver holds few of
them at a time and the workers need no shared file system. That is Ray's core, not `ray.data`: a data set of Ray's has
to know its whole input beforehand, while ours streams. Actors, because work may hold a model, which is opened once.
"""

import os
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from schemas.errors import DollyError, InputError

RETRIES = 3
"""Times that a chunk is done again because its worker died; nodes may come and go any number of times."""


class RayWorkers:
    """Actors that all do the same work."""

    def __init__(self, work: Callable[[Any], Any], *, workers: int, address: str) -> None:
        self._ray = _started(workers, address)
        self.workers = workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        self._work = self._ray.put(work)  # its large arrays are mapped into every worker of a node, not copied
        kind = self._ray.remote(_Worker).options(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)
        self._actors = deque(kind.remote() for _ in range(self.workers))

    def submit(self, chunk: Any) -> Any:
        """Hand a chunk to the next worker in turn."""
        self._actors.rotate(-1)
        return self._actors[0].do.remote(self._work, chunk)

    def result(self, handle: Any) -> Any:
        """Wait for a part.

        Raises:
            DollyError: what the work itself refused, or workers that died too often.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(handle)
        except errors.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except errors.RayError as error:
            said = f"Ray's workers died {RETRIES + 1} times over the same records"
            raise DollyError(f"{said}: {str(error).splitlines()[0]}") from error

    def close(self) -> None:
        """Let the workers go; Ray itself runs on for the next work, and ends with this process."""
        for actor in self._actors:
            self._ray.kill(actor)


class _Worker:
    """What lives in a worker's process; the work comes with each chunk, so that a new one knows it, too."""

    def do(self, work: Callable[[Any], Any], chunk: Any) -> Any:
        return work(chunk)


def _started(workers: int, address: str) -> Any:
    """Return Ray, connected to the cluster at `address`, or started on this machine; nothing is reported to anyone."""
    if find_spec("ray") is None:
        raise InputError(
            place="engine", expected="Ray, from pip install 'dolly-instruct[ray]'", found="it is not installed"
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray  # noqa: PLC0415  # heavy, and an extra

    if not ray.is_initialized():
        here = {} if address else {"num_cpus": workers or None, "include_dashboard": False}
        try:
            ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **here)
        except (ConnectionError, ValueError, RuntimeError) as error:
            said = str(error).splitlines()[0]
            raise InputError(
                place="engine", field="ray-address", expected="a running Ray cluster", found=said
            ) from error
    return ray
