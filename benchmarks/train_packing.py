"""How much faster are packed steps than sorted, padded ones, at the same loss?

    python benchmarks/train_packing.py [--data ../shared/data] [--base smollm2-135m] [--steps 3] [--quick]

The same steps of 64 Alpaca records, forward and backward, in the precision that a run would choose; sorted and packed
in turns, each at the micro-batch that suits this machine. Tokens are real ones, padding not counted.
"""

import argparse
import gzip
import json
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import torch
from common import finish

from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from training.device import choose_device, choose_dtype
from training.model.load import find_base, load_model, load_tokenizer, make_room
from training.model.loss import head_suffices
from training.model.packing import choose_packing
from training.records.batching import micro_batches, steps, suitable_tokens
from training.records.encoding import Example, add_keys, encoder
from training.step.loop import backward

ROWS = 64


def main() -> None:
    """Time both ways over the same steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two steps of eight records")
    args = parser.parse_args()
    count, rows = (2, 8) if args.quick else (args.steps, ROWS)
    model, examples, pad_id = load(args.base, Path(args.data), count * rows)
    packing = choose_packing(model, "auto")
    print(f"{args.base}, {model.dtype}: {packing.reason}")
    if not packing.used:
        raise SystemExit(1)
    taken = islice(steps(examples, rows=rows, epochs=1, seed=1), count)
    timed = [{packed: timing(model, step, pad_id, packed=packed) for packed in (False, True)} for step in taken]
    finish("train_packing", figures(timed, examples), {"packed_by_sorted": (">=", 1.0), "loss_apart": ("<=", 0.01)})


def load(base: str, data: Path, count: int) -> tuple[Any, list[Example], int]:
    """Return a model with room for Dolly's keys, as many Alpaca records, and the padding."""
    place, device, template = find_base(base), choose_device(), TEMPLATES["dolly-v1"]
    tokenizer, model = load_tokenizer(place), load_model(place, choose_dtype("auto", device))
    known = len(tokenizer)
    add_keys(tokenizer, template)
    encode = encoder(tokenizer, template)
    make_room(model, tokenizer, known, encode.end_id)
    with gzip.open(data / "alpaca_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in islice(lines, count)]
    records = [InstructionRecord(instruction=r["instruction"], context=r["input"], response=r["output"]) for r in read]
    return model.to(device).train(), list(encode.examples(records)), tokenizer.pad_token_id


def timing(model: Any, step: list[Example], pad_id: int, *, packed: bool) -> tuple[float, float, int]:
    """Return (seconds, loss, computed tokens) of a step."""
    tokens = suitable_tokens(model.device)
    batches = list(micro_batches(step, tokens=tokens, pad_id=pad_id, packed=packed))
    head_only = head_suffices(model)
    model.zero_grad(set_to_none=True)
    started = time.monotonic()
    loss = backward(model, batches, head_only=head_only)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic() - started, loss, sum(one.padded_tokens for one in batches)


def figures(timed: list[dict[bool, tuple[float, float, int]]], examples: list[Example]) -> dict[str, float]:
    """Return what the turns came to."""
    real = sum(len(one.input_ids) for one in examples)
    seconds = {packed: sum(one[packed][0] for one in timed) for packed in (False, True)}
    return {
        "packed_by_sorted": median(one[False][0] / one[True][0] for one in timed),
        "packed_tokens_a_second": real / seconds[True],
        "sorted_tokens_a_second": real / seconds[False],
        "sorted_computed_by_real": sum(one[False][2] for one in timed) / real,
        "packed_computed_by_real": sum(one[True][2] for one in timed) / real,
        "loss_apart": max(abs(one[False][1] - one[True][1]) for one in timed),
    }


if __name__ == "__main__":
    main()
