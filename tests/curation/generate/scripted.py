"""Endpoints for tests: a scripted one, and an HTTP server on loopback that does what it is told and keeps a ledger."""

import asyncio
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from curation.generate.endpoint import Answer, Endpoint, Request, read_answer
from curation.mock import service
from curation.mock.service import RefusedError

VERBS = (
    "Describe", "Explain", "List", "Compare", "Invent", "Plan", "Praise", "Rewrite", "Outline", "Sketch", "Suggest",
    "Weigh",
)  # fmt: skip
THINGS = (
    "harbour", "lantern", "orchard", "compass", "glacier", "violin", "market", "bridge", "recipe", "meadow", "engine",
    "planet", "castle", "pencil", "kettle", "desert", "library", "sparrow", "island", "carpet", "thunder", "mirror",
    "ladder", "copper", "basket", "canyon", "pepper", "tunnel", "winter", "saddle",
)  # fmt: skip


MARK = re.compile("<(k[0-9a-f]{9}) instruction>")
"""The mark of a request for whole items."""


def completion(text: str, *, finish: str = "stop", model: str = "scripted") -> dict[str, Any]:
    """Return a chat completion as an endpoint would send it."""
    return {
        "model": model,
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": len(text.split())},
    }


def numbers_of(text: str) -> Iterator[int]:
    """Yield numbers that are a function of a text."""
    at = 0
    while True:
        at += 1
        yield int.from_bytes(hashlib.sha256(f"{text} {at}".encode()).digest()[:4])


def spoken(messages: list[Mapping[str, str]], sample: str = "") -> tuple[str, str]:
    """Answer as a model might, well and badly, as a function of what was asked: text and finish reason."""
    number = numbers_of(json.dumps(messages) + sample)
    first, last = (messages[0]["content"], messages[-1]["content"]) if messages else ("", "")
    if not messages or first.startswith("You rewrite tasks"):
        return _task(number), "stop"
    if mark := MARK.search(first):
        return _marked(number, mark[1]), "stop"
    if last.startswith(("Write ", "Text:")) and " new " in last:
        return _tasks(number), "length" if next(number) % 7 == 0 else "stop"
    if next(number) % 9 == 0:
        return " ".join(_things(number, 9)), "length"
    return "" if next(number) % 17 == 0 else f"It is about {' and '.join(_things(number, 6))}.", "stop"


def _task(number: Iterator[int]) -> str:
    return f"{VERBS[next(number) % 12]} the {' of the '.join(_things(number, 3))}."


def _marked(number: Iterator[int], mark: str) -> str:
    fields = "<{0} instruction>\n{1}\n<{0} response>\nIt is about {2}.\n<{0} end>"
    return "\n".join(fields.format(mark, _task(number), " and ".join(_things(number, 5))) for _ in range(3))


def _tasks(number: Iterator[int]) -> str:
    lines = [f"{at}. {VERBS[next(number) % 12]} the {' of the '.join(_things(number, 3))}." for at in range(1, 5)]
    if next(number) % 5 == 0:
        lines[0] = "Here you are, some tasks"
    if next(number) % 5 == 0:
        lines[1] = "2. Describe [your town] in a letter."
    return "\n".join(lines)


def _things(number: Iterator[int], count: int) -> list[str]:
    return [THINGS[next(number) % len(THINGS)] for _ in range(count)]


@dataclass
class Scripted:
    """An endpoint that answers out of a function, after a while that differs from request to request."""

    answer: Callable[[list[Mapping[str, str]], str], tuple[str, str]] = spoken
    wait_s: float = 0.0
    asked: list[Request] = field(default_factory=list)

    async def ask(self, request: Request) -> Answer:
        """Answer as the function says."""
        self.asked.append(request)
        await asyncio.sleep(self.wait_s * (int(request.key[:2], 16) / 255))
        text, finish = self.answer([message._asdict() for message in request.messages], str(request.sample))
        return read_answer(completion(text, finish=finish))


def answer_of(endpoint: Endpoint, request: Request) -> Answer:
    """Ask one question, in an event loop of its own."""
    return asyncio.run(endpoint.ask(request))


@dataclass(frozen=True)
class Reply:
    """What the server does with one request."""

    status: int = 200
    body: str | None = None
    """None: what `spoken` says."""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0


