"""Writes tensors in the safetensors format, one after another, and knows their digest without reading them again.

safetensors' own `save_file` takes all tensors of an accelerator into this machine's memory at once; a state is to be
written where there is no room for that, too. The format: https://huggingface.co/docs/safetensors.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from schemas.codec import dumps
from schemas.manifest import FileDigest

NAMES: Mapping[torch.dtype, str] = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What the format calls them."""
ALIGNED = 8
"""Bytes of which the header's length is a multiple."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> FileDigest:
    """Write a file of tensors and flush it to the disk.

    Raises:
        OSError: it cannot be written.
    """
    sha = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in _chunks(tensors):
            sha.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
        return FileDigest(path=path.name, bytes=file.tell(), sha256=sha.hexdigest())


def _chunks(tensors: Mapping[str, Tensor]) -> Iterator[Any]:
    """Yield the bytes of the file; the widest numbers first, so that all are where their kind may begin."""
    ordered = dict(sorted(tensors.items(), key=lambda pair: -pair[1].dtype.itemsize))
    header = dumps(_header(ordered))
    header += b" " * (-len(header) % ALIGNED)
    yield len(header).to_bytes(8, "little")
    yield header
    for one in ordered.values():
        yield one.cpu().reshape(-1).view(torch.uint8).numpy().data


def _header(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    header, end = {}, 0
    for name, one in tensors.items():
        first, end = end, end + one.nbytes
        header[name] = {"dtype": NAMES[one.dtype], "shape": list(one.shape), "data_offsets": [first, end]}
    return header
