"""Decisions are appended, chained, and never changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.review.board import Board
from curation.review.canaries import CANARIES, canary_item
from curation.review.events import Event, export_lines, new_id, now, read_events
from curation.review.exchange import export_to, import_from, open_store, verify
from curation.review.resolve import DISPUTED, resolve
from curation.review.store import GENESIS, Store, read_store, review_beside
from schemas.errors import InputError


def event(row: str = "aa", action: str = "accept", reviewer: str = "me", **more: Any) -> Event:
    """Return an act about a row."""
    made: dict[str, Any] = {"reviewer": reviewer, "action": action, "row_id": row * 8, "row_sha256": row * 32, **more}
    return Event(event_id=new_id(), at=now(), **made)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store."""
    with Store(review_beside(tmp_path / "1")) as opened:
        yield opened


def test_what_was_appended_is_there_when_the_store_is_opened_again(tmp_path: Path, store: Store) -> None:
    """In the order it was written."""
    written = [
        event("aa"),
        event("bb", "reject", reasons=("wrong_answer",)),
        event("aa", "edit", texts={"response": "x"}),
    ]
    for one in written:
        store.append(one)

    assert read_store(review_beside(tmp_path / "1")) == written
    assert store.damage() == []


@pytest.mark.parametrize("change", ["UPDATE events SET body = 'x'", "DELETE FROM events"])
def test_events_cannot_be_changed_or_deleted(store: Store, change: str) -> None:
    """The database itself refuses."""
    store.append(event())

    with closing(sqlite3.connect(store.path)) as db, pytest.raises(sqlite3.IntegrityError, match="never"):
        db.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET body = replace(body, 'accept', 'reject') WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
        "UPDATE events SET hash = 'x' WHERE seq = 2",
        "UPDATE events SET seq = 9 WHERE seq = 3",
    ],
)
def test_who_gets_round_that_is_found_out(store: Store, change: str) -> None:
    """The chain of hashes tells which event is not the one that was written."""
    store.append(event("aa"), event("bb"), event("cc"))
    with closing(sqlite3.connect(store.path)) as db:
        db.executescript("DROP TRIGGER events_stay; DROP TRIGGER events_remain;" + change)
        db.commit()

    assert len(store.damage()) == 1


def test_who_noted_the_head_finds_a_cut_end(tmp_path: Path) -> None:
    """Which the chain alone cannot tell."""
    with Store(review_beside(tmp_path / "1")) as store:
        store.append(event("aa"), event("bb"))
        early, late = GENESIS, store.head()
    with closing(sqlite3.connect(store.path)) as db:
        db.executescript("DROP TRIGGER events_remain; DELETE FROM events WHERE seq = 2")

    assert verify(tmp_path / "1")[2] == []
    assert verify(tmp_path / "1", early)[2] == []
    assert "events were cut off" in verify(tmp_path / "1", late)[2][0]


def test_a_stroke_is_written_whole_or_not_at_all(store: Store) -> None:
    """An event that is there already takes the others with it."""
    first = event("aa")
    store.append(first)

    with pytest.raises(sqlite3.IntegrityError):
        store.append(event("bb"), first)

    assert store.events() == [first]


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """With its place, not a crash."""
    (tmp_path / "decisions.sqlite").write_text("no database" * 100)

    with pytest.raises(InputError, match="expected a store of decisions"):
        Store(tmp_path)


def test_two_stores_of_the_same_events_export_the_same_bytes(tmp_path: Path) -> None:
    """Whatever order they came in; and what comes in twice is in once."""
    events = [event(row) for row in ("aa", "bb", "cc")]
    for name, order in (("1", events), ("2", events[::-1])):
        with Store(review_beside(tmp_path / name)) as store:
            store.append(*order)
        export_to(tmp_path / name, tmp_path / f"{name}.jsonl")

    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert import_from(tmp_path / "1", tmp_path / "2.jsonl") == (0, 3)
    assert import_from(tmp_path / "3", tmp_path / "1.jsonl") == (3, 3)
    assert verify(tmp_path / "3")[0] == 3


