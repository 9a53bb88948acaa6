"""Packed documents are what they are alone: in their logits, their loss and their gradients; and a leak is found."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention import varlen
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from schemas.errors import InputError
from tests.training.model.test_loss import gradients, roomy, tiny_data
from tests.training.records.test_batching import PAD, example, examples
from tests.training.tiny import tiny_model
from training.model import attention
from training.model import packing as module
from training.model.attention import BY_DOCUMENT, CannotPackError, attend, by_document
from training.model.loss import head_suffices
from training.model.packing import Packed, choose_packing, find_obstacle
from training.records.batching import MicroBatch, micro_batches, pack
from training.records.encoding import IGNORED, Example
from training.step.loop import backward

KINDS = ["llama", "gptj", "gpt2"]


def batches(data: Sequence[Example], tokens: int, *, packed: bool) -> list[MicroBatch]:
    """Return a step's micro-batches."""
    return list(micro_batches(data, tokens=tokens, pad_id=2, packed=packed))


beginnings = st.sampled_from([(), (7,) * 12, (7,) * 9 + (8,) * 20])
alike = st.lists(st.tuples(beginnings, examples), min_size=1, max_size=3).map(
    lambda groups: [after(start, one) for start, some in groups for one in some]
)


def after(start: tuple[int, ...], one: Example) -> Example:
    """Return an example that reads `start` first."""
    return Example(one.id, start + one.input_ids, (IGNORED,) * len(start) + one.labels)


def documents(batch: MicroBatch) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return ids and labels of each document of a packed row, with what is shared in front of each."""
    assert batch.borders is not None
    assert batch.position_ids is not None
    shared = batch.shared
    found = []
    for first, last in batch.borders.unfold(0, 2, 1).tolist():
        places = [*range(shared), *range(first, last)]
        assert batch.position_ids[0, places].tolist() == list(range(len(places)))
        found.append((tuple(batch.input_ids[0, places].tolist()), tuple(batch.labels[0, places].tolist())))
    return found


@given(alike, st.integers(1, 200))
def test_packed_batches_hold_every_example_once(step: list[Example], budget: int) -> None:
    """Ids, labels and positions of each, with no padding, within the budget; what they share counted in each."""
    rows = []
    for batch in micro_batches(step, tokens=budget, pad_id=PAD, packed=True):
        assert batch.padded_tokens == batch.real_tokens - (batch.rows - 1) * batch.shared
        assert batch.padded_tokens <= budget or batch.rows == 1
        rows += documents(batch)

    assert sorted(rows) == sorted((one.input_ids, (IGNORED, *one.labels[1:])) for one in step)


def test_what_records_begin_with_alike_is_computed_once() -> None:
    """Up to the token before the one that predicts the first learned; a row holds records that begin alike."""
    ours, theirs = (7,) * 12, (8,) * 20
    step = [after(start, example(one, 2, 3)) for one in (1, 2, 3) for start in (ours, theirs)]

    rows = batches(step, 64, packed=True)

    assert [(one.rows, one.shared, one.padded_tokens) for one in rows] == [(3, 12, 27), (3, 20, 35)]
    assert sum(one.real_tokens for one in rows) == sum(len(one.input_ids) for one in step)
    assert sum(one.supervised for one in rows) == sum(one.supervised for one in step)


@pytest.mark.parametrize(("prompt", "shared"), [(8, 0), (9, 8), (30, 29)])
def test_a_token_in_front_of_what_is_learned_is_never_shared(prompt: int, shared: int) -> None:
    """It predicts another token in each record; and a few tokens are not worth it."""
    step = [Example(str(one), (5,) * prompt + (one,), (IGNORED,) * prompt + (one,)) for one in (1, 2)]

    assert pack(step).shared == shared


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 12))
def test_a_row_is_made_whole_for_attention(own: list[int], shared: int) -> None:
    """Each document has the beginning in front of it; back come its own tokens, and the beginning once."""
    borders = torch.tensor([shared, *(shared + sum(own[: at + 1]) for at in range(len(own)))], dtype=torch.int32)
    tokens = shared + sum(own)

    whole = attention._made_whole(borders, shared, tokens)

    wanted = [[*range(shared), *range(first, last)] for first, last in pairwise(borders.tolist())]
    assert whole.places.tolist() == [place for one in wanted for place in one]
    assert whole.borders.tolist() == [0, *accumulate(map(len, wanted))]
    assert whole.places[whole.kept].tolist() == list(range(tokens))


def test_the_first_token_of_a_document_is_not_supervised() -> None:
    """It follows nothing; the document before it must not be asked for it."""
    batch = pack([example(1, 0, 3), example(2, 0, 3)])

    assert batch.labels.tolist() == [[IGNORED, 1, 1, IGNORED, 2, 2]]
    assert batch.supervised == sum(one.supervised for one in (example(1, 0, 3), example(2, 0, 3)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [1, 90, 10_000])
def test_packed_steps_have_the_loss_and_the_gradients_of_padded_ones(kind: str, budget: int) -> None:
    """To 1e-5 in fp32, whatever the cut."""
    model, data = roomy(kind), tiny_data()
    head_only = head_suffices(model)
    padded = batches(data, 10_000, packed=False)
    wanted, loss = gradients(model, padded, head_only=head_only), backward(model, padded, head_only=head_only)

    packed = batches(data, budget, packed=True)
    ours = gradients(model, packed, head_only=head_only)

    assert any(one.shared for one in packed) == (budget > 1)
    torch.testing.assert_close(ours, wanted, atol=1e-5, rtol=1e-5)
    assert backward(model, packed, head_only=head_only) == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize("kind", ["gemma3_text", "qwen3"])
def test_a_sliding_window_is_kept_in_every_document(kind: str) -> None:
    """Documents longer than the window see what they would see alone."""
    layers = ["sliding_attention", "full_attention"]
    model = tiny_model(kind, sliding_window=6, use_sliding_window=True, max_window_layers=0, layer_types=layers)

    assert find_obstacle(model) == ""


def test_the_test_of_windows_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A band that is one token off moves the logits of a document that is longer."""
    model = tiny_model("gemma3_text", sliding_window=6, layer_types=["sliding_attention", "full_attention"])
    real = attention._band
    monkeypatch.setattr(attention, "_band", lambda length, window, device: real(length, window - 1, device))

    assert "off those of the documents alone" in find_obstacle(model)


