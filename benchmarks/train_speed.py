"""Real tokens a second while training, against Dolly's recipe in transformers' Trainer and TRL's SFTTrainer.

    python benchmarks/train_speed.py [--data ../shared/data] [--base smollm2-135m] [--records 512] [--turns 2] [--quick]

Everyone trains the same Alpaca records, optimiser step included, padding not counted; a step is 64 records, as Dolly's
was. Each contender is a process of its own and has two turns, one over each half of the records (A B C …, A B C …);
a step over other records warms it up. Beside the speed stands the loss of the untrained model on the first
records as each contender computes it: who is faster must compute the same.

On a processor without bf16 everyone computes in fp32, TRL too, and what is said of bf16 is not measured.

    dolly       Dolly's recipe: random batches of 8 padded to the longest, activations computed again, all logits, fp32
    trl         SFTTrainer as it comes: bf16 by autocast where there is bf16, activations computed again
    trl-best    SFTTrainer at its best here: packed at 512, nothing computed again, the same precision
    ours-fp32   dolly-train in fp32
    ours        dolly-train as it comes
"""

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import torch
from common import finish, timed

from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from training.config import TrainConfig
from training.device import choose_device, choose_dtype
from training.model.load import find_base, load_model, load_tokenizer, make_room
from training.model.loss import response_loss
from training.model.packing import choose_packing
from training.records.batching import micro_batches
from training.records.encoding import Encoder, Example, add_keys, encoder
from training.step.loop import train

ROWS, DEVICE_ROWS, RATE = 64, 8, 1e-5
"""Records of a step; of a batch on one of Dolly's eight devices; Dolly's learning rate."""
PACKED = 512
"""Tokens of TRL's packed rows."""
COMPARED = 8
"""Records on which everyone's loss is computed."""
WARM = 16
"""Records of the step that warms up."""
GOALS = {"by_dolly_fp32": 2.5, "by_dolly": 5.0, "by_trl": 4.0, "by_trl_best": 2.5}

Turn = Callable[[Any, Encoder, Sequence[InstructionRecord]], float]


def main() -> None:
    """Give everyone their turns, print, compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--records", type=int, default=512)
    parser.add_argument("--turns", type=int, default=2, help="how often everyone trains, each time on other records")
    parser.add_argument(
        "--quick", action="store_true", help="8 records in steps of 4, one turn: a look, no measurement"
    )
    parser.add_argument("--one", choices=tuple(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--turn", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.quick:
        asked.records, asked.turns = 8, 1
    if asked.one:
        print(json.dumps(turn(asked.one, asked)))
        return
    names = [name for name in CONTENDERS if halves() or name != "ours"]
    found = {name: [] for name in names}  # type: dict[str, list[dict[str, float]]]
    for number in range(asked.turns):
        for name in names:
            found[name].append(apart(name, number, asked))
            print(f"turn {number + 1} {name:10} {described(found[name][-1])}", flush=True)
    result = figures(found)
    if not halves():
        print("no bf16 on this processor: everyone in fp32; what is said of bf16 is not measured")
    finish("train_speed", result, {name: (">=", goal) for name, goal in GOALS.items() if name in result} | APART)


def halves() -> bool:
    """Say whether models compute in bf16 here."""
    return choose_dtype("auto", choose_device()) == torch.bfloat16


APART = {"loss_apart_fp32": ("<=", 1e-4), "loss_apart": ("<=", 0.05)}


def figures(found: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, float]:
    """Return tokens a second, the ratios of the turns' medians, and how far the losses are apart."""
    speed = {name: median(one["tokens"] / one["seconds"] for one in turns) for name, turns in found.items()}
    loss = {name: turns[0]["loss"] for name, turns in found.items()}
    ours, suffix = (speed["ours"], "") if "ours" in speed else (speed["ours-fp32"], "_fp32")
    return {
        **{f"{name}_tokens_a_second".replace("-", "_"): round(value, 1) for name, value in speed.items()},
        "by_dolly_fp32": speed["ours-fp32"] / speed["dolly"],
        f"by_dolly{suffix}": ours / speed["dolly"],
        f"by_trl{suffix}": ours / speed["trl"],
        f"by_trl_best{suffix}": ours / speed["trl-best"],
        "loss_apart_fp32": abs(loss["ours-fp32"] - loss["dolly"]),
        "loss_apart": max(abs(one - loss["dolly"]) for one in loss.values()),
    }


