"""The mock model: a chat request in, a completion out, the same for the same request and seed.

It obeys what a model's server obeys: `response_format`, `tools`, `n`, `stop`, `max_tokens`, `logprobs`. A token is four
characters, so that a text never has more tokens than bytes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from curation.mock import words
from curation.mock.schema import Filler
from schemas.codec import dumps

TOKEN = 4
"""Characters of a token."""
PER_MESSAGE, PER_PROMPT = 4, 3
"""Tokens that a chat form adds."""
LOGPROB = -0.5
ANY_OBJECT = {
    "properties": {
        "items": {
            "type": "array",
            "items": {"properties": {"instruction": {}, "context": {}, "response": {}}},
        }
    }
}
"""What is answered where JSON is wanted and nobody says of what form."""

_COUNT = re.compile(
    r"\b(?:write|give|list|make|create|produce|generate|propose)\b[^.\n]{0,24}?\b(\d{1,3})\b", re.IGNORECASE
)
_SOME = ("task", "question", "instruction", "item")
_YES_OR_NO = re.compile(r"\byes or no\b|\byes/no\b", re.IGNORECASE)
_PASSAGE = re.compile(r"^write a (?:short )?(?:text|passage|context|paragraph)", re.IGNORECASE)
_SHORT = re.compile(r"in a few words|one word", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One choice of a completion."""

    text: str
    tool: str = ""
    """The function whose arguments `text` is; empty: none is called."""
    reasoning: str = ""
    finish: str = "stop"

    @property
    def tokens(self) -> int:
        """Tokens of everything that was said."""
        return tokens_of(self.text) + tokens_of(self.reasoning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model makes of a request."""

    model: str
    prompt_tokens: int
    choices: tuple[Said, ...]
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def completion_tokens(self) -> int:
        """Tokens of all choices."""
        return sum(said.tokens for said in self.choices)

    @property
    def usage(self) -> dict[str, int]:
        """The tokens as the API reports them."""
        prompt, completion = self.prompt_tokens, self.completion_tokens
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def tokens_of(text: str) -> int:
    """Return how many tokens a text has."""
    return -(-len(text) // TOKEN)


def complete(body: Mapping[str, Any], key: str, *, seed: int, fault: str = "") -> Completion:
    """Answer a chat request whose hash is `key`; `fault` is one of ANSWER_FAULTS, or `empty_choices`."""
    messages = [(str(one.get("role")), _content(one.get("content"))) for one in body["messages"]]
    prompt_tokens = PER_PROMPT + sum(PER_MESSAGE + tokens_of(text) for _, text in messages)
    prompt_tokens += sum(tokens_of(dumps(body[name]).decode()) for name in ("tools", "response_format") if name in body)
    if fault == "empty_choices":
        return Completion(model=body["model"], prompt_tokens=prompt_tokens, choices=())
    place = f"{seed}" if fault == "duplicate" else f"{seed} {key}"
    choices = tuple(
        _limited(_faulty(_said(body, messages, Random(f"{place} {number}")), fault), body)  # noqa: S311  # no secret
        for number in range(int(body.get("n") or 1))
    )
    return Completion(model=body["model"], prompt_tokens=prompt_tokens, choices=choices)


def continue_text(body: Mapping[str, Any], key: str, *, seed: int, fault: str = "") -> Completion:
    """Answer a raw prompt: what a user would say, where a user's turn has just begun, else a response."""
    prompt = str(body["prompt"])
    chance = Random(f"{seed} {key}")  # noqa: S311  # no secret
    users_turn = re.search(r"(?:user|human)\W*\s*\Z", prompt, re.IGNORECASE)
    if fault == "empty_choices":
        return Completion(model=body["model"], prompt_tokens=tokens_of(prompt) + PER_PROMPT, choices=())
    text = words.instruction(chance) if users_turn else words.response(chance, prompt)
    said = _limited(_faulty(Said(text=text), fault), body)
    return Completion(model=body["model"], prompt_tokens=tokens_of(prompt) + PER_PROMPT, choices=(said,))


def _said(body: Mapping[str, Any], messages: Sequence[tuple[str, str]], chance: Random) -> Said:
    """Return what the model would say if nothing cut it short."""
    last = next((text for role, text in reversed(messages) if role == "user"), "")
    whole = " ".join(text for role, text in messages if role in ("system", "user"))
    form = body.get("response_format") or {}
    count = _count(last) or _count(whole)
    category = words.category_of(last)
    if tools := body.get("tools"):
        function = tools[0]["function"]
        schema = function.get("parameters") or ANY_OBJECT
        return Said(text=_json(schema, chance, category, count), tool=str(function["name"]))
    if form.get("type") == "json_schema":
        return Said(text=_json(form["json_schema"].get("schema") or ANY_OBJECT, chance, category, count))
    if form.get("type") == "json_object":
        return Said(text=_json(ANY_OBJECT, chance, category, count))
    return Said(text=_prose(last, chance, category))


def _prose(last: str, chance: Random, category: str) -> str:
    first_line = last.strip().partition("\n")[0]
    if _PASSAGE.search(first_line):
        return words.passage(chance)
    if (count := _count(first_line)) and any(word in first_line.lower() for word in _SOME):
        return "\n".join(f"{number}. {words.instruction(chance, category)}" for number in range(1, count + 1))
    if _YES_OR_NO.search(last):
        return chance.choice(("Yes", "No"))
    if _SHORT.search(first_line):
        return f"{chance.choice(words.QUALITIES)} {chance.choice(words.THINGS)}".capitalize()
    return words.response(chance, last)


def _json(schema: Mapping[str, Any], chance: Random, category: str, count: int) -> str:
    filler = Filler(root=schema, chance=chance, category=category, count=count)
    return dumps(filler.value(schema)).decode()


def _count(text: str) -> int:
    match = _COUNT.search(text)
    return int(match[1]) if match else 0


def _content(value: object) -> str:
    """Return the text of a message, which may come in parts."""
    if isinstance(value, list):
        return "".join(str(part.get("text", "")) for part in value if isinstance(part, Mapping))
    return value if isinstance(value, str) else ""


def _faulty(said: Said, fault: str) -> Said:
    """Return what was said, with the fault of an answer in it."""
    if fault == "empty_content":
        return Said(text="", reasoning=f"The user wants an answer. {said.text}")
    if fault == "truncated":
        return Said(text=said.text[: max(1, len(said.text) * 2 // 3)], tool=said.tool, finish="length")
    if fault == "wrong_schema":
        text = '{"unexpected": true}' if said.text.startswith("{") else f"Sure, here you are: {said.text}"
        return Said(text=text, tool=said.tool)
    return said


def _limited(said: Said, body: Mapping[str, Any]) -> Said:
    """Cut what was said at the first stop string, and at the limit of tokens."""
    text = said.text
    stops = body.get("stop") or ()
    for stop in [stops] if isinstance(stops, str) else stops:
        text = text.partition(stop)[0]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit is None or tokens_of(text) + tokens_of(said.reasoning) <= limit:
        return Said(text=text, tool=said.tool, reasoning=said.reasoning, finish=said.finish)
    reasoning = said.reasoning[: limit * TOKEN]
    left = limit - tokens_of(reasoning)
    return Said(text=text[: left * TOKEN], tool=said.tool, reasoning=reasoning, finish="length")


def chat_body(completion: Completion, name: str, *, logprobs: bool = False, usage: bool = True) -> dict[str, Any]:
    """Return a completion as the chat API sends it."""
    choices = []
    for index, said in enumerate(completion.choices):
        finish = "tool_calls" if said.tool and said.finish == "stop" else said.finish
        choice = {"index": index, "message": _message(said), "finish_reason": finish}
        choices.append({**choice, "logprobs": {"content": _logprobs(said.text)}} if logprobs else choice)
    return _envelope(completion, name, "chat.completion", choices, usage=usage)


def text_body(completion: Completion, name: str, *, usage: bool = True) -> dict[str, Any]:
    """Return a completion as the older API of raw prompts sends it."""
    choices = [
        {"index": index, "text": said.text, "finish_reason": said.finish, "logprobs": None}
        for index, said in enumerate(completion.choices)
    ]
    return _envelope(completion, name, "text_completion", choices, usage=usage)


def _envelope(
    completion: Completion, name: str, kind: str, choices: Sequence[Mapping[str, Any]], *, usage: bool
) -> dict[str, Any]:
    body: dict[str, Any] = {"id": name, "object": kind, "created": 0, "model": completion.model, "choices": choices}
    return {**body, "usage": completion.usage} if usage else body


def _message(said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if said.reasoning:
        message |= {"content": said.text or None, "reasoning_content": said.reasoning}
    if said.tool:
        call = {"id": "call_0", "type": "function", "function": {"name": said.tool, "arguments": said.text}}
        message |= {"content": None, "tool_calls": [call]}
    return message


def _logprobs(text: str) -> list[dict[str, Any]]:
    return [
        {"token": piece, "logprob": LOGPROB, "bytes": list(piece.encode()), "top_logprobs": []}
        for piece in pieces(text)
    ]


def pieces(text: str) -> list[str]:
    """Return a text's tokens."""
    return [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]
