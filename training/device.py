"""Where a model computes, and in which precision: what this machine has, decided when a command runs."""

import torch

from training.config import Precision


def choose_device() -> torch.device:
    """Return this machine's accelerator, or its processor."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def choose_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """Return what the model computes in: what was asked for, else bf16 where the hardware multiplies in it."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bf16" else torch.float32
    return torch.bfloat16 if _computes_bf16(device) else torch.float32


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
