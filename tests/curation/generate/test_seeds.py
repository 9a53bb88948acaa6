"""Seed files: read from any format, and checked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.generate.seeds import SHIPPED, check_seeds, language_of, read_seeds
from schemas.errors import InputError
from schemas.record import CATEGORIES
from tests.curation.generate.scripted import seed_file
from tests.support import pair, real_data


def rows_of(path: Path) -> list[dict[str, object]]:
    """Return the rows of a seed file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def changed(folder: Path, at: int, **fields: object) -> Path:
    """Return a seed file that is sound but for one row."""
    path = seed_file(folder)
    rows = rows_of(path)
    rows[at].update(fields)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_shipped_seeds_are_whole() -> None:
    """184, 23 of each category, each with an id and a line."""
    seeds = read_seeds(SHIPPED)
    numbers = [sum(seed.category == category for seed in seeds) for category in CATEGORIES]

    assert numbers == [23] * 8
    assert [seed.provenance.line for seed in seeds] == list(range(1, 185))


def test_a_sound_file_has_no_faults(tmp_path: Path) -> None:
    """Three categories of eight."""
    assert check_seeds(seed_file(tmp_path))[1] == []


@pytest.mark.parametrize(
    ("at", "fields", "fault"),
    [
        (4, {"response": ""}, ":5: response: expected text, found"),
        (4, {"instruction": 7}, ":5: instruction: expected"),
        (4, {"name": "idea 0"}, ":5: name: expected one that no other seed has, found that of line 2"),
        (3, {"instruction": "Why does the bread rise?"}, ":4: instruction: expected ROUGE-L under 0.7, found"),
        (4, {"instruction": "Summarize the following text."}, ":5: instruction: expected a context to refer to, found"),
        (4, {"category": ""}, ":5: category: expected the kind of task, found none"),
        (2, {"context": ""}, ":3: context: expected a text, as in all other seeds of closed_qa, found none"),
        (
            4,
            {"instruction": "Wozu kann man eine alte Laterne gebrauchen?", "response": "Man kann sie gut verkaufen."},
            ":5: language: expected en as in most seeds, found de",
        ),
        (4, {"category": "rare"}, ": category: expected 8 or more of rare, found 1"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, at: int, fields: dict[str, object], fault: str) -> None:
    """Each with file, line, field, what was expected and what was found."""
    path = changed(tmp_path, at, **fields)
    _, faults = check_seeds(path)

    assert any(str(one).startswith(f"{path}{fault}") for one in faults), "\n".join(map(str, faults))


def test_the_same_seed_twice(tmp_path: Path) -> None:
    """Both that it is the same and that its instruction is not new."""
    path = seed_file(tmp_path)
    first = rows_of(path)[0]
    path.write_text(path.read_text() + json.dumps({**first, "name": "again"}) + "\n")

    faults = [str(one) for one in check_seeds(path)[1]]

    assert f"{path}:25: record: expected one that no other seed has, found that of line 1" in faults
    assert f"{path}:25: instruction: expected ROUGE-L under 0.7, found 1.00 with line 1" in faults


def test_reading_stops_at_a_row_that_is_no_record(tmp_path: Path) -> None:
    """The first fault, how many more there are, and the command that lists them."""
    path = seed_file(tmp_path)
    path.write_text("{\n" + path.read_text() + "[]\n")

    with pytest.raises(InputError, match=r"seeds.jsonl:1: row: expected a JSON object.*\(and 1 more: dolly-data seeds"):
        read_seeds(path)


def test_a_file_without_seeds(tmp_path: Path) -> None:
    """It is an error, not a run without examples."""
    (tmp_path / "s.jsonl").write_text("")

    with pytest.raises(InputError, match="expected seed tasks, found none"):
        read_seeds(tmp_path / "s.jsonl")


def test_seeds_of_self_instruct_are_read() -> None:
    """Its 175 tasks, as they are published."""
    assert len(read_seeds(real_data("self_instruct_seed_tasks.jsonl"))) == 175


def test_check_prints_the_faults_and_fails(tmp_path: Path) -> None:
    """One a line, exit code 1."""
    result = CliRunner().invoke(main, ["seeds", "check", str(changed(tmp_path, 4, category=""))])

    assert result.exit_code == 1
    assert "seeds.jsonl:5: category: expected the kind of task, found none" in result.stdout


def test_check_prints_the_counts_where_all_is_well(tmp_path: Path) -> None:
    """The number of each category."""
    result = CliRunner().invoke(main, ["seeds", "check", str(seed_file(tmp_path))])

    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["24", "seed", "tasks"],
        ["brainstorming", "8"],
        ["closed_qa", "8"],
        ["open_qa", "8"],
    ]


def test_the_shipped_seeds_pass_their_own_check() -> None:
    """`dolly-data seeds check` without a file."""
    result = CliRunner().invoke(main, ["seeds", "check"])

    assert result.stdout.startswith("184 seed tasks\n")
    assert result.exit_code == 0


def test_list_shows_an_example_of_each_category(tmp_path: Path) -> None:
    """The first of it."""
    result = CliRunner().invoke(main, ["seeds", "list", str(seed_file(tmp_path))])

    assert "Give five uses of an old ladder." in result.stdout


def test_the_language_of_seeds_is_that_of_most() -> None:
    """Those that are surely in one; texts that could be in any say nothing, and two languages are none."""
    german = pair("Nenne drei Gründe, warum die Brücke gesperrt wurde.", "Der Stadtrat wartete auf das Gutachten.")

    assert language_of(read_seeds(SHIPPED)) == "en"
    assert language_of([german, german, pair("1 + 1", "2")]) == "de"
    assert language_of([pair("1 + 1", "2")]) == ""
    assert language_of([german, *read_seeds(SHIPPED)[:1]]) == ""
