"""A GGUF file is the checkpoint: llama.cpp cuts the same tokens, says the same and stops by itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from schemas.directory import read_manifest
from schemas.errors import DollyError, InputError
from schemas.prompt import TEMPLATES
from tests.training.tiny import save_tiny, tiny_model, tiny_tokenizer
from training.checkpoint.checkpoint import save_model
from training.config import settle
from training.export.check import check_gguf, post, served
from training.export.families import FAMILIES, family_of
from training.export.gguf_file import GgufType, Source, write_gguf
from training.export.make import Export, export
from training.export.vocabulary import vocabulary
from training.fit import fit
from training.model.load import make_room
from training.planning.plan import Request
from training.records.encoding import add_keys, encoder

pytest.importorskip("xllamacpp")

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"tie_word_embeddings": False, "attention_bias": True}),
    "llama, tied": ("llama", {}),
    "llama 3": ("llama", {"tie_word_embeddings": False, "rope_parameters": LLAMA3}),
    "mistral": ("mistral", {"sliding_window": None}),
    "qwen2": ("qwen2", {"tie_word_embeddings": False}),
    "qwen3": ("qwen3", {"tie_word_embeddings": False}),
    "gpt2": ("gpt2", {}),
    "gpt_neox": ("gpt_neox", {"rope_parameters": {"rope_theta": 10000.0, "partial_rotary_factor": 0.25}}),
}


def checkpoint(folder: Path, shape: str, template: str = "dolly-v1") -> tuple[Any, Source]:
    """Save a random model that has much to say, and return it with what is written of it."""
    kind, more = SHAPES[shape]
    tokenizer, model = tiny_tokenizer(), tiny_model(kind, **more)
    known = len(tokenizer)
    add_keys(tokenizer, TEMPLATES[template])
    make_room(model, tokenizer, known)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4 if weight.dim() > 1 else 1).add_(torch.randn_like(weight) * 0.1)
    encode = encoder(tokenizer, TEMPLATES[template])
    save_model(folder, model, encode)
    adds_bos, name = bool(encode.start), "tiny"
    source = Source(
        folder=folder,
        config=model.config,
        tokenizer=transformers.AutoTokenizer.from_pretrained(folder),
        end_id=encode.end_id,
        adds_bos=adds_bos,
        name=name,
        licence="mit",
    )
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), source


def test_every_family_is_tried() -> None:
    """Whoever adds one adds a shape."""
    assert {kind for kind, _ in SHAPES.values()} == set(FAMILIES)


@pytest.mark.parametrize("shape", SHAPES)
def test_answers_are_the_same(shape: str, tmp_path: Path) -> None:
    """Token by token in fp32; a tie that falls the other way ends the comparison of that answer."""
    model, source = checkpoint(tmp_path, shape)
    write_gguf(tmp_path / "it.gguf", source, "f32")

    agreement = check_gguf(tmp_path / "it.gguf", model, source.tokenizer, "f32")

    assert agreement.equal > 0.85 * agreement.tokens > 50


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_smaller_types_differ_by_rounding_alone(kind: GgufType, tmp_path: Path) -> None:
    """Half the bytes, nearly the same answers."""
    model, source = checkpoint(tmp_path, "llama")
    for one in ("f32", kind):
        write_gguf(tmp_path / f"{one}.gguf", source, one)

    agreement = check_gguf(tmp_path / f"{kind}.gguf", model, source.tokenizer, kind)

    assert agreement.equal > agreement.tokens / 4
    assert (tmp_path / f"{kind}.gguf").stat().st_size < 0.7 * (tmp_path / "f32.gguf").stat().st_size


def test_a_wrong_layout_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries and keys as transformers has them: the file loads, and says something else."""
    model, source = checkpoint(tmp_path, "llama")
    plain = replace(FAMILIES["llama"], weights=FAMILIES["qwen2"].weights)
    monkeypatch.setattr("training.export.gguf_file.family_of", lambda _: plain)
    write_gguf(tmp_path / "it.gguf", source, "f32")

    with pytest.raises(DollyError, match="answers otherwise"):
        check_gguf(tmp_path / "it.gguf", model, source.tokenizer, "f32")


