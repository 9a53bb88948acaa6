"""What the training tests share: tiny models made once, a checkpoint tuned once; tensor shapes are checked."""

from pathlib import Path
from typing import Any

import pytest
from jaxtyping import install_import_hook

install_import_hook(
    ["training.records.batching", "training.model.loss", "training.model.packing", "training.model.attention"],
    "beartype.beartype",
)

from tests.browser import browser  # noqa: E402  # after the hook
from tests.support import pair, step_of  # noqa: E402  # after the hook
from tests.training.tiny import save_tiny, tiny_tokenizer  # noqa: E402
from training.config import settle  # noqa: E402
from training.fit import fit  # noqa: E402
from training.planning.plan import Request  # noqa: E402

__all__ = ["browser"]

COLOURS = [pair(f"Name colour {number}.", "Red.") for number in range(8)]
"""Records that a tiny model learns by heart in a second."""


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A byte-level BPE tokenizer trained here; not to be changed."""
    return tiny_tokenizer()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random Llama and its tokenizer."""
    return save_tiny(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step directory of eight records whose response is one word."""
    return step_of(tmp_path_factory.mktemp("data") / "colours", COLOURS).path


@pytest.fixture(scope="session")
def tuned(tmp_path_factory: pytest.TempPathFactory, tiny: Path, colours: Path) -> Path:
    """A checkpoint of the tiny model that has learned the colours and to stop."""
    config = settle("default", {"epochs": 60, "rows_per_step": 8, "lr": 5e-3, "dtype": "fp32"})
    out = tmp_path_factory.mktemp("tuned") / "model"
    return fit(Request(data=colours, base=str(tiny), out=out, config=config, preset="default")).path
