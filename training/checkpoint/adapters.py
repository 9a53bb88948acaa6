"""A checkpoint that is adapters beside the name of their base: written in peft's format, and read again.

OUT/ has adapter_model.safetensors and adapter_config.json where another checkpoint has its weights, and all else that
one has. The base is found again where it stood, or by what it was called, and has to have the same digest.
"""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import GenerationConfig

from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from training.checkpoint.checkpoint import RunRecord, generation_config, is_checkpoint, read_run, save_tokenizer
from training.config import TrainConfig
from training.model.adapter import Adapted, Kept
from training.model.load import Base, digest_base, find_base, load_model, load_tokenizer, make_room
from training.model.quantised import check_bits, loading
from training.records.encoding import Encoder

ADAPTERS = "adapter_config.json"
"""The file by which programs know a folder with adapters."""


class Where(NamedTuple):
    """In which precision and where a model computes."""

    dtype: torch.dtype
    device: torch.device


class Model(NamedTuple):
    """A model that can be loaded: whole in a folder or on the Hub, or adapters beside their base."""

    base: Base
    """The model, or the one beneath the adapters."""
    adapters: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the tokenizer is, and the run record of a checkpoint."""
        return self.adapters or Path(self.base.folder)

    @property
    def run(self) -> RunRecord | None:
        """The run record of a checkpoint; None of another model."""
        return read_run(self.folder) if is_checkpoint(self.folder) else None

    def tokenizer(self) -> Any:
        """Load the tokenizer."""
        name = str(self.folder)
        return load_tokenizer(self.base._replace(folder=name) if self.adapters else self.base)

    def load(self, dtype: torch.dtype, device: torch.device) -> Any:
        """Load the model, in evaluation mode; adapters in their base as it was when they were trained."""
        if self.adapters is None:
            return load_model(self.base, dtype).to(device)
        return read_adapted(self.base, _bits(read_run(self.adapters)), self.adapters, Where(dtype, device)).model


def find_model(name: str, aside: Aside = SILENT) -> Model:
    """Return what is called `name`: a checkpoint, merged or with adapters, or any other model.

    Raises:
        InputError: no such model, or not the base that the adapters were trained on.
    """
    folder = Path(name).expanduser()
    if not (folder / ADAPTERS).is_file():
        return Model(find_base(name, aside))
    run = read_run(folder)
    check_bits(_bits(run))
    return Model(base_of(run, aside), folder)


def base_of(run: RunRecord, aside: Aside = SILENT) -> Base:
    """Return the base that a run started from: where it stood, else by the name that it was given.

    Raises:
        InputError: it is not there, or other weights are.
    """
    path = run.base.path
    base = find_base(path if path and Path(path).exists() else run.base.name, aside)
    found = digest_base(base).sha256
    if found != run.base.sha256:
        expected = f"the base of the run, whose sha256 is {run.base.sha256}"
        raise InputError(place=f"model {base.place.name!r}", expected=expected, found=found)
    return base


def stood(base: Base) -> str:
    """Return the path by which a base was named; empty: by a name that is the same everywhere."""
    place = base.place
    return str((Path(place.path) / place.gguf_file).resolve()) if Path(place.name).expanduser().exists() else ""


def save_adapters(folder: Path, adapted: Adapted, encoder: Encoder, base: Base) -> Kept:
    """Write the adapters, the tokenizer with the training prompt as its chat template, and how to generate."""
    from training.model.adapter_files import save  # noqa: PLC0415  # peft is slow to load

    model = adapted.model
    where = str(Path(base.folder).resolve()) if base.place.is_local else base.folder
    save(adapted.tuned, folder, where)
    model.generation_config = generation_config(encoder)
    model.generation_config.save_pretrained(folder)
    save_tokenizer(folder, encoder)
    return Kept(trained=adapted.trained, rows=model.config.get_text_config().vocab_size, base=where)


def read_adapted(base: Base, config: TrainConfig, folder: Path, where: Where) -> Adapted:
    """Load a base, in four bits if the settings say so, and put the adapters of a folder into it."""
    from training.model.adapter_files import load  # noqa: PLC0415  # peft is slow to load

    model = load_model(base, where.dtype, **loading(config, where.dtype))
    make_room(model, load_tokenizer(base._replace(folder=str(folder))), len(load_tokenizer(base)))
    tuned = load(model.to(where.device), folder)
    model.generation_config = GenerationConfig.from_pretrained(folder)
    return Adapted(model=model, tuned=tuned)


def _bits(run: RunRecord) -> TrainConfig:
    """Return what of a run's settings decides how its base is loaded."""
    return TrainConfig(lora_rank=1, base_bits=int(run.settings.get("base_bits", 0)))
