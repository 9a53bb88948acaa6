"""Finds what people decided about a plan's records: in a store, in an exported file, or in a file edited by hand.

Of what was done on the screens, only the queues that measure count: `accept`, `second`, and `adjudicate`, which settles
what two people differ on. A record that was rejected while hunting for bad ones says nothing about the others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curation.review.acceptance import Verdict, verdicts_of
from curation.review.board import Board
from curation.review.canaries import canary_score
from curation.review.decisions import Decision, read_decisions
from curation.review.events import DECIDING, Event, read_events
from curation.review.plan import Plan
from curation.review.resolve import holds_events, measured
from curation.review.store import FILE as STORE
from curation.review.store import read_store
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS, content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was decided about a plan's records, by id."""

    first: Mapping[str, Verdict] = field(default_factory=dict)
    second: Mapping[str, Verdict] = field(default_factory=dict)
    settled: Mapping[str, Verdict] = field(default_factory=dict)
    canaries: int = 0
    """Records spoilt on purpose that the first reviewer decided about."""
    caught: int = 0
    """Those of them with which the reviewer found fault."""


def said_in(path: Path, plan: Plan) -> Said:
    """Return what a file or a store says.

    Raises:
        InputError: it cannot be read, or holds decisions of which none is about the plan.
    """
    if path.name == STORE:
        return _of_events(read_store(path.parent), plan)
    if holds_events(path):
        return _of_events(read_events(path), plan)
    found = read_decisions(path)
    return _named(path, found, plan)


def said_beside(plan_file: Path, plan: Plan, edited: str) -> Said:
    """Return what was decided on the screens and in the sample that was edited by hand, where there is either."""
    sample, store = plan_file.with_name(edited), plan_file.with_name(STORE)
    by_hand = verdicts_of(read_decisions(sample), plan) if sample.is_file() else {}
    on_screen = said_in(store, plan) if store.is_file() else Said()
    if by_hand and on_screen.first:
        raise InputError(
            place=sample, expected="decisions either here or on the screens", found="both: say which by --decisions"
        )
    return Said(first=by_hand) if by_hand else on_screen


def _named(path: Path, found: Iterable[Decision], plan: Plan) -> Said:
    found = list(found)
    verdicts = verdicts_of(found, plan)
    if not verdicts and any(one.decision for one in found):
        raise InputError(place=path, expected=f"decisions about plan {plan.sha256[:8]}", found="none that names it")
    return Said(first=verdicts)


def _of_events(events: Iterable[Event], plan: Plan) -> Said:
    """Return what the events that stand say."""
    events = list(events)
    first, second = measured(events, plan.sha256)
    board, drawn = Board.of(sorted(events, key=lambda one: one.event_id)), frozenset(plan.drawn)
    settled = (one for one in board.standing() if one.queue == "adjudicate" and one.row_id in drawn)
    reviewers = {one.reviewer for one in board.standing() if one.plan == plan.sha256 and one.queue == "accept"}
    scores = [canary_score(board, reviewer) for reviewer in sorted(reviewers)]
    return Said(
        first=verdicts_of(first, plan),
        second=verdicts_of(second, plan),
        settled={one.row_id: _verdict(one) for one in settled if one.action in DECIDING},
        canaries=sum(shown for shown, _ in scores),
        caught=sum(caught for _, caught in scores),
    )


def _verdict(act: Event) -> Verdict:
    edited = content_id(*(act.texts[name] for name in TEXT_FIELDS)) if act.action == "edit" else ""
    return Verdict(
        id=act.row_id, decision=act.action, severity=act.severity, reasons=tuple(act.reasons), edited_id=edited
    )
