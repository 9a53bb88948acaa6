"""What stands beside a record: where it came from, what every check said, what is like it, what the model wrote."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from pathlib import Path
from typing import Any

from curation.reasons import describe
from curation.review.conflict_table import WEIGHTS
from curation.review.conflicts import OpenConflict, conflict_of
from curation.review.index import texts_of
from curation.review.rows import Item, Rows
from curation.review.worddiff import Piece, word_diff
from schemas.chain import Chain
from schemas.codec import loads
from schemas.hunt import Hunted
from schemas.outcome import Rejection
from schemas.record import TEXT_FIELDS, Provenance, Reason, Repair

OTHERS_MOST = 5
"""Rows of one kind that stand beside a record."""
NEIGHBOURS_MOST = 5

Diff = list[tuple[str, list[Piece]]]
"""Field → what differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing that a program said about the row."""

    kind: str
    """`rejected`, `flagged`, `repaired`, or `hunted`: somebody else's hunt names it."""
    code: str
    words: str
    field: str = ""
    found: str = ""
    limit: str = ""
    scores: Mapping[str, float] = default(default_factory=dict)
    stage: str = ""
    diff: Diff = default(default_factory=list)
    """For a repair: what it changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A check that had nothing to say."""

    code: str
    words: str
    """What it would have said."""
    limits: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another row, held against this one."""

    id: str
    fate: str
    texts: tuple[tuple[str, str], ...]
    cosine: float | None = None
    diff: Diff = default(default_factory=list)
    """From the other row to this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one row."""

    came: tuple[tuple[str, str], ...] = ()
    """Provenance as names and values."""
    doubts: tuple[Doubt, ...] = ()
    passed: tuple[Passed, ...] = ()
    twins: tuple[Other, ...] = ()
    """Near duplicates: the kept one of a rejected row, the rejected ones of a kept record."""
    rivals: tuple[Other, ...] = ()
    """Rows with the same prompt and another answer, apart from those of the conflict."""
    conflict: OpenConflict | None = None
    """The different answers that a survey found to its question."""
    neighbours: tuple[Other, ...] = ()
    raw: str = ""
    """What the model wrote, before it was parsed."""


def hunted_doubts(row_id: str, hunt: Iterable[Hunted]) -> tuple[Doubt, ...]:
    """Return what a hunt from elsewhere says about a record; its figures stand beside its first reason."""
    whys = [(one, why) for one in hunt if one.id == row_id for why in one.why]
    return tuple(
        Doubt(kind="hunted", code="hunted", words=why, scores={} if number else one.figures)
        for number, (one, why) in enumerate(whys)
    )


def gather(item: Item, rows: Rows, chain: Chain) -> Evidence:
    """Return what stands beside a row."""
    if item.pos < 0:
        return Evidence()
    conflict = conflict_of(item, rows)
    return Evidence(
        came=tuple(_came(item.outcome.provenance)),
        doubts=tuple(_doubts(item)),
        passed=tuple(_passed(item, chain)),
        twins=tuple(_twins(item, rows)),
        rivals=tuple(_rivals(item, rows, conflict)),
        conflict=conflict,
        neighbours=tuple(_neighbours(item, rows)),
        raw=_raw(item.outcome.provenance, rows),
    )


def spans(item: Item) -> dict[str, list[tuple[int, int]]]:
    """Return the places in each field that a reason or flag points at."""
    outcome = item.outcome
    found: dict[str, list[tuple[int, int]]] = {}
    for reason in outcome.reasons if isinstance(outcome, Rejection) else outcome.flags:
        if reason.span is not None:
            found.setdefault(reason.field, []).append(reason.span)
    return found


def why_first(item: Item) -> str:
    """Return what puts a record at the front of the hunt, in words."""
    outcome = item.outcome
    if isinstance(outcome, Rejection):
        return ""
    said = [f"a {item.conflict}"] if item.conflict else []
    said += [_several(len(outcome.flags), "flag"), _several(len(outcome.repairs), "repair")]
    cosine = item.doubt - WEIGHTS.get(item.conflict, 0) - len(outcome.flags) - len(outcome.repairs) / 2
    said += [f"nearest neighbour at {cosine:.2f}"] if cosine > 0 else []
    return ", ".join(part for part in said if part)


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}" if number else ""


def _came(came: Provenance) -> Iterator[tuple[str, str]]:
    if came.source:
        yield "Came from", f"{came.source}:{came.line}" if came.line else came.source
    if came.format:
        yield "Format", came.format
    if came.model:
        yield "Written by", came.model
    if came.request:
        yield "Request", came.request
    if came.seeds:
        yield "Shown to the model", ", ".join(came.seeds)
    if came.previous:
        yield "Ids before", ", ".join(came.previous)


def _doubts(item: Item) -> Iterator[Doubt]:
    outcome = item.outcome
    if isinstance(outcome, Rejection):
        yield from (_doubt("rejected", reason, item.stage) for reason in outcome.reasons)
        return
    yield from (_doubt("flagged", flag) for flag in outcome.flags)
    for repair in outcome.repairs:
        yield _repair(repair)


def _doubt(kind: str, reason: Reason, stage: str = "") -> Doubt:
    return Doubt(
        kind=kind,
        code=reason.code,
        words=describe(reason.code),
        field=reason.field,
        found=reason.found,
        limit=reason.limit,
        scores=reason.scores,
        stage=stage,
    )


def _repair(repair: Repair) -> Doubt:
    diff = [(repair.field, word_diff(repair.old, repair.new))]
    return Doubt(kind="repaired", code=repair.code, words=describe(repair.code), field=repair.field, diff=diff)


def _passed(item: Item, chain: Chain) -> Iterator[Passed]:
    """Ask every check of the filter steps again: checks are pure, and the manifests have their settings."""
    from curation.filters.stage import Filter, verdicts  # noqa: PLC0415  # heavier than the rest

    record = item.record
    if record is None:
        return
    for step in chain.steps[: item.step + 1]:
        if step.manifest.stage == "filter":
            chosen = Filter(checks=step.manifest.config["checks"]).chosen()
            settings = {one.code: one.settings() for one in chosen}
            for one in verdicts(record, chosen):
                if one.finding is None:
                    limits = {name: value for name, value in settings[one.code].items() if name != "action"}
                    yield Passed(code=one.code, words=describe(one.code), limits=limits)


def _twins(item: Item, rows: Rows) -> Iterator[Other]:
    outcome = item.outcome
    if isinstance(outcome, Rejection):
        for reason in outcome.reasons:
            for kept in rows.called(reason.other)[:1] if reason.other else ():
                yield _other(kept, item, _cosine(reason))
    else:
        for pos, cosine in rows.rejected_for(item.id, OTHERS_MOST):
            yield _other(rows.at(pos), item, cosine)


def _cosine(reason: Reason) -> float | None:
    return next(iter(reason.scores.values()), None)


def _rivals(item: Item, rows: Rows, conflict: OpenConflict | None) -> Iterator[Other]:
    mine = texts_of(item.outcome)[2]
    shown = {one for answer in conflict.answers for one in answer.ids} if conflict else set()
    for pos in rows.same_prompt(item.pos, OTHERS_MOST):
        other = rows.at(pos)
        if texts_of(other.outcome)[2] != mine and (other.fate == "rejected" or other.id not in shown):
            yield _other(other, item)


def _neighbours(item: Item, rows: Rows) -> Iterator[Other]:
    """Yield what is most like the row: any rows where a map was made, else the one that dedupe noted."""
    mapped = rows.most_like(item.pos, NEIGHBOURS_MOST)
    yield from (_other(rows.at(pos), item, cosine) for pos, cosine in mapped)
    if mapped:
        return
    for row_id, cosine in rows.neighbours(item.id, NEIGHBOURS_MOST):
        for other in rows.called(row_id)[:1]:
            yield _other(other, item, cosine)


def _other(other: Item, item: Item, cosine: float | None = None) -> Other:
    theirs, mine = texts_of(other.outcome), texts_of(item.outcome)
    return Other(
        id=other.id,
        fate=other.fate,
        cosine=cosine,
        texts=tuple(named(theirs)),
        diff=[
            (name, word_diff(old, new)) for name, old, new in zip(TEXT_FIELDS, theirs, mine, strict=True) if old or new
        ],
    )


def named(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each text with its field's name; an empty context is left out."""
    for name, text in zip(TEXT_FIELDS, texts, strict=True):
        if text or name != "context":
            yield name, text


def _raw(came: Provenance, rows: Rows) -> str:
    """Return the model's answer as it stands in the journal."""
    found = rows.answer(came.request) if came.request else None
    if found is None:
        return ""
    path, start, size = found
    try:
        with Path(path).open("rb") as file:
            file.seek(start)
            row = loads(file.read(size))
    except (OSError, ValueError):
        return ""  # the journal has gone, or is another one by now
    return _spoken(row.get("body")) if isinstance(row, dict) else ""


def _spoken(body: Any) -> str:
    """Return the text of an endpoint's answer; of one we cannot read, all of it."""
    try:
        return str(body["choices"][0]["message"]["content"])
    except (KeyError, IndexError, TypeError):
        return body if isinstance(body, str) else re.sub(r"\s+", " ", str(body))
