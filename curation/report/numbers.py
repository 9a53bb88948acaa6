"""Every number that a report shows; what is in `report.json` and what the page and the card are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curation.report.counted import Comparison, Count, Histogram, ScoreNumbers, Verb
from curation.review.counts import ReviewCounts


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
class Rate:
    """A share that was counted in a sample, and what the whole's may be."""

    name: str
    reviewed: int
    defects: int
    rate: float
    low: float
    high: float
    """Of the whole lot: the one-sided bound; of a part: the two-sided interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How often dedupe was right at its threshold, by pairs that people labelled."""

    threshold: float
    rate: float
    low: float
    high: float
    """Two-sided 95 % interval."""
    pairs: int
    """Labelled pairs at or above the threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How likely a lot passes the plan, if its true defect rate is this."""

    rate: float
    passes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """What came of the acceptance plan."""

    sentence: str
    outcome: str
    n: int
    c: int
    limit: float
    confidence: float
    rates: tuple[Rate, ...]
    """The whole lot first."""
    curve: tuple[Chance, ...]
    """The plan's operating curve."""
    reasons: tuple[Count, ...]
    """What was wrong; shares are of the records that were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A row on the map."""

    id: str
    x: float
    y: float
    fate: str
    """kept or rejected."""
    topic: int
    """The number of its topic, from 0."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMap:
    """Where rows stand to each other, by what their instructions mean."""

    encoder: str
    seed: int
    """Drew the rows that are shown."""
    topics: tuple[str, ...]
    """Each topic's most telling words."""
    points: tuple[Point, ...]


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
    precision: Precision | None
    """Of the threshold in `similarity`; None: nobody labelled pairs."""
    categories: Comparison
    """Before: the rows of the first step; after: the kept records of the last. The empty key: none given."""
    first_words: Comparison
    verbs: tuple[Verb, ...]
    """Of the kept records, by rule: the first word, and the first word after it that is no article or the like."""
    models: tuple[Count, ...]
    """Which models wrote the kept records; the empty key: not known."""
    sources: tuple[Count, ...]
    """Where the kept records came from."""
    samples: tuple[ReasonSample, ...]
    kept_sample: tuple[SampledRow, ...]
    chain: tuple[Link, ...]
    review: ReviewCounts | None
    """None: no person looked at these records."""
    plan: PlanResult | None
    """None: there was no acceptance plan about the kept records."""
    seed: int
    """Drew the samples."""
    scores: tuple[ScoreNumbers, ...] = ()
    """Of the steps that left any; in the order in which they were given."""
    map: TopicMap | None = None
    """None: it was not asked for."""
    gap: str = ""
    """Why the chain ends before its beginning; empty where it does not."""
    schema: str = field(default="dolly-report-1")
