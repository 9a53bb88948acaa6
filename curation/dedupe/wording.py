"""Why a record goes, in words and numbers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from curation.dedupe.decide import Match
from curation.dedupe.question import SAME, shortened
from curation.dedupe.reasons import EXACT, NEAR
from schemas.record import InstructionRecord, Reason

SHOWN = 100
"""Characters of the kept prompt that a reason shows."""


class Limits(Protocol):
    """The settings that a reason names."""

    @property
    def threshold(self) -> float:
        """Cosine from which prompts may be duplicates."""

    @property
    def exact_fields(self) -> tuple[str, ...]:
        """Fields that exact duplicates share."""

    @property
    def responses_per_instruction(self) -> int:
        """Records that may stay of those that ask for the same."""


def reason_for(match: Match, kept: InstructionRecord, limits: Limits, scores: Mapping[str, float]) -> Reason:
    """Return why a record goes: which one stays, and how alike the two are; `scores` are those of single fields."""
    if match.cosine is None:
        limit = f"another {', '.join(limits.exact_fields)}"
        return Reason(code=EXACT, found=_described(kept), limit=limit, other=kept.id)
    most = limits.responses_per_instruction
    return Reason(
        code=NEAR,
        field="instruction",
        found=_described(kept),
        limit=f"a cosine below {limits.threshold:g}" + f", or fewer than {most} such records" * (most > 1),
        other=kept.id,
        scores={"prompt": match.cosine, **scores},
    )


def reason_of_judge(reason: Reason, model: str, answers: tuple[str, str]) -> Reason:
    """Return the reason where a judge decided: who it was, and what it said in both orders."""
    said = " and ".join(repr(shortened(answer)) for answer in answers)
    return replace(reason, limit=f"not {SAME} in both orders, as {model} sees it; it said {said}")


def _described(kept: InstructionRecord) -> str:
    """Return where the kept record stands and what it asks, in a line."""
    source = Path(kept.provenance.source).name or "the kept record"
    place = f"{source}:{kept.provenance.line}" if kept.provenance.line else source
    asked = " ".join(f"{kept.instruction} {kept.context}".split())
    return f"{place}: {asked if len(asked) <= SHOWN else asked[: SHOWN - 1] + '…'}"
