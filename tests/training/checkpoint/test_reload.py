"""A checkpoint is written in files of a chosen size, and read again before anybody relies on it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from schemas.errors import DollyError, InputError
from schemas.prompt import TEMPLATES
from schemas.step import read_manifest
from tests.support import pair
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.checkpoint.adapters import Where
from training.checkpoint.checkpoint import read_run, save_model
from training.checkpoint.reload import Asked, chat_ids, check_reload, greedy, read_whole
from training.config import settle
from training.fit import fit
from training.model.load import make_room
from training.planning.plan import Request
from training.records.encoding import Encoder, add_keys, encoder

RECORDS = [pair("Name colour 1.", "Red."), pair("Which?", "Blue.", context="Blue or ### End")]


@pytest.fixture
def small(colours: Path, tiny: Path, tmp_path: Path) -> Request:
    """A request for one quick step."""
    config = settle("dolly-v1", {"dtype": "fp32", "steps": 1})
    return Request(data=colours, base=str(tiny), out=tmp_path / "out", config=config, preset="dolly-v1")


def in_memory(template: str = "dolly-v1", kind: str = "llama") -> tuple[Any, Encoder]:
    """Return a tiny random model with the keys of a template."""
    tokenizer, model = tiny_tokenizer(), tiny_model(kind)
    known = len(tokenizer)
    add_keys(tokenizer, TEMPLATES[template])
    make_room(model, tokenizer, known)
    return model, encoder(tokenizer, TEMPLATES[template])


def test_weights_are_cut_into_files_of_the_chosen_size(small: Request) -> None:
    """With an index; the manifest has each file's digest, and transformers loads them all."""
    out = fit(replace(small, shard_size="20KB")).path
    whole = fit(replace(small, out=small.out.with_name("whole"))).path

    shards = sorted(out.glob("model-*.safetensors"))
    named = {one.path for one in read_manifest(out).outputs}
    assert len(shards) > 2
    assert {one.name for one in shards} | {"model.safetensors.index.json"} <= named
    pairs = [transformers.AutoModelForCausalLM.from_pretrained(one).state_dict() for one in (out, whole)]
    assert all(torch.equal(weight, pairs[1][name]) for name, weight in pairs[0].items())


def test_a_size_that_is_none_is_refused_before_any_work(small: Request, tmp_path: Path) -> None:
    """Even before the data is looked for."""
    with pytest.raises(InputError, match="a size such as 4GB"):
        fit(replace(small, data=tmp_path / "nowhere", shard_size="big"))


def test_the_run_record_says_what_was_compared(tuned: Path) -> None:
    """Both forms of the prompt and two of the data's, and the tokens of their answers."""
    reloaded = read_run(tuned).reloaded

    assert reloaded is not None
    assert (reloaded.prompts, reloaded.tokens > 4) == (4, True)


def test_reading_again_can_be_turned_off(small: Request) -> None:
    """And the run record says so."""
    assert fit(replace(small, reload_check=False)).run.reloaded is None


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "gemma2"])
def test_every_template_survives_the_disk(kind: str, template: str, tmp_path: Path) -> None:
    """Weights, keys and chat template; a record whose text holds a key is not tried."""
    model, encode = in_memory(template, kind)
    save_model(tmp_path, model, encode)

    assert check_reload(tmp_path, model, encode, RECORDS).prompts >= 3


def test_other_weights_are_found(tmp_path: Path) -> None:
    """As when a tied or sharded weight is not what was trained."""
    model, encode = in_memory()
    save_model(tmp_path, model, encode)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(-1)

    with pytest.raises(DollyError, match="answer token 1 is"):
        check_reload(tmp_path, model, encode, RECORDS)


def test_two_models_are_never_in_memory_at_once(tmp_path: Path) -> None:
    """The one that was trained has answered, and its numbers are gone, before the other is read."""
    model, encode = in_memory()
    save_model(tmp_path, model, encode)
    devices: list[str] = []

    def read(folder: Path, where: Where) -> Any:
        devices.extend({one.device.type for one in model.parameters()})
        return read_whole(folder, where)

    check_reload(tmp_path, model, encode, RECORDS, read)

    assert devices == ["meta"]


def test_another_chat_template_is_found(tmp_path: Path) -> None:
    """A prompt that was never trained."""
    model, encode = in_memory()
    save_model(tmp_path, model, encode)
    file = tmp_path / "chat_template.jinja"
    file.write_text(file.read_text().replace("Below", "Above"))

    with pytest.raises(DollyError, match="prompt token 1 is"):
        check_reload(tmp_path, model, encode, RECORDS)


def test_a_checkpoint_that_reads_otherwise_is_not_published(small: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left at its place."""
    saved = transformers.PreTrainedModel.save_pretrained

    def wrong(model: Any, *args: Any, **settings: Any) -> None:
        saved(model, *args, **settings)
        with torch.no_grad():
            model.get_input_embeddings().weight.mul_(-1)

    monkeypatch.setattr(transformers.PreTrainedModel, "save_pretrained", wrong)

    with pytest.raises(DollyError, match="--no-reload-check"):
        fit(small)
    assert not small.out.exists()


def test_generation_stops_as_the_folder_says(tuned: Path) -> None:
    """The helper that answers uses nothing but the model's own settings."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tuned)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tuned)

    said = greedy(model, chat_ids(tokenizer, Asked("Name colour 3.")))

    assert tokenizer.decode(said[:-1]).strip() == "Red."
    assert said[-1] == tokenizer.convert_tokens_to_ids("### End")
