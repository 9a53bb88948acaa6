"""The loss on held-out responses, record by record: the number with the least chance in it, and no judge."""

from collections.abc import Sequence
from typing import Any

import torch

from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from training.compare.intervals import Part
from training.model.loss import head_suffices, row_losses
from training.records.batching import micro_batches
from training.records.encoding import IGNORED, Encoder, Example, text_ids

NATS_PER_TOKEN, NATS_PER_BYTE = "nats_per_token", "nats_per_byte"


def response_only(encode: Encoder, records: Sequence[InstructionRecord]) -> list[Example]:
    """Return examples whose supervised tokens are those of the response text alone.

    Without the end key, tuned and untuned models are comparable.
    """
    prompts = [encode.prompt(record.instruction, record.context) for record in records]
    responses = text_ids(encode.tokenizer, [record.response for record in records])
    return [
        Example(record.id, (*prompt, *response), (IGNORED,) * len(prompt) + tuple(response))
        for record, prompt, response in zip(records, prompts, responses, strict=True)
    ]


@torch.no_grad()
def record_losses(
    model: Any, examples: Sequence[Example], *, pad_id: int, tokens: int, aside: Aside = SILENT, what: str = ""
) -> list[float]:
    """Return the summed loss over the supervised tokens of each example, in nats, in their order.

    `tokens` are the padded ones computed at once. The model has to be in evaluation mode.
    """
    head_only = head_suffices(model)
    places = sorted(range(len(examples)), key=lambda place: len(examples[place].input_ids), reverse=True)
    losses = [0.0] * len(examples)
    done = 0
    for batch in micro_batches((examples[place] for place in places), tokens=tokens, pad_id=pad_id):
        found = row_losses(model, batch.to(model.device), head_only=head_only).tolist()
        for place, loss in zip(places[done : done + len(found)], found, strict=True):
            losses[place] = loss
        done += len(found)
        aside.progress(what or "held-out loss", done, len(examples))
    return losses


def loss_parts(
    records: Sequence[InstructionRecord], examples: Sequence[Example], losses: Sequence[float]
) -> dict[str, list[Part | None]]:
    """Return what each record adds to the loss a token and a byte."""
    return {
        NATS_PER_TOKEN: [Part(loss, one.supervised) for one, loss in zip(examples, losses, strict=True)],
        NATS_PER_BYTE: [
            Part(loss, len(record.response.encode())) for record, loss in zip(records, losses, strict=True)
        ],
    }
