"""Adapters are trained, nothing else moves, and merged they are the model that was trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.tuners.trainable_tokens import TrainableTokensLayer

from schemas.errors import DollyError, InputError, StoppedError
from tests.training.architectures import ARCHITECTURES, Architecture
from tests.training.checkpoint.test_resume import StopAfter, keeper, weights
from tests.training.model.test_loss import roomy, tiny_data
from tests.training.plain import mean_loss
from tests.training.test_architectures import WHOLE, greedy, tuned_encoder
from tests.training.test_fit import request
from training.checkpoint.checkpoint import read_run
from training.config import TrainConfig
from training.fit import fit
from training.model import adapter, lora
from training.model.adapter import Adapted, adapt, merge
from training.model.load import load_base
from training.model.loss import head_suffices
from training.records.batching import micro_batches
from training.step.loop import backward, train
from training.step.optimiser import trained_weights

CONFIG = TrainConfig(rows_per_step=3, epochs=4, lr=1e-2, micro_tokens=150, held_out_rows=0, lora_rank=4)
"""Eight steps over six records."""
each = pytest.mark.parametrize("one", ARCHITECTURES, ids=lambda one: one.kind)


def adapted_model(kind: str, config: TrainConfig = CONFIG, dtype: torch.dtype = torch.float32) -> Adapted:
    """Return a tiny model with adapters and trained keys."""
    adapted = adapt(roomy(kind).to(dtype), config, keys())
    assert adapted
    return adapted


def keys() -> list[int]:
    """Return the rows of Dolly's keys."""
    return list(tuned_encoder().key_ids.values())


def dense(model: Any) -> dict[str, torch.Tensor]:
    """Return copies of a model's frozen weights, under the names that they had before the adapters."""
    return {
        name.replace(".base_layer", "").replace(".token_adapter", ""): weight.detach().clone()
        for name, weight in model.named_parameters()
        if not weight.requires_grad
    }


def logits(model: Any) -> torch.Tensor:
    """Return what a model makes of a prompt."""
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(input_ids=torch.tensor([tuned_encoder().prompt("Say it.")])).logits
    return found


@each
def test_before_the_first_step_adapters_change_nothing(one: Architecture) -> None:
    """Its logits are the base's, and so is the way its head is computed."""
    model = adapted_model(one.kind).model

    torch.testing.assert_close(logits(model), logits(roomy(one.kind)), atol=1e-5, rtol=1e-5)
    assert head_suffices(model) == (not one.full_logits)


@each
def test_it_learns_frozen_weights_stay_and_merged_it_says_the_same(one: Architecture) -> None:
    """The loss falls; no frozen weight moves by a bit; of the tables only the keys' rows are others once merged."""
    data, adapted = tiny_data(), adapted_model(one.kind)
    model, before = adapted.model, dense(adapted.model)
    first = mean_loss(model, data, pad_id=2, tokens=WHOLE)

    train(model, data, CONFIG, pad_id=2, packed=not one.obstacle)

    after = dense(model)
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert mean_loss(model, data, pad_id=2, tokens=WHOLE) < first - 0.05
    said, seen = greedy(model, tuned_encoder()), logits(model)
    merged, known = merge(adapted), min(keys())
    assert merged
    assert merged.distance < 1e-4
    assert greedy(model, tuned_encoder()) == said
    torch.testing.assert_close(logits(model), seen, atol=1e-4, rtol=1e-4)
    assert {name for name, _ in model.named_parameters()} == {name for name, _ in roomy(one.kind).named_parameters()}
    assert moved_rows(model.get_output_embeddings().weight, before, known) == sorted(keys())
    read = moved_rows(model.get_input_embeddings().weight, before, known)
    assert set(keys()) - {tuned_encoder().end_id} <= set(read) <= set(keys())  # no record goes on after its end key


def moved_rows(table: torch.Tensor, before: dict[str, torch.Tensor], known: int) -> list[int]:
    """Return which rows of a table are others than in the frozen model; those below `known` say which it is."""
    base = next(weight for weight in before.values() if torch.equal(weight[:known], table[:known]))
    return [int(row) for row in (table != base).any(1).nonzero()]


@each
def test_stopped_and_resumed_it_ends_in_the_same_bytes(one: Architecture, tmp_path: Path) -> None:
    """With dropout in the adapters, whose draws go on where they were."""
    data, config = tiny_data(), replace(CONFIG, lora_dropout=0.1, epochs=2)
    whole, first, again = (adapted_model(one.kind, config).model for _ in range(3))
    train(whole, data, config, pad_id=2)
    stopped = keeper(tmp_path, every_s=0)
    with pytest.raises(StoppedError):
        train(first, data, config, pad_id=2, aside=StopAfter(stopped, 2), keeper=stopped)
    train(again, data, config, pad_id=2, keeper=keeper(tmp_path))

    assert weights(again) == weights(whole)


