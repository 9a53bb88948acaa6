"""Tensors are written as safetensors reads them, with the digest of what is on the disk."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from schemas.manifest import digest_file
from training.checkpoint.tensor_file import NAMES, write_tensors


def some(dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor of any bytes."""
    numbers = torch.Size(shape).numel()
    return torch.randint(0, 2, (numbers * dtype.itemsize,), dtype=torch.uint8).view(dtype).reshape(shape)


shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@given(st.dictionaries(st.text(max_size=5).map("tensor/{}".format), st.tuples(st.sampled_from([*NAMES]), shapes)))
def test_safetensors_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, kinds: dict[str, tuple[torch.dtype, tuple[int, ...]]]
) -> None:
    """Every kind of number, no dimension and no number at all included; the digest is the file's."""
    path = tmp_path_factory.mktemp("tensors") / "some.safetensors"
    tensors = {name: some(*kind) for name, kind in kinds.items()}
    digest = write_tensors(path, tensors)
    read = load_file(path)

    assert digest == digest_file(path, path.name)
    assert {name: (one.dtype, one.shape) for name, one in read.items()} == {
        name: (one.dtype, one.shape) for name, one in tensors.items()
    }
    assert all(read[name].view(-1).view(torch.uint8).tolist() == raw(one) for name, one in tensors.items())


def raw(tensor: Tensor) -> list[int]:
    """Return a tensor's bytes."""
    return [int(one) for one in tensor.reshape(-1).view(torch.uint8)]


def test_a_transposed_tensor_is_written_as_it_reads(tmp_path: Path) -> None:
    """Its numbers do not lie in their order in memory."""
    tensor = torch.arange(6).reshape(2, 3).T
    write_tensors(tmp_path / "one", {"it": tensor})

    assert torch.equal(load_file(tmp_path / "one")["it"], tensor)
