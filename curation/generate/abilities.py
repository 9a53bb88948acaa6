"""What an endpoint may be able to do, each with a question whose answer shows it.

Not whether it answers 200: servers accept parameters that they then ignore. So each question is one that would be
answered otherwise without the ability: a schema that no model would follow by itself, JSON where prose was asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from curation.generate.endpoint import read_answer
from schemas.codec import loads
from schemas.record import Row

CHAT, TEXT = "/chat/completions", "/completions"
CODE = {"answer_code": "zebra"}
"""What the schema allows: nothing else."""
GREETING = "Good morning! How are you today?"
PLAIN_WORDS = "Say good morning in plain words. Do not answer in JSON."
PROMPT = "The capital of France is"
CONST = {"type": "string", "enum": [CODE["answer_code"]]}
SCHEMA = {
    "type": "object",
    "properties": {"answer_code": CONST},
    "required": ["answer_code"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "hand_over", "description": "Takes it.", "parameters": SCHEMA}}
CHOICE = {"type": "function", "function": {"name": "hand_over"}}


class Probe(NamedTuple):
    """A question that shows an ability."""

    what: str
    """The ability, for people."""
    path: str
    body: Mapping[str, Any]
    """What is sent, besides the model."""
    shows: Callable[[Row], bool]
    """Whether a completion shows the ability."""


def said(text: str, tokens: int, **more: object) -> dict[str, Any]:
    """Return the body of a question in a chat."""
    return {"messages": [{"role": "user", "content": text}], "max_tokens": tokens, "temperature": 0, **more}


def continued(tokens: int, **more: object) -> dict[str, Any]:
    """Return the body of a raw prompt."""
    return {"prompt": PROMPT, "max_tokens": tokens, "temperature": 0, **more}


def _kept_schema(body: Row) -> bool:
    return bool(_json(read_answer(body).text) == CODE)


def _is_json(body: Row) -> bool:
    text = read_answer(body)
    # one that was cut shows it as well: prose does not begin with a brace
    return isinstance(_json(text.text), Mapping) or (text.finish_reason == "length" and text.text.lstrip()[:1] == "{")


def _called(body: Row) -> bool:
    message = _choice(body).get("message")
    return bool(isinstance(message, Mapping) and message.get("tool_calls"))


def _two(body: Row) -> bool:
    choices = body.get("choices")
    return isinstance(choices, list) and len(choices) == 2  # noqa: PLR2004  # as asked


def _logprobs(body: Row) -> bool:
    logprobs = _choice(body).get("logprobs")
    return bool(isinstance(logprobs, Mapping) and (logprobs.get("content") or logprobs.get("token_logprobs")))


def _prompt_logprobs(body: Row) -> bool:
    """Say whether the prompt's own tokens are scored: there are more of them than one was asked for."""
    choice = _choice(body)
    logprobs = choice.get("logprobs")
    scored = logprobs.get("token_logprobs") if isinstance(logprobs, Mapping) else None
    echoed = str(choice.get("text", "")).startswith(PROMPT)
    return bool(choice.get("prompt_logprobs")) or (echoed and isinstance(scored, list) and len(scored) > 2)  # noqa: PLR2004  # one of the answer


def _answered(body: Row) -> bool:
    return bool(body.get("choices"))


def _usage(body: Row) -> bool:
    answer = read_answer(body)
    return bool(answer.prompt_tokens and answer.completion_tokens)


PROBES: Mapping[str, Probe] = {
    "usage": Probe("says what an answer cost", CHAT, said(GREETING, 2), _usage),
    "schema": Probe("keeps to a JSON schema", CHAT, said(GREETING, 24, response_format=FORMAT), _kept_schema),
    "json": Probe("JSON mode", CHAT, said(PLAIN_WORDS, 16, response_format={"type": "json_object"}), _is_json),
    "tools": Probe("calls the tool it has to", CHAT, said(GREETING, 24, tools=[TOOL], tool_choice=CHOICE), _called),
    "n": Probe("several answers to one request (n)", CHAT, said(GREETING, 2, n=2), _two),
    "logprobs": Probe("log-probabilities of the answer", CHAT, said(GREETING, 2, logprobs=True), _logprobs),
    "completions": Probe("continues a raw prompt (for magpie)", TEXT, continued(2), _answered),
    "prompt_logprobs": Probe(
        "log-probabilities of a prompt", TEXT, continued(1, echo=True, logprobs=1), _prompt_logprobs
    ),
}
"""Name → probe."""


def _choice(body: Row) -> Mapping[str, Any]:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    return first if isinstance(first, Mapping) else {}


def _json(text: str) -> object:
    try:
        value: object = loads(text)
    except ValueError:
        return None
    return value
