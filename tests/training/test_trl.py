"""TRL as an oracle: the trainer that people have computes the same loss from what we write."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from schemas.prompt import TEMPLATES
from tests.support import pair
from training.model.loss import response_loss
from training.records.batching import micro_batches
from training.records.encoding import encoder

RECORDS = [
    pair("Name a colour.", "Red, green and blue."),
    pair("Add.", "five", "two and three"),
    pair("Hi.", "Dear friend"),
]


def trl_trainer(tuned: Path, folder: Path) -> Any:
    """Return TRL's SFTTrainer over the same records as prompt and completion text, loss on the completion alone."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rendered = [TEMPLATES["dolly-v1"].render(record) for record in RECORDS]
    rows = [{"prompt": one.prompt_text, "completion": one.completion_text} for one in rendered]
    settings = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=len(rows),
        eos_token="### End",
        completion_only_loss=True,
        bf16=False,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
    )
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(tuned, dtype=torch.float32),
        args=settings,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(tuned),
    )


@pytest.fixture(scope="module")
def trl_batch(tuned: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """TRL's trainer and its first batch."""
    trainer = trl_trainer(tuned, tmp_path_factory.mktemp("trl"))
    return trainer, next(iter(trainer.get_train_dataloader()))


def test_trl_computes_our_loss(tuned: Path, trl_batch: tuple[Any, Any]) -> None:
    """To 1e-5 in fp32, from its own tokenization of the same texts."""
    trainer, theirs = trl_batch
    encode = encoder(AutoTokenizer.from_pretrained(tuned), TEMPLATES["dolly-v1"])
    (ours,) = micro_batches(encode.examples(RECORDS), tokens=10_000, pad_id=encode.tokenizer.pad_token_id)

    loss = response_loss(trainer.model, ours, head_only=True) / ours.supervised

    expected = trainer.compute_loss(trainer.model, dict(theirs))
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)


def test_trl_supervises_the_tokens_that_we_supervise(tuned: Path, trl_batch: tuple[Any, Any]) -> None:
    """Record by record."""
    encode = encoder(AutoTokenizer.from_pretrained(tuned), TEMPLATES["dolly-v1"])

    theirs = sorted(row[row != -100].tolist() for row in trl_batch[1]["labels"])

    ours = sorted([label for label in one.labels if label != -100] for one in encode.examples(RECORDS))
    assert theirs == ours
