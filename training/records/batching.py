"""Which records an optimiser step takes, and how they are cut into micro-batches.

A step takes `rows_per_step` records of a seeded order, as the recipe says. Inside the step the records are sorted by
length and cut under a token budget: the gradient is the sum over the step's records whatever the cut, so this changes
the padding and nothing else. Dolly's random eights are 1.7 times padding on Alpaca, sorted steps 1.15.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from training.records.encoding import IGNORED, Example

SUITABLE_TOKENS = {"cpu": 512}
"""Padded tokens of a micro-batch by kind of device. A processor multiplies 512 as fast as 2,048, and of Alpaca's short
records they hold a tenth of padding instead of a third."""
ACCELERATOR_TOKENS = 8192
"""The same for any other device, which idles on less."""


def suitable_tokens(device: torch.device) -> int:
    """Return how many padded tokens to compute at once on a device."""
    return SUITABLE_TOKENS.get(device.type, ACCELERATOR_TOKENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Examples of similar length, padded on the right; or packed, one after the other in a single row."""

    input_ids: Int[Tensor, "rows length"]
    attention_mask: Int[Tensor, "rows length"]
    labels: Int[Tensor, "rows length"]
    position_ids: Int[Tensor, "1 length"] | None = None
    """Of a packed batch: counted from 0 in each document."""
    borders: Int[Tensor, " borders"] | None = None
    """Of a packed batch: where its documents begin, and where the last one ends."""

    @property
    def packed(self) -> bool:
        """Whether its examples stand in one row."""
        return self.borders is not None

    @property
    def rows(self) -> int:
        """Examples."""
        return self.input_ids.shape[0] if self.borders is None else len(self.borders) - 1

    @property
    def inputs(self) -> dict[str, Tensor]:
        """What a model is called with; the borders of a packed batch are its mask, which `packing` reads."""
        if self.borders is None or self.position_ids is None:
            return {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        mask = self.borders[None, None, None]
        return {"input_ids": self.input_ids, "attention_mask": mask, "position_ids": self.position_ids}

    @property
    def supervised(self) -> int:
        """Tokens that count in the loss."""
        return int((self.labels[:, 1:] != IGNORED).sum())

    @property
    def real_tokens(self) -> int:
        """Tokens without the padding."""
        return int(self.attention_mask.sum())

    @property
    def padded_tokens(self) -> int:
        """Tokens with the padding: what is computed."""
        return self.input_ids.numel()

    def to(self, device: torch.device) -> "MicroBatch":
        """Return the batch on another device."""
        ids, mask, labels = (one.to(device) for one in (self.input_ids, self.attention_mask, self.labels))
        positions, borders = (one if one is None else one.to(device) for one in (self.position_ids, self.borders))
        return MicroBatch(input_ids=ids, attention_mask=mask, labels=labels, position_ids=positions, borders=borders)


def order(count: int, seed: int, epoch: int) -> list[int]:
    """Return the order in which an epoch takes its `count` records; equal on every machine and version."""
    places = list(range(count))
    random.Random(f"order/{seed}/{epoch}").shuffle(places)  # noqa: S311  # not a secret
    return places


def steps(examples: Sequence[Example], *, rows: int, epochs: int, seed: int) -> Iterator[list[Example]]:
    """Yield the examples of each optimiser step; the last step of an epoch takes what is left."""
    for epoch in range(epochs):
        places = order(len(examples), seed, epoch)
        for first in range(0, len(places), rows):
            yield [examples[place] for place in places[first : first + rows]]


def micro_batches(
    examples: Iterable[Example], *, tokens: int, pad_id: int, packed: bool = False
) -> Iterator[MicroBatch]:
    """Cut examples into micro-batches of at most `tokens` computed tokens, or of one record where that is longer."""
    for part in cut(examples, tokens=tokens, packed=packed):
        yield collate(part, pad_id, packed=packed)


def cut(examples: Iterable[Example], *, tokens: int, packed: bool = False) -> Iterator[Sequence[Example]]:
    """Cut examples, from the longest to the shortest, into the parts that are computed at once."""
    longest_first = sorted(examples, key=lambda one: len(one.input_ids), reverse=True)
    return _fill(longest_first, tokens) if packed else _cut(longest_first, tokens)


class Shape(NamedTuple):
    """The size of a micro-batch."""

    rows: int
    length: int
    """Tokens of its longest record."""
    supervised: int

    @property
    def padded_tokens(self) -> int:
        """Tokens with the padding: what is computed."""
        return self.rows * self.length


def shapes(examples: Iterable[Example], *, tokens: int) -> Iterator[Shape]:
    """Yield the sizes of the micro-batches that `micro_batches` cuts."""
    for part in cut(examples, tokens=tokens):
        yield Shape(len(part), len(part[0].input_ids), sum(one.supervised for one in part))


def _cut(examples: Sequence[Example], tokens: int) -> Iterator[Sequence[Example]]:
    """Cut a list that is sorted from long to short: the first of a part says how many fit."""
    first = 0
    while first < len(examples):
        fits = max(1, tokens // len(examples[first].input_ids))
        yield examples[first : first + fits]
        first += fits


def _fill(examples: Sequence[Example], tokens: int) -> Iterator[Sequence[Example]]:
    """Cut a list into parts of at most so many tokens, padding apart."""
    first, held = 0, 0
    for place, one in enumerate(examples):
        if held and held + len(one.input_ids) > tokens:
            yield examples[first:place]
            first, held = place, 0
        held += len(one.input_ids)
    if held:
        yield examples[first:]


def pack(examples: Sequence[Example]) -> MicroBatch:
    """Put examples into one row; the first token of each follows nothing, so it is not supervised."""
    lengths = [len(one.input_ids) for one in examples]
    ids = torch.tensor([[token for one in examples for token in one.input_ids]])
    labels = torch.tensor([[label for one in examples for label in (IGNORED, *one.labels[1:])]])
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    borders = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)
    mask = torch.ones_like(ids)
    return MicroBatch(input_ids=ids, attention_mask=mask, labels=labels, position_ids=positions, borders=borders)


def collate(examples: Sequence[Example], pad_id: int, *, packed: bool = False) -> MicroBatch:
    """Put examples into one micro-batch; the longest comes first."""
    return pack(examples) if packed else _pad(examples, pad_id)


def _pad(examples: Sequence[Example], pad_id: int) -> MicroBatch:
    length = len(examples[0].input_ids)
    ids, mask, labels = [], [], []
    for one in examples:
        padding = length - len(one.input_ids)
        ids.append((*one.input_ids, *(pad_id,) * padding))
        mask.append((1,) * len(one.input_ids) + (0,) * padding)
        labels.append((*one.labels, *(IGNORED,) * padding))
    return MicroBatch(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask), labels=torch.tensor(labels))
