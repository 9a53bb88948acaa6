"""Adapters that are kept apart are read by peft alone, and by every command that takes a checkpoint."""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from peft import PeftModel
from transformers import AutoModelForCausalLM, GenerationConfig

from schemas.errors import InputError
from schemas.step import read_manifest
from tests.training.architectures import ARCHITECTURES, Architecture
from tests.training.model.test_adapter import CONFIG
from tests.training.test_architectures import greedy, tuned_encoder
from tests.training.test_fit import request as loud_request
from tests.training.tiny import save_tiny
from training.answers.respond import Prompt, Sampling, answer, open_responder
from training.checkpoint.adapters import Where, find_model, read_adapted, save_adapters
from training.checkpoint.checkpoint import read_run
from training.checkpoint.reload import check_reload
from training.cli import main
from training.compare.participants import Task, ask_model
from training.export.make import Export, export
from training.fit import fit
from training.inspection.inspection import Inspect, inspect
from training.model.adapter import Adapted, adapt
from training.model.load import find_base, load_model, load_tokenizer, make_room
from training.planning.forecast import rehearse
from training.planning.plan import Request
from training.report.model_card import LOAD_ADAPTERS, model_card
from training.watch_config import WatchConfig

each = pytest.mark.parametrize("one", ARCHITECTURES, ids=lambda one: one.kind)
LEARNING: dict[str, Any] = {"epochs": 4, "steps": 4, "rows_per_step": 8, "lr": 1e-3, "lora_rank": 4}
ASKED = Prompt("Name colour 3.")


def request(*place: Path, **changes: Any) -> Request:
    """Return a request for a run that asks its model nothing on the way."""
    return replace(loud_request(*place, **changes), watching=WatchConfig(sample_tokens=0))


def trained(folder: Path, dtype: torch.dtype = torch.float32) -> Adapted:
    """Return the model of a folder with adapters that are not nothing."""
    base, encode = find_base(str(folder)), tuned_encoder()
    model = load_model(base, dtype)
    make_room(model, encode.tokenizer, len(load_tokenizer(base)), encode.end_id)
    adapted = adapt(model, CONFIG, encode.key_ids.values())
    assert adapted
    torch.manual_seed(1)
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data += 0.1 * torch.randn_like(weight)
    return adapted


def logits(model: Any, tokens: int) -> torch.Tensor:
    """Return what a model makes of a prompt, for so many tokens of the vocabulary."""
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=torch.tensor([tuned_encoder().prompt("Say it.")])).logits[..., :tokens]
    return found


@each
def test_peft_alone_reads_them(one: Architecture, tmp_path: Path) -> None:
    """Into the base with as many rows as the tokenizer has, or more: the same logits, and the same words."""
    base, out, encode = save_tiny(tmp_path / "base", one.kind), tmp_path / "out", tuned_encoder()
    adapted = trained(base)
    out.mkdir()
    kept = save_adapters(out, adapted, encode, find_base(str(base)))

    plain = AutoModelForCausalLM.from_pretrained(kept.base)
    plain.resize_token_embeddings(kept.rows)
    plain.generation_config = GenerationConfig.from_pretrained(out)
    found = PeftModel.from_pretrained(plain, str(out)).eval()

    tokens = len(encode.tokenizer)
    torch.testing.assert_close(logits(found, tokens), logits(adapted.model, tokens), atol=1e-5, rtol=1e-5)
    assert greedy(found, encode) == greedy(adapted.model, encode)
    assert (kept.base, kept.rows) == (str(base), 448)
    assert kept.trained < sum(weight.numel() for weight in plain.parameters())


@each
def test_read_again_they_are_what_they_were_to_the_last_bit(one: Architecture, tmp_path: Path) -> None:
    """In bf16, in which they were trained; the run's own check passes."""
    base, encode = find_base(str(save_tiny(tmp_path / "base", one.kind))), tuned_encoder()
    adapted = trained(Path(base.folder), torch.bfloat16)
    save_adapters(tmp_path, adapted, encode, base)

    again = read_adapted(base, CONFIG, tmp_path, Where(torch.bfloat16, torch.device("cpu")))

    assert torch.equal(logits(again.model, 448), logits(adapted.model, 448))
    assert check_reload(tmp_path, adapted.model, encode, [], lambda *_: again.model).tokens


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, colours: Path, tiny: Path) -> Path:
    """A checkpoint of adapters beside a base that has to be given room for the keys."""
    folder = tmp_path_factory.mktemp("kept")
    return fit(request(colours, tiny, folder / "out", merge=False, **LEARNING)).path


def test_the_checkpoint_is_adapters_and_what_else_a_checkpoint_has(kept: Path) -> None:
    """In peft's two files instead of weights; the run record and the card say what they are."""
    run, names = read_run(kept), {one.name for one in kept.iterdir()}

    assert {"adapter_model.safetensors", "adapter_config.json", "generation_config.json", "tokenizer.json"} <= names
    assert {"chat_template.jinja", "README.md", "run.json", "training.html"} <= names
    assert not {"model.safetensors", "config.json"} & names
    assert {one.path for one in read_manifest(kept).outputs} == names - {"manifest.json"}
    assert run.reloaded
    assert run.reloaded.tokens > run.reloaded.prompts
    assert run.merged is None
    assert run.kept
    assert run.kept.trained < run.base.parameters == sum(one.numel() for one in whole(run.kept.base))
    assert "library_name: peft" in (kept / "README.md").read_text()


