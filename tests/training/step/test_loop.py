"""The loop learns, repeats itself byte for byte, and stops when the numbers do."""

from typing import Any

import pytest
import torch

from schemas.errors import DollyError
from schemas.prompt import TEMPLATES
from tests.support import pair
from tests.training.plain import mean_loss
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.config import TrainConfig
from training.device import choose_dtype
from training.model.load import make_room
from training.records.encoding import Example, add_keys, encoder
from training.step.loop import learning_rate, train
from training.step.optimiser import gradients_of, sum_in, trained_weights

CPU = torch.device("cpu")


class Kept:
    """An aside that remembers."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.said: list[tuple[str, int, int | None]] = []

    def leave(self, name: str, row: Any) -> None:
        """Remember a row."""
        self.rows.append(dict(row))

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Remember how far it was."""
        self.said.append((what, done, total))


def tiny_run(dtype: torch.dtype = torch.float32) -> tuple[Any, list[Example]]:
    """Return a model with room for the keys, and ten examples."""
    tokenizer, model = tiny_tokenizer(), tiny_model()
    known = len(tokenizer)
    add_keys(tokenizer, TEMPLATES["dolly-v1"])
    make_room(model, tokenizer, known)
    records = [pair(f"Name colour {number}.", "Red." * (number + 1)) for number in range(10)]
    return model.to(dtype), list(encoder(tokenizer, TEMPLATES["dolly-v1"]).examples(records))


def settings(**more: Any) -> TrainConfig:
    """Return settings for a few quick steps."""
    return TrainConfig(**{"rows_per_step": 4, "lr": 3e-3, "epochs": 2, "micro_tokens": 200, **more})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_loss_falls(dtype: torch.dtype) -> None:
    """In either precision."""
    model, data = tiny_run(dtype)
    before = mean_loss(model, data, pad_id=2, tokens=200)

    trained = train(model, data, settings(epochs=8), pad_id=2)

    assert mean_loss(model, data, pad_id=2, tokens=200) < before - 0.5
    assert trained.last_loss < trained.first_loss


def test_the_same_seed_gives_the_same_bytes() -> None:
    """In fp32 on one processor: every weight is equal."""
    weights = []
    for _ in range(2):
        model, data = tiny_run()
        train(model, data, settings(), pad_id=2)
        weights.append(model.state_dict())

    assert all(torch.equal(one, weights[1][name]) for name, one in weights[0].items())


def test_another_seed_gives_other_bytes() -> None:
    """The test above can fail."""
    first, data = tiny_run()
    train(first, data, settings(), pad_id=2)
    second, _ = tiny_run()
    train(second, data, settings(seed=7), pad_id=2)

    assert not torch.equal(first.get_input_embeddings().weight, second.get_input_embeddings().weight)


def test_gradients_of_micro_batches_are_summed_in_fp32() -> None:
    """A small gradient after a large one counts."""
    model = torch.nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    weights = trained_weights(model)
    with gradients_of(weights):
        sum_in(weights, torch.float32)
        for size in (256.0, 0.5):
            model(torch.full((1, 1), size, dtype=torch.bfloat16)).sum().backward()

        assert model.weight.grad is not None
        assert float(model.weight.grad) == 256.5


def test_the_model_is_left_as_an_ordinary_one() -> None:
    """After training its gradients are of its own precision again, and none is left."""
    model, data = tiny_run(torch.bfloat16)

    train(model, data, settings(), pad_id=2)

    assert all(weight.grad is None and weight.grad_dtype == torch.bfloat16 for weight in model.parameters())


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    """With the step, the numbers and what to try."""
    model, data = tiny_run()
    with torch.no_grad():
        model.get_input_embeddings().weight[5:] = torch.inf

    with pytest.raises(DollyError, match=r"step 1: loss nan.*--lr"):
        train(model, data, settings(), pad_id=2)


def test_every_step_is_logged() -> None:
    """Counted from 1, with real tokens and padding apart; progress reaches its end."""
    model, data = tiny_run()
    aside = Kept()

    trained = train(model, data, settings(), pad_id=2, aside=aside)

    assert [row["step"] for row in aside.rows] == [1, 2, 3, 4, 5, 6]
    assert [row["rows"] for row in aside.rows] == [4, 4, 2, 4, 4, 2]
    assert sum(row["tokens"] for row in aside.rows) == 2 * sum(len(one.input_ids) for one in data) == trained.tokens
    assert sum(row["response_tokens"] for row in aside.rows) == 2 * sum(one.supervised for one in data)
    assert aside.said[-1] == ("training", 6, 6)


def test_the_micro_batch_size_does_not_change_what_is_learned() -> None:
    """To float noise, in fp32."""
    weights = []
    for tokens in (60, 5000):
        model, data = tiny_run()
        train(model, data, settings(epochs=1, micro_tokens=tokens), pad_id=2)
        weights.append(model.get_input_embeddings().weight)

    torch.testing.assert_close(weights[0], weights[1], atol=1e-4, rtol=1e-4)


def test_measuring_leaves_the_model_as_it_was() -> None:
    """In its mode, without gradients."""
    model, data = tiny_run()
    model.train()

    mean_loss(model, data, pad_id=2, tokens=200)

    assert model.training
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("cosine", [0.5, 1.0, 1.0, 0.853553, 0.5, 0.146447]),
    ],
)
def test_schedules(schedule: Any, rates: list[float]) -> None:
    """Up over the warm-up, then as named, to 0 after the last step."""
    config = TrainConfig(lr=1.0, schedule=schedule, warmup_steps=2)

    assert [learning_rate(step, 6, config) for step in range(6)] == pytest.approx(rates, abs=1e-5)


def test_the_precision_asked_for_is_taken() -> None:
    """And `auto` is one of the two, by what the processor can do."""
    assert choose_dtype("fp32", CPU) == torch.float32
    assert choose_dtype("bf16", CPU) == torch.bfloat16
    assert choose_dtype("auto", CPU) in (torch.float32, torch.bfloat16)