def leaky(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any) -> Any:
    """Attend causally over the whole row, as a trainer that packs without borders does."""
    return sdpa_attention_forward(module, query, key, value, None, scaling=more.get("scaling"), is_causal=True)


def test_a_leak_is_found_and_the_run_is_not_packed() -> None:
    """The leak test can fail: attention that ignores the borders moves other documents' logits."""
    model = tiny_model("llama")
    AttentionInterface.register(BY_DOCUMENT, leaky)
    try:
        obstacle, chosen = find_obstacle(model), choose_packing(model, "auto")
    finally:
        AttentionInterface.register(BY_DOCUMENT, attend)

    assert obstacle == "a document's logits moved when another document was changed"
    assert chosen == Packed(used=False, reason=obstacle)
    assert choose_packing(model, "auto").used


def test_positions_that_do_not_begin_anew_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """They leak nothing, so the comparison with each document alone has to notice."""
    model = tiny_model("gpt2")
    embed = model.transformer.wpe.forward
    monkeypatch.setattr(model.transformer.wpe, "forward", lambda ids: embed(torch.arange(ids.shape[-1])[None]))

    assert "off those of the documents alone" in find_obstacle(model)


def test_attention_with_more_to_it_is_not_packed() -> None:
    """Gemma 2 caps its scores; ours would silently not."""
    assert "softcap" in find_obstacle(tiny_model("gemma2"))


def test_packing_that_was_asked_for_and_cannot_be_is_an_error() -> None:
    """Naming what is in the way and what to choose instead."""
    with pytest.raises(InputError, match=r"--packing auto.*softcap"):
        choose_packing(tiny_model("gemma2"), "on")


def test_no_packing_is_tried_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor any time spent."""
    monkeypatch.setattr(module, "find_obstacle", None)

    assert choose_packing(tiny_model("llama"), "off") == Packed(used=False, reason="as asked for")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_left_as_it_was(kind: str) -> None:
    """Attention, mode and logits: what generates between two steps is the ordinary model."""
    model = tiny_model(kind).train()
    before = [type(one) for one in model.modules()], model.config._attn_implementation

    find_obstacle(model)
    with pytest.raises(KeyError), by_document(model):
        raise KeyError

    assert ([type(one) for one in model.modules()], model.config._attn_implementation) == before
    assert model.training


def test_a_model_without_an_interface_says_so() -> None:
    """MPT computes its attention itself."""
    model = tiny_model("mpt")

    with pytest.raises(CannotPackError, match="mpt has no attention interface"), by_document(model):
        pass


class NoWayBack(torch.autograd.Function):
    """A kernel without a backward pass."""

    @staticmethod
    def forward(_: Any, query: torch.Tensor) -> torch.Tensor:
        """Return something of the right shape."""
        return query.clone()

    @staticmethod
    def backward(_: Any, *__: Any) -> None:
        """Refuse."""
        raise RuntimeError("no backward pass for heads this wide\nfrom where it is")


def only_ampere(*_: Any, **__: Any) -> torch.Tensor:
    """Refuse as flash attention does on older accelerators."""
    raise RuntimeError("FlashAttention only supports Ampere GPUs or newer.\nException raised from mha_varlen_fwd")


def no_memory(*_: Any, **__: Any) -> torch.Tensor:
    """Run out of memory."""
    raise torch.OutOfMemoryError("CUDA out of memory.")


def by_kernel(monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., torch.Tensor]) -> Any:
    """Return a model whose packed attention is computed by this kernel."""
    monkeypatch.setattr(varlen, "varlen_attn", kernel)
    monkeypatch.setattr(attention, "_attend", attention._by_kernel)
    return tiny_model("llama")


def test_a_kernel_that_refuses_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line says why the records are sorted."""
    chosen = choose_packing(by_kernel(monkeypatch, only_ampere), "auto")

    assert chosen == Packed(used=False, reason="FlashAttention only supports Ampere GPUs or newer.")


def test_a_kernel_that_refuses_the_way_back_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is found before the first step, and leaves no gradient."""
    model = tiny_model("llama")
    real = attention._attend
    apply: Any = NoWayBack.apply
    monkeypatch.setattr(attention, "_attend", lambda query, *more: real(apply(query), *more))

    assert choose_packing(model, "auto") == Packed(used=False, reason="no backward pass for heads this wide")
    assert all(one.grad is None for one in model.parameters())


def test_memory_that_runs_out_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted records would not fit either."""
    with pytest.raises(torch.OutOfMemoryError):
        choose_packing(by_kernel(monkeypatch, no_memory), "auto")


@pytest.mark.parametrize("window", [0, 4])
def test_the_kernel_of_accelerators_takes_what_it_is_given(window: int) -> None:
    """Its arguments fit and its result has the shape of the other way's; the numbers need an accelerator."""
    heads, few = (torch.empty(1, count, 12, 16, dtype=torch.bfloat16, device="meta") for count in (4, 2))
    borders = torch.empty(4, dtype=torch.int32, device="meta")

    out = attention._by_kernel(heads, few, few, borders, attention._How(None, 0.0, window))

    assert out.shape == (1, 12, 4, 16)
