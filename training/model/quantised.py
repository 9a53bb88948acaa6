"""A frozen base in four bits under adapters (QLoRA, Dettmers et al. 2023, arXiv:2305.14314), by bitsandbytes."""

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from schemas.errors import InputError
from training.config import TrainConfig

BITS = 4
BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes of a weight: four bits, a scale of eight bits for each 64, and one of fp32 for each 256 of those."""


def check_bits(config: TrainConfig) -> None:
    """Refuse a base in four bits where it would not be trained with adapters, or where nothing here computes in it.

    Raises:
        InputError: says what is missing.
    """
    if not config.base_bits:
        return
    if config.base_bits != BITS:
        raise InputError(field="base_bits", expected=f"{BITS}, or 0 for the base as it is", found=str(config.base_bits))
    if not config.lora_rank:
        raise InputError(field="base_bits", expected="adapters on top: --lora-rank", found="all weights to be trained")
    if not find_spec("bitsandbytes"):
        expected = "bitsandbytes: pip install '.[qlora]' in a checkout"
        raise InputError(field="base_bits", expected=expected, found="not installed")
    if wrong := _obstacle():
        raise InputError(field="base_bits", expected="a bitsandbytes that works on this machine", found=wrong)


def loading(config: TrainConfig, dtype: torch.dtype) -> dict[str, Any]:
    """Return what to tell transformers when it loads the base of a run; nothing where it stays as it is."""
    if not config.base_bits:
        return {}
    how = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": how}


def keep_layout(model: Any) -> None:
    """Have layers in four bits stay as they are.

    On a processor with bf16 they change to a layout for inference when they are first evaluated, and never change back:
    no gradient passes through them from then on, and no error is raised.
    """
    for one in model.modules():
        if hasattr(one, "support_avx512bf16_for_cpu"):
            one.support_avx512bf16_for_cpu = False


def numbers(model: Any) -> int:
    """Return how many numbers the parameters of a model are, however many bits each has."""
    sizes = (getattr(one, "quant_state", None) for one in model.parameters())
    return sum(size.shape.numel() if size else one.numel() for size, one in zip(sizes, model.parameters(), strict=True))


def restore(model: Any, dense: Any) -> None:
    """Put the layers of `dense` where `model` still has layers in four bits; it is an ordinary model then."""
    from bitsandbytes.nn import Linear4bit  # noqa: PLC0415  # an extra

    for name, one in list(model.named_modules()):
        if isinstance(one, Linear4bit):
            model.set_submodule(name, dense.get_submodule(name).to(model.device), strict=True)
    model.hf_quantizer, model.is_quantized, model.is_loaded_in_4bit = None, False, False
    del model.config.quantization_config
    for name in ("quantization_method", "_is_quantized_training_enabled"):
        vars(model).pop(name, None)


def _obstacle() -> str:
    """Say why a few numbers cannot be put into four bits and read again, or nothing."""
    try:
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit  # noqa: PLC0415  # an extra

        device = "cuda" if torch.cuda.is_available() else "cpu"
        numbers = torch.linspace(-1, 1, 64, device=device)
        again = dequantize_4bit(*quantize_4bit(numbers, quant_type="nf4"))
    except (ImportError, OSError, RuntimeError, NotImplementedError) as error:
        return str(error).partition("\n")[0] or type(error).__name__
    return "" if float((again - numbers).abs().max()) < 1 / 4 else "other numbers came back"
