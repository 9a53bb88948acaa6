"""Every number that a report shows; what is in `report.json` and what the page and the card are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curation.review.counts import ReviewCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often something was found."""

    key: str
    """A reason code, a category, a word, a model."""
    count: int
    share: float
    """Of the whole that the list is about, 0 to 1."""
    words: str = ""
    """The key in plain words, where it is a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNumbers:
    """What one step did."""

    step: str
    """Name of its directory."""
    stage: str
    rows: int
    kept: int
    rejected: int
    kept_share: float
    """Kept of this step's rows."""
    reasons: tuple[Count, ...]
    """Shares are of this step's rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One group in a histogram."""

    name: str
    counts: tuple[int, ...]
    """One number a bin."""
    shares: tuple[float, ...]
    """Of the group's total, one a bin."""
    total: int
    median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts in bins; bin i holds edge i up to but not including edge i + 1."""

    name: str
    unit: str
    edges: tuple[float, ...]
    series: tuple[Series, ...]
    threshold: float | None = None
    """A limit that decided, drawn as a line."""
    note: str = ""
    """What is known about the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How much of the rows something was before and after."""

    key: str
    before: int
    before_share: float
    after: int
    after_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the rows were before and after, commonest first."""

    rows: tuple[Compared, ...]
    others: Compared | None = None
    """All that is not listed, together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A field of a sampled row, shortened around what a reason points at."""

    name: str
    text: str
    before: int = 0
    """Characters left out before `text`."""
    after: int = 0
    """Characters left out after it."""
    span: tuple[int, int] | None = None
    """What a reason points at, within `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledReason:
    """A reason as it stands beside a sampled row."""

    code: str
    words: str
    field: str
    found: str
    limit: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRow:
    """A row shown as an example."""

    id: str
    place: str
    """Source and line."""
    texts: tuple[Text, ...]
    reason: SampledReason | None = None
    other_id: str = ""
    other: tuple[Text, ...] = ()
    """The other row's fields, where the reason is about two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonSample:
    """Some rows that one step rejected for one reason."""

    step: str
    stage: str
    code: str
    words: str
    count: int
    rows: tuple[SampledRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file that a step read."""

    name: str
    sha256: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of the chain: what it read, with which settings, and what it cost."""

    step: str
    stage: str
    fingerprint: str
    inputs: tuple[Input, ...]
    settings: Mapping[str, Any]
    seconds: float | None
    finished: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    title: str
    rows: int
    """Rows that the first step saw."""
    kept: int
    """Records that the last step kept."""
    rejected: int
    """Rows that some step rejected."""
    kept_share: float
    repaired: int
    """Kept records that carry a repair."""
    flagged: int
    """Kept records that carry a flag."""
    steps: tuple[StepNumbers, ...]
    repairs: tuple[Count, ...]
    """Shares are of the kept records, as for flags."""
    flags: tuple[Count, ...]
    lengths: tuple[Histogram, ...]
    similarity: Histogram | None
    categories: Comparison
    """Before: the rows of the first step; after: the kept records of the last. The empty key: none given."""
    first_words: Comparison
    models: tuple[Count, ...]
    """Which models wrote the kept records; the empty key: not known."""
    sources: tuple[Count, ...]
    """Where the kept records came from."""
    samples: tuple[ReasonSample, ...]
    kept_sample: tuple[SampledRow, ...]
    chain: tuple[Link, ...]
    review: ReviewCounts | None
    """None: no person looked at these records."""
    seed: int
    """Drew the samples."""
    gap: str = ""
    """Why the chain ends before its beginning; empty where it does not."""
    schema: str = field(default="dolly-report-1")
