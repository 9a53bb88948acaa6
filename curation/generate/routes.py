"""Two models in one run, one that writes instructions and one that answers them: each request goes to its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from curation.generate.endpoint import Answer, Endpoint, Request


class Closable(Endpoint, Protocol):
    """An endpoint that can be told that nothing more is to be sent."""

    def close(self) -> None:
        """Let go whoever waits."""


@dataclass(frozen=True, slots=True)
class Closing:
    """An endpoint whose inner part is what has to be told."""

    endpoint: Endpoint
    close: Callable[[], None]

    async def ask(self, request: Request) -> Answer:
        """Return the answer."""
        return await self.endpoint.ask(request)


class Routes:
    """Sends each request to the endpoint of its model."""

    def __init__(self, usual: Closable, others: Mapping[str, Closable], online: Endpoint) -> None:
        """Take the usual endpoint, and those of particular models."""
        self._usual, self._others = usual, others
        self.online = online
        """The usual one, asked at once also in batch mode; what either learns of the model, the other knows."""

    async def ask(self, request: Request) -> Answer:
        """Return the answer of the endpoint that has the request's model."""
        return await self._others.get(request.model, self._usual).ask(request)

    def close(self) -> None:
        """Let go whoever waits, everywhere."""
        for endpoint in (self._usual, *self._others.values()):
            endpoint.close()