@dataclass
class Told:
    """A running server: its address, what it is told to do next, and what it did."""

    address: str
    replies: list[Reply]
    ledger: list[dict[str, Any]] = field(default_factory=list)
    """The body of every request that was answered with 200, with the time it came."""
    seen: list[tuple[float, str]] = field(default_factory=list)
    """When every request came, and its Authorization header."""
    paths: list[str] = field(default_factory=list)
    """Where every request went, with its query."""


@contextmanager
def told_server(
    *replies: Reply, slow_s: float = 0.0, answer: Callable[[list[Mapping[str, str]]], tuple[str, str]] = spoken
) -> Iterator[Told]:
    """Serve the replies in turn, then answer as the function does."""
    told = Told(address="", replies=list(replies))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                told.seen.append((time.monotonic(), self.headers.get("Authorization", "")))
                told.paths.append(self.path)
                reply = told.replies.pop(0) if told.replies else Reply(wait_s=slow_s)
            time.sleep(reply.wait_s)
            text, finish = answer(sent["messages"])
            body = reply.body if reply.body is not None else json.dumps(completion(text, finish=finish))
            if reply.status == 200:
                with lock:
                    told.ledger.append(sent)
            self._send(reply, body.encode())

        def _send(self, reply: Reply, body: bytes) -> None:
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client is gone: killed, or it did not want to wait

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


class UnsupportedError(RefusedError):
    """The refusal of a parameter, as OpenAI words it."""

    def __init__(self, name: str) -> None:
        super().__init__(400, "unsupported_parameter", f"Unsupported parameter: {name}")
        self.name = name

    @property
    def body(self) -> dict[str, Any]:
        """The error, with the parameter's name."""
        return {"error": {**super().body["error"], "param": self.name}}


def takes_no(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """Have the mock endpoint refuse parameters, the first of them first; returns the names as they are refused."""
    refused: list[str] = []

    def check(body: Mapping[str, Any]) -> None:
        for name in names:
            if name in body:
                refused.append(name)
                raise UnsupportedError(name)

    monkeypatch.setattr(service, "_check", check)
    return refused


IDEAS = (
    "Give five uses of an old ladder.",
    "What could a village do with an empty chapel?",
    "Names for a boat that carries vegetables, please.",
    "Suggest rainy games that need no toys.",
    "How might somebody thank a neighbour without money?",
    "Ways to keep pigeons off a balcony?",
    "List topics for an evening lecture about rivers.",
    "Think of prizes for the slowest cyclist in town.",
)
QUESTIONS = (
    "Why does bread rise?",
    "Who invented the umbrella, and where?",
    "How long do tortoises live in the wild?",
    "What makes thunder roll instead of crack?",
    "Is a tomato more like a berry than a nut?",
    "When did people begin to count in dozens?",
    "Explain how lighthouses got their power before electricity.",
    "Which metals float on mercury?",
)
TEXTS = (
    ("Which harbour was closed first", "Of the nine harbours, Elm Quay was closed in 1903 and Ashport in 1910."),
    ("How many passengers did the ferry carry", "On its last day the ferry carried 41 passengers and two goats."),
    ("What did Mrs Lindqvist plant", "Mrs Lindqvist planted leeks in April, and the mayor planted nothing."),
    ("Who repaired the clock in the end", "After three clockmakers had failed, the baker repaired the clock."),
    ("At what height is the hut", "The hut stands at 2,140 metres, an hour above the tree line."),
    ("Why was the concert moved indoors", "A storm warning at noon moved the concert into the gymnasium."),
    ("From whom had Tomas borrowed his skates", "Tomas skated on his aunt's skates, which were too large."),
    ("What colour will the new trams have", "The council chose green for the new trams, by six votes to five."),
)


def seed_file(folder: Path) -> Path:
    """Write a small file of sound seeds: three categories, one of them about texts."""
    rows = []
    for at, (idea, question, text) in enumerate(zip(IDEAS, QUESTIONS, TEXTS, strict=True)):
        rows.append(
            _seed(f"open {at}", "open_qa", question, "", f"Nobody knows for sure, but there are {at + 2} guesses.")
        )
        rows.append(_seed(f"idea {at}", "brainstorming", idea, "", f"1. Sell it for {at + 1} coins.\n2. Give it away."))
        rows.append(_seed(f"read {at}", "closed_qa", f"{text[0]}?", text[1], f"It was number {at + 3}."))
    path = folder / "seeds.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _seed(name: str, category: str, instruction: str, context: str, response: str) -> dict[str, str]:
    return {
        "name": name,
        "category": category,
        "instruction": instruction,
        "context": context,
        "response": response,
    }
