"""`dolly-data decontaminate` on the command line."""

import re
from pathlib import Path

from click.testing import CliRunner

from curation.cli import main
from schemas.codec import dumps
from tests.support import pair, step_of

SPEECH = "Take a famous speech about freedom and turn it into a sea shanty that sailors would sing."


def run(tmp_path: Path, *words: str) -> tuple[int, str]:
    """Run the command over two records, one of them contaminated; return exit code and output."""
    before = step_of(tmp_path / "rows", [pair(SPEECH), pair()])
    arguments = ["decontaminate", str(before.path), "-o", str(tmp_path / "out"), "--threshold", "0", *words]
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, f"{result.output}{result.stderr}"


def test_the_table_of_the_self_test_is_printed(tmp_path: Path) -> None:
    """What was looked for, what was found again, and the counts."""
    (tmp_path / "exam.jsonl").write_bytes(dumps({"prompt": SPEECH}) + b"\n")

    code, said = run(tmp_path, "--against", str(tmp_path / "exam.jsonl"))

    assert code == 0
    assert "looked for exam.jsonl: 1 items" in said
    assert "re-wrapped                   1 of 1  100.0%" in said
    assert "1 kept, 1 rejected" in said


def test_the_recall_in_responses_is_printed_where_they_are_compared(tmp_path: Path) -> None:
    """In the same table, under names of their own."""
    (tmp_path / "exam.jsonl").write_bytes(dumps({"prompt": SPEECH}) + b"\n")
    words = ("--responses", "--threshold", "0.8", "--encoder", "hashing")

    code, said = run(tmp_path, "--against", str(tmp_path / "exam.jsonl"), *words)

    assert code == 0
    assert re.search(r"^  re-wrapped {16,}1 of 1  100\.0%", said, re.MULTILINE)
    assert re.search(r"^  re-wrapped, in the response +1 of 1  100\.0%", said, re.MULTILINE)


def test_without_a_benchmark_nothing_is_said_of_the_records(tmp_path: Path) -> None:
    """No benchmark, a missing and an empty one are errors, and nothing is written."""
    (tmp_path / "empty.jsonl").write_bytes(b"")
    for words in ((), ("--against", str(tmp_path / "empty.jsonl"))):
        code, said = run(tmp_path, *words)

        assert code == 1
        assert "kept" not in said
        assert not (tmp_path / "out").exists()
