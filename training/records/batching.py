"""Which records an optimiser step takes, and how they are cut into micro-batches.

A step takes `rows_per_step` records of a seeded order, as the recipe says. Inside the step the records are sorted by
length and cut under a token budget: the gradient is the sum over the step's records whatever the cut, so this changes
the padding and nothing else. Dolly's random eights are 1.7 times padding on Alpaca, sorted steps 1.15.

Where a model can be packed there is no padding, and less still is computed: what the records of a row begin with alike
(a template's first sentences, one context under many questions) stands in it once. A causal model computes the same
there whatever follows, so every record's loss and gradient are what they are without. Alpaca in Dolly's template: 0.8.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from training.records.encoding import IGNORED, Example

SUITABLE_TOKENS = {"cpu": 512}
"""Padded tokens of a micro-batch by kind of device. A processor multiplies 512 as fast as 2,048, and of Alpaca's short
records they hold a tenth of padding instead of a third."""
PACKED_TOKENS = {"cpu": 2048}
"""The same for packed ones, which hold no padding, and share the more the larger they are."""
ACCELERATOR_TOKENS = 8192
"""The same for any other device, which idles on less."""
LEAST_SHARED = 8
"""Tokens of a common beginning that are worth the copies that attention makes of it."""
FULL_ENOUGH = 0.25
"""Of the budget: a row so full may end where another record would leave less in common."""


def suitable_tokens(device: torch.device, *, packed: bool = False) -> int:
    """Return how many tokens to compute at once on a device."""
    return (PACKED_TOKENS if packed else SUITABLE_TOKENS).get(device.type, ACCELERATOR_TOKENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Examples of similar length, padded on the right; or packed, one after the other in a single row."""

    input_ids: Int[Tensor, "rows length"]
    attention_mask: Int[Tensor, "rows length"]
    labels: Int[Tensor, "rows length"]
    position_ids: Int[Tensor, "1 length"] | None = None
    """Of a packed batch: counted from 0 in each document."""
    borders: Int[Tensor, " borders"] | None = None
    """Of a packed batch: where what is each document's own begins, and where the last one ends."""
    shared: int = 0
    """Of a packed batch: tokens that all its documents begin with, which stand in front of the first border."""

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
        """What a model is called with.

        The mask of a packed batch is what `attention` reads: its borders, in each of as many rows as there are shared
        tokens and one more; a tensor's shape is known without asking the device.
        """
        if self.borders is None or self.position_ids is None:
            return {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        mask = self.borders.expand(1, 1, 1 + self.shared, -1)
        return {"input_ids": self.input_ids, "attention_mask": mask, "position_ids": self.position_ids}

    @property
    def supervised(self) -> int:
        """Tokens that count in the loss."""
        return int((self.labels[:, 1:] != IGNORED).sum())

    @property
    def real_tokens(self) -> int:
        """Tokens of its examples, without the padding, and those that are shared counted in each."""
        return int(self.attention_mask.sum()) + (self.rows - 1) * self.shared

    @property
    def padded_tokens(self) -> int:
        """What is computed: tokens with the padding, and those that are shared once."""
        return self.input_ids.numel()

    def to(self, device: torch.device) -> "MicroBatch":
        """Return the batch on another device."""
        names = ("input_ids", "attention_mask", "labels", "position_ids", "borders")
        tensors = {name: one for name in names if (one := getattr(self, name)) is not None}
        there = {name: one.to(device) for name, one in tensors.items()}
        return replace(self, **there)


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
    """Cut examples into the parts that are computed at once: of similar length, or packed, of similar beginnings."""
    if packed:
        return _fill(sorted(examples, key=lambda one: one.input_ids), tokens)
    return _cut(sorted(examples, key=lambda one: len(one.input_ids), reverse=True), tokens)


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


def shapes(examples: Iterable[Example], *, tokens: int, packed: bool = False) -> Iterator[Shape]:
    """Yield the sizes of the micro-batches that `micro_batches` cuts; packed ones as records of their mean length."""
    for part in cut(examples, tokens=tokens, packed=packed):
        length = -(-computed(part) // len(part)) if packed else len(part[0].input_ids)
        yield Shape(len(part), length, sum(one.supervised for one in part))


def computed(row: Sequence[Example]) -> int:
    """Return the tokens of a packed row, what its examples share counted once."""
    return sum(len(one.input_ids) for one in row) - (len(row) - 1) * common_start(row)


def _cut(examples: Sequence[Example], tokens: int) -> Iterator[Sequence[Example]]:
    """Cut a list that is sorted from long to short: the first of a part says how many fit."""
    first = 0
    while first < len(examples):
        fits = max(1, tokens // len(examples[first].input_ids))
        yield examples[first : first + fits]
        first += fits


def _fill(examples: Iterable[Example], tokens: int) -> Iterator[Sequence[Example]]:
    """Cut a list in the order of its tokens into rows of at most so many, what they share counted once."""
    row: list[Example] = []
    held = common = 0
    for one in examples:
        length = len(one.input_ids)
        alike = min(common, common_start([row[-1], one])) if row else _prompt(one)
        saved, before = len(row) * alike, (len(row) - 1) * common
        over = held + length - saved > tokens
        if row and (over or (saved < before and held - before >= FULL_ENOUGH * tokens)):
            yield row
            row, held, alike = [], 0, _prompt(one)
        row.append(one)
        held, common = held + length, alike
    if row:
        yield row


def common_start(examples: Sequence[Example]) -> int:
    """Return how many tokens all examples begin with that none learns, or 0 where they are too few to share.

    Each keeps a token of its own in front of what it learns, because that is predicted there.
    """
    texts = [one.input_ids for one in examples]
    both = zip(min(texts), max(texts), strict=False)  # whatever these two have in common, all have
    alike = min(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both)), *map(_prompt, examples))
    return alike if len(examples) > 1 and alike >= LEAST_SHARED else 0


def _prompt(example: Example) -> int:
    """Return the tokens in front of the last one that is read before the first that is learned."""
    learned = (place for place, label in enumerate(example.labels) if label != IGNORED)
    return max(0, next(learned, len(example.labels)) - 1)


def pack(examples: Sequence[Example]) -> MicroBatch:
    """Put examples into one row, what they begin with alike once.

    The first token of an example that shares nothing follows nothing, so it is not supervised.
    """
    shared = common_start(examples)
    lengths = [len(one.input_ids) for one in examples]
    start = examples[0].input_ids[:shared]
    ids = torch.tensor([[*start, *(token for one in examples for token in one.input_ids[shared:])]])
    own = [label for one in examples for label in (IGNORED, *one.labels[shared + 1 :])]
    positions = torch.cat([torch.arange(shared), *(torch.arange(shared, length) for length in lengths)])[None]
    return MicroBatch(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        labels=torch.tensor([[*(IGNORED,) * shared, *own]]),
        position_ids=positions,
        borders=torch.tensor([*accumulate((length - shared for length in lengths), initial=shared)], dtype=torch.int32),
        shared=shared,
    )


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
