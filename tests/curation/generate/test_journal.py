"""The journal: what was answered is on disk and is never asked again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.generate.endpoint import Message, Request
from curation.generate.journal import ANSWERS, Remembered, journal_beside, last_run, open_journal
from schemas.errors import InputError
from schemas.step import StepDirectory
from tests.curation.generate.scripted import Scripted, Told, answer_of, seed_file, told_server
from tests.support import ROOT


def request(text: str) -> Request:
    """Return a request with this question."""
    return Request(model="m", messages=(Message("user", text),), params={"temperature": 0.5})


def lines(folder: Path) -> list[dict[str, object]]:
    """Return the journal's rows."""
    return [orjson.loads(line) for line in (folder / ANSWERS).read_bytes().splitlines()]


def test_a_request_is_written_before_it_is_sent_and_its_answer_before_it_is_read(tmp_path: Path) -> None:
    """While the endpoint works, the request is on disk; afterwards the raw answer is."""
    before = []

    def look(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
        before.extend(lines(tmp_path))
        return "yes", "stop"

    with open_journal(tmp_path) as journal:
        answer_of(Remembered(Scripted(look), journal), request("Is it there?"))

    asked, answered = lines(tmp_path)
    assert before == [asked]
    assert asked["t"] == "request"
    assert asked["messages"] == [{"role": "user", "content": "Is it there?"}]
    assert answered["t"] == "answer"
    assert answered["key"] == asked["key"] == request("Is it there?").key


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    """Not in the same run, not in the next one; and the run says so."""
    endpoint = Scripted()
    for _ in range(2):
        with open_journal(tmp_path) as journal:
            remembered = Remembered(endpoint, journal)
            answers = [answer_of(remembered, request(text)).text for text in ("a", "b", "a")]
            remembered.sum_up()

    assert answers[0] == answers[2]
    assert len(endpoint.asked) == 2
    assert (last_run(tmp_path).reused, last_run(tmp_path).sent) == (3, 0)
    assert str(last_run(tmp_path)) == "reused 3 answers, sent 0"


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    """Half an answer is none: it is asked for again, and the file is whole afterwards."""
    with open_journal(tmp_path) as journal:
        answer_of(Remembered(Scripted(), journal), request("a"))
    whole = (tmp_path / ANSWERS).read_bytes()
    (tmp_path / ANSWERS).write_bytes(whole[:-5])

    with open_journal(tmp_path) as journal:
        assert journal.unanswered == 1
        assert journal.find(request("a").key) is None
        answer_of(Remembered(Scripted(), journal), request("a"))

    assert [row["t"] for row in lines(tmp_path)] == ["request", "request", "answer"]


@pytest.mark.parametrize("at", range(1, 60, 7))
def test_wherever_a_crash_cut_the_file_it_opens(tmp_path: Path, at: int) -> None:
    """Every length of the file is that of a journal."""
    with open_journal(tmp_path) as journal:
        answer_of(Remembered(Scripted(), journal), request("a"))
    whole = (tmp_path / ANSWERS).read_bytes()
    (tmp_path / ANSWERS).write_bytes(whole[: len(whole) * at // 60])

    with open_journal(tmp_path) as journal:
        assert journal.unanswered <= 1


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """A line in the middle that is not one of ours is an error with its number, not a loss."""
    with open_journal(tmp_path) as journal:
        answer_of(Remembered(Scripted(), journal), request("a"))
    (tmp_path / ANSWERS).write_bytes(b"{}\n" + (tmp_path / ANSWERS).read_bytes())

    with pytest.raises(InputError, match=r"answers.jsonl:1: expected a line of a journal"), open_journal(tmp_path):
        pass


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is taken back, so that the lines after it can be read."""
    with open_journal(tmp_path) as journal:
        write, room = os.write, [10]

        def full_once(file: int, data: bytes) -> int:
            if not room:
                return write(file, data)
            write(file, data[: room.pop()])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("curation.generate.journal.os.write", full_once)
        with pytest.raises(OSError, match="No space"):
            asyncio.run(journal.asked(request("a")))
        asyncio.run(journal.asked(request("b")))

    assert [row["messages"] for row in lines(tmp_path)] == [[{"role": "user", "content": "b"}]]


def test_only_one_process_writes(tmp_path: Path) -> None:
    """Another one is told so at once."""
    with open_journal(tmp_path), pytest.raises(InputError, match="another process is writing it"):  # noqa: SIM117  # order
        with open_journal(tmp_path):
            pass


def test_what_is_written_at_once_is_whole(tmp_path: Path) -> None:
    """Two hundred at a time, one file: every answer is found, in this run and in the next, and flushes are shared."""
    asked = [request(str(number)) for number in range(200)]

    async def all_at_once(remembered: Remembered) -> None:
        await asyncio.gather(*(remembered.ask(one) for one in asked))

    flushed: list[int] = []
    with open_journal(tmp_path) as journal, pytest.MonkeyPatch.context() as patch:
        patch.setattr("curation.generate.journal.os.fsync", flushed.append)
        asyncio.run(all_at_once(Remembered(Scripted(), journal)))
        found = [journal.find(one.key) for one in asked]

    with open_journal(tmp_path) as journal:
        again = [journal.find(one.key) for one in asked]
        assert journal.unanswered == 0
    assert None not in found
    assert again == found
    assert 2 <= len(flushed) < 200


def words_of(told: Told, output: Path, seeds: Path) -> list[str]:
    """Return the words of a command that makes thirty records."""
    words = f"generate -n 30 -o {output} --base-url {told.address} --model m --seeds {seeds} --concurrency 4"
    return [*words.split(), "--round-size", "4", "--output-form", "list"]


def answered(folder: Path) -> int:
    """Return how many whole answers stand in a journal."""
    path = folder / ANSWERS
    return path.read_bytes().count(b'{"t":"answer"') if path.exists() else 0


def test_a_killed_run_loses_nothing_and_pays_nothing_twice(tmp_path: Path) -> None:
    """Killed three times amid the work, then to the end: the same bytes as an unbroken run, no answer asked twice."""
    seeds, broken, whole = seed_file(tmp_path), tmp_path / "broken", tmp_path / "whole"
    with told_server(slow_s=0.02) as told:
        words = words_of(told, broken, seeds)
        for stop_at in (3, 12, 25):
            command = [sys.executable, "-m", "curation.cli", *words]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and answered(journal_beside(broken)) < stop_at:
                time.sleep(0.01)
            process.kill()
            assert process.wait() == -signal.SIGKILL, "killed amid the work"
        done = CliRunner().invoke(main, words)
        ledger = [orjson.dumps(one) for one in told.ledger]
    with told_server() as told:
        CliRunner().invoke(main, words_of(told, whole, seeds))

    assert done.exit_code == 0, done.output
    assert len(ledger) - len(set(ledger)) <= 3 * 4, "at most what was under way at each kill"
    for name in ("records.jsonl", "rejected.jsonl", "novelty.jsonl", "requests.jsonl"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    assert len(list(StepDirectory.open(broken).records())) == 30
