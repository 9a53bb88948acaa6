"""`dolly-data endpoint check`: what an endpoint can do, what it allows, and how fast it is, in under ten seconds."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from curation.generate.abilities import CHAT, PROBES, Probe, said
from curation.generate.endpoint import read_answer
from curation.generate.statuses import OK, error_in
from curation.generate.trouble import BusyError, FaultError
from curation.generate.web import OpenAIEndpoint, Received, open_endpoint
from schemas.codec import loads
from schemas.errors import EndpointError
from schemas.record import Row

SECONDS = 9.0
"""For everything."""
SHARE_OF_PROBES = 0.6
"""Of the time that is left after the first answer."""
STORY = "Tell me a long story about a lighthouse."
STORY_TOKENS = 32
WORDS_MOST = 100
"""Characters of what was answered."""
NOT_IN_TIME = "no answer in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Whether an endpoint can do something."""

    what: str
    able: bool | None
    """None: it did not answer in time."""
    found: str
    """What it answered, shortened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of an endpoint."""

    place: str
    model: str
    models: int | None
    """Models that it lists; None: it lists none."""
    abilities: Mapping[str, Ability]
    limits: Mapping[str, str] = field(default_factory=dict)
    """What its headers say of limits."""
    first_token_s: float | None = None
    """Seconds from the request to the first token."""
    tokens_per_s: float | None = None
    """Of one answer, after its first token."""
    tokens_per_s_at_once: float | None = None
    """Of `at_once` answers together."""
    at_once: int = 0
    seconds: float = 0.0
    """That all of this took."""


async def check_endpoint(base_url: str, model: str = "", *, at_once: int = 8, seconds: float = SECONDS) -> Report:
    """Find out what the endpoint at `base_url` can do; `model`: one of its models, empty: the first that it lists.

    Raises:
        EndpointError: it does not answer a chat, in its own words.
    """
    began = time.monotonic()
    async with open_endpoint(base_url, timeout_s=seconds) as endpoint:
        names = await _models(endpoint)
        model = model or (names[0] if names else "default")
        limits = await _first_answer(endpoint, model)
        left = seconds - (time.monotonic() - began)
        abilities = await _abilities(endpoint, model, left * SHARE_OF_PROBES)
        left = seconds - (time.monotonic() - began)
        first, alone = await _streamed(endpoint, model, left / 2)
        left = seconds - (time.monotonic() - began)
        together = await _together(endpoint, model, at_once, left)
        return Report(
            place=endpoint.place,
            model=model,
            models=None if names is None else len(names),
            abilities=abilities,
            limits=limits,
            first_token_s=first,
            tokens_per_s=alone,
            tokens_per_s_at_once=together,
            at_once=at_once,
            seconds=round(time.monotonic() - began, 1),
        )


async def _models(endpoint: OpenAIEndpoint) -> list[str] | None:
    """Return the names of the models that are listed; None: there is no list."""
    with suppress(FaultError):
        listed = _body(await endpoint.send("GET", "/models")).get("data")
        if isinstance(listed, list):
            return [str(one.get("id")) for one in listed if isinstance(one, Mapping)]
    return None


async def _first_answer(endpoint: OpenAIEndpoint, model: str) -> dict[str, str]:
    """Have a chat answered, which everything else needs; return what its headers say of limits."""
    asked = said("Say yes.", 2)
    try:
        try:
            received = await _chat(endpoint, model, asked)
        except FaultError:  # `transformers serve` hangs up after an error, such as about the list of models
            received = await _chat(endpoint, model, asked)
        while received.status != OK and endpoint.learn(error_in(received.content), asked):
            received = await _chat(endpoint, model, asked)
        if received.status != OK:
            endpoint.raise_for(received)
    except (BusyError, FaultError) as error:
        raise EndpointError(str(error)) from None
    return {name.lower(): value for name, value in received.headers.items() if "ratelimit" in name.lower()}


async def _chat(endpoint: OpenAIEndpoint, model: str, asked: Row) -> Received:
    return await endpoint.send("POST", CHAT, {"model": model, **endpoint.named(asked)})


