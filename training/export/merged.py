"""Adapters that a run kept apart, added to their base: an ordinary checkpoint, in safetensors."""

from dataclasses import replace
from pathlib import Path

import torch

from schemas.errors import InputError
from schemas.outcome import Aside
from schemas.prompt import TEMPLATES
from training.checkpoint.adapters import ADAPTERS, Where, find_model, read_adapted
from training.checkpoint.checkpoint import RunRecord, read_run, save_model
from training.checkpoint.reload import check_reload
from training.config import TrainConfig
from training.device import choose_device
from training.model.adapter import merge
from training.records.encoding import encoder
from training.report.model_card import trained_on


def is_adapters(checkpoint: Path) -> bool:
    """Say whether a checkpoint is adapters without their base."""
    return (checkpoint / ADAPTERS).is_file()


def refuse_adapters(checkpoint: Path) -> None:
    """Refuse adapters where a whole model is needed.

    Raises:
        InputError: says how to make one.
    """
    if is_adapters(checkpoint):
        expected = f"a whole model; dolly-train export {checkpoint} -o MERGED --to safetensors makes one"
        raise InputError(place=checkpoint, expected=expected, found="adapters without their base")


def write_merged(checkpoint: Path, draft: Path, dtype: torch.dtype, shard_size: str, aside: Aside) -> RunRecord:
    """Add adapters to the weights of their base as they came, write the model, read it again; return its run record.

    Raises:
        InputError: the base is not there, or is another.
        DollyError: the merged model is not the one with adapters, or is read otherwise than it was written.
    """
    run, found = read_run(checkpoint), find_model(str(checkpoint), aside)
    adapted = read_adapted(found.base, TrainConfig(), checkpoint, Where(dtype, choose_device()))
    merged, model = merge(adapted), adapted.model
    encode = encoder(found.tokenizer(), TEMPLATES[str(run.settings["template"])])
    model.config.trained_on = trained_on(run.data)
    save_model(draft, model, encode, shard_size)
    reloaded = check_reload(draft, model, encode, ())
    assert merged
    assert run.kept
    return replace(run, kept=None, merged=replace(merged, trained=run.kept.trained), reloaded=reloaded)
