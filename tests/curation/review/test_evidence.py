"""What stands beside a record: verdicts, twins, rivals, neighbours, and the model's own words."""

from pathlib import Path

import orjson
import pytest

from curation.dedupe.stage import Dedupe
from curation.filters.stage import Filter
from curation.generate.journal import ANSWERS, journal_beside
from curation.pipeline import run_stage
from curation.review.desk import Desk
from curation.review.evidence import Evidence, gather, spans, why_first
from curation.review.opening import open_desk
from curation.review.queues import Seating
from curation.review.rows import Item
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Provenance, Reason
from tests.curation.review.served import served
from tests.support import pair, step_of

CAME = Provenance(source="generate", model="a-model", request="k1", seeds=("s1",))
RED = "Name a red colour and say in a sentence why it is called so."
ANSWER = "Crimson is a red colour, and it is called so after an insect."
BLUE = pair("List the towns on the river Elbe that have a cathedral.", "Meissen and Magdeburg have one.")
UNSAID = pair("Describe the picture below in two sentences, please.", "It shows a dog. The dog is brown.")
NO_INPUT = pair("Say how many legs a spider has.", "A spider has eight legs.", "no input")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk at the end of a real chain: generated, filtered, deduplicated, with the journal beside it."""
    folder = tmp_path_factory.mktemp("runs")
    kept: InstructionRecord = pair(RED, ANSWER, provenance=CAME)
    twin = pair(
        RED, "Scarlet, which is the name of a cloth.", provenance=Provenance(source="generate", model="a-model")
    )
    step_of(folder / "1", [kept, twin, BLUE, UNSAID, NO_INPUT])
    journal = journal_beside(folder / "1")
    journal.mkdir()
    body = {"choices": [{"message": {"content": f"Task 1: {RED}\n<b>{ANSWER}</b>"}}]}
    lines = [
        {"t": "request", "key": "k1"},
        {"t": "answer", "key": "k0", "body": {}},
        {"t": "answer", "key": "k1", "body": body},
    ]
    torn = b'{"t": "answer", "key'
    (journal / ANSWERS).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines) + torn)
    run_stage(Filter(), folder / "1", folder / "2")
    step = run_stage(Dedupe(encoder="hashing"), folder / "2", folder / "3").step
    return open_desk(step, Seating())


def about(desk: Desk, start: str, fate: str = "kept") -> tuple[Item, Evidence]:
    """Return the row whose instruction starts so, and what stands beside it."""
    places = [pos for pos, _ in desk.rows.keyed(fate)]  # type: ignore[arg-type]  # one of the two
    items = map(desk.rows.at, places)
    item = next(one for one in items if one.record is not None and one.record.instruction.startswith(start))
    return item, gather(item, desk.rows, desk.chain)


def test_a_kept_record_shows_what_was_dropped_for_it(desk: Desk) -> None:
    """With the score, and the words that differ."""
    _, evidence = about(desk, "Name a red")

    (twin,) = evidence.twins
    assert (twin.fate, twin.cosine) == ("rejected", 1.0)
    assert {piece.where for name, pieces in twin.diff if name == "response" for piece in pieces} >= {"old", "new"}


def test_a_dropped_row_shows_what_was_kept_instead(desk: Desk) -> None:
    """And the other answer to the same prompt."""
    item, evidence = about(desk, "Name a red", "rejected")

    assert item.stage == "dedupe"
    assert [(twin.fate, dict(twin.texts)["response"]) for twin in evidence.twins] == [("kept", ANSWER)]
    assert [dict(rival.texts)["response"] for rival in evidence.rivals] == [ANSWER]
    assert evidence.doubts[0].code == "duplicate_near"


def test_the_models_own_words_are_shown(desk: Desk) -> None:
    """As they came, from the journal; where the record says who wrote it."""
    _, evidence = about(desk, "Name a red")

    assert evidence.raw == f"Task 1: {RED}\n<b>{ANSWER}</b>"
    assert ("Written by", "a-model") in evidence.came
    assert about(desk, "List the towns")[1].raw == ""


def test_every_check_is_answered_for(desk: Desk) -> None:
    """Those that passed with their limits, those that did not with what they found; together all of them."""
    item, evidence = about(desk, "Describe the picture", "rejected")

    passed, found = {one.code for one in evidence.passed}, {one.code for one in evidence.doubts}
    assert found
    assert not passed & found
    assert passed | found == set(Filter().checks)
    assert any(one.limits for one in evidence.passed)
    assert all(one.field in spans(item) for one in evidence.doubts if one.field) or not spans(item)


def test_a_repair_shows_what_it_changed_and_puts_the_record_first(desk: Desk) -> None:
    """Half as much as a flag."""
    item, evidence = about(desk, "Say how many legs")

    (repair,) = evidence.doubts
    assert (repair.kind, repair.field) == ("repaired", "context")
    assert [piece.text for _, pieces in repair.diff for piece in pieces] == ["no input"]
    assert why_first(item).startswith("1 repair")
    doubts = [desk.item(ticket).doubt for ticket in desk.queue("hunt")]
    assert doubts == sorted(doubts, reverse=True)


def test_neighbours_come_from_dedupe(desk: Desk) -> None:
    """Whatever it left about a kept record, with the cosine; of a record that is like no other, nothing."""
    left = {row["id"]: row for row in desk.chain.last.rows("neighbours")}
    assert left

    for pos, _ in desk.rows.keyed("kept"):
        item = desk.rows.at(pos)
        found = [(one.id, one.cosine) for one in gather(item, desk.rows, desk.chain).neighbours]
        row = left.get(item.id)
        assert found == ([(row["other"], row["cosine"])] if row else [])


def test_rows_that_never_were_records_are_shown_whole(tmp_path: Path) -> None:
    """As JSON, in the queue where it is asked whether the drop was right."""
    torn = Rejection(row={"raw": "{torn <b>"}, reasons=(Reason(code="row_not_json", field="row"),))
    with served(step_of(tmp_path / "1", [BLUE, torn])) as review:
        review.enter()
        page = review.ask("GET", "/drops/1").text
        answer = review.decide("drops", 1, action="reject")

    assert "{&#34;raw&#34;:&#34;{torn &lt;b&gt;&#34;}" in page
    assert answer.status == 303
