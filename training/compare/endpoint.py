"""A model behind any OpenAI-compatible endpoint, asked the same prompts; nothing is asked twice.

The key comes from the environment and is in no message and no file.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import EndpointError
from schemas.outcome import SILENT, Aside
from training.answers.respond import Answer, Prompt, Sampling
from training.compare.journal import Journal

KEY, JUDGE_KEY = "OPENAI_API_KEY", "OPENAI_JUDGE_API_KEY"
"""Environment variables with the keys of the endpoint and of the judge's."""
NO_KEY = "none"
"""What is sent where no key is needed; the client insists on one."""
NOT_EVERYWHERE = ("max_tokens", "temperature", "top_p", "seed")
"""Settings that some models refuse, each named in quotes in what they say."""
TIMEOUT_S, RETRIES, AT_ONCE = 120.0, 4, 8
"""Seconds until an answer is given up, times that it is asked for again, requests under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is asked."""

    url: str
    model: str
    journal: Journal
    key_variable: str = KEY
    timeout_s: float = TIMEOUT_S
    retries: int = RETRIES
    _made: dict[str, Any] = field(default_factory=dict)

    def answers(self, prompts: Sequence[Prompt], sampling: Sampling, aside: Aside = SILENT) -> list[Answer]:
        """Answer each prompt, in order.

        Raises:
            EndpointError: it cannot be used, or an answer was not to be had; what was answered is kept.
        """
        said = self.ask([request(self.model, one, sampling) for one in prompts], f"answers of {self.model}", aside)
        return [read_answer(one) for one in said]

    def ask(self, requests: Sequence[dict[str, Any]], what: str, aside: Aside = SILENT) -> list[dict[str, Any]]:
        """Return the first choice of each request, from the journal where it stands there."""
        found: list[dict[str, Any]] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for number, one in enumerate(pool.map(self._asked, requests), 1):
                    found.append(one)
                    aside.progress(what, number, len(requests))
            finally:
                pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C nothing more is asked
        return found

    def _asked(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = {"url": self.url, **body}
        known = self.journal.find(asked)
        if known is None:
            known = self._send(body)
            self.journal.keep(asked, known)
        return dict(known)

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        from openai import OpenAIError  # only where an endpoint is asked

        try:
            said = self._create(body)
        except OpenAIError as error:
            raise EndpointError(self._redacted(f"{self.url}: {body['model']}: {error}")) from error
        if not said.choices:
            raise EndpointError(f"{self.url}: {body['model']}: an answer without choices")
        choice = said.choices[0]
        tokens = said.usage.completion_tokens if said.usage else 0
        return {"text": choice.message.content or "", "finish_reason": choice.finish_reason, "tokens": tokens}

    def _create(self, body: dict[str, Any]) -> Any:
        """Ask; a model that refuses a setting by name is asked again without it, or with what it is called now."""
        from openai import BadRequestError  # the same

        try:
            return self._client().chat.completions.create(**body)
        except BadRequestError as error:
            other = adapted(body, str(error))
            if other == body:
                raise
            return self._create(other)

    def _client(self) -> Any:
        from openai import OpenAI  # the same

        if "client" not in self._made:
            key = os.environ.get(self.key_variable) or NO_KEY
            self._made["client"] = OpenAI(
                base_url=self.url, api_key=key, timeout=self.timeout_s, max_retries=self.retries
            )
        return self._made["client"]

    def _redacted(self, message: str) -> str:
        key = os.environ.get(self.key_variable, "")
        return message.replace(key, "[key]") if key else message


def request(model: str, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
    """Return the body that asks a prompt as one turn of a user: the instruction, then what it is about."""
    content = "\n\n".join(part for part in (prompt.instruction, prompt.context) if part)
    drawn = {"temperature": 0.0} if sampling.greedy else {"temperature": 1.0, "top_p": sampling.top_p}
    turn = {"role": "user", "content": content}
    return {"model": model, "messages": [turn], "max_tokens": sampling.max_new_tokens, "seed": sampling.seed, **drawn}


def adapted(body: dict[str, Any], refusal: str) -> dict[str, Any]:
    """Return a request without the setting that a refusal names: models that think take other ones than models did.

    What they answer is drawn, then, even where the likeliest token was asked for.
    """
    named = next((name for name in NOT_EVERYWHERE if f"'{name}'" in refusal and name in body), None)
    if named is None:
        return body
    rest = {name: value for name, value in body.items() if name != named}
    return rest | ({"max_completion_tokens": body[named]} if named == "max_tokens" else {})


def read_answer(said: dict[str, Any]) -> Answer:
    """Return what an endpoint said."""
    return Answer(str(said["text"]).strip(), stopped=said["finish_reason"] == "stop", tokens=int(said["tokens"] or 0))
