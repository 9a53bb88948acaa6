"""Somebody else's hunt is the order of the hunt queue, and says why; it never touches what is measured."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.review.queues import Seating
from schemas.errors import InputError
from schemas.hunt import Hunted, read_hunt
from tests.curation.review.served import served
from tests.hostile import HOSTILE
from tests.support import pair, step_of

RECORDS = [pair(f"Name fish {number}.", f"Trout {number}.") for number in range(5)]
HUNT = (
    Hunted(id=RECORDS[3].id, rank=1, why=("It never learned this.", "So strange."), figures={"loss after": 4.25}),
    Hunted(id="0" * 16, rank=2, why=("It stands here no more.",)),
    Hunted(id=RECORDS[1].id, rank=3, why=(HOSTILE[0],)),
)


def test_the_hunt_queue_is_the_hunts_order(tmp_path: Path) -> None:
    """Records that stand here no more are left out; the accept queue is as ever."""
    step = step_of(tmp_path / "1", RECORDS)
    with served(step, Seating(hunt=HUNT, n=5)) as review, served(step, Seating(n=5)) as other:
        hunted = [review.desk.item(one).id for one in review.desk.queue("hunt")]
        measured = [[desk.item(one).id for one in desk.queue("accept")] for desk in (review.desk, other.desk)]

    assert hunted == [RECORDS[3].id, RECORDS[1].id]
    assert measured[0] == measured[1]
    assert len(measured[0]) == 5


def test_the_screen_says_why(tmp_path: Path) -> None:
    """In its words and figures, as text; not where records are measured."""
    with served(step_of(tmp_path / "1", RECORDS), Seating(hunt=HUNT, n=5)) as review:
        review.enter()
        first, second = (review.ask("GET", f"/hunt/{number}").text for number in (1, 2))
        accepted = [review.ask("GET", f"/accept/{number}").text for number in range(1, 6)]

    assert "It never learned this." in first
    assert "4.25" in first
    assert "So strange." in first
    assert HOSTILE[0] not in second or "<" not in HOSTILE[0]
    assert not any("It never learned this." in page for page in accepted)


def test_a_hunt_is_read_by_rank(tmp_path: Path) -> None:
    """Whatever the order of its lines; a record counts once."""
    rows = [
        {"id": "b", "rank": 2, "why": ["x"]},
        {"id": "a", "rank": 1, "why": ["y"]},
        {"id": "a", "rank": 9, "why": []},
    ]
    file = tmp_path / "hunt.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))

    assert [(one.id, one.rank) for one in read_hunt(file)] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("line", ["{}", "no json", '{"id": "a", "rank": "first", "why": []}'])
def test_a_line_of_something_else_is_refused(line: str, tmp_path: Path) -> None:
    """With its number; as is a file that is not there."""
    file = tmp_path / "hunt.jsonl"
    file.write_text(f'{{"id": "a", "rank": 1, "why": []}}\n{line}\n')

    with pytest.raises(InputError, match=r"hunt\.jsonl:2"):
        read_hunt(file)
    with pytest.raises(InputError, match="No such file"):
        read_hunt(tmp_path / "none.jsonl")


def test_the_command_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says how many of the hunt's records stand here."""
    monkeypatch.setattr("curation.review.web.serve.serve", lambda *_, **__: None)
    step = step_of(tmp_path / "1", RECORDS)
    file = tmp_path / "hunt.jsonl"
    file.write_text("\n".join(json.dumps({"id": one.id, "rank": one.rank, "why": list(one.why)}) for one in HUNT))

    done = CliRunner().invoke(main, ["review", str(step.path), "--hunt", str(file), "--no-browser"])

    assert done.exit_code == 0, done.output
    assert "2 of the 3 records of the hunt are to be looked at" in done.output
