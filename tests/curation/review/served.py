"""A review that is really served: the application, its server, and a client that is not a browser."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette

from curation.review.desk import Desk
from curation.review.opening import open_desk
from curation.review.queues import Seating
from curation.review.web.app import make_app
from curation.review.web.guard import Keys
from curation.review.web.serve import Address, listening
from schemas.step import StepDirectory


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(slots=True, kw_only=True)
class Served:
    """A running review."""

    desk: Desk
    keys: Keys
    cookie: str = ""
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """What the command prints."""
        return f"http://127.0.0.1:{self.keys.port}/?token={self.keys.token}"

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send one request and follow nothing."""
        connection = HTTPConnection("127.0.0.1", self.keys.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent.setdefault("cookie", self.cookie)
        body = urlencode(form) if form is not None else None
        if body is not None:
            sent["content-type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, sent)
            return _read(connection.getresponse())
        finally:
            connection.close()

    def enter(self) -> Answer:
        """Exchange the token for the cookie."""
        answer = self.ask("GET", f"/?token={self.keys.token}")
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def decide(self, queue: str, number: int, **form: str) -> Answer:
        """Decide about a row as the page's form does."""
        sha256 = self.desk.queue(queue)[number - 1].sha256  # type: ignore[arg-type]  # one of the queues
        return self.ask("POST", f"/{queue}/{number}", {"sha256": sha256, **form})


def _read(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(status=response.status, headers=headers, text=response.read().decode())


@contextmanager
def served(step: StepDirectory, seating: Seating | None = None) -> Iterator[Served]:
    """Serve a step's review in a thread of its own, and stop it at the end."""
    desk = open_desk(step, seating or Seating())
    try:
        with serving(lambda keys: make_app(desk, keys)) as keys:
            yield Served(desk=desk, keys=keys)
    finally:
        desk.store.close()
        desk.rows.close()


@contextmanager
def serving(make: Callable[[Keys], Starlette]) -> Iterator[Keys]:
    """Serve an application in a thread of its own, and stop it at the end."""
    with listening(Address()) as listener:
        keys = Keys(port=listener.getsockname()[1])
        config = uvicorn.Config(make(keys), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield keys
        finally:
            server.should_exit = True
            thread.join(20)
