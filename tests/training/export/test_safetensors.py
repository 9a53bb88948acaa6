"""A checkpoint in another precision or other files is the same checkpoint."""

from pathlib import Path

import pytest
import torch
import transformers

from schemas.errors import DollyError, InputError
from training.answers.respond import Prompt, Sampling, answer, open_responder
from training.checkpoint.checkpoint import read_run
from training.export import make
from training.export.make import Export, export


def test_another_precision_is_the_weights_cast(tuned: Path, tmp_path: Path) -> None:
    """Every weight, and the record and the card say which precision it is."""
    made = export(tuned, tmp_path / "out", Export(to="safetensors", dtype="bf16"))

    before = transformers.AutoModelForCausalLM.from_pretrained(tuned).state_dict()
    model = transformers.AutoModelForCausalLM.from_pretrained(made.path)
    assert model.dtype == torch.bfloat16
    assert all(torch.equal(before[name].bfloat16(), weight) for name, weight in model.state_dict().items())
    assert (read_run(made.path).dtype, made.record.type) == ("bf16", "bf16")
    assert "bf16" in (made.path / "README.md").read_text()


def test_it_is_asked_and_answers_as_before(tuned: Path, tmp_path: Path) -> None:
    """Tokenizer, template and generation settings came along."""
    made = export(tuned, tmp_path / "out", Export(to="safetensors", shard_size="20KB"))

    (said,) = answer(open_responder(str(made.path)), [Prompt("Name colour 3.")], Sampling(greedy=True))

    assert (said.text, said.stopped) == ("Red.", True)
    assert len(list(made.path.glob("*.safetensors"))) > 2
    folders = (tuned, made.path)
    assert len({(one / "chat_template.jinja").read_bytes() for one in folders}) == 1
    assert len({(one / "generation_config.json").read_bytes() for one in folders}) == 1


def test_a_lost_weight_is_found(tuned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the weights can fail."""
    monkeypatch.setitem(make.DTYPES, "bf16", torch.float16)
    made = export(tuned, tmp_path / "half", Export(to="safetensors", dtype="bf16"))

    with pytest.raises(DollyError, match="weights are not the checkpoint's"):
        make._check_weights(tuned, made.path, torch.float32)


def test_a_size_that_is_none_is_refused(tuned: Path, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match="a size such as 4GB"):
        export(tuned, tmp_path / "out", Export(to="safetensors", shard_size="4 gigs"))
