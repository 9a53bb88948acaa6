"""Batch mode: an endpoint whose requests are gathered into jobs of the provider's Batch API, at half the price.

Whatever is asked until nothing more is asked for a moment becomes one job for each model; so a round is a job for each
phase: all lists, then all contexts, then all responses. Jobs are written down before they are submitted (`jobs`): a run
that was stopped finds them again and waits for the same ones. A job that expired or was cancelled yields what it has
finished, and the rest is asked again.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from curation.generate.batch_api import BatchApi, path_of
from curation.generate.endpoint import BROKEN, Answer, Request, read_answer
from curation.generate.jobs import ENDED, Job, Jobs
from curation.generate.limiter import Patience
from curation.generate.statuses import unsupported_in
from curation.generate.trouble import BusyError, FaultError
from schemas.errors import EndpointError

LINGER_S = 0.3
"""Seconds without a new request after which those that were gathered are submitted."""
MOST = 50_000
"""Requests of a job: OpenAI's limit."""
MOST_BYTES = 100_000_000
POLL_S, POLL_GROWS, POLL_MOST_S = 0.2, 1.5, 30.0
"""Seconds before a job is first looked at, the factor by which they grow, and how far."""
AFTER_S = 1.0
"""Seconds before a call that failed is made again; doubled each time."""
FAILED = "failed"
OK, REFUSED = 200, (400, 413, 422)

Made = TypeVar("Made")


class Batched:
    """An endpoint that answers when the provider's jobs are done."""

    def __init__(self, api: BatchApi, jobs: Jobs, patience: Patience | None = None) -> None:
        self._api, self._jobs, self._patience = api, jobs, patience or Patience()
        self._gathered: dict[str, Request] = {}
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._found: dict[str, Answer] = {}
        """Answers of earlier jobs that nobody has asked for yet."""
        self._followed: set[str] = set()
        self._has_answered = False
        self._again: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, request: Request) -> Answer:
        """Return the answer, when its job is done.

        Raises:
            EndpointError: the provider will not do it.
        """
        key = request.key
        if key in self._found and not _is_of_parameters(found := self._found.pop(key), request):
            return found
        loop = asyncio.get_running_loop()
        future = self._waiting.setdefault(key, loop.create_future())
        self._gather(key, request)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Wait for no job: what was submitted is found again by the next run."""
        if self._timer:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        for future in self._waiting.values():
            future.cancel()

    def _gather(self, key: str, request: Request) -> None:
        self._gathered[key] = request
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._begin)

    def _begin(self) -> None:
        """Submit what was gathered, but for what stands in a job already."""
        gathered, self._gathered = self._gathered, {}
        for job in self._jobs.open:
            known = [key for key in job.keys if key in gathered]
            if known and job.name not in self._followed:
                self._followed.add(job.name)
                self._start(self._resume(job, {key: gathered[key] for key in known}))
            for key in known:
                del gathered[key]
        for part in _parts(gathered, self._api.line):
            self._start(self._submit(part))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Do the work; what it raises is raised wherever somebody waits for an answer."""
        try:
            await work
        except Exception as error:  # noqa: BLE001  # it is not swallowed: whoever waits gets it
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(error)

    async def _submit(self, requests: Mapping[str, Request]) -> None:
        """Make a job of requests, and wait for it."""
        content = b"".join(map(self._api.line, requests.values()))
        job = self._jobs.plan(hashlib.sha256(content).hexdigest(), requests)
        self._followed.add(job.name)
        job = self._jobs.update(job, file=await self._called(lambda: self._api.upload(content)))
        path = path_of(next(iter(requests.values())))
        identity = await self._called(lambda: self._created(job, path))
        await self._follow(self._jobs.update(job, id=identity), requests)

    async def _created(self, job: Job, path: str) -> str:
        """Create a job, or find it: whether an attempt that failed had created it nobody knows."""
        return await self._api.find(job.name) or await self._api.create(job.file, path, job.name)

    async def _resume(self, job: Job, requests: Mapping[str, Request]) -> None:
        """Wait for a job of an earlier run, if it reached the provider at all."""
        identity = job.id or await self._called(lambda: self._api.find(job.name))
        if identity:
            await self._follow(self._jobs.update(job, id=identity), requests)
            return
        self._jobs.update(job, status="never submitted")
        for key, request in requests.items():
            self._gather(key, request)

    async def _follow(self, job: Job, requests: Mapping[str, Request]) -> None:
        """Wait for the end of a job, hand out its answers, and ask again for what it has not answered."""
        state = await self._ended(job)
        answers = dict(_answers(await self._called(lambda: self._api.results(state))))
        wrong = [key for key in requests if key in answers and _is_of_parameters(answers[key], requests[key])]
        refused = {key: answers.pop(key) for key in wrong}
        learnt = [self._api.learn(answer.body["error"], requests[key].params) for key, answer in refused.items()]
        for key, answer in answers.items():
            self._hand_out(key, answer)
        self._jobs.update(job, status=str(state["status"]))
        left = {key: request for key, request in requests.items() if key not in answers}
        for key, request in left.items():
            if key in refused and any(learnt):
                self._gather(key, request)
            else:
                self._ask_again(key, request)

    async def _ended(self, job: Job) -> Mapping[str, Any]:
        pause = POLL_S
        while True:
            await asyncio.sleep(pause)
            pause = min(POLL_MOST_S, pause * POLL_GROWS)
            state = await self._called(lambda: self._api.look(job.id))
            if state.get("status") == FAILED:
                self._jobs.update(job, status=FAILED)
                raise EndpointError(f"batch {job.id} failed: {_errors(state)}")
            if state.get("status") in ENDED:
                return state

    def _hand_out(self, key: str, answer: Answer) -> None:
        self._has_answered = True
        future = self._waiting.pop(key, None)
        if future is None:
            self._found[key] = answer
        elif not future.done():
            future.set_result(answer)

    def _ask_again(self, key: str, request: Request) -> None:
        """Put a request into the next job; after so many, its fault is its answer, if others were answered."""
        self._again[key] += 1
        if self._again[key] < self._patience.attempts:
            self._gather(key, request)
        elif self._has_answered:
            self._hand_out(key, read_answer({"error": "no batch answered it", BROKEN: True}))
        else:
            raise EndpointError(f"{self._patience.attempts} batches in a row answered nothing")

    async def _called(self, call: Callable[[], Awaitable[Made]]) -> Made:
        """Call the provider, and again where that may help, as long as anyone's patience lasts."""
        deadline, pause = asyncio.get_running_loop().time() + self._patience.patience_s, AFTER_S
        while True:
            try:
                return await call()
            except (BusyError, FaultError) as error:
                said = error.limits.wait_s if isinstance(error, BusyError) else None
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise EndpointError(f"{error}; the jobs so far are kept, and found again") from None
            await asyncio.sleep(pause if said is None else said)
            pause *= 2


