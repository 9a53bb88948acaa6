"""Renders the screens."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import urlencode

from jinja2 import Environment

from curation.review import defects
from curation.review.agreement import agreed
from curation.review.desk import Desk
from curation.review.differing import each_said
from curation.review.events import Event, Queue
from curation.review.evidence import Evidence, gather, hunted_doubts, named, spans, why_first
from curation.review.index import texts_of
from curation.review.mapping import topic_rows
from curation.review.queues import BLIND, QUEUES
from curation.review.rows import Item
from curation.review.search import FACETS, PAGE, Wanted, search, term_spans
from curation.review.since import released_diff
from curation.review.web.html import TEMPLATES, environment, line, score
from curation.review.web.keys import ACTIONS, help_groups
from curation.review.worddiff import Piece, word_diff
from curation.review.words import limit_word
from schemas.codec import dumps, sha256_of
from schemas.record import TEXT_FIELDS

READY_MOST = 16
"""Rows whose evidence is held ready."""
LEFT_MOST = 50
"""Records that left since a release which the first page shows."""
HIT_MOST, HIT_BEFORE = 280, 60
"""Characters of a text that a list shows, and of them those before the first word that was looked for."""

Diff: TypeAlias = tuple[tuple[str, list[Piece]], ...]
"""Fields with the words in which two texts of each differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One row as a screen shows it."""

    item: Item
    evidence: Evidence
    texts: tuple[tuple[str, str], ...]
    foreign: str = ""
    """The row as it came in, where it never was a record."""
    blind: bool = False
    released: Diff = ()
    """From the released texts to these, field by field, where the record changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One row as it stands among others."""

    item: Item
    link: str
    """Where it can be decided about."""
    texts: tuple[tuple[str, str, list[tuple[int, int]]], ...]
    """Field, its text cut short, where the words of the search stand."""
    mine: Event | None


class Pages:
    """The screens of one desk."""

    def __init__(self, desk: Desk, guidelines: str = "") -> None:
        self._desk, self._guidelines = desk, guidelines
        self._ready: OrderedDict[tuple[str, bool], Shown] = OrderedDict()

    def home(self) -> str:
        """Return where the review stands."""
        return self._render(
            "home.html.j2", title="Review", queues=self.progress(), since=self._desk.seating.since, left_most=LEFT_MOST
        )

    def guidelines(self) -> str:
        """Return what a reviewer is to ask of each record."""
        return self._render("guidelines.html.j2", title="Guidelines")

    def keys(self) -> str:
        """Return the table of keys."""
        return self._render("keys.html.j2", title="Keys", groups=help_groups())

    def explore(self, wanted: Wanted, page: int = 1) -> str:
        """Return the rows that are looked for, with what they have in common."""
        found = search(self._desk.rows, wanted, max(page, 1))
        return self._render(
            "explore.html.j2",
            title="Explore",
            searching=True,
            wanted=wanted,
            filled=wanted.filled(),
            found=found,
            page=max(page, 1),
            pages=-(-found.rows // PAGE),
            hits=[self._hit(pos, wanted) for pos in found.page],
            facets=FACETS,
        )

    def _hit(self, pos: int, wanted: Wanted) -> Hit:
        item = self._desk.rows.at(pos)
        queue: Queue = "hunt" if item.fate == "kept" else "drops"
        number = self._desk.number_of(queue, item.sha256)
        texts = tuple((name, _cut(text, wanted.words)) for name, text in named(texts_of(item.outcome)))
        return Hit(
            item=item,
            link=f"/{queue}/{number}" if number else "",
            texts=tuple((name, text, term_spans(text, wanted.words)) for name, text in texts),
            mine=self._desk.last(queue, item.sha256),
        )

    def agreement(self) -> str:
        """Return how far reviewers agree."""
        return self._render("agreement.html.j2", title="Agreement", agreed=agreed(self._desk.board))

    def map(self) -> str:
        """Return the topics."""
        return self._render("map.html.j2", title="Map", topics=topic_rows(self._desk.rows))

    def point(self, pos: int) -> dict[str, str]:
        """Return what one point of the map stands for."""
        item = self._desk.rows.at(pos)
        queue: Queue = "hunt" if item.fate == "kept" else "drops"
        number = self._desk.number_of(queue, item.sha256)
        text = line(texts_of(item.outcome)[0])
        why = item.fate if item.fate == "kept" else f"rejected by {item.stage}"
        return {"text": text[:HIT_MOST], "why": why, "link": f"/{queue}/{number}" if number else ""}

    def finished(self, queue: Queue) -> str:
        """Return what is shown when nothing is left in a queue."""
        return self._render("finished.html.j2", title="Done", queue=queue, queues=self.progress())

    def refused(self, words: str) -> str:
        """Return why a request was not carried out."""
        return self._render("refused.html.j2", title="Not done", words=words)

    def row(self, queue: Queue, number: int) -> str:
        """Return the screen of one row."""
        desk = self._desk
        ticket = desk.queue(queue)[number - 1]
        here = self._shown(queue, number)
        item = here.item
        return self._render(
            "row.html.j2",
            title=f"{queue.capitalize()} {number}",
            queue=queue,
            number=number,
            total=len(desk.queue(queue)),
            done=desk.done(queue),
            here=here,
            item=item,
            spans={} if here.blind else spans(item),
            first="" if here.blind or queue != "hunt" else why_first(item),
            mine=desk.last(queue, ticket.sha256),
            between=self._between(queue, item),
            drop=item.fate == "rejected",
            plan=desk.seating.plan,
            since=desk.seating.since,
        )

    def prepare(self, queue: Queue, number: int) -> None:
        """Gather what stands beside the next open row before it is asked for."""
        after = self._desk.next_open(queue, after=number - 1)
        if after is not None:
            self._shown(queue, after)

    def shown_sha256(self, queue: Queue, number: int) -> str:
        """Return the hash of the evidence that stood beside a row; empty where none was shown."""
        here = self._shown(queue, number)
        return "" if here.blind else sha256_of([asdict(doubt) for doubt in here.evidence.doubts])

    def progress(self) -> list[dict[str, Any]]:
        """Return each queue that has rows, with how far this reviewer has come."""
        found = []
        for name, words in QUEUES.items():
            total = len(self._desk.queue(name))
            if total or name in ("hunt", "accept"):
                found.append({"name": name, "words": words, "total": total, "done": self._desk.done(name)})
        return found

    def _between(self, queue: Queue, item: Item) -> tuple[tuple[Event, Diff], ...]:
        """Return the decisions that are to be settled, each correction with the words that it changes."""
        if queue != "adjudicate":
            return ()
        said = sorted(each_said(self._desk.board.about(item.sha256)), key=lambda one: one.event_id)
        return tuple((one, _corrected(item, one)) for one in said)

    def _shown(self, queue: Queue, number: int) -> Shown:
        ticket = self._desk.queue(queue)[number - 1]
        key = (ticket.sha256, queue in BLIND)
        if key not in self._ready:
            self._ready[key] = self._gathered(self._desk.item(ticket), blind=queue in BLIND)
            if len(self._ready) > READY_MOST:
                self._ready.popitem(last=False)
        return self._ready[key]

    def _gathered(self, item: Item, *, blind: bool) -> Shown:
        texts = tuple(named(texts_of(item.outcome)))
        evidence = Evidence() if blind else gather(item, self._desk.rows, self._desk.chain)
        if not blind:
            evidence = replace(evidence, doubts=(*hunted_doubts(item.id, self._desk.seating.hunt), *evidence.doubts))
        released = () if blind else released_diff(item, self._desk.seating.since)
        found = Shown(item=item, evidence=evidence, texts=texts, blind=blind, released=released)
        if item.record is None and item.fate == "rejected":
            row = getattr(item.outcome, "row", {})
            return replace(found, texts=(), foreign=dumps(dict(row)).decode())
        return found

    def _render(self, template: str, **values: Any) -> str:
        desk = self._desk
        return (
            _environment()
            .get_template(template)
            .render(
                **{"queue": "", "searching": False, **values},
                reviewer=desk.reviewer,
                folder=desk.chain.last.path.resolve().name,
                last=desk.board.undoable(desk.reviewer),
                defects=defects.DEFECTS,
                questions=defects.GUIDELINES,
                own_guidelines=self._guidelines,
                actions=ACTIONS,
                key_table={name: key.key for name, key in ACTIONS.items()},
            )
        )


def _corrected(item: Item, act: Event) -> Diff:
    """Return what a correction changes, field by field; nothing for what is no correction."""
    fields = [(name, getattr(item.record, name), act.texts[name]) for name in TEXT_FIELDS if name in act.texts]
    return tuple((name, word_diff(old, new)) for name, old, new in fields if old != new)


def _query(filled: Mapping[str, str], **change: Any) -> str:
    """Return the address of a search with some of it changed; an empty value leaves it out."""
    wanted = {name: value for name, value in {**filled, **change}.items() if value}
    return f"/explore?{urlencode(wanted)}"


def _cut(text: str, words: str) -> str:
    """Return the part of a text around the first word of the search, or its beginning."""
    first = next(iter(term_spans(text, words)), (0, 0))[0]
    start = max(0, first - HIT_BEFORE) if first > HIT_MOST - HIT_BEFORE else 0
    cut = text[start : start + HIT_MOST]
    return f"{'…' * (start > 0)}{cut}{'…' * (start + HIT_MOST < len(text))}"


@cache
def _environment() -> Environment:
    made = environment(TEMPLATES)
    made.filters |= {"score": score, "query": _query, "limit_word": limit_word}
    return made
