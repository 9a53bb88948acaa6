"""The text a model sees: the same at training, at scoring and when it answers.

A rendered record is a list of pieces. Only a piece that stands in the *template* can be a key; what a user wrote is
always plain text, whatever it contains, so no instruction can move the border between what is supervised and what not.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Literal, NamedTuple

from schemas.record import InstructionRecord

Kind = Literal["text", "key", "eos"]
"""`key`: a marker that tokenizes to one token of its own. `eos`: the tokenizer's end token, which has no text here."""


class Piece(NamedTuple):
    """A run of text and how it is tokenized."""

    text: str
    kind: Kind = "text"


class Rendered(NamedTuple):
    """A record as a model sees it: what it is given, and what it has to learn to say."""

    prompt: tuple[Piece, ...]
    completion: tuple[Piece, ...]

    @property
    def prompt_text(self) -> str:
        """The prompt as one string."""
        return "".join(piece.text for piece in self.prompt)

    @property
    def completion_text(self) -> str:
        """The completion as one string, the end key included."""
        return "".join(piece.text for piece in self.completion)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """A prompt with and without context, its completion, and the keys that are single tokens."""

    name: str
    with_context: str
    """Holds `{instruction}` and `{context}`."""
    without_context: str
    """Holds `{instruction}`."""
    completion: str
    """Holds `{response}`, and the end key if it is text."""
    keys: tuple[str, ...] = ()
    """The parts of the template that are single tokens."""
    end_key: str = ""
    """The key that ends a response; empty: the tokenizer's own end token does."""
    source: str = ""
    """Where the text comes from."""

    def render(self, record: InstructionRecord) -> Rendered:
        """Return prompt and completion of a record."""
        completion = self._fill(self.completion, response=record.response)
        return Rendered(self.prompt(record.instruction, record.context), completion + self._end())

    def prompt(self, instruction: str, context: str = "") -> tuple[Piece, ...]:
        """Return the prompt for an instruction that has no response yet."""
        form = self.with_context if context else self.without_context
        return self._fill(form, instruction=instruction, context=context)

    def _end(self) -> tuple[Piece, ...]:
        return () if self.end_key else (Piece("", "eos"),)

    def _fill(self, form: str, **values: str) -> tuple[Piece, ...]:
        """Fill the form, splitting only its own literal text at the keys."""
        pieces: list[Piece] = []
        for literal, name, _, _ in Formatter().parse(form):
            for piece in self._split(literal):
                _append(pieces, piece)
            if name:
                _append(pieces, Piece(values[name]))
        return tuple(pieces)

    def _split(self, literal: str) -> list[Piece]:
        pieces: list[Piece] = []
        rest = literal
        while rest:
            hits = [(rest.find(key), -len(key), key) for key in self.keys if key in rest]
            if not hits:
                return [*pieces, Piece(rest)]
            at, _, key = min(hits)
            pieces += [Piece(rest[:at]), Piece(key, "key")] if at else [Piece(key, "key")]
            rest = rest[at + len(key) :]
        return pieces


def without_unknown_keys(pieces: Sequence[Piece], known: Container[str]) -> list[Piece]:
    """Make keys that a tokenizer does not know plain text, joined with its neighbours, as it would read the whole."""
    joined: list[Piece] = []
    for piece in pieces:
        plain = piece.kind == "text" or (piece.kind == "key" and piece.text not in known)
        if plain and joined and joined[-1].kind == "text":
            joined[-1] = Piece(joined[-1].text + piece.text)
        else:
            joined.append(Piece(piece.text) if plain else piece)
    return joined


def _append(pieces: list[Piece], piece: Piece) -> None:
    """Join neighbouring plain text: tokenizers merge across its inner borders, at training as at inference."""
    if pieces and piece.kind == pieces[-1].kind == "text":
        pieces[-1] = Piece(pieces[-1].text + piece.text)
    elif piece.text:
        pieces.append(piece)


_INTRO = "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
_INTRO_CONTEXT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
)
_DOLLY_KEYS = ("### Instruction:", "### Response:\n", "### End")

_TEMPLATES = (
    PromptTemplate(
        name="dolly-v1",
        with_context=_INTRO_CONTEXT + "### Instruction:\n{instruction}\n\n### Input:\n{context}\n\n### Response:\n",
        without_context=_INTRO + "### Instruction:\n{instruction}\n\n### Response:\n",
        completion="{response}\n\n### End",
        keys=_DOLLY_KEYS,
        end_key="### End",
        source="databrickslabs/dolly, March 2023: the text column of tatsu-lab/alpaca plus the end key",
    ),
    PromptTemplate(
        name="dolly-v2",
        with_context=_INTRO + "### Instruction:\n{instruction}\n\nInput:\n{context}\n\n### Response:\n",
        without_context=_INTRO + "### Instruction:\n{instruction}\n\n### Response:\n",
        completion="{response}\n\n### End",
        keys=_DOLLY_KEYS,
        end_key="### End",
        source="databrickslabs/dolly, April 2023, training/consts.py",
    ),
    PromptTemplate(
        name="alpaca",
        with_context=_INTRO_CONTEXT + "### Instruction:\n{instruction}\n\n### Input:\n{context}\n\n### Response:",
        without_context=_INTRO + "### Instruction:\n{instruction}\n\n### Response:",
        completion="{response}",
        source="tatsu-lab/stanford_alpaca, train.py",
    ),
    PromptTemplate(
        name="chat",
        with_context="<|im_start|>user\n{instruction}\n\n{context}<|im_end|>\n<|im_start|>assistant\n",
        without_context="<|im_start|>user\n{instruction}<|im_end|>\n<|im_start|>assistant\n",
        completion="{response}<|im_end|>",
        keys=("<|im_start|>", "<|im_end|>"),
        end_key="<|im_end|>",
        source="ChatML",
    ),
)

TEMPLATES = {template.name: template for template in _TEMPLATES}