async def _abilities(endpoint: OpenAIEndpoint, model: str, seconds: float) -> dict[str, Ability]:
    """Ask all probes at once."""
    made = await asyncio.gather(
        *(_ability(endpoint, model, probe, seconds) for probe in PROBES.values()), _batches(endpoint, seconds)
    )
    return dict(zip([*PROBES, "batch"], made, strict=True))


async def _ability(endpoint: OpenAIEndpoint, model: str, probe: Probe, seconds: float) -> Ability:
    body = {"model": model, **endpoint.named(probe.body)}
    received = await _in_time(endpoint, "POST", probe.path, body, seconds)
    if isinstance(received, str):
        return Ability(what=probe.what, able=None if received == NOT_IN_TIME else False, found=received)
    if received.status != OK:
        return Ability(what=probe.what, able=False, found=endpoint.words_of(received)[:WORDS_MOST])
    found = _body(received)
    return Ability(what=probe.what, able=probe.shows(found), found=read_answer(found).text.strip()[:WORDS_MOST])


async def _batches(endpoint: OpenAIEndpoint, seconds: float) -> Ability:
    """Look whether jobs can be listed: the Batch API, for `--mode batch`."""
    what = "batches of requests (--mode batch)"
    received = await _in_time(endpoint, "GET", "/batches?limit=1", None, seconds)
    if isinstance(received, str):
        return Ability(what=what, able=None if received == NOT_IN_TIME else False, found=received)
    able = received.status == OK and isinstance(_body(received).get("data"), list)
    return Ability(what=what, able=able, found="" if able else f"{received.status}")


async def _in_time(
    endpoint: OpenAIEndpoint, method: str, path: str, body: Row | None, seconds: float
) -> Received | str:
    """Return the answer, or why there is none."""
    try:
        async with asyncio.timeout(seconds):
            return await endpoint.send(method, path, body)
    except TimeoutError:
        return NOT_IN_TIME
    except FaultError as error:
        return str(error)[:WORDS_MOST]


async def _streamed(endpoint: OpenAIEndpoint, model: str, seconds: float) -> tuple[float | None, float | None]:
    """Return the seconds to the first token of a streamed answer, and its tokens a second from there on."""
    body = {"model": model, "stream": True, **endpoint.named(said(STORY, STORY_TOKENS))}
    began = time.monotonic()
    at: list[float] = []
    with suppress(TimeoutError, FaultError):
        async with asyncio.timeout(seconds), _lines(endpoint, body) as lines:
            async for line in lines:
                at += [time.monotonic()] * _has_text(line)
    if not at:
        return None, None
    spans = len(at) - 1
    return round(at[0] - began, 3), round(spans / (at[-1] - at[0]), 1) if spans and at[-1] > at[0] else None


@asynccontextmanager
async def _lines(endpoint: OpenAIEndpoint, body: Row) -> AsyncIterator[AsyncIterator[bytes]]:
    async with endpoint.streamed("POST", CHAT, body) as lines:
        yield lines


async def _together(endpoint: OpenAIEndpoint, model: str, at_once: int, seconds: float) -> float | None:
    """Return the tokens a second of several answers at a time, as far as they came in time."""
    began = time.monotonic()
    bodies = [
        {"model": model, **endpoint.named(said(f"{STORY} Begin with the number {number}.", STORY_TOKENS))}
        for number in range(at_once)
    ]
    answers = await asyncio.gather(*(_in_time(endpoint, "POST", CHAT, body, seconds) for body in bodies))
    took = time.monotonic() - began
    tokens = sum(_tokens(one) for one in answers)
    return round(tokens / took, 1) if tokens and took else None


def _tokens(received: Received | str) -> int:
    if isinstance(received, str) or received.status != OK:
        return 0
    return read_answer(_body(received)).completion_tokens or 0


def _has_text(line: bytes) -> bool:
    """Say whether an event of a stream brings text."""
    if not line.startswith(b"data: {"):
        return False
    try:
        choices: Any = loads(line.removeprefix(b"data: ")).get("choices")
    except ValueError:
        return False
    delta = choices[0].get("delta") if choices else None
    return bool(delta and (delta.get("content") or delta.get("reasoning_content") or delta.get("reasoning")))


def _body(received: Received) -> Row:
    try:
        body = loads(received.content)
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}
