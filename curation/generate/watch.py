"""How a run stands, for whoever looks at it: a screen, a program that reads events."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from curation.generate.budget import Purse
from schemas.outcome import Aside, Outcome, Rejection, Watches
from schemas.record import InstructionRecord

log = logging.getLogger(__name__)

TICK_S = 0.25
"""Seconds between two looks."""
RECENT_S = 20.0
"""Seconds over which speeds are measured."""
TOP = 3
"""Reasons that are shown."""
SHOWN_MOST = 2_000
"""Characters of a record's fields that are passed on."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks on while a run makes records."""

    n: int
    purse: Purse
    aside: Aside
    clock: Callable[[], float] = time.monotonic
    kept: int = 0
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    last: InstructionRecord | None = None
    stopping: bool = False
    dropped: list[str] = field(default_factory=list)
    """What was said of each endpoint that is asked no more."""
    pushed: str = ""
    """What became of the last snapshot."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the strategies in this round, where they change from round to round."""
    _started: float = 0.0
    _marks: deque[tuple[float, int, int]] = field(default_factory=deque)
    """Times, with the tokens of answers and the records there were."""

    def __post_init__(self) -> None:
        """Begin."""
        self._started = self.clock()

    def note(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.rows += 1
        if isinstance(outcome, Rejection):
            self.reasons.update(reason.code for reason in outcome.reasons)
        else:
            self.kept += 1
            self.last = outcome

    def share(self, shares: Mapping[str, float]) -> None:
        """Say how the strategies share this round's requests."""
        self.shares = shares

    def push(self, said: str) -> None:
        """Say what became of a snapshot."""
        self.pushed = said
        (log.warning if said.startswith("Warning") else log.info)(said)

    def drop(self, said: str) -> None:
        """Say that an endpoint is asked no more."""
        self.dropped.append(said)
        self.look()

    def interrupted(self) -> None:
        """Say that the run comes to its end."""
        self.stopping = True
        self.look()

    def look(self) -> None:
        """Show how it stands."""
        if isinstance(self.aside, Watches):
            self.aside.watch(self.view())

    @asynccontextmanager
    async def looking(self) -> AsyncGenerator[None, None]:
        """Show how it stands every now and then."""
        task = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            task.cancel()
            self.look()

    async def _look_on(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(TICK_S)

    def view(self) -> Mapping[str, Any]:
        """Return how it stands, as plain data."""
        purse, spent = self.purse, self.purse.spending
        tokens_per_s, records_per_s = self._speeds()
        missing = self.n - self.kept
        return {
            "kept": self.kept,
            "n": self.n,
            "rows": self.rows,
            "acceptance": round(self.kept / self.rows, 4) if self.rows else None,
            "reasons": dict(self.reasons.most_common(TOP)),
            "seconds": round(self.clock() - self._started, 1),
            "seconds_left": round(missing / records_per_s) if records_per_s else None,
            "tokens_per_s": round(tokens_per_s, 1),
            "tokens": spent.tokens.total,
            "usd": None if purse.usd is None else float(purse.usd),
            "budget": str(purse.budget),
            "under_way": purse.under_way,
            "stopping": self.stopping,
            "shares": {name: round(share, 4) for name, share in self.shares.items()},
            "pushed": self.pushed,
            "dropped": tuple(self.dropped),
            "last": _shown(self.last),
        }

    def _speeds(self) -> tuple[float, float]:
        """Return tokens of answers and records a second, of late."""
        now = self.clock()
        self._marks.append((now, self.purse.spending.tokens.completion, self.kept))
        while self._marks[0][0] < now - RECENT_S:
            self._marks.popleft()
        then, tokens, kept = self._marks[0]
        if now == then:
            return 0.0, 0.0
        return (self._marks[-1][1] - tokens) / (now - then), (self.kept - kept) / (now - then)


def _shown(record: InstructionRecord | None) -> Mapping[str, str] | None:
    if record is None:
        return None
    fields = {"category": record.category, "instruction": record.instruction, "response": record.response}
    return {name: text[:SHOWN_MOST] for name, text in fields.items()}
