"""Records as token ids for scoring: the prompt as at training and when a model answers, the response by itself.

A response is tokenized apart from what stands before it, so that its tokens are the same ids with the prompt and
without it. What a user wrote is plain text, whatever it contains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from schemas.errors import InputError
from schemas.prompt import Piece, PromptTemplate, without_unknown_keys
from schemas.record import InstructionRecord

Ids = tuple[int, ...]


class Read(NamedTuple):
    """A record as token ids."""

    prompt: Ids
    response: Ids
    """Without an end token: whether a text ends is not what its words say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A tokenizer and a template."""

    tokenizer: Any
    template: PromptTemplate
    keys: Mapping[str, int]
    """The template's keys that are tokens of this tokenizer; the others are plain text, as the model reads them."""
    start: Ids
    """What the tokenizer itself puts before every text: its bos token, or nothing."""
    alone: int
    """What stands before a response that has no prompt: the bos token, or the end token of a model without one."""

    def read(self, records: Sequence[InstructionRecord]) -> list[Read]:
        """Return each record as token ids, whatever its length."""
        prompts = [self.template.prompt(one.instruction, one.context) for one in records]
        plain = [without_unknown_keys(pieces, self.keys) for pieces in prompts]
        texts = [piece.text for pieces in plain for piece in pieces if piece.kind == "text"]
        known = self._known([*texts, *(one.response for one in records)])
        return [
            Read(
                prompt=(*self.start, *chain.from_iterable(self._ids(piece, known) for piece in pieces)),
                response=tuple(known[record.response]),
            )
            for pieces, record in zip(plain, records, strict=True)
        ]

    def _known(self, texts: Sequence[str]) -> dict[str, list[int]]:
        different = list(dict.fromkeys(texts))
        if not different:
            return {}
        ids = self.tokenizer(different, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return dict(zip(different, ids, strict=True))

    def _ids(self, piece: Piece, known: Mapping[str, list[int]]) -> Sequence[int]:
        return [self.keys[piece.text]] if piece.kind == "key" else known[piece.text]


def reader(tokenizer: Any, template: PromptTemplate) -> Reader:
    """Return the reader of a tokenizer as it is.

    Raises:
        InputError: the tokenizer has neither a bos nor an end token, so that a response cannot stand alone.
    """
    alone = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if alone is None:
        raise InputError(
            place=tokenizer.name_or_path,
            field="bos_token",
            expected="a tokenizer with a bos or eos token",
            found="none",
        )
    known = tokenizer.get_added_vocab()
    with_start = tokenizer("a")["input_ids"]
    starts = with_start[0] == tokenizer.bos_token_id != tokenizer("a", add_special_tokens=False)["input_ids"][0]
    return Reader(
        tokenizer=tokenizer,
        template=template,
        keys={key: known[key] for key in template.keys if key in known},
        start=(with_start[0],) if starts else (),
        alone=alone,
    )