@each
def test_every_cut_gives_the_same_gradients(one: Architecture) -> None:
    """Padded, one by one and, where it can be, packed; the keys' rows included."""
    model = adapted_model(one.kind).model
    short, trained = head_suffices(model), trained_weights(model)
    for weight in trained.values():  # a B of zero would leave A without gradients
        torch.nn.init.normal_(weight, std=0.02, generator=torch.Generator().manual_seed(len(weight)))
    ways = [micro_batches(tiny_data(), tokens=tokens, pad_id=2) for tokens in (WHOLE, 1)]
    ways += [] if one.obstacle else [micro_batches(tiny_data(), tokens=150, pad_id=2, packed=True)]

    found = []
    for batches in ways:
        model.zero_grad()
        backward(model, list(batches), head_only=short)
        found.append({name: weight.grad.clone() for name, weight in trained.items() if weight.grad is not None})

    assert set(found[0]) == set(trained)
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], atol=1e-5, rtol=1e-5)


def test_key_rows_are_peft_s_own_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits and gradients are those of peft's layer, which copies the table."""
    (batch,) = micro_batches(tiny_data(), tokens=WHOLE, pad_id=2)

    def found() -> list[torch.Tensor]:
        model = adapted_model("llama").model
        backward(model, [batch], head_only=True)
        return [weight.grad for weight in trained_weights(model).values() if weight.grad is not None]

    ours = found()
    monkeypatch.setattr(lora, "KeyRows", TrainableTokensLayer)

    torch.testing.assert_close(found(), ours, atol=1e-6, rtol=1e-5)


def test_adapters_of_a_bf16_model_are_bf16_and_learn() -> None:
    """The optimiser keeps the bits that they lack; merging rounds once, within what is said of it."""
    adapted, data = adapted_model("llama", dtype=torch.bfloat16), tiny_data()
    before = mean_loss(adapted.model, data, pad_id=2, tokens=WHOLE)

    train(adapted.model, data, CONFIG, pad_id=2)

    assert {weight.dtype for weight in trained_weights(adapted.model).values()} == {torch.bfloat16}
    after = mean_loss(adapted.model, data, pad_id=2, tokens=WHOLE)
    assert after < before - 0.05
    merged = merge(adapted)
    assert merged
    assert 0 < merged.distance < adapter.CLOSE[torch.bfloat16]
    assert mean_loss(adapted.model, data, pad_id=2, tokens=WHOLE) == pytest.approx(after, abs=0.02)


def test_a_wrong_merge_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The merged model is compared with the adapted one."""
    adapted = adapted_model("llama")
    train(adapted.model, tiny_data(), CONFIG, pad_id=2)
    right = lora.difference
    monkeypatch.setattr(lora, "difference", lambda layer: 2 * right(layer))

    with pytest.raises(DollyError, match="merging the adapters moved"):
        merge(adapted)


def test_the_adapters_are_drawn_from_the_seed_and_nothing_else_is_drawn() -> None:
    """The same seed gives the same; what follows in the run draws what it would have drawn."""
    one, same, other = (adapted_model("llama", replace(CONFIG, seed=seed)).model for seed in (1, 1, 2))

    assert weights(one) == weights(same) != weights(other)
    base, state = roomy("llama"), torch.get_rng_state()
    adapt(base, CONFIG, keys())
    assert torch.equal(torch.get_rng_state(), state)


def test_layers_that_are_not_there_are_refused() -> None:
    """Saying which were asked for."""
    with pytest.raises(InputError, match="query_nowhere"):
        adapted_model("llama", replace(CONFIG, lora_targets="query_nowhere"))


def test_layers_can_be_named() -> None:
    """By the ends of their names."""
    model = adapted_model("llama", replace(CONFIG, lora_targets="q_proj,v_proj")).model

    assert {name.split(".")[-4] for name in trained_weights(model) if "lora" in name} == {"q_proj", "v_proj"}


def test_a_run_with_adapters_ends_in_an_ordinary_checkpoint(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """As large as the base, read by plain transformers; the record says how many parameters were trained."""
    out = fit(request(colours, tiny, tmp_path / "out", steps=3, lr=1e-2, lora_rank=4)).path

    run, (model, _) = read_run(out), load_base(str(out))
    assert run.merged
    assert 0 < run.merged.trained < run.base.parameters == sum(one.numel() for one in model.parameters())
    assert run.reloaded
    assert not (out / "adapter_config.json").exists()
