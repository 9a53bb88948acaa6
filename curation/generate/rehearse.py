"""A dry run: the real loop with the real prompts, rehearsed on the mock model. Nothing is sent and nothing written."""

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from curation.generate.endpoint import Answer, Request, read_answer
from curation.generate.estimate import AT_A_TIME, Estimate, estimate_of, product, range_of
from curation.generate.source import ANY, Generate
from curation.generate.spending import LIMITS
from curation.generate.waiting import waited_for
from curation.mock.model import chat_body, complete, continue_text
from schemas.codec import canonical
from schemas.outcome import Rejection

REHEARSED = 60
"""Records of the rehearsal."""
MOST = 10 * REHEARSED
"""Outcomes after which it ends: of some prompts the mock model makes nothing that is kept."""
KEPT_SHARES = (0.8, 0.55, 0.3)
"""Shares of what is written that are kept: at best, usually, at worst."""
BYTES_A_TOKEN = (5.0, 4.0, 3.0)
"""UTF-8 bytes of a prompt for each of its tokens."""
LIMIT_SHARES = (0.25, 0.5, 1.0)
"""Tokens of an answer as a share of its limit."""
TOKENS_A_SECOND = (80.0, 40.0, 20.0)
"""Speed of one answer."""
ASSUMED = (
    "assumed: 30% to 80% of what is written is kept, a prompt has 3 to 5 bytes a token, an answer takes 25% to 100% of "
    "its limit, at 20 to 80 tokens/s. --probe 20 measures instead."
)
NONE_KEPT = "The rehearsal kept nothing, so what records would have asked for further may be missing."


@dataclass(slots=True)
class Rehearsed:
    """An endpoint that costs nothing, and remembers how large each request was."""

    prompt_bytes: int = 0
    limits: int = 0
    requests: int = 0

    async def ask(self, request: Request) -> Answer:
        """Answer as the mock model does."""
        plain = request.plain()
        self.requests += 1
        self.prompt_bytes += len(request.prompt.encode()) + len(canonical(dict(request.constraint)))
        self.prompt_bytes += sum(len(message.content.encode()) for message in request.messages)
        self.limits += int(next((request.params[name] for name in LIMITS if name in request.params), 0))
        body: dict[str, Any] = {**plain, **request.params, **request.constraint}
        made = (continue_text if request.prompt else complete)(body, request.key, seed=1)
        return read_answer(chat_body(made, "rehearsal"))


def dry_run(source: Generate) -> Estimate:
    """Estimate without sending anything."""
    rehearsed = Rehearsed()
    small = replace(source, n=min(source.n, REHEARSED), min_yield=0.0, concurrency=AT_A_TIME, language=ANY)
    with closing(waited_for(small.rounds_of(rehearsed, small.form_unasked).outcomes())) as outcomes:
        rejected = [isinstance(outcome, Rejection) for outcome in islice(outcomes, MOST)]
    each = 1 / max(1, len(rejected))
    needed = range_of(source.n / share for share in KEPT_SHARES)
    requests = needed.times(rehearsed.requests * each)
    answers = product(needed.times(rehearsed.limits * each), LIMIT_SHARES)
    at_once = min(source.concurrency, requests.low)
    return estimate_of(
        source,
        requests=requests,
        prompts=product(needed.times(rehearsed.prompt_bytes * each), [1 / size for size in BYTES_A_TOKEN]),
        answers=answers,
        seconds=product(answers, [1 / speed / at_once for speed in TOKENS_A_SECOND]),
        basis=f"{ASSUMED} {NONE_KEPT}" if all(rejected) else ASSUMED,
    )
