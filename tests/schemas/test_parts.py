"""Step directories that are cut into parts hold what those in one piece hold, and every part is checked."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.manifest import part_name
from schemas.outcome import Aside, Outcome, reject
from schemas.record import InstructionRecord, Reason
from schemas.step import RECORDS, REJECTED, StepDirectory, write_step
from tests.support import Given, pair, records

EMPTY = Reason(code="response_empty", field="response")
FIVE: list[Outcome] = [pair(f"Name {n}.") if n != 2 else reject(pair("c"), EMPTY) for n in range(5)]


def cut(path: Path, outcomes: list[Outcome], shard: int) -> StepDirectory:
    """Write outcomes in shards, and a row aside for each."""

    def leaves(aside: Aside) -> list[Outcome]:
        for number in range(len(outcomes)):
            aside.leave("numbers", {"number": number})
        return outcomes

    return write_step(path, Given(rows=len(outcomes)), leaves, shard=shard)[0]


@given(st.lists(st.tuples(records(), st.booleans()), max_size=9), st.integers(1, 10))
@settings(max_examples=30)
def test_parts_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[InstructionRecord, bool]], shard: int
) -> None:
    """Whatever the size: the parts, one after another, are the bytes of the file, and digests and identity are its."""
    outcomes: list[Outcome] = [record if kept else reject(record, EMPTY) for record, kept in rows]
    folder = tmp_path_factory.mktemp("step")

    whole, parts = cut(folder / "whole", outcomes, 0), cut(folder / "parts", outcomes, shard)

    opened = StepDirectory.open(parts.path)
    assert opened.manifest.outputs == whole.manifest.outputs
    assert opened.manifest.fingerprint == whole.manifest.fingerprint
    assert opened.manifest.counts == whole.manifest.counts
    assert list(opened.records()) == list(whole.records())
    assert list(opened.rejections()) == list(whole.rejections())
    assert list(opened.rows("numbers")) == list(whole.rows("numbers"))
    for name in (RECORDS, REJECTED):
        assert b"".join(path.read_bytes() for path in opened.paths(name)) == (whole.path / name).read_bytes()
        assert all(0 < (part.rows or 0) <= shard for part in opened.manifest.stored(name))


def test_a_part_has_the_number_of_its_shard(tmp_path: Path) -> None:
    """A shard that rejected nothing has no part of rejected rows."""
    step = cut(tmp_path / "a", FIVE, 2)

    assert [path.name for path in step.paths()] == [part_name(RECORDS, number) for number in (1, 2, 3)]
    assert [path.name for path in step.paths(REJECTED)] == ["rejected-00002.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("records-00002.jsonl", None, r"records-00002\.jsonl: missing"),
        ("records-00002.jsonl", b"{}\n", r"records-00002\.jsonl: 3 bytes, the manifest says"),
        ("records-00004.jsonl", b"{}\n", r"records-00004\.jsonl: a part that the manifest does not name"),
        ("records.jsonl", b"{}\n", r"records\.jsonl: a part that the manifest does not name"),
    ],
)
def test_a_part_that_is_missing_changed_or_added_is_named(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    """A message says which, and reading without checking does not pass over it."""
    step = cut(tmp_path / "a", FIVE, 2)
    (step.path / name).unlink() if content is None else (step.path / name).write_bytes(content)

    with pytest.raises(InputError, match=said):
        StepDirectory.open(step.path)


def test_a_missing_part_is_not_passed_over_by_a_reader(tmp_path: Path) -> None:
    """One that vanishes after it was checked is an error, not an end of the records."""
    step = cut(tmp_path / "a", FIVE, 2)
    (step.path / "records-00003.jsonl").unlink()

    with pytest.raises(InputError, match=r"records-00003\.jsonl: expected what manifest\.json names, found nothing"):
        list(step.records())


def test_how_it_is_cut_is_no_reason_to_do_it_again(tmp_path: Path) -> None:
    """A step in one piece is reused where parts were asked for: it is the same step."""
    whole = cut(tmp_path / "a", FIVE, 0)

    _, reused = write_step(whole.path, Given(rows=5), lambda _: FIVE, shard=2)

    assert reused
    assert StepDirectory.open(whole.path).manifest.parts == {}
