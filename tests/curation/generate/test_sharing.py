"""Several machines make one data set: each sends its part of the requests, and all come to the same bytes."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.generate.shard import Shard
from curation.generate.sharing import Other
from curation.generate.source import Generate
from curation.pipeline import run_source
from schemas.codec import dumps
from schemas.errors import EndpointError, InputError
from schemas.step import StepDirectory
from tests.curation.generate.scripted import Told, completion, seed_file, told_server


def source(told: Told, folder: Path, shard: str = "", **settings: object) -> Generate:
    """Return a source that asks the server, with the journals in a folder that all machines see."""
    given: dict[str, object] = {"n": 8, "model": "m", "round_size": 4, "output_form": "list", **settings}
    common = {"base_url": told.address, "journal": str(folder / "journal"), "seeds": str(folder / "seeds.jsonl")}
    return Generate(**{**common, "shard": shard, **given})  # type: ignore[arg-type]  # settings by name


def bytes_of(step: StepDirectory) -> dict[str, bytes]:
    """Return what a step left, by name; its manifest says when, too."""
    return {one.path: (step.path / one.path).read_bytes() for one in step.manifest.outputs}


def rows(journal: Path) -> Iterator[dict[str, object]]:
    """Yield the lines of a journal."""
    for line in (journal / "answers.jsonl").read_text().splitlines():
        yield json.loads(line)


def asked(journal: Path) -> list[str]:
    """Return the keys of what was sent, by a journal."""
    return [str(row["key"]) for row in rows(journal) if row["t"] == "request"]


def most_open(journal: Path) -> int:
    """Return the most requests that had no answer at a time, by a journal."""
    steps = accumulate({"request": 1, "answer": -1}[str(row["t"])] for row in rows(journal))
    return max(steps)


def together(told: Told, folder: Path, *shards: str, **settings: object) -> list[StepDirectory]:
    """Run as several machines at once, each with a step of its own."""
    runs = [(source(told, folder, one, **settings), folder / f"run {one.replace('/', ' of ')}") for one in shards]
    with ThreadPoolExecutor() as machines:
        return [ran.step for ran in machines.map(lambda run: run_source(*run), runs)]


@pytest.mark.parametrize("shards", [("1/2", "2/2"), ("1,3/3", "2/3")])
def test_machines_come_to_the_bytes_of_one(tmp_path: Path, shards: tuple[str, ...]) -> None:
    """Each sends its own requests, none is sent twice, and their journals together are enough for a run by itself."""
    seed_file(tmp_path)
    with told_server(slow_s=0.002) as told:
        alone = run_source(source(told, tmp_path, journal=str(tmp_path / "alone")), tmp_path / "alone step").step
        steps = together(told, tmp_path, *shards)
        before = len(told.seen)
        merged = run_source(source(told, tmp_path), tmp_path / "merged").step
    keys = {shard: asked(tmp_path / "journal" / f"shard-{Shard.read(shard)}") for shard in shards}

    assert all(bytes_of(step) == bytes_of(alone) for step in (*steps, merged))
    assert {step.manifest.fingerprint for step in (*steps, merged)} == {alone.manifest.fingerprint}
    assert len(told.seen) == before
    assert all(Shard.read(shard).has(key) for shard, sent in keys.items() for key in sent)
    sent = [key for of_shard in keys.values() for key in of_shard]
    assert len(sent) == len(set(sent))
    assert min(map(len, keys.values())) > 0


def test_a_machine_that_waits_in_vain_says_for_whom(tmp_path: Path) -> None:
    """And goes on from there when the other has begun; what it was answered is not sent again."""
    seed_file(tmp_path)
    with told_server() as told:
        with pytest.raises(EndpointError, match=r"shard 2/2 has written nothing for 0\.5 s: is it running"):
            run_source(source(told, tmp_path, "1/2", patience_s=0.5), tmp_path / "run 1 of 2")
        first = asked(tmp_path / "journal" / "shard-1-of-2")
        steps = together(told, tmp_path, "1/2", "2/2")
    sent = asked(tmp_path / "journal" / "shard-1-of-2")

    assert bytes_of(steps[0]) == bytes_of(steps[1])
    assert 0 < len(first) < len(sent) == len(set(sent))


def test_other_parts_than_before_find_what_was_answered(tmp_path: Path) -> None:
    """Three machines, then two: nothing is paid for again."""
    seed_file(tmp_path)
    with told_server() as told:
        three = together(told, tmp_path, "1/3", "2/3", "3/3")
        before = len(told.seen)
        two = together(told, tmp_path, "1/2", "2/2")

        assert len(told.seen) == before
    assert bytes_of(two[0]) == bytes_of(three[0])


def test_of_several_answers_all_machines_take_the_same(tmp_path: Path) -> None:
    """The one in the first journal by name, whoever asked."""
    seed_file(tmp_path)
    other = completion("1. Praise the harbour of the lantern of the zeppelin.")
    with told_server() as told:
        step, _ = together(told, tmp_path, "1/2", "2/2")
        key = next(one.provenance.request for one in step.records() if Shard.read("2/2").has(one.provenance.request))
        (tmp_path / "journal" / "shard-0").mkdir()
        line = dumps({"t": "answer", "key": key, "body": other}) + b"\n"
        (tmp_path / "journal" / "shard-0" / "answers.jsonl").write_bytes(line)
        first, second = together(told, tmp_path, "1/2", "2/2", n=7)

    assert bytes_of(first) == bytes_of(second)
    assert any(b"zeppelin" in of_file for of_file in bytes_of(first).values())


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    """Half an answer is none; a line that is no journal's is an error that names the file."""
    line = dumps({"t": "answer", "key": "ab" * 32, "body": completion("Blue.")}) + b"\n"
    file = tmp_path / "answers.jsonl"
    file.write_bytes(line[:30])
    other = Other(tmp_path)

    assert not other.look()
    assert other.find("ab" * 32) is None
    file.write_bytes(line)
    assert other.look()
    assert not other.look()
    assert (found := other.find("ab" * 32)) is not None
    assert found.text == "Blue."
    assert other.find("ab" * 16 + "cd" * 16) is None
    file.write_bytes(line + b"what?\n")
    with pytest.raises(InputError, match=r"answers\.jsonl: expected a line of a journal, found b'what\?"):
        other.look()


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1,4/3", "a/b", "1/0", "-1/2", "1/2/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    """With what would be one."""
    with pytest.raises(InputError, match="expected I/N with I from 1 to N: 2/3, 1,2/3"):
        Shard.read(text)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"journal": ""}, "journal"),
        ({"reparse": True}, "shard"),
        ({"mode": "batch"}, "shard"),
        ({"shares": "auto", "strategy": "evol,topic"}, "shard"),
    ],
)
def test_what_cannot_be_shared_is_refused(tmp_path: Path, settings: dict[str, object], field: str) -> None:
    """Journals that the others cannot see, jobs, shares that follow a machine's own prices."""
    with pytest.raises(InputError, match=f"generate: {field}: expected"):
        source(Told(address="http://127.0.0.1:1/v1", replies=[]), tmp_path, "1/2", **settings)


