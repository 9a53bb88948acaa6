"""Activations computed again in the backward pass, a layer at a time, instead of kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def recomputing(model: Any, *, on: bool) -> Iterator[None]:
    """Have a model keep nothing but the inputs of its layers while the context lasts; what it learns is the same."""
    if not on:
        yield
        return
    model.activation_checkpointing_enable({"use_reentrant": False})
    try:
        yield
    finally:
        model.activation_checkpointing_disable()
