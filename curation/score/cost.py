"""What a judge would cost, before anything is sent: the questions are all there, only the answers are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from curation.generate.endpoint import Request
from curation.generate.journal import open_journal
from curation.generate.prices import find_price
from curation.generate.spending import Tokens, bound_of
from curation.score.stage import Scoring
from schemas.codec import dumps
from schemas.record import InstructionRecord

CHARACTERS = 4
"""Of English, about, in a token."""
ANSWER = 4
"""Tokens of a number, about; a model that thinks first takes up to the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What is asked, and what it takes."""

    questions: int
    answered: int
    """Of them in the journal already; they are not asked again."""
    tokens: Tokens
    """About."""
    most: Tokens
    """At most, if every question were put once."""
    usd: Decimal | None
    """None: the price is unknown."""
    usd_most: Decimal | None

    def __str__(self) -> str:
        held = f", {self.answered:,} of them answered already" if self.answered else ""
        price = "at an unknown price" if self.usd is None else f"about ${self.usd:.2f}, at most ${self.usd_most:.2f}"
        return f"judge: {self.questions:,} questions{held}; about {self.tokens.total:,} tokens, {price}"


def cost_of(stage: Scoring, records: Sequence[InstructionRecord]) -> Cost:
    """Return what the judge would be asked about records, and what that would cost."""
    asked = stage.jury().requests(records)
    left = _unanswered(asked, stage.journal)
    price = find_price(stage.judge_model, stage.judge_base_url)
    tokens = Tokens(sum(len(dumps(one.plain())) // CHARACTERS for one in left), ANSWER * len(left))
    most = Tokens()
    for one in left:
        most = most.plus(bound_of(one.plain()))
    return Cost(
        questions=len(asked),
        answered=len(asked) - len(left),
        tokens=tokens,
        most=most,
        usd=price.of(tokens) if price else None,
        usd_most=price.of(most) if price else None,
    )


def _unanswered(asked: Sequence[Request], journal: str) -> list[Request]:
    if not (journal and Path(journal).is_dir()):
        return list(asked)
    with open_journal(Path(journal)) as answers:
        return [one for one in asked if answers.find(one.key) is None]