def test_a_kill_would_lose_no_more_than_are_sent_at_once(tmp_path: Path) -> None:
    """Requests that wait for their turn are not in the journal yet."""
    seed_file(tmp_path)
    with told_server(slow_s=0.005) as told:
        together(told, tmp_path, "1/2", "2/2", n=4, concurrency=2, round_size=8)

    assert [most_open(tmp_path / "journal" / f"shard-{part}-of-2") for part in (1, 2)] == [2, 2]


def test_a_probe_is_of_a_whole_run(tmp_path: Path) -> None:
    """Its requests would be other machines', too."""
    words = ["generate", "-o", str(tmp_path / "1"), "--journal", str(tmp_path / "journal"), "--shard", "1/2"]

    done = CliRunner().invoke(main, [*words, "--probe", "3"])

    assert done.exit_code == 2
    assert "leave out --shard" in done.output


def test_every_request_is_some_machines() -> None:
    """And of one alone; parts are about as large as each other."""
    shards = [Shard.read(f"{part}/3") for part in (1, 2, 3)]
    keys = [f"{number * 2654435761 % 2**32:08x}" for number in range(3000)]

    owners = [[shard.has(key) for shard in shards] for key in keys]

    assert all(sum(one) == 1 for one in owners)
    assert all(900 < sum(one[part] for one in owners) < 1100 for part in range(3))
