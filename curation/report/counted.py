"""What a report counts: how often something was found, in which bins, before and after, with what score."""

from dataclasses import dataclass

from curation.score.length import WithLength


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
    whole: bool = True
    """Only whole numbers are counted, so that a bin between whole edges ends one below the next."""


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
class Verb:
    """What instructions begin with, and what it is done to."""

    verb: str
    count: int
    share: float
    """Of the kept records."""
    objects: tuple[Count, ...]
    """The commonest; shares are of the verb's records."""
    others: int
    """Records of the verb with another object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where the values of a score lie: the quantiles of those records that have one."""

    least: float
    p05: float
    """Above five of a hundred records; the others likewise."""
    p25: float
    median: float
    p75: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreNumbers:
    """What one score says of the records, and how far it is only their length."""

    name: str
    step: str
    """Name of the directory of the latest step that left it."""
    rows: int
    """Records of that step."""
    looked_at: int
    """Records that are counted here."""
    having: int
    """Of these, the ones that have a number."""
    sampled: bool
    """They are a sample of the step's, drawn by the report's seed, rather than all."""
    missing: tuple[Count, ...]
    """Why records have none; shares are of those looked at."""
    missing_share: float
    spread: Spread | None
    """None: no record has a number."""
    histogram: Histogram | None
    """Records that the last step kept and those that were rejected since the score was given."""
    length: WithLength | None
    """None: too few records, a score that says the same of all, or the length itself."""
