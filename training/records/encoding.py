"""Record → tokens, by construction: what is supervised follows from the template, never from a search in the text.

Keys are single tokens that only the template can write. What a user wrote is tokenized apart and with special tokens
switched off, so a typed `### End` or `<|im_end|>` is the plain text that it looks like.

Limits: tokenizers that put a space before every piece of text (sentencepiece with a dummy prefix, as Llama 2's) put it
after each key too, at training as at inference.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from schemas.errors import InputError
from schemas.prompt import Piece, PromptTemplate, without_unknown_keys
from schemas.record import InstructionRecord

IGNORED = -100
"""The label of a token that is not supervised; torch's cross entropy leaves it out."""
CHUNK = 1000
"""Records tokenized at a time; the tokenizer uses all cores within one call."""
PAD = "<|pad|>"
"""Added where a tokenizer has no pad token, or its pad token is what ends a response."""


@dataclass(frozen=True, slots=True)
class Example:
    """A record as token ids, and the label of each: its own id where it is supervised, else IGNORED."""

    id: str
    input_ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def supervised(self) -> int:
        """Tokens that are learned: response and end key. The first token of all has nothing before it to follow."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """A tokenizer and a template, agreed on which tokens are keys."""

    tokenizer: Any
    template: PromptTemplate
    key_ids: Mapping[str, int]
    """Key → its token; keys that are missing here are plain text, as an untuned model reads them."""
    start: tuple[int, ...]
    """What the tokenizer puts before every text: its bos token, or nothing."""
    eos_id: int
    """The tokenizer's own end token."""

    @property
    def end_id(self) -> int:
        """The token that ends a response."""
        return self.key_ids.get(self.template.end_key, self.eos_id)

    def examples(self, records: Sequence[InstructionRecord]) -> Iterator[Example]:
        """Yield each record as an example, in order, whatever its length."""
        for first in range(0, len(records), CHUNK):
            chunk = records[first : first + CHUNK]
            rendered = [self.template.render(record) for record in chunk]
            ids = self.encode_all([form for one in rendered for form in one])
            for number, record in enumerate(chunk):
                prompt, completion = (*self.start, *ids[2 * number]), ids[2 * number + 1]
                yield Example(record.id, (*prompt, *completion), (IGNORED,) * len(prompt) + tuple(completion))

    def prompt(self, instruction: str, context: str = "") -> tuple[int, ...]:
        """Return the tokens of a prompt that waits for its response."""
        return (*self.start, *self.encode_all([self.template.prompt(instruction, context)])[0])

    def encode_all(self, forms: Sequence[Sequence[Piece]]) -> list[list[int]]:
        """Return the tokens of each run of pieces; all of their text goes to the tokenizer in one call."""
        plain = [without_unknown_keys(pieces, self.key_ids) for pieces in forms]
        texts = list(dict.fromkeys(piece.text for pieces in plain for piece in pieces if piece.kind == "text"))
        known = dict(zip(texts, text_ids(self.tokenizer, texts), strict=True))
        return [list(chain.from_iterable(self._ids(piece, known) for piece in pieces)) for pieces in plain]

    def _ids(self, piece: Piece, known: Mapping[str, list[int]]) -> list[int]:
        if piece.kind == "eos":
            return [self.eos_id]
        return [self.key_ids[piece.text]] if piece.kind == "key" else known[piece.text]


def text_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Tokenize plain texts: whatever looks like a special token in them is text."""
    if not texts:
        return []
    ids: list[list[int]] = _plain_ids(tokenizer, texts)
    special = frozenset(tokenizer.all_special_ids) - ({tokenizer.unk_token_id} - {tokenizer.eos_token_id})
    return [
        one if special.isdisjoint(one) else _spelled(tokenizer, text, special)
        for text, one in zip(texts, ids, strict=True)
    ]


def _plain_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return ids


def _spelled(tokenizer: Any, text: str, special: frozenset[int]) -> list[int]:
    """Tokenize a text in which a special token is typed, cut after the token's first character.

    Unigram models have special tokens among their pieces and would make one of its text, whatever they are told.
    """
    names = sorted(tokenizer.convert_ids_to_tokens(sorted(special)), key=len, reverse=True)
    hits = re.finditer("|".join(map(re.escape, names)), text)
    borders = [0, *(hit.start() + 1 for hit in hits), len(text)]
    ids = list(chain.from_iterable(_plain_ids(tokenizer, [text[one:two] for one, two in pairwise(borders)])))
    if not special.isdisjoint(ids):
        found = f"{text[:80]!r}, of which it makes a special token"
        raise InputError(place=tokenizer.name_or_path, expected="a tokenizer that can read any text", found=found)
    return ids


def encoder(tokenizer: Any, template: PromptTemplate) -> Encoder:
    """Return the encoder of a tokenizer as it is: keys that it does not have are plain text.

    Raises:
        InputError: the tokenizer has no end token.
    """
    if tokenizer.eos_token_id is None:
        raise InputError(place=tokenizer.name_or_path, field="eos_token", expected="a tokenizer with one", found="none")
    known = tokenizer.get_added_vocab()
    return Encoder(
        tokenizer=tokenizer,
        template=template,
        key_ids={key: known[key] for key in template.keys if key in known},
        start=_start(tokenizer),
        eos_id=tokenizer.eos_token_id,
    )


def add_keys(tokenizer: Any, template: PromptTemplate) -> None:
    """Make the template's keys single tokens, and the pad token another one than ends a response; in place."""
    if template.keys:
        tokenizer.add_special_tokens({"extra_special_tokens": list(template.keys)}, replace_extra_special_tokens=False)
    end = encoder(tokenizer, template).end_id
    if tokenizer.pad_token_id in (None, end):
        tokenizer.add_special_tokens({"pad_token": PAD})


def _start(tokenizer: Any) -> tuple[int, ...]:
    first = tokenizer("a")["input_ids"][0]
    plain = tokenizer("a", add_special_tokens=False)["input_ids"][0]
    return (first,) if first == tokenizer.bos_token_id != plain else ()
