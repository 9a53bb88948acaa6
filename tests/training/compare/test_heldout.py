"""The loss of each held-out record is its own, whatever batch it is in."""

from pathlib import Path

import pytest
import torch

from schemas.prompt import TEMPLATES
from tests.support import pair
from tests.training.plain import mean_loss
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.answers.respond import open_responder
from training.compare.heldout import NATS_PER_BYTE, NATS_PER_TOKEN, loss_parts, response_only
from training.records.batching import micro_batches
from training.records.encoding import encoder
from training.records.losses import record_losses

RECORDS = [pair("Add.", "five é"), pair("Name two colours.", "Red and green.", "of many"), pair("Hi.", "No.")]


@pytest.mark.parametrize("tokens", [1, 60, 10_000])
def test_losses_are_those_of_a_plain_reference(tiny: Path, tokens: int) -> None:
    """One record at a time, all logits, labels shifted by hand."""
    responder = open_responder(str(tiny))
    model = responder.model.float()
    examples = response_only(responder.encoder, RECORDS)

    found = record_losses(model, examples, tokens=tokens)

    for loss, example in zip(found, examples, strict=True):
        ids = torch.tensor([example.input_ids])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        labels = example.labels[1:]
        expected = -sum(float(logits[place, label]) for place, label in enumerate(labels) if label >= 0)
        assert loss == pytest.approx(expected, rel=1e-4)


def test_the_parts_add_up_to_the_mean_loss(tiny: Path) -> None:
    """That training logs; and to nats a byte."""
    responder = open_responder(str(tiny))
    examples = response_only(responder.encoder, RECORDS)
    losses = record_losses(responder.model, examples, tokens=100)
    parts = loss_parts(RECORDS, examples, losses)

    mean = mean_loss(responder.model, examples, pad_id=responder.pad_id, tokens=100)
    tokens = [one for one in parts[NATS_PER_TOKEN] if one]
    assert sum(one.amount for one in tokens) / sum(one.weight for one in tokens) == pytest.approx(mean, rel=1e-3)
    assert [one.weight for one in parts[NATS_PER_BYTE] if one] == [7, 14, 3]


def test_models_with_a_soft_cap_are_measured_whole() -> None:
    """Where the head alone does not give the logits."""
    model = tiny_model("gemma2")
    example = response_only(encoder(tiny_tokenizer(), TEMPLATES["dolly-v1"]), RECORDS[:1])
    (batch,) = micro_batches(example, tokens=100, pad_id=0)

    (found,) = record_losses(model, example, tokens=100)

    with torch.no_grad():
        expected = model(input_ids=batch.input_ids, labels=batch.labels).loss * batch.supervised
    assert found == pytest.approx(float(expected), rel=1e-4)
