"""Seeds out of somebody's data: balanced, seeded, fit, and checked."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from curation.generate.seed_import import SeedDraw, write_seeds
from curation.generate.seeds import SHIPPED, check_seeds, read_seeds
from schemas.errors import InputError
from tests.curation.generate.scripted import IDEAS, QUESTIONS, seed_file
from tests.support import real_data


def rows_file(folder: Path, rows: list[dict[str, str]], name: str = "rows.jsonl") -> Path:
    """Write rows as JSON lines."""
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def drawn_by(*words: object) -> Result:
    """Run `dolly-data seeds from`."""
    return CliRunner().invoke(main, ["seeds", "from", *map(str, words)])


def test_categories_are_drawn_evenly() -> None:
    """24 of eight categories are three of each."""
    drawn = SeedDraw(source=str(SHIPPED), n=24)()

    assert set(Counter(seed.category for seed in drawn.seeds).values()) == {3}
    assert len(drawn.seeds) == 24


def test_what_one_category_lacks_the_others_give(tmp_path: Path) -> None:
    """Nine wanted, one of the first: eight of the second."""
    rows = [{"category": "open_qa", "instruction": QUESTIONS[0], "response": "Yeast makes gas in the dough."}]
    rows += [
        {"category": "ideas", "instruction": idea, "response": f"Sell it for {at}."} for at, idea in enumerate(IDEAS)
    ]

    drawn = SeedDraw(source=str(rows_file(tmp_path, rows)), n=9)()

    assert Counter(seed.category for seed in drawn.seeds) == {"open_qa": 1, "ideas": 8}


def test_the_draw_is_the_seeds_and_not_the_orders(tmp_path: Path) -> None:
    """Rows in another order give the same seeds; another seed gives others."""
    lines = SHIPPED.read_text().splitlines(keepends=True)
    (tmp_path / "turned.jsonl").write_text("".join(reversed(lines)))

    one, same, other = (
        {record.id for record in SeedDraw(source=str(source), n=40, seed=seed)().seeds}
        for source, seed in ((SHIPPED, 1), (tmp_path / "turned.jsonl", 1), (SHIPPED, 2))
    )

    assert one == same
    assert one != other


def test_what_could_be_no_seed_is_passed_over(tmp_path: Path) -> None:
    """No record, what the filters reject, and what was drawn before; each counted by its reason."""
    rows = [
        {"category": "open_qa", "instruction": "Why does bread rise?", "response": "Yeast makes gas in the dough."},
        {"category": "open_qa", "instruction": "Why does bread rise", "response": "Yeast makes gas in the dough."},
        {"category": "open_qa", "instruction": "Summarize the following text.", "response": "It is about a harbour."},
        {"category": "open_qa", "instruction": "How long do tortoises live?", "response": ""},
    ]

    drawn = SeedDraw(source=str(rows_file(tmp_path, rows)))()

    assert len(drawn.seeds) == 1
    assert drawn.passed["instruction_not_new"] == drawn.passed["response_empty"] == 1
    assert drawn.passed.total() == 3


def test_nothing_fit_is_an_error(tmp_path: Path) -> None:
    """Not an empty seed file."""
    path = rows_file(tmp_path, [{"instruction": "", "response": ""}])

    with pytest.raises(InputError, match=r"rows\.jsonl: expected rows that could be seeds, found none"):
        SeedDraw(source=str(path))()
    with pytest.raises(InputError, match="n: expected 1 or more, found 0"):
        SeedDraw(source=str(path), n=0)


def test_a_csv_becomes_a_seed_file_that_passes(tmp_path: Path) -> None:
    """The rows of a sound file, each with the row it came from."""
    path, out = tmp_path / "mine.csv", tmp_path / "out" / "seeds.jsonl"
    seeds = [json.loads(line) for line in seed_file(tmp_path).read_text().splitlines()]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, seeds[0])
        writer.writeheader()
        writer.writerows(seeds)

    result = drawn_by(path, "-o", out, "-n", 24)

    assert result.exit_code == 0, result.output
    assert "24 seed tasks" in result.stdout
    assert check_seeds(out)[1] == []
    assert all(str(seed.extra["source"]).startswith("mine.csv:") for seed in read_seeds(out))


def test_faults_that_a_draw_cannot_mend_are_printed(tmp_path: Path) -> None:
    """Alpaca rows have no category; naming one mends it."""
    rows = [{"instruction": idea, "input": "", "output": f"Sell it for {at} coins."} for at, idea in enumerate(IDEAS)]
    path, out = rows_file(tmp_path, rows), tmp_path / "seeds.jsonl"

    bare, again = drawn_by(path, "-o", out), drawn_by(path, "-o", out, "--category", "ideas")
    named = drawn_by(path, "-o", out, "--category", "ideas", "--force", "--json")

    assert bare.exit_code == 1
    assert f"{out}:1: category: expected the kind of task, found none" in bare.stdout
    assert "expected no file (or --force), found one" in again.output
    assert named.exit_code == 0
    assert json.loads(named.stdout) == {"event": "seeds", "path": str(out), "n": 8, "passed": {}, "faults": []}


def test_hostile_text_is_only_shown(tmp_path: Path) -> None:
    """A category that would turn the line around does not."""
    rows = [{"instruction": IDEAS[0], "output": "Sell it.", "category": "a\u202eb"}]

    result = drawn_by(rows_file(tmp_path, rows), "-o", tmp_path / "seeds.jsonl")

    assert "\u202e" not in result.stdout
    assert "a⟨U+202E⟩b" in result.stdout


def test_a_file_that_stands_there_is_left_alone(tmp_path: Path) -> None:
    """Somebody may have worked in it."""
    out = tmp_path / "seeds.jsonl"
    out.write_text("mine")

    with pytest.raises(InputError, match="found one"):
        write_seeds([], out)

    assert out.read_text() == "mine"


def test_dolly_gives_seeds_of_each_category() -> None:
    """80 of 1,500 of its rows, ten of each category."""
    drawn = SeedDraw(source=str(real_data("dolly_human_1500.jsonl")), n=80)()

    assert set(Counter(seed.category for seed in drawn.seeds).values()) == {10}
