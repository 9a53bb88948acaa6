"""What users get wrong, through the command line: each a clear message, before any long work, and nothing left over."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from transformers import BertConfig, BertLMHeadModel, BertModel, T5Config, T5ForConditionalGeneration

from tests.support import ROOT, pair, step_of
from tests.training.gguf_file import write_gguf
from tests.training.tiny import save_tiny, tiny_model, tiny_tokenizer
from training.cli import main
from training.model.load import load_base

SMALL_BERT = BertConfig(
    vocab_size=420, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=48
)
SMALL_T5 = T5Config(vocab_size=420, d_model=32, num_layers=1, num_heads=2, d_ff=48, d_kv=16)


def run(*words: object) -> Result:
    """Run a command in this process, one step at most."""
    return CliRunner().invoke(main, [*map(str, words), "--steps", "1", "--dtype", "fp32", "--plain"])


def said(done: Result) -> str:
    """Return the message of a command that was refused in so many words."""
    assert (done.exit_code, done.stderr.count("Traceback")) == (1, 0), done.output
    return done.stderr.splitlines()[-1]


def with_tokenizer(folder: Path) -> Path:
    """Put the tiny tokenizer beside a model."""
    tiny_tokenizer().save_pretrained(folder)
    return folder


def cut_weights(folder: Path) -> Path:
    """A download that broke off."""
    file = save_tiny(folder) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-500])
    return folder


def other_tokenizer(folder: Path) -> Path:
    """A model with fewer tokens than the tokenizer beside it."""
    tiny_model(vocabulary=128).save_pretrained(folder)
    return with_tokenizer(folder)


def no_tokenizer(folder: Path) -> Path:
    """Weights alone."""
    tiny_model().save_pretrained(folder)
    return folder


def encoder_and_decoder(folder: Path) -> Path:
    """T5 reads with one half and writes with the other."""
    T5ForConditionalGeneration(SMALL_T5).save_pretrained(folder)
    return with_tokenizer(folder)


def encoder_alone(folder: Path) -> Path:
    """BERT without a head, which transformers would make of random numbers."""
    BertModel(SMALL_BERT).save_pretrained(folder)
    return with_tokenizer(folder)


def sees_ahead(folder: Path) -> Path:
    """BERT with a head: it loads as a causal model and is none."""
    BertLMHeadModel(SMALL_BERT).save_pretrained(folder)
    return with_tokenizer(folder)


def damaged(folder: Path) -> Path:
    """Weights that are sure of the wrong tokens, as with a tokenizer of another model."""
    model = tiny_model(tie_word_embeddings=False)
    with torch.no_grad():
        model.lm_head.weight.mul_(300)
    model.save_pretrained(folder)
    return with_tokenizer(folder)


def cut_gguf(folder: Path) -> Path:
    """A GGUF file that broke off."""
    folder.mkdir()
    file = write_gguf(folder / "model.gguf", tiny_model(), tiny_tokenizer())
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


BASES: dict[Callable[[Path], Path], str] = {
    cut_weights: "found Error while deserializing",
    other_tokenizer: "tokenizer: expected the tokenizer of a model with 128 tokens, found one with",
    no_tokenizer: "expected a tokenizer beside the weights",
    encoder_and_decoder: "expected a causal language model, found t5, which is none",
    encoder_alone: "expected weights for the whole model, found none for",
    sees_ahead: "expected a causal language model, found bert, in which a token sees those after it",
    damaged: "its tokenizer may be another model's, or its weights damaged",
    cut_gguf: "expected a causal language model, found",
}


@pytest.mark.parametrize("make", BASES, ids=lambda make: make.__name__)
def test_a_base_that_cannot_be_trained_is_refused(tmp_path: Path, colours: Path, make: Callable[[Path], Path]) -> None:
    """In one line that says what is wrong with it."""
    done = run(colours, "--base", make(tmp_path / "base"), "-o", tmp_path / "out")

    assert BASES[make] in said(done)
    assert not (tmp_path / "out").exists()


def test_no_records_at_all(tmp_path: Path, tiny: Path) -> None:
    """An empty step."""
    done = run(step_of(tmp_path / "data", []).path, "--base", tiny, "-o", tmp_path / "out")

    assert "expected at least one record to train on, found none" in said(done)


def test_the_wrong_folder(tmp_path: Path, tiny: Path) -> None:
    """Rows that nobody has validated: the message is the command that does."""
    (tmp_path / "rows.jsonl").write_text("{}")

    assert "dolly-data validate" in said(run(tmp_path, "--base", tiny, "-o", tmp_path / "out"))


def test_all_records_are_too_long(tmp_path: Path, tiny: Path) -> None:
    """With the length of the shortest."""
    data = step_of(tmp_path / "data", [pair("Say it.", "word " * 300)]).path

    assert "none of its 1 records can be trained on; the shortest has" in said(
        run(data, "--base", tiny, "-o", tmp_path / "out")
    )


def test_one_record_is_few_but_no_mistake(tmp_path: Path, tiny: Path) -> None:
    """It is trained on, none is held out, and the plan says that this changes little."""
    done = run(step_of(tmp_path / "data", [pair()]).path, "--base", tiny, "-o", tmp_path / "out")

    assert done.exit_code == 0
    assert "--preset default is for small sets" in done.output


@pytest.mark.parametrize("inside", ["data", "base"])
def test_writing_into_what_is_read(tmp_path: Path, tiny: Path, colours: Path, inside: str) -> None:
    """The inputs stay what they were."""
    data, base = (shutil.copytree(one, tmp_path / name) for one, name in ((colours, "data"), (tiny, "base")))
    before = sorted(path.name for path in (tmp_path / inside).iterdir())

    done = run(data, "--base", base, "-o", tmp_path / inside / "out")

    assert "expected a directory outside of what is read" in said(done)
    assert sorted(path.name for path in (tmp_path / inside).iterdir()) == before


def _small_files() -> None:
    """Let no file of this process become larger than 60 kB: its disk is as good as full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


@pytest.mark.parametrize("minutes", ["10", "0.00001"], ids=["checkpoint", "state"])
def test_no_space_on_the_disk(tmp_path: Path, tiny: Path, colours: Path, minutes: str) -> None:
    """The system refuses to write on, the checkpoint or the state: a message, and nothing but what was watched."""
    words = [colours, "--base", tiny, "-o", tmp_path / "out", "--epochs", "2", "--dtype", "fp32", "--plain"]
    words += ["--save-minutes", minutes]
    done = subprocess.run(
        [sys.executable, "-m", "training", *map(str, words)],
        preexec_fn=_small_files,  # no other thread runs here
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert str(tmp_path / "out") in done.stderr.splitlines()[-1]
    left = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert left <= {"log.jsonl", "evaluations.jsonl", "samples.jsonl", "training.html", "live.json"}


def test_the_base_of_these_tests_is_sound(tiny: Path) -> None:
    """So that it is the mistakes that are refused."""
    assert load_base(str(tiny))
