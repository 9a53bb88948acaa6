"""Nothing that was paid for is asked again or lost: a larger n, other seeds, other filters, and `--reparse`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.generate.journal import last_run
from curation.generate.replay import PROPOSALS, Nobody
from curation.generate.source import Generate
from curation.mock.serve import Running, serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from schemas.errors import InputError
from schemas.step import StepDirectory
from tests.curation.generate.scripted import answer_of, seed_file
from tests.curation.generate.test_batched import requests


@pytest.fixture
def running() -> Iterator[Running]:
    """Serve the mock endpoint."""
    with serving(MockEndpoint()) as served:
        yield served


def generate(running: Running, folder: Path, **settings: Any) -> StepDirectory:
    """Generate into `1` with a journal beside it, anew whatever stands there."""
    given = {"n": 20, "model": "mock", "base_url": running.address, "seeds": str(seed_file(folder)), "round_size": 4}
    return run_source(Generate(**{**given, **settings}), folder / "1", force=True).step


def keys_sent(folder: Path) -> list[str]:
    """Return the key of every request that was sent, once for each time."""
    rows = map(json.loads, (folder / "1.journal" / "answers.jsonl").read_text().splitlines())
    return [row["key"] for row in rows if row["t"] == "request"]


def more_seeds(folder: Path) -> str:
    """Return a seed file with one more seed."""
    path = folder / "more.jsonl"
    seed = {"name": "new", "category": "open_qa", "instruction": "Why is the sea salt?", "context": ""}
    seed["response"] = "Rivers carry salt into it, and only water leaves it again."
    path.write_text(seed_file(folder).read_text() + json.dumps(seed) + "\n")
    return str(path)


def test_nothing_is_sent_twice_whatever_is_changed(running: Running, tmp_path: Path) -> None:
    """A larger n, a stricter novelty, another seed file, another round size: each asks only what is new."""
    generate(running, tmp_path)
    for change in ({"n": 30}, {"novelty": 0.6}, {"seeds": more_seeds(tmp_path)}, {"round_size": 5}):
        generate(running, tmp_path, **change)

    assert len(keys_sent(tmp_path)) == len(set(keys_sent(tmp_path)))


def test_reparse_makes_the_same_records_and_sends_nothing(running: Running, tmp_path: Path) -> None:
    """With unchanged settings, byte for byte; and says that nothing was sent."""
    before = (generate(running, tmp_path).path / "records.jsonl").read_bytes()
    sent = len(keys_sent(tmp_path))
    step = generate(running, tmp_path, reparse=True)

    assert (step.path / "records.jsonl").read_bytes() == before
    assert len(keys_sent(tmp_path)) == sent
    assert last_run(tmp_path / "1.journal").sent == 0


def test_reparse_reads_every_answer_with_the_settings_of_today(running: Running, tmp_path: Path) -> None:
    """A stricter novelty keeps fewer of the same answers; a looser one keeps as many as there are."""
    generate(running, tmp_path, n=40)
    sent = len(keys_sent(tmp_path))
    strict = generate(running, tmp_path, n=400, novelty=0.3, reparse=True).manifest.counts
    loose = generate(running, tmp_path, n=400, novelty=0.9, reparse=True).manifest.counts

    assert 0 < strict.kept < loose.kept
    assert loose.kept >= 40
    assert len(keys_sent(tmp_path)) == sent


def test_answers_to_other_seeds_are_not_lost(running: Running, tmp_path: Path) -> None:
    """With another seed file nearly every request is another one; the answers to the former still become records."""
    first = generate(running, tmp_path).manifest.counts.kept
    generate(running, tmp_path, seeds=more_seeds(tmp_path), seed=2)
    both = generate(running, tmp_path, seeds=more_seeds(tmp_path), n=400, reparse=True).manifest.counts.kept

    assert both > first


def test_what_has_no_answer_is_counted_and_not_sent(running: Running, tmp_path: Path) -> None:
    """Half of the journal is gone: what is left makes records, and the rest is rejected with its own reason."""
    generate(running, tmp_path)
    path = tmp_path / "1.journal" / "answers.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    step = generate(running, tmp_path, reparse=True)
    codes = {reason.code for one in step.rejections() for reason in one.reasons}
    said = str(last_run(tmp_path / "1.journal"))

    assert 0 < step.manifest.counts.kept < 20
    assert "request_unanswered" in codes
    assert "have no answer and were not sent" in said


def test_a_torn_proposal_is_none(running: Running, tmp_path: Path) -> None:
    """A crash amid the file of proposals costs at most that one."""
    generate(running, tmp_path)
    path = tmp_path / "1.journal" / PROPOSALS
    path.write_bytes(path.read_bytes()[:-5])
    step = generate(running, tmp_path, reparse=True)

    assert step.manifest.counts.kept > 0


@pytest.mark.parametrize(
    "end", [b"", b"\n", b'{"strategy":"self-instruct"}\n'], ids=["torn", "broken", "grown together"]
)
def test_a_run_goes_on_after_a_torn_proposal(running: Running, tmp_path: Path, end: bytes) -> None:
    """It is noted again on a line of its own, also where an earlier version had appended to the torn half."""
    before = (generate(running, tmp_path).path / "records.jsonl").read_bytes()
    path = tmp_path / "1.journal" / PROPOSALS
    path.write_bytes(path.read_bytes()[:-5] + end)
    generate(running, tmp_path)
    step = generate(running, tmp_path, reparse=True)

    assert (step.path / "records.jsonl").read_bytes() == before


def test_a_strategy_that_is_not_in_the_mix_is_named(running: Running, tmp_path: Path) -> None:
    """Its answers can only be read by it."""
    generate(running, tmp_path)

    with pytest.raises(InputError, match="strategy: expected a mix with self-instruct, found one"):
        generate(running, tmp_path, strategy="evol", reparse=True)


def test_a_journal_without_proposals_says_how_to_have_them(running: Running, tmp_path: Path) -> None:
    """One of an earlier version: the same run once more notes them, and sends nothing."""
    generate(running, tmp_path)
    (tmp_path / "1.journal" / PROPOSALS).unlink()
    sent = len(keys_sent(tmp_path))
    with pytest.raises(InputError, match="expected proposals, found none"):
        generate(running, tmp_path, reparse=True)
    generate(running, tmp_path)

    assert generate(running, tmp_path, reparse=True).manifest.counts.kept == 20
    assert len(keys_sent(tmp_path)) == sent


def test_nobody_is_asked() -> None:
    """The endpoint of a replay fails if it is asked: a defect would not go unnoticed."""
    with pytest.raises(AssertionError, match="was sent"):
        answer_of(Nobody(), requests(1)[0])
