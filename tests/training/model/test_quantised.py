"""A base in four bits under adapters: trained by bitsandbytes itself, merged into the weights as they came."""

from dataclasses import replace
from pathlib import Path
from weakref import ref

import pytest
import torch
from transformers import AutoConfig

from schemas.errors import InputError
from tests.training.test_fit import request
from tests.training.tiny import save_tiny
from training.checkpoint.checkpoint import read_run
from training.config import TrainConfig
from training.fit import fit
from training.model import quantised
from training.model.adapter import adapt, merge
from training.model.load import config_of, find_base, load_base, load_model
from training.model.quantised import BYTES, check_bits, loading
from training.planning.footprint import footprint, merging, meta_model
from training.records.batching import Shape

CONFIG = TrainConfig(lora_rank=4, base_bits=4)


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model whose layers are wide enough for blocks of 64."""
    pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    more = {"n_embd": 64} if request.param == "gpt2" else {"hidden_size": 64, "intermediate_size": 128}
    return save_tiny(tmp_path_factory.mktemp("wide") / request.param, request.param, **more)


def test_a_run_in_four_bits_learns_and_its_checkpoint_is_ordinary(base: Path, colours: Path, tmp_path: Path) -> None:
    """The loss falls, and plain transformers reads weights that are the base's with the adapters added."""
    wanted = request(colours, base, tmp_path / "out", epochs=8, steps=8, lr=1e-2, lora_rank=4, base_bits=4)

    out = fit(wanted).path

    run, (model, tokenizer) = read_run(out), load_base(str(out))
    assert run.trained.last_loss < run.trained.first_loss - 0.1
    assert run.merged
    assert run.reloaded
    assert not hasattr(model.config, "quantization_config")
    before = load_model(find_base(str(base)))
    head = model.get_input_embeddings().weight[: len(tokenizer) - 3]
    assert torch.equal(head, before.get_input_embeddings().weight[: len(head)])
    assert {name for name, _ in model.named_parameters()} == {name for name, _ in before.named_parameters()}


def test_adapters_are_added_to_the_weights_as_they_came(base: Path, colours: Path, tmp_path: Path) -> None:
    """With a rate of nothing every weight of the body is the base's to the last bit, not what four bits made of it."""
    out = fit(request(colours, base, tmp_path / "out", steps=1, lr=0.0, lora_rank=4, base_bits=4)).path

    (model, _), before = load_base(str(out)), load_model(find_base(str(base)))
    tables = {id(before.get_input_embeddings().weight)}
    ours = dict(model.named_parameters())
    assert all(torch.equal(ours[name], one) for name, one in before.named_parameters() if id(one) not in tables)


@pytest.mark.parametrize("base", ["llama"], indirect=True)  # positions count as if in four bits
def test_the_weights_take_the_bytes_that_are_counted(base: Path) -> None:
    """Of the layers in four bits; scales included, to a tenth on so small a model."""
    place = find_base(str(base))
    model = load_model(place, torch.bfloat16, **loading(CONFIG, torch.bfloat16))
    packed = [one for one in model.parameters() if one.dtype == torch.uint8]
    numbers = sum(one.quant_state.shape.numel() for one in packed)
    meta = meta_model(config_of(place), 448, torch.bfloat16)
    adapt(meta, CONFIG, range(3))

    whole = footprint(meta, Shape(1, 8, 4), replace(CONFIG, base_bits=0)).weights
    small = footprint(meta, Shape(1, 8, 4), CONFIG).weights

    assert sum(one.numel() for one in packed) == numbers / 2
    assert whole - small == pytest.approx(numbers * (2 - BYTES), rel=0.1)


@pytest.mark.parametrize("base", ["llama"], indirect=True)
def test_merging_lets_four_bits_go_layer_by_layer(base: Path) -> None:
    """When a layer as it came takes its place, those before it are no longer there in four bits."""
    place = find_base(str(base))
    model, dense = load_model(place, torch.float32, **loading(CONFIG, torch.float32)), load_model(place)
    adapted = adapt(model, CONFIG, [])
    assert adapted
    packed = [ref(one) for one in model.parameters() if one.dtype == torch.uint8]
    alive: list[int] = []

    def lent(name: str) -> torch.nn.Module:
        alive.append(sum(one() is not None for one in packed))
        return torch.nn.Module.get_submodule(dense, name)

    dense.get_submodule = lent
    merge(adapted, lambda: dense)

    assert alive == list(range(len(packed), 0, -1))
    assert [one for one in packed if one() is not None] == []


def test_merging_needs_a_whole_model_in_its_precision() -> None:
    """By hand, for GPT-J-6B in bf16: 6.05 billion weights of 2 bytes, and its largest layer and its change in fp32.

    On a processor what is in four bits is there besides.
    """
    meta = meta_model(AutoConfig.for_model("gptj"), 50432, torch.bfloat16)
    parameters = sum(one.numel() for one in meta.parameters())
    adapt(meta, CONFIG, range(3))
    layer = 8 * 4096 * 4 * 4096

    assert merging(meta, CONFIG) == 2 * parameters + layer
    quantised = merging(meta, CONFIG, beside=True) - merging(meta, CONFIG)
    assert quantised == pytest.approx(0.52 * (parameters - 2 * 50432 * 4096) + 2 * 2 * 50432 * 4096, rel=0.01)
    assert merging(meta, replace(CONFIG, merge=False)) == merging(meta, replace(CONFIG, base_bits=0)) == 0


@pytest.mark.parametrize("base", ["llama"], indirect=True)  # GPT-2 draws random numbers
def test_gradients_still_pass_after_an_evaluation(base: Path) -> None:
    """On a processor with bf16 bitsandbytes' own layers stop passing them on, without an error."""
    model = load_model(find_base(str(base)), torch.bfloat16, **loading(CONFIG, torch.bfloat16))
    ids = torch.arange(16)[None]
    adapted = adapt(model, CONFIG, [3])
    assert adapted

    def found() -> list[torch.Tensor]:
        model.zero_grad()
        model.train()
        model(input_ids=ids, labels=ids).loss.backward()
        return [one.grad.clone() for one in model.parameters() if one.grad is not None]

    first = found()
    with torch.inference_mode():
        model.eval()(input_ids=ids)

    again = found()
    assert len(first) == len(again) == sum(one.requires_grad for one in model.parameters())
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))


def test_four_bits_without_adapters_are_refused() -> None:
    """Frozen weights alone can be in four bits."""
    with pytest.raises(InputError, match="--lora-rank"):
        check_bits(TrainConfig(base_bits=4))


def test_other_bits_are_refused() -> None:
    """Three are nobody's."""
    with pytest.raises(InputError, match="base_bits"):
        check_bits(TrainConfig(base_bits=3, lora_rank=4))


def test_without_bitsandbytes_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything long."""
    monkeypatch.setattr(quantised, "find_spec", lambda _: None)

    with pytest.raises(InputError, match=r"pip install '\.\[qlora\]' in a checkout"):
        check_bits(CONFIG)


def test_a_library_that_does_not_compute_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried, not believed."""
    functional = pytest.importorskip("bitsandbytes.functional", reason="the extra qlora is not installed")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(functional, "quantize_4bit", broken)

    with pytest.raises(InputError, match="no kernel image"):
        check_bits(CONFIG)
