"""Adapters in peft's own files, for every program that reads those: adapter_model.safetensors and adapter_config.json.

The rows of the keys stand there as peft's trainable tokens, of a head of its own too. peft drops the bias of a head of
which it trains rows (0.21), and GPT-J's has one: such a head is written whole, as a module of peft's to be saved.
"""

import warnings
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from peft.utils import SAFETENSORS_WEIGHTS_NAME, ModulesToSaveWrapper
from safetensors.torch import save_file
from torch import Tensor

from training.model.load import full_disks_told, quiet
from training.model.lora import NAME, KeyRows, made_ours

WITHIN = "base_model.model."
"""What peft writes before a module's name."""


@torch.no_grad()
def save(tuned: PeftModel, folder: Path, base: str) -> None:
    """Write the adapters; `base` is where peft is to find the model beneath them: a folder or a Hub id."""
    config = _written(tuned.peft_config[NAME], base)
    tensors: dict[str, Tensor] = get_peft_model_state_dict(tuned, save_embedding_layers=False)
    for name, table in _biased(tuned):
        del tensors[f"{WITHIN}{name}.token_adapter.trainable_tokens_delta"]
        tensors[f"{WITHIN}{name}.weight"] = table.get_merged_weights([NAME])
        tensors[f"{WITHIN}{name}.bias"] = table.base_layer.bias
        del config.trainable_token_indices[name]
        config.modules_to_save = [name]
    with full_disks_told():
        save_file({name: one.contiguous() for name, one in tensors.items()}, folder / SAFETENSORS_WEIGHTS_NAME)
    config.save_pretrained(str(folder))


@torch.no_grad()
def load(model: Any, folder: Path) -> PeftModel:
    """Put the adapters of a folder into `model` in place, to be asked; it has the rows that they were trained with."""
    with quiet(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")  # it then does what is right
        tuned = PeftModel.from_pretrained(model, str(folder), is_trainable=True, autocast_adapter_dtype=False)
    for name, one in list(model.named_modules()):
        if isinstance(one, ModulesToSaveWrapper):
            model.set_submodule(name, one.modules_to_save[NAME], strict=True)
    made_ours(model)
    model.requires_grad_(False).eval()
    return tuned


def _written(config: LoraConfig, base: str) -> LoraConfig:
    """Return the settings as they are written: the same bytes for the same run."""
    written = copy(config)
    written.base_model_name_or_path, written.inference_mode = base, True
    if not isinstance(config.target_modules, str):
        written.target_modules = sorted(config.target_modules or ())
    written.trainable_token_indices = dict(config.trainable_token_indices or {}) or None
    return written


def _biased(tuned: PeftModel) -> Iterator[tuple[str, KeyRows]]:
    """Yield the tables with trained rows and a bias, each with its name in the model."""
    for name, one in tuned.get_base_model().named_modules():
        if isinstance(one, KeyRows) and getattr(one.base_layer, "bias", None) is not None:
            yield name.removesuffix(".token_adapter"), one
