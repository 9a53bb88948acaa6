"""What a release says of itself in its manifest: version, rows, review, models, where it came from."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import orjson

GateState: TypeAlias = Literal["passed", "failed", "open", "none"]
"""passed: the plan was kept and the lot is good enough; open: not all was looked at; none: there was no plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """Whether people looked at these records by a plan, and what came of it."""

    state: GateState = "none"
    sentence: str = "No acceptance plan was made for these records."
    """What may be claimed, computed."""
    plan_sha256: str = ""
    decisions_sha256: str = ""
    """Of the decisions as they stand in the release."""
    reviewed: int = 0
    defects: int = 0
    upper_bound: float | None = None
    limit: float | None = None
    confidence: float | None = None
    problems: tuple[str, ...] = ()
    """Why it was not passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """A model that wrote records, and what its maker allows with them."""

    model: str
    rows: int
    kind: str
    """Class of its terms, see `curation.terms`."""
    licence: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageStep:
    """One step on the way to the release."""

    step: str
    stage: str
    fingerprint: str
    rows: int
    kept: int
    rejected: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    """sha256 of what it read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The release before this one, and what became of its records."""

    version: str
    manifest_sha256: str
    added: int
    removed: int
    edited: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Somebody's word that a licence may be looser than the models' terms."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """All of it."""

    title: str
    version: str
    license: str
    """The Hub's id, or a licence's name; empty: none is stated."""
    rows: int
    columns: tuple[str, ...]
    digest: str
    """Over the rows' values, whatever their order and whatever file they stand in; see `RowsDigest`."""
    gate: GateRecord = field(default_factory=GateRecord)
    terms: str = "open"
    """The strictest class among the models' terms."""
    terms_version: int = 0
    """Of the table of terms that was used."""
    generators: tuple[Generator, ...] = ()
    waiver: Waiver | None = None
    lineage: tuple[LineageStep, ...] = ()
    gap: str = ""
    """Why the lineage ends before its beginning; empty where it does not."""
    previous: Previous | None = None


class RowsDigest:
    """A hash over rows that survives another order and serialisation: sha256 over the sorted rows' own hashes."""

    def __init__(self) -> None:
        self._rows: list[bytes] = []

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take in some rows."""
        options = orjson.OPT_SORT_KEYS
        self._rows += (hashlib.sha256(orjson.dumps(dict(row), option=options)).digest() for row in rows)

    def __len__(self) -> int:
        """Return how many rows came in."""
        return len(self._rows)

    def hexdigest(self) -> str:
        """Return the hash of what came in so far."""
        return hashlib.sha256(b"".join(sorted(self._rows))).hexdigest()
