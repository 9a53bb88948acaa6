"""An answer that is read while it is written: token by token, on a terminal or line by line for programs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from training.answers.respond import Answer, Prompt, Responder, Sampling, generation, read_tokens, refuse_overlong
from training.model.load import quiet

UNFINISHED = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer writes for the first bytes of a character whose others are yet to come."""


@dataclass(slots=True, kw_only=True)
class Speech:
    """An answer on its way; what transformers calls a streamer."""

    responder: Responder
    say: Callable[[str], None]
    """Gets every new piece of the answer, in order; together they are the answer's text."""
    ids: list[int] = field(default_factory=list)
    said: str = ""
    _prompt: bool = True

    def put(self, value: Tensor) -> None:
        """Take in the prompt first, then every token."""
        if self._prompt:
            self._prompt = False
            return
        self.ids += value.flatten().tolist()
        self._say(self._settled(self.so_far().text))

    def end(self) -> None:
        """Say what was held back."""
        self._say(self.so_far().text)

    def so_far(self) -> Answer:
        """Return the answer as it stands."""
        return read_tokens(self.responder, self.ids)

    def _settled(self, text: str) -> str:
        """Return the text without an end that may yet become another: half a character, half of an end key."""
        text = text.rstrip(UNFINISHED)
        key = self.responder.encoder.template.end_key
        if not self.responder.tuned and key:
            half = next((size for size in range(len(key), 0, -1) if text.endswith(key[:size])), 0)
            text = text[: len(text) - half].rstrip()
        return text

    def _say(self, text: str) -> None:
        if len(text) > len(self.said) and text.startswith(self.said):
            self.say(text[len(self.said) :])
            self.said = text


@torch.inference_mode()
def speak(responder: Responder, prompt: Prompt, sampling: Sampling, say: Callable[[str], None]) -> Answer:
    """Answer one prompt, saying each piece as it comes; Ctrl-C ends the answer, which then stands as it is.

    Raises:
        InputError: the prompt leaves no room for an answer.
    """
    refuse_overlong(responder, [prompt])
    speech = Speech(responder=responder, say=say)
    ids = torch.tensor([responder.encoder.prompt(prompt.instruction, prompt.context)], device=responder.model.device)
    try:
        generate(responder.model, ids, generation(responder, sampling, ids.shape[1]), speech)
    except KeyboardInterrupt:
        speech.end()
    return speech.so_far()


def generate(model: Any, ids: Tensor, how: Any, speech: Speech) -> None:
    """Let the model write into the speech."""
    with quiet():
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=how, streamer=speech)