def _parts(requests: Mapping[str, Request], line: Callable[[Request], bytes]) -> Iterator[dict[str, Request]]:
    """Yield requests in portions of what one job takes: one model, one address, so many, so many bytes."""
    groups: dict[tuple[str, str], dict[str, Request]] = {}
    for key, request in requests.items():
        groups.setdefault((request.model, path_of(request)), {})[key] = request
    for group in groups.values():
        part: dict[str, Request] = {}
        size = 0
        for key, request in group.items():
            more = len(line(request))
            if part and (len(part) == MOST or size + more > MOST_BYTES):
                yield part
                part, size = {}, 0
            part[key] = request
            size += more
        yield part


def _answers(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, Answer]]:
    """Yield the answers of a job by key; what is none is left out, and asked again."""
    for row in rows:
        response = row.get("response") or {}
        body = response.get("body")
        with suppress(KeyError):
            if response.get("status_code") == OK and isinstance(body, Mapping) and body.get("choices"):
                yield row["custom_id"], read_answer(body)
            elif response.get("status_code") in REFUSED:
                error = body.get("error", body) if isinstance(body, Mapping) else body
                yield row["custom_id"], read_answer({"error": error})


def _is_of_parameters(answer: Answer, request: Request) -> bool:
    """Say whether a request was refused for a parameter that the model does not take: it is asked again without."""
    return bool(unsupported_in(answer.body.get("error"), request.params))


def _errors(state: Mapping[str, Any]) -> str:
    listed = (state.get("errors") or {}).get("data") or ()
    return "; ".join(str(one.get("message")) for one in listed) or "the provider does not say why"
