"""The loss of a model on each test response, and when it is measured while a run goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from schemas.outcome import Aside
from training.log import LOG
from training.model.loss import head_suffices
from training.records.batching import MicroBatch, micro_batches
from training.records.encoding import IGNORED, Example


@torch.inference_mode()
def prompt_losses(model: Any, examples: Sequence[Example], *, pad_id: int, tokens: int) -> list[float]:
    """Return the summed loss over each example's supervised tokens, in nats, in order; the model is left as it was."""
    was_training, head_only = model.training, head_suffices(model)
    model.eval()
    places = sorted(range(len(examples)), key=lambda at: len(examples[at].input_ids), reverse=True)
    longest_first = [examples[place] for place in places]
    found: list[float] = []
    for batch in micro_batches(longest_first, tokens=tokens, pad_id=pad_id):
        found += _row_losses(model, batch.to(model.device), head_only=head_only)
    model.train(was_training)
    losses = dict(zip(places, found, strict=True))
    return [losses[place] for place in range(len(examples))]


def _row_losses(model: Any, batch: MicroBatch, *, head_only: bool) -> list[float]:
    """Return the sum of each row's losses."""
    targets = batch.labels[:, 1:]
    wanted = targets != IGNORED
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "use_cache": False}
    if head_only:
        logits = model.get_output_embeddings()(model.base_model(**inputs)[0][:, :-1][wanted])
    else:
        logits = model(**inputs).logits[:, :-1][wanted]
    each = functional.cross_entropy(logits.float(), targets[wanted], reduction="none").double()
    rows = wanted.nonzero()[:, 0]
    sums: list[float] = (
        torch.zeros(len(targets), dtype=torch.double, device=each.device).index_add(0, rows, each).tolist()
    )
    return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """An aside that measures the model after some of its steps: the log's row comes when its step is done."""

    model: Any
    steps: Sequence[int]
    tests: Sequence[Example]
    pad_id: int
    tokens: int
    """Padded tokens computed at once."""
    aside: Aside
    measured: dict[int, list[float]] = field(default_factory=dict)
    """Step → nats by test response; step 0 is before the first."""
    used: dict[int, int] = field(default_factory=lambda: {0: 0})
    """Step → response tokens that were learned from until then."""

    def measure(self, step: int) -> None:
        """Measure the model as it is after `step`."""
        self.measured[step] = prompt_losses(self.model, self.tests, pad_id=self.pad_id, tokens=self.tokens)

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Take notice of a finished step."""
        self.aside.leave(name, row)
        if name == LOG:
            self.used[row["step"]] = self.used[row["step"] - 1] + row["response_tokens"]
            if row["step"] in self.steps:
                self.measure(row["step"])

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Pass on how far it has come."""
        self.aside.progress(what, done, total, note)