def test_a_changed_line_of_an_export_is_refused(tmp_path: Path) -> None:
    """A decision is what the reviewer made it."""
    file = tmp_path / "d.jsonl"
    file.write_bytes(export_lines([event()]).replace(b"accept", b"reject"))

    with pytest.raises(InputError, match=r"d\.jsonl:1: sha256: expected"):
        list(read_events(file))


def test_a_step_nobody_reviewed_has_no_store(tmp_path: Path) -> None:
    """And none is made by asking."""
    with pytest.raises(InputError, match="a step that was reviewed"):
        open_store(tmp_path / "1")

    assert not review_beside(tmp_path / "1").exists()


def test_an_empty_store_has_a_head(store: Store) -> None:
    """So that an empty review can be named too."""
    assert store.head() == GENESIS


def test_undo_takes_back_one_act_or_one_stroke() -> None:
    """What stood before stands again."""
    first, second = event("aa"), event("aa", "reject", reasons=("unclear",))
    stroke = [event("bb", batch="s"), event("cc", batch="s")]
    board = Board.of([first, second, *stroke])

    board.add(event("", "undo", undoes=second.event_id))
    board.add(event("", "undo", undoes="s"))

    assert list(board.standing()) == [first]
    assert board.undoable("me") == first
    assert board.undoable("you") is None


ROWS = st.sampled_from(["aa", "bb", "cc"])
PEOPLE = st.sampled_from(["anna", "ben"])
ACTS = st.lists(st.tuples(ROWS, PEOPLE, st.sampled_from(["accept", "reject", "flag", "skip", "undo"])), max_size=12)


def played(acts: list[tuple[str, str, str]]) -> list[Event]:
    """Return the events of a review in which everybody can only take back what they did last."""
    board, events = Board(), list[Event]()
    for row, reviewer, action in acts:
        last = board.undoable(reviewer)
        if action == "undo" and last is None:
            continue
        undoes = {"undoes": last.event_id} if action == "undo" and last else {}
        events.append(event(row, action, reviewer, **undoes))
        board.add(events[-1])
    return events


@given(ACTS, st.randoms(use_true_random=False))
def test_what_was_decided_does_not_depend_on_the_order_of_the_file(
    acts: list[tuple[str, str, str]], chance: object
) -> None:
    """Merged stores of the same events mean the same."""
    events = played(acts)
    shuffled = sorted(events, key=lambda _: chance.random())  # type: ignore[attr-defined]  # a random.Random

    assert resolve(shuffled) == resolve(events)


def test_reviewers_who_differ_decide_nothing_until_it_is_settled() -> None:
    """Then whoever settles it decides."""
    events = [event("aa", "accept", "anna"), event("aa", "reject", "ben", reasons=("unclear",), queue="second")]

    (open_,) = resolve(events)
    (settled,) = resolve([*events, event("aa", "reject", "cleo", queue="adjudicate", reasons=("unclear",))])

    assert (open_.decision, open_.note) == ("", DISPUTED)
    assert (settled.decision, settled.note) == ("reject", "unclear")


def test_a_fault_outweighs_an_acceptance_elsewhere() -> None:
    """Whoever measures a record as it is has not taken back what they corrected in it."""
    events = [event(action="edit", texts={"response": "x"}), event(queue="accept")]

    assert [one.decision for one in resolve(events)] == ["edit"]


def test_a_flag_or_a_skip_opens_a_decision_again() -> None:
    """The last act of a reviewer counts."""
    assert resolve([event("aa", "accept"), event("aa", "flag")]) == []


def test_decisions_about_canaries_are_not_about_the_data() -> None:
    """They measure the reviewer."""
    texts = {"instruction": "a", "context": "", "response": "b", "category": ""}
    item = canary_item(texts)
    act = replace(event(), row_id=item.id, row_sha256=item.sha256)
    draw = replace(event("", "draw"), draw={"name": CANARIES, "seed": 1, "rows": [texts]})

    assert resolve([draw, act]) == []
    assert len(resolve([act])) == 1
