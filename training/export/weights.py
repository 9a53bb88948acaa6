"""The weights of a checkpoint, read from its files one at a time: a model need not fit into memory to be exported."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import orjson
from safetensors import safe_open
from torch import Tensor

from schemas.errors import InputError

INDEX = "model.safetensors.index.json"


class Weights:
    """The tensors of a folder by name, open for reading."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._files: dict[str, Any] = {}
        self._where = dict(_where(folder))

    def __enter__(self) -> Self:
        for name in sorted(set(self._where.values())):
            self._files[name] = self._stack.enter_context(safe_open(self._folder / name, "pt"))
        if not self._where:
            (only,) = self._files = {"model.safetensors": self._stack.enter_context(_single(self._folder))}
            self._where = dict.fromkeys(self._files[only].keys(), only)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def names(self) -> list[str]:
        """The names of all tensors."""
        return list(self._where)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor without reading it."""
        return tuple(self._files[self._where[name]].get_slice(name).get_shape())

    def tensor(self, name: str) -> Tensor:
        """Read a tensor."""
        found: Tensor = self._files[self._where[name]].get_tensor(name)
        return found


def _where(folder: Path) -> Mapping[str, str]:
    """Return which file holds which tensor; nothing where there is one file."""
    index = folder / INDEX
    return orjson.loads(index.read_bytes())["weight_map"] if index.is_file() else {}


def _single(folder: Path) -> Any:
    file = folder / "model.safetensors"
    if not file.is_file():
        raise InputError(place=folder, expected="weights in safetensors", found="none")
    return safe_open(file, "pt")