def test_other_tokens_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a tokenizer merges otherwise than llama.cpp was told."""
    model, source = checkpoint(tmp_path, "llama")
    words = vocabulary(source.tokenizer, source.config.vocab_size)
    fewer = replace(words, merges=words.merges[:20])
    monkeypatch.setattr("training.export.gguf_file.vocabulary", lambda *_: fewer)
    write_gguf(tmp_path / "it.gguf", source, "f32")

    with pytest.raises(DollyError, match="other tokens"):
        check_gguf(tmp_path / "it.gguf", model, source.tokenizer, "f32")


def test_a_server_that_nobody_asks_ends(tmp_path: Path) -> None:
    """As where something else fails as soon as it has started; it used to wait for its loop for ever, now and then."""
    _, source = checkpoint(tmp_path, "llama")
    write_gguf(tmp_path / "it.gguf", source, "f32")

    addresses = []
    for _ in range(5):
        with served(tmp_path / "it.gguf") as address:
            addresses.append(address)

    assert len(addresses) == 5


def test_keys_are_control_tokens_and_padding_is_unused() -> None:
    """So that llama.cpp reads and writes them as one token."""
    tokenizer = tiny_tokenizer()
    add_keys(tokenizer, TEMPLATES["dolly-v1"])

    words = vocabulary(tokenizer, 448)

    assert words.types[tokenizer.convert_tokens_to_ids("### Response:\n")] == 3
    assert (words.tokens[447], words.types[447], len(words.tokens)) == ("[PAD447]", 5, 448)


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("gptj", {}, "llama.cpp has no GPT-J"),
        ("gemma2", {}, r"one of llama, .*--converter"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}}, "one of default"),
        ("mistral", {"sliding_window": 64}, "found a window"),
    ],
)
def test_what_cannot_be_written_is_refused_in_words(kind: str, more: dict[str, Any], message: str) -> None:
    """With what else there is."""
    config = tiny_model(kind, **more).config

    with pytest.raises(InputError, match=message):
        FAMILIES.get(kind, FAMILIES["llama"]).sizes(config) if family_of(config) else None


@pytest.fixture(scope="module")
def file(tuned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tuned checkpoint as GGUF."""
    out = tmp_path_factory.mktemp("gguf") / "out"
    return out / export(tuned, out, Export(type="f16")).record.file


def test_llama_cpp_stops_by_itself(file: Path) -> None:
    """Asked as any program asks: a chat message, no stop words."""
    with served(file) as address:
        said = post(f"{address}/v1/chat/completions", messages=[{"role": "user", "content": "Name colour 3."}],
                    temperature=0, max_tokens=50)  # fmt: skip

    (choice,) = said["choices"]
    assert choice["message"]["content"].strip() == "Red."
    assert choice["finish_reason"] == "stop"
    assert said["usage"]["completion_tokens"] < 10


def test_q8_0_answers_the_same(tuned: Path, tmp_path: Path) -> None:
    """What was learned survives a quarter of the bits."""
    made = export(tuned, tmp_path / "out", Export(type="q8_0")).record

    assert made.agreement is not None
    assert made.agreement.equal == made.agreement.tokens
    assert made.agreement.ended > 0


def test_an_export_is_a_directory_with_a_manifest(file: Path, tuned: Path) -> None:
    """Every file has its digest; the input is the checkpoint; the record says what was compared."""
    manifest, record = read_manifest(file.parent), json.loads((file.parent / "export.json").read_text())

    assert {one.path for one in manifest.outputs} == {"Modelfile", "README.md", "export.json", "model-f16.gguf"}
    assert record["agreement"]["equal"] == record["agreement"]["tokens"] > 0
    assert record["checkpoint"] == manifest.inputs[0].sha256
    assert export(tuned, file.parent, Export(type="f16")).reused


def test_the_modelfile_asks_as_it_was_trained(file: Path) -> None:
    """The training prompt around Ollama's, the end key as stop, Dolly's sampling."""
    text = (file.parent / "Modelfile").read_text()

    form = TEMPLATES["dolly-v1"].without_context.replace("{instruction}", "{{ .Prompt }}")
    assert text.startswith(f'FROM ./model-f16.gguf\nTEMPLATE """{form}"""\n')
    assert 'PARAMETER stop "### End"\n' in text
    assert "PARAMETER top_p 0.92\nPARAMETER top_k 0\nPARAMETER num_predict 256\n" in text


def test_without_a_check_it_says_so(tuned: Path, tmp_path: Path) -> None:
    """No agreement is claimed that nobody saw."""
    assert export(tuned, tmp_path / "out", Export(check=False)).record.agreement is None


def test_an_export_that_answers_otherwise_is_not_published(
    tuned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left at its place."""
    plain = replace(FAMILIES["llama"], weights=lambda _, weight, __: -weight)
    monkeypatch.setattr("training.export.gguf_file.family_of", lambda _: plain)

    with pytest.raises(DollyError, match="otherwise"):
        export(tuned, tmp_path / "out", Export())
    assert not (tmp_path / "out").exists()


def test_a_changed_checkpoint_is_refused(tiny: Path, colours: Path, tmp_path: Path) -> None:
    """Its bytes are not those that were measured."""
    config = settle("dolly-v1", {"dtype": "fp32", "steps": 1})
    made = fit(Request(data=colours, base=str(tiny), out=tmp_path / "it", config=config, preset="dolly-v1")).path
    (made / "config.json").write_text("{}")

    with pytest.raises(InputError, match=r"config\.json"):
        export(made, tmp_path / "out", Export())


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """A base model has no training prompt."""
    with pytest.raises(InputError, match="a checkpoint of dolly-train"):
        export(save_tiny(tmp_path / "base"), tmp_path / "out", Export())
