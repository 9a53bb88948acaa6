"""What became of the last release: the released text stands beside what changed, and what came or left is said."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner
from playwright.sync_api import Browser

from curation.cli import main
from curation.review.queues import Seating
from curation.review.since import Since, read_since
from schemas.record import InstructionRecord, Provenance
from schemas.step import StepDirectory
from tests.curation.review.served import served
from tests.curation.review.watched import serious, watched
from tests.hostile import HOSTILE
from tests.support import pair, step_of

SAME = pair("Name a fish.", "Trout.")
REPAIRED = pair("Name a brid.", "Robin.")
REASKED = pair("What is the capital of Australia?", "Sydney.")
MOVED = pair("Sum it up.", "It is short.", "A long text.")
LEFT = pair("Sing a song.", "La la.")
TWICE = pair("Write a story.", "Once."), pair("Write a story.", "Twice.")
OLD = (SAME, REPAIRED, REASKED, MOVED, LEFT, *TWICE)

FIXED = pair("Name a bird.", "A robin.", provenance=Provenance(source="rows", previous=(REPAIRED.id,)))
ANSWERED = pair("What is the capital of Australia?", "Canberra.")
WITHIN = pair("Sum it up.", "It is shorter.", "Another text.")
CAME = pair("Name a tree.", "Oak.")
THRICE = pair("Write a story.", "Thrice.")


def now(tmp_path: Path, *more: InstructionRecord) -> StepDirectory:
    """Return the step as it is now."""
    return step_of(tmp_path / "2", [SAME, FIXED, ANSWERED, WITHIN, CAME, THRICE, *more])


def released(tmp_path: Path) -> Path:
    """Return a release's rows as they stand in a release: the earlier ids are a column."""
    names = ("id", "instruction", "context", "response")
    rows = [{name: getattr(one, name) for name in names} | {"previous": []} for one in OLD]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "r.parquet")
    return tmp_path / "r.parquet"


def changes(since: Since) -> dict[str, str]:
    """Return id now → id then."""
    return {name: one.id for name, one in since.changed.items()}


def test_a_changed_record_finds_what_was_released_for_it(tmp_path: Path) -> None:
    """By an id that it remembers, by its question, by its instruction; what could be several is nobody's."""
    since = read_since(released(tmp_path), now(tmp_path))

    assert changes(since) == {FIXED.id: REPAIRED.id, ANSWERED.id: REASKED.id, WITHIN.id: MOVED.id}
    assert since.came == 2
    assert {one.id for one in since.left} == {LEFT.id, *(one.id for one in TWICE)}


def test_a_step_is_compared_as_a_release_is(tmp_path: Path) -> None:
    """And a step with itself has nothing new; without a release nothing is compared."""
    step = now(tmp_path)

    assert changes(read_since(step_of(tmp_path / "1", OLD).path, step)) == changes(read_since(released(tmp_path), step))
    itself = read_since(step.path, step)
    assert (dict(itself.changed), itself.came, itself.left) == ({}, 0, ())
    assert read_since(None, step) == Since()


def test_one_released_record_is_not_two_changed_ones(tmp_path: Path) -> None:
    """Two records that were made of one: the first of them changed, the other came."""
    other = pair("Name two birds.", "Robin, wren.", provenance=Provenance(source="rows", previous=(REPAIRED.id,)))

    since = read_since(released(tmp_path), now(tmp_path, other))

    assert REPAIRED.id in changes(since).values()
    assert len({FIXED.id, other.id} & set(changes(since))) == 1
    assert since.came == 3


def test_the_command_says_what_changed(tmp_path: Path) -> None:
    """As a line and as JSON."""
    step, old = now(tmp_path), released(tmp_path)

    said = CliRunner().invoke(main, ["review", "status", str(step.path), "--since", str(old)]).output
    told = json.loads(
        CliRunner().invoke(main, ["review", "status", str(step.path), "--since", str(old), "--json"]).output
    )

    assert said.startswith("since r.parquet: 3 changed, 2 came, 3 left\n")
    assert told["since"]["changed"][ANSWERED.id] == REASKED.id
    assert len(told["since"]["left"]) == 3
    assert told["queues"][0]["total"] == 5


def test_the_released_text_stands_beside_the_record(browser: Browser, tmp_path: Path) -> None:
    """In a real browser: the first page says what left, a changed record has its difference, a blind queue has not."""
    attack = [pair(f"Say {at}.", text) for at, text in enumerate(HOSTILE[:2])]
    before = step_of(tmp_path / "1", [*OLD, *attack, pair(HOSTILE[2], "It left.")])
    step = now(tmp_path, *(pair(one.instruction, f"Again: {one.response}") for one in attack))
    with served(step, Seating(since=read_since(before.path, step))) as review, watched(browser, review) as seen:
        base, desk = f"http://127.0.0.1:{review.keys.port}", review.desk
        first = seen.page.inner_text("main")
        seen.page.click(".since summary")
        faults = serious(seen.page)
        pages = {}
        for queue in ("hunt", "accept"):
            for number, ticket in enumerate(desk.queue(queue), 1):
                seen.page.goto(f"{base}/{queue}/{number}")
                pages[queue, desk.item(ticket).id] = seen.page.inner_text("main")
                faults += serious(seen.page)

        assert "5 changed, 2 came, 4 left" in first
        assert "Changed since 1" in pages["hunt", ANSWERED.id]
        assert "SydneyCanberra." in pages["hunt", ANSWERED.id]
        assert "New since 1." in pages["hunt", CAME.id]
        assert not any("since 1" in text for (queue, _), text in pages.items() if queue == "accept")
        assert faults == []
        assert seen.said == []