def whole(base: str) -> Iterator[torch.Tensor]:
    """Yield the weights of a base with room for the keys."""
    model = AutoModelForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(448)
    yield from model.parameters()


def test_the_same_run_gives_the_same_bytes(kept: Path, tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Weights and settings of the adapters."""
    again = fit(request(colours, tiny, tmp_path / "out", merge=False, **LEARNING)).path

    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (again / name).read_bytes() == (kept / name).read_bytes()


def test_merged_later_they_are_what_the_run_would_have_merged(
    kept: Path, tmp_path: Path, colours: Path, tiny: Path
) -> None:
    """Byte for byte; what comes out is a checkpoint like any other."""
    merged = fit(request(colours, tiny, tmp_path / "merged", **LEARNING)).path
    out = export(kept, tmp_path / "out", Export(to="safetensors")).path

    assert (out / "model.safetensors").read_bytes() == (merged / "model.safetensors").read_bytes()
    assert read_run(out).merged == read_run(merged).merged
    assert read_run(out).kept is None
    models = [find_model(str(one)).load(torch.float32, torch.device("cpu")) for one in (out, kept)]
    assert greedy(models[0], tuned_encoder()) == greedy(models[1], tuned_encoder())


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory, colours: Path, tuned: Path) -> Path:
    """A checkpoint of adapters beside a base that says what it has learned."""
    folder = tmp_path_factory.mktemp("speaking")
    return fit(request(colours, tuned, folder / "out", merge=False, lora_rank=2, steps=2, lr=1e-4)).path


def test_commands_take_them_like_any_checkpoint(speaking: Path, tmp_path: Path) -> None:
    """Asked, compared and inspected with the base that is found by its name."""
    (said,) = answer(open_responder(str(speaking)), [ASKED], Sampling(greedy=True, max_new_tokens=12))
    compared = ask_model(str(speaking), Task(questions=[], held_out=[], sampling=Sampling(), template=""))
    looked = inspect(speaking, tmp_path / "inspect", Inspect(most=2))
    piped = CliRunner().invoke(main, ["chat", str(speaking), "--greedy", "--json"], input=f"{ASKED.instruction}\n")

    assert (said.text, said.stopped) == ("Red.", True)
    assert (compared.kind, compared.template) == ("tuned", "dolly-v1")
    assert all(0 < one.after < 1 and one.after != one.before for one in looked.losses)
    assert json.loads(piped.stdout)["text"] == "Red."


def test_the_code_on_the_card_runs(speaking: Path) -> None:
    """As it stands there, with the folder's name in its place."""
    heard, code = io.StringIO(), LOAD_ADAPTERS.replace("ROWS", "448")
    assert code in model_card(read_run(speaking))

    with contextlib.redirect_stdout(heard):
        exec(code.replace("THIS FOLDER", str(speaking)), {})

    assert heard.getvalue().strip() == "Red."


def test_another_base_in_its_place_is_refused(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """With both digests; so is a base that is gone."""
    base = tmp_path / "base"
    shutil.copytree(tiny, base)
    out = fit(request(colours, base, tmp_path / "out", merge=False, lora_rank=2)).path
    assert find_model(str(out)).base.folder == str(base)

    (base / "config.json").write_text((base / "config.json").read_text() + " ")
    with pytest.raises(InputError, match=rf"sha256 is {read_run(out).base.sha256}, found"):
        open_responder(str(out))
    shutil.rmtree(base)
    with pytest.raises(InputError, match="base"):
        open_responder(str(out))


def test_a_base_is_found_where_it_stood_from_anywhere(
    tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it was named by a relative path."""
    monkeypatch.chdir(tiny.parent)
    out = fit(request(colours, Path(tiny.name), tmp_path / "out", merge=False, lora_rank=2)).path
    monkeypatch.chdir(tmp_path)

    assert find_model("out").base.folder == str(tiny)
    assert read_run(out).base.name == tiny.name


def test_without_adapters_there_is_nothing_to_keep(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Told before anything is loaded, also by a dry run."""
    for one in (fit, rehearse):
        with pytest.raises(InputError, match=r"merge: expected adapters to be kept: --lora-rank"):
            one(request(colours, tiny, tmp_path / "out", merge=False))


def test_where_a_whole_model_is_needed_it_says_how_to_make_one(kept: Path, tmp_path: Path, colours: Path) -> None:
    """For GGUF, and as the base of another run."""
    with pytest.raises(InputError, match="--to safetensors makes one, found adapters without their base"):
        export(kept, tmp_path / "gguf", Export(to="gguf"))
    with pytest.raises(InputError, match="found adapters without their base; dolly-train export --to safetensors"):
        fit(request(colours, kept, tmp_path / "out"))


def test_a_base_in_four_bits_is_read_in_four_bits(tmp_path: Path, colours: Path) -> None:
    """The model that was trained, not the one that its adapters would make of the weights as they came."""
    pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    base = save_tiny(tmp_path / "base", hidden_size=64, intermediate_size=128)
    out = fit(request(colours, base, tmp_path / "out", merge=False, **LEARNING, base_bits=4)).path

    run, model = read_run(out), open_responder(str(out)).model
    assert run.reloaded
    assert run.kept
    assert run.base.parameters == sum(one.numel() for one in whole(str(base)))
    assert model.is_loaded_in_4bit
    assert not any(one.requires_grad for one in model.parameters())
