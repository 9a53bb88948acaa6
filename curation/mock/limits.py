"""What the endpoint can bear: requests a second, tokens a minute, and requests at a time."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

MINUTE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Holds so much and fills up evenly; whoever finds too little in it has to wait."""

    size: float
    """What it holds when full."""
    fills_in_s: float
    """Seconds from empty to full."""
    left: float = 0.0
    when: float = 0.0
    """Time of the last look."""

    def __post_init__(self) -> None:
        """Begin full."""
        self.left = self.size

    def wait_s(self, wanted: float, now: float) -> float:
        """Return the seconds until `wanted`, or as much as the bucket holds, could be taken; 0: now."""
        self.left = min(self.size, self.left + (now - self.when) * self.size / self.fills_in_s)
        self.when = now
        missing = min(wanted, self.size) - self.left
        return max(0.0, missing * self.fills_in_s / self.size)

    def take(self, wanted: float) -> None:
        """Take it."""
        self.left -= min(wanted, self.size)


@dataclass(slots=True, kw_only=True)
class Limits:
    """The limits of an account, as a provider enforces and reports them."""

    requests_per_s: float = 0.0
    tokens_per_minute: float = 0.0
    """Either is 0 where there is no limit."""
    _requests: Bucket | None = field(default=None, init=False)
    _tokens: Bucket | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Fill the buckets."""
        if self.requests_per_s:
            self._requests = Bucket(size=max(1.0, self.requests_per_s), fills_in_s=max(1.0, 1 / self.requests_per_s))
        if self.tokens_per_minute:
            self._tokens = Bucket(size=self.tokens_per_minute, fills_in_s=MINUTE_S)

    def wait_s(self, tokens: int, now: float) -> float:
        """Return the seconds after which a request of so many tokens would be taken; 0: it has been taken."""
        pairs = [(bucket, much) for bucket, much in ((self._requests, 1), (self._tokens, tokens)) if bucket]
        wait = max((bucket.wait_s(much, now) for bucket, much in pairs), default=0.0)
        if not wait:
            for bucket, much in pairs:
                bucket.take(much)
        return wait

    def headers(self) -> dict[str, str]:
        """Return the `x-ratelimit` headers of every answer; none without limits."""
        return {**_headers("requests", self._requests), **_headers("tokens", self._tokens)}


def _headers(name: str, bucket: Bucket | None) -> Mapping[str, str]:
    if bucket is None:
        return {}
    until_full = (bucket.size - bucket.left) * bucket.fills_in_s / bucket.size
    return {
        f"x-ratelimit-limit-{name}": f"{bucket.size:.0f}",
        f"x-ratelimit-remaining-{name}": f"{max(0, bucket.left):.0f}",
        f"x-ratelimit-reset-{name}": f"{until_full:.3f}s",
    }


@dataclass(slots=True)
class Slots:
    """So many requests are worked on at a time; a further one waits until one of them is done."""

    count: int = 0
    """0: any number."""
    _ends: list[float] = field(default_factory=list, init=False)

    def done_at(self, now: float, takes_s: float) -> float:
        """Return when a request that comes now and takes so many seconds is done."""
        if not self.count:
            return now + takes_s
        starts = now if len(self._ends) < self.count else max(now, heapq.heappop(self._ends))
        heapq.heappush(self._ends, starts + takes_s)
        return starts + takes_s