def described(turn: Mapping[str, float]) -> str:
    """Return a turn in words."""
    speed = turn["tokens"] / turn["seconds"]
    return f"{speed:8.1f} tokens/s  {turn['seconds']:7.1f} s  loss {turn['loss']:.4f}  peak {turn['peak_mb']:,.0f} MB"


def apart(name: str, number: int, asked: argparse.Namespace) -> dict[str, float]:
    """Run a turn in a process of its own."""
    words = ("--one", name, "--turn", str(number), "--records", str(asked.records), "--base", asked.base)
    more = ("--turns", str(asked.turns), *(("--quick",) if asked.quick else ()))
    ran = timed("train_speed", *words, *more, "--data", str(asked.data.resolve()), cwd=Path(__file__).parent)
    result: dict[str, float] = json.loads(ran.output.splitlines()[-1])
    return {**result, "peak_mb": ran.peak_mb}


def turn(name: str, asked: argparse.Namespace) -> dict[str, float]:
    """Return the real tokens, seconds and first loss of a turn; a step over other records warms up."""
    warming = 4 if asked.quick else WARM
    some = records(asked.data, asked.records + warming)
    warm, rest = some[:warming], some[warming:]
    mine = rest[asked.turn * len(rest) // asked.turns : (asked.turn + 1) * len(rest) // asked.turns]
    place, template = find_base(asked.base), TEMPLATES["dolly-v1"]
    tokenizer = load_tokenizer(place)
    known = len(tokenizer)
    add_keys(tokenizer, template)
    encode = encoder(tokenizer, template)
    dtype = torch.bfloat16 if name == "ours" else torch.float32
    model = load_model(place, dtype)
    make_room(model, tokenizer, known, encode.end_id)
    loss = first_loss(model, list(encode.examples(some[:COMPARED])), tokenizer.pad_token_id)
    CONTENDERS[name](model, encode, warm)
    seconds = CONTENDERS[name](model, encode, mine)
    return {"tokens": sum(len(one.input_ids) for one in encode.examples(mine)), "seconds": seconds, "loss": loss}


def records(data: Path, count: int) -> list[InstructionRecord]:
    """Return the first records of Alpaca that have an answer."""
    with gzip.open(data / "alpaca_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        told = (row for row in rows if row["output"].strip())
        return [
            InstructionRecord(instruction=row["instruction"], context=row["input"], response=row["output"])
            for row in islice(told, count)
        ]


def first_loss(model: Any, examples: Sequence[Example], pad_id: int) -> float:
    """Return the loss a response token before training."""
    model.eval()
    (batch,) = micro_batches(examples, tokens=1 << 20, pad_id=pad_id)
    with torch.no_grad():
        return float(response_loss(model, batch, head_only=False)) / batch.supervised


def step_rows() -> int:
    """Return the records of a step."""
    return 4 if "--quick" in sys.argv else ROWS


def by_us(model: Any, encode: Encoder, some: Sequence[InstructionRecord]) -> float:
    """Train as dolly-train does; return the seconds of its steps."""
    config = TrainConfig(rows_per_step=step_rows(), lr=RATE, held_out_rows=0, optimiser="adamw", recompute="off")
    packed = choose_packing(model, "auto").used
    examples = list(encode.examples(some))
    return train(model, examples, config, pad_id=encode.tokenizer.pad_token_id, packed=packed).seconds


class Clock:
    """Times a trainer from its first step to its last."""

    def __init__(self) -> None:
        self.started = self.seconds = 0.0

    def callback(self) -> Any:
        """Return what the trainer calls."""
        from transformers import TrainerCallback

        clock = self

        class Watch(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
            def on_train_begin(self, *_: Any, **__: Any) -> None:
                clock.started = time.monotonic()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                clock.seconds = time.monotonic() - clock.started

        return Watch()


def by_dolly(model: Any, encode: Encoder, some: Sequence[InstructionRecord]) -> float:
    """Train as Dolly's trainer.py did, its eight devices one after the other."""
    from transformers import Trainer, TrainingArguments

    examples = [{"input_ids": list(one.input_ids), "labels": list(one.labels)} for one in encode.examples(some)]
    clock, pad_id = Clock(), encode.tokenizer.pad_token_id
    with tempfile.TemporaryDirectory() as folder:
        rows = step_rows()
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=min(DEVICE_ROWS, rows),
            gradient_accumulation_steps=max(1, rows // DEVICE_ROWS), num_train_epochs=1, learning_rate=RATE,
            lr_scheduler_type="constant", activation_checkpointing=True, bf16=False,
            use_cpu=not torch.cuda.is_available(), save_strategy="no", report_to="none", disable_tqdm=True, seed=42,
        )  # fmt: skip
        trainer = Trainer(
            model=model.train(),
            args=arguments,
            train_dataset=examples,
            data_collator=lambda rows: padded(rows, pad_id),
            callbacks=[clock.callback()],
        )
        trainer.train()
    return clock.seconds


def padded(rows: Sequence[Mapping[str, list[int]]], pad_id: int) -> dict[str, torch.Tensor]:
    """Pad a batch to its longest, to a multiple of 8."""
    length = -(-max(len(row["input_ids"]) for row in rows) // 8) * 8
    return {
        "input_ids": torch.tensor([row["input_ids"] + [pad_id] * (length - len(row["input_ids"])) for row in rows]),
        "labels": torch.tensor([row["labels"] + [-100] * (length - len(row["labels"])) for row in rows]),
        "attention_mask": torch.tensor(
            [[1] * len(row["input_ids"]) + [0] * (length - len(row["input_ids"])) for row in rows]
        ),
    }


def by_trl(model: Any, encode: Encoder, some: Sequence[InstructionRecord], **settings: Any) -> float:
    """Train with SFTTrainer on prompts and completions; a step is as many records, as near as packing allows."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rendered = [encode.template.render(record) for record in some]
    data = Dataset.from_list([{"prompt": one.prompt_text, "completion": one.completion_text} for one in rendered])
    clock, rows = Clock(), step_rows()
    batch = {
        "per_device_train_batch_size": min(DEVICE_ROWS, rows),
        "gradient_accumulation_steps": -(-rows // DEVICE_ROWS),
    }
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder, num_train_epochs=1, learning_rate=RATE, bf16=halves(),
            use_cpu=not torch.cuda.is_available(), save_strategy="no", report_to="none", disable_tqdm=True,
            eos_token=encode.tokenizer.convert_ids_to_tokens(encode.end_id), **(batch | settings),
        )  # fmt: skip
        trainer = SFTTrainer(
            model=model, args=config, train_dataset=data, processing_class=encode.tokenizer,
            callbacks=[clock.callback()],
        )  # fmt: skip
        trainer.train()
    return clock.seconds


def by_trl_packed(model: Any, encode: Encoder, some: Sequence[InstructionRecord]) -> float:
    """As `by_trl`, with what was fastest here: rows packed to 512 tokens, as many a step as hold its records."""
    tokens = sum(len(one.input_ids) for one in encode.examples(some)) * step_rows() / len(some)
    settings = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": max(1, round(tokens / PACKED))}
    return by_trl(model, encode, some, packing=True, max_length=PACKED, gradient_checkpointing=False, **settings)


CONTENDERS: Mapping[str, Turn] = {
    "dolly": by_dolly,
    "trl": by_trl,
    "trl-best": by_trl_packed,
    "ours-fp32": by_us,
    "ours": by_us,
}


if __name__ == "__main__":
    main()
