"""What docs/models.md claims of each architecture, tried on small models of its class."""

from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import StoppedError
from schemas.prompt import TEMPLATES
from tests.training.architectures import ARCHITECTURES, PAGE, Architecture, page
from tests.training.checkpoint.test_resume import StopAfter, keeper, weights
from tests.training.model.test_loss import gradients, roomy, tiny_data
from tests.training.plain import mean_loss
from tests.training.tiny import tiny_tokenizer
from training.checkpoint.checkpoint import save_model
from training.config import TrainConfig
from training.model.load import load_base
from training.model.loss import head_suffices
from training.model.packing import choose_packing, find_obstacle
from training.records.batching import MicroBatch, micro_batches
from training.records.encoding import Encoder, add_keys, encoder
from training.step.loop import backward, train

CONFIG = TrainConfig(rows_per_step=3, epochs=4, lr=3e-3, micro_tokens=150, held_out_rows=0)
"""Eight steps over six records."""
WHOLE = 10_000
each = pytest.mark.parametrize("one", ARCHITECTURES, ids=lambda one: one.kind)


def cuts(one: Architecture) -> dict[str, list[MicroBatch]]:
    """Return one step in all the ways in which it can be cut."""
    data = tiny_data()
    ways = {
        "padded": list(micro_batches(data, tokens=WHOLE, pad_id=2)),
        "one by one": list(micro_batches(data, tokens=1, pad_id=2)),
        "sorted": list(micro_batches(data, tokens=150, pad_id=2)),
    }
    if one.obstacle:
        return ways
    packs = {
        f"packed in {tokens}": micro_batches(data, tokens=tokens, pad_id=2, packed=True) for tokens in (150, WHOLE)
    }
    return ways | {name: list(batches) for name, batches in packs.items()}


def tuned_encoder() -> Encoder:
    """Return the encoder that the models have room for."""
    tokenizer = tiny_tokenizer()
    add_keys(tokenizer, TEMPLATES["dolly-v1"])
    return encoder(tokenizer, TEMPLATES["dolly-v1"])


def greedy(model: Any, encode: Encoder) -> list[int]:
    """Return what a model goes on with."""
    ids = torch.tensor([encode.prompt("Name a colour.")])
    with torch.inference_mode():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12)
    tokens: list[int] = out[0].tolist()
    return tokens


@each
def test_it_is_packed_or_says_why_not(one: Architecture) -> None:
    """The leak test passes on it exactly where the table says so."""
    assert find_obstacle(roomy(one.kind)) == one.obstacle


@each
def test_its_vocabulary_is_computed_on_response_tokens_or_not(one: Architecture) -> None:
    """As the table says, and the loss is the same as from all logits."""
    model, batches = roomy(one.kind), cuts(one)["padded"]
    short = head_suffices(model)

    assert short == (not one.full_logits)
    full = backward(model, batches, head_only=False)
    assert backward(model, batches, head_only=short) == pytest.approx(full, abs=1e-5)


@each
def test_every_cut_of_a_step_gives_its_loss_and_its_gradients(one: Architecture) -> None:
    """Padded, one by one, sorted, packed: to 1e-5 in fp32."""
    model = roomy(one.kind)
    short, ways = head_suffices(model), cuts(one)
    wanted, loss = gradients(model, ways["padded"], head_only=short), backward(model, ways["padded"], head_only=short)

    for batches in ways.values():
        torch.testing.assert_close(gradients(model, batches, head_only=short), wanted, atol=1e-5, rtol=1e-5)
        assert backward(model, batches, head_only=short) == pytest.approx(loss, abs=1e-5)


@each
def test_it_learns_and_goes_on_where_it_was_stopped(one: Architecture, tmp_path: Path) -> None:
    """The loss falls; stopped after three steps and resumed, the same bytes; packed where it can be."""
    data, packed = tiny_data(), not one.obstacle
    whole, first, again = (roomy(one.kind) for _ in range(3))
    before = mean_loss(whole, data, pad_id=2, tokens=WHOLE)
    train(whole, data, CONFIG, pad_id=2, packed=packed)
    stopped = keeper(tmp_path, every_s=0)
    with pytest.raises(StoppedError):
        train(first, data, CONFIG, pad_id=2, aside=StopAfter(stopped, 3), keeper=stopped, packed=packed)
    train(again, data, CONFIG, pad_id=2, keeper=keeper(tmp_path), packed=packed)

    assert mean_loss(whole, data, pad_id=2, tokens=WHOLE) < before - 0.05
    assert weights(again) == weights(whole)


@each
def test_a_saved_checkpoint_says_the_same_tokens(one: Architecture, tmp_path: Path) -> None:
    """After packing was tried on it, and loaded by transformers from its folder."""
    model, encode = roomy(one.kind), tuned_encoder()
    choose_packing(model, "auto")
    said = greedy(model, encode)

    save_model(tmp_path / "saved", model, encode)

    loaded, tokenizer = load_base(str(tmp_path / "saved"))
    assert greedy(loaded, encode) == said
    assert loaded.get_input_embeddings().weight.shape[0] >= len(tokenizer)


def test_the_page_is_what_the_table_says() -> None:
    """`python -m tests.training.architectures --write` makes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_architecture_of_the_table_is_another() -> None:
    """So that none is claimed twice, in two ways."""
    assert len({one.kind for one in ARCHITECTURES}) == len(ARCHITECTURES)
