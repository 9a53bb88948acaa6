"""How long does training wait for a state to be saved, and does it go on while it is written?

    python benchmarks/train_saving.py [--base smollm2-135m] [--rounds 4] [--quick]

The base is trained with `adamw` on invented records; after every few steps a state is saved, in turn so that training
waits until it is on the disk, and from a copy while it goes on. Printed: seconds that a save takes of training, seconds
a step while a state is written and while none is. Both ways end in the same file.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from common import finish

from schemas.prompt import TEMPLATES
from tests.support import pair
from training.checkpoint.resume import Keeper
from training.checkpoint.saved import states
from training.checkpoint.state import State
from training.config import TrainConfig
from training.device import choose_device, choose_dtype
from training.model.load import find_base, load_model, load_tokenizer, make_room
from training.records.batching import MicroBatch, micro_batches
from training.records.encoding import add_keys, encoder
from training.step.loop import Stepper
from training.step.optimiser import gradients_of

RECORDS, BETWEEN = 16, 4
"""Records of a step, and steps from one save to the next."""


def main() -> None:
    """Save in both ways, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="one round")
    args = parser.parse_args()
    stepper, batches = opened(args.base)
    state = State(weights=stepper.weights, optimiser=stepper.optimiser, rows=[])
    waited: dict[bool, list[float]] = {False: [], True: []}
    stepped: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder, gradients_of(stepper.weights):
        keeper = Keeper(folder=Path(folder), run="benchmark", every_s=0)
        taken(stepper, state, batches)  # makes the moments, and warms up
        for _ in range(1 if args.quick else args.rounds):
            for beside in (False, True):
                waited[beside].append(saved(keeper, state, beside=beside))
                for _ in range(BETWEEN):
                    stepped[keeper.saving.is_going_on()].append(taken(stepper, state, batches))
                keeper.saving.settle()
        size = sum(file.stat().st_size for file in states(keeper.folder)[-1].iterdir())
    report(size, waited, stepped)


def opened(base: str) -> tuple[Stepper, list[MicroBatch]]:
    """Return what takes steps on a base, and one step's micro-batches."""
    device = choose_device()
    found, template = find_base(base), TEMPLATES["dolly-v1"]
    tokenizer = load_tokenizer(found)
    known = len(tokenizer)
    add_keys(tokenizer, template)
    model = load_model(found, choose_dtype("auto", device))
    make_room(model, tokenizer, known)
    records = [pair(f"Name the colour of thing {at}.", f"It is colour {at}. " * 8) for at in range(RECORDS)]
    examples = list(encoder(tokenizer, template).examples(records))
    batches = list(micro_batches(examples, tokens=1024, pad_id=int(tokenizer.pad_token_id)))
    return Stepper(model=model.to(device).train(), config=TrainConfig()), batches


def taken(stepper: Stepper, state: State, batches: Sequence[MicroBatch]) -> float:
    """Take a step; return its seconds."""
    state.rows.append(stepper.take(batches, len(state.rows) + 1, 1e-6))
    return state.rows[-1].seconds


def saved(keeper: Keeper, state: State, *, beside: bool) -> float:
    """Save a state; return the seconds that training waits."""
    started = time.monotonic()
    keeper.save(state, going_on=beside)
    return time.monotonic() - started


def report(size: int, waited: dict[bool, list[float]], stepped: dict[bool, list[float]]) -> None:
    """Print what was measured."""
    middle = {way: statistics.median(seconds) for way, seconds in waited.items()}
    step = {way: statistics.median(seconds) if seconds else 0.0 for way, seconds in stepped.items()}
    print(f"a state of {size / 1e9:.2f} GB, {torch.get_num_threads()} threads")
    print(f"training waits {middle[False]:.2f} s until it is on the disk, {middle[True]:.2f} s until it is copied")
    print(f"a step takes {step[False]:.2f} s, {step[True]:.2f} s while a state is written")
    figures = {
        "gigabytes": size / 1e9,
        "waited_s": middle[False],
        "waited_for_copy_s": middle[True],
        "waited_for_copy_share": middle[True] / middle[False],
        "step_s": step[False],
        "step_while_writing_s": step[True],
    }
    finish("train_saving", figures, {"waited_for_copy_share": ("<=", 0.5)})


if __name__ == "__main__":
    main()
