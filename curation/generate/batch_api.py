"""The Batch API of a provider: a file of requests goes up, a job is made of it, a file of answers comes down."""

from collections.abc import Iterator, Mapping
from typing import Any

from curation.generate.endpoint import Request
from curation.generate.statuses import OK
from curation.generate.trouble import FaultError
from curation.generate.web import OpenAIEndpoint, Received
from schemas.codec import dumps, loads
from schemas.errors import EndpointError
from schemas.record import Row

WINDOW = "24h"
NAME = "dolly_data"
"""The metadata field that a job is found by."""


class BatchApi:
    """Files and batches of one endpoint. Nothing is repeated here."""

    def __init__(self, endpoint: OpenAIEndpoint) -> None:
        self._endpoint = endpoint

    def line(self, request: Request) -> bytes:
        """Return a request as a line of a job's file."""
        row = {
            "custom_id": request.key,
            "method": "POST",
            "url": path_of(request),
            "body": self._endpoint.body(request),
        }
        return dumps(row) + b"\n"

    def learn(self, error: object, params: Mapping[str, Any]) -> bool:
        """Note that the model does not take a parameter, for the lines of later jobs; return whether that was news."""
        return self._endpoint.learn(error, params)

    async def upload(self, content: bytes) -> str:
        """Upload a file of requests; returns its id."""
        file = ("requests.jsonl", content)
        called = self._endpoint.called(lambda api: api.files.with_raw_response.create(file=file, purpose="batch"))
        return str(self._checked(await called)["id"])

    async def create(self, file: str, path: str, name: str) -> str:
        """Make a job of a file; returns its id."""
        called = self._endpoint.called(
            lambda api: api.batches.with_raw_response.create(
                input_file_id=file, endpoint=path, completion_window=WINDOW, metadata={NAME: name}
            )
        )
        return str(self._checked(await called)["id"])

    async def find(self, name: str) -> str:
        """Return the id of the job with this name among the provider's latest, or an empty text."""
        called = self._endpoint.called(lambda api: api.batches.with_raw_response.list(limit=100))
        listed = self._checked(await called)
        for one in listed.get("data") or ():
            if (one.get("metadata") or {}).get(NAME) == name:
                return str(one["id"])
        return ""

    async def look(self, job: str) -> Row:
        """Return how a job stands."""
        return self._checked(await self._endpoint.called(lambda api: api.batches.with_raw_response.retrieve(job)))

    async def results(self, state: Row) -> list[Mapping[str, Any]]:
        """Return the rows of what a job has answered and of what it has not."""
        rows: list[Mapping[str, Any]] = []
        for kind in ("output_file_id", "error_file_id"):
            if file := state.get(kind):
                rows += _rows(await self._content(str(file)))
        return rows

    async def _content(self, file: str) -> bytes:
        received = await self._endpoint.called(lambda api: api.files.with_raw_response.content(file))
        if received.status != OK:
            self._endpoint.raise_for(received)
        return received.content

    def _checked(self, received: Received) -> Row:
        """Return the body of an answer.

        Raises:
            BusyError: later.
            FaultError: another attempt may help.
            EndpointError: no attempt will help; there may be no Batch API at all.
        """
        if received.status == OK:
            try:
                body = loads(received.content)
            except ValueError:
                body = None
            if isinstance(body, Mapping):
                return body
            raise FaultError(f"{self._endpoint.place}: expected JSON about a batch")
        self._endpoint.raise_for(received)
        raise EndpointError(self._endpoint.words_of(received))


def path_of(request: Request) -> str:
    """Return the address that a request of a job is for."""
    return "/v1/completions" if request.prompt else "/v1/chat/completions"


def _rows(content: bytes) -> Iterator[Mapping[str, Any]]:
    for line in content.splitlines():
        if line.strip():
            yield loads(line)
