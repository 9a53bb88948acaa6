"""What is written down before the first run, so that nothing can be chosen after the results are known."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.codec import dumps, loads
from schemas.errors import InputError
from training.prove.budget import Budget
from training.prove.design import Contrast
from training.prove.statistics import DRAWS, LEVEL, POWER, Spread

PROTOCOL, ATTEMPTS = "protocol.json", "attempts.jsonl"
METRIC = (
    "mean loss on the test responses and the key that ends them, nats per token, all prompts' tokens taken together"
)
RULE = (
    "The interval is of the primary contrast's difference; below 0 the curated arm has the lower loss.",
    "gain: the whole interval is below 0.",
    "harm: the whole interval is above 0.",
    "no detectable gain: the interval holds 0, and does not reach down to minus the smallest effect.",
    "underpowered: the interval holds both 0 and minus the smallest effect.",
    "Secondary contrasts decide nothing; their p-values are adjusted by Holm. Exploratory ones decide nothing at all.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Everything that decides the verdict, but the results."""

    metric: str = METRIC
    rule: tuple[str, ...] = RULE
    level: float = LEVEL
    """Coverage of the intervals; 1 minus it is alpha, two-sided."""
    power: float = POWER
    smallest_effect: float
    """Nats per response token."""
    expected_power: float
    """How surely an effect of that size is found, if the spread is as stated."""
    spread: Spread
    seeds: tuple[int, ...]
    draws: int = DRAWS
    arms: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    budget: Budget
    settings: Mapping[str, Any]
    base: str
    """sha256 of the weights."""
    data: Mapping[str, str]
    """Name → sha256 of the records."""
    test: Mapping[str, Any]
    """The test file's sha256, that of the records that are used, how many, and how many were left out."""
    pilot: int
    version: str

    @property
    def sha256(self) -> str:
        """Of the file's bytes."""
        return hashlib.sha256(self.json()).hexdigest()

    def json(self) -> bytes:
        """Return the file."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2) + b"\n"


def fix(protocol: Protocol, folder: Path) -> None:
    """Write the protocol, or hold to the one that stands there.

    Raises:
        InputError: another one stands there; the attempt is noted beside it.
    """
    path = folder / PROTOCOL
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_through(path, protocol.json())
        return
    differing = _differences(loads(path.read_bytes()), loads(protocol.json()))
    if not differing:
        return
    with (folder / ATTEMPTS).open("ab") as file:
        file.write(dumps({"protocol": protocol.sha256, "differs_in": differing}) + b"\n")
    raise InputError(
        place=path,
        expected="what was fixed before the first run; another comparison needs another folder",
        found=f"other {', '.join(differing)}",
    )


def attempts(folder: Path) -> Sequence[Mapping[str, Any]]:
    """Return the attempts to run something else in this folder."""
    path = folder / ATTEMPTS
    return [loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted({*there, *here}) if there.get(name) != here.get(name)]


def _write_through(path: Path, content: bytes) -> None:
    """Have it on the disk, whole, before anything goes on."""
    draft = path.with_name(f".{path.name}.writing")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
