"""The loss on held-out responses, record by record: the number with the least chance in it, and no judge."""

from collections.abc import Iterable, Sequence

from schemas.record import InstructionRecord
from training.compare.intervals import Part
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


def loss_parts(
    records: Sequence[InstructionRecord], examples: Sequence[Example], losses: Sequence[float | None]
) -> dict[str, list[Part | None]]:
    """Return what each record adds to the loss a token and a byte; nothing where it has no loss."""

    def parts(weights: Iterable[int]) -> list[Part | None]:
        return [None if loss is None else Part(loss, weight) for loss, weight in zip(losses, weights, strict=True)]

    return {
        NATS_PER_TOKEN: parts(one.supervised for one in examples),
        NATS_PER_BYTE: parts(len(record.response.encode()) for record in records),
    }
