"""Drafts of seeds: for thin cells, by a model, decided about by a person; none is a seed before."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from curation.generate.material import read_answered
from curation.generate.seed_drafts import DraftsFile
from curation.generate.seed_import import SeedDraw
from curation.generate.seeds import check_seeds, read_seeds, seeds_by_category
from curation.generate.strategies.cell import SeedCell, cell_of, grid_of, thin_cells
from curation.generate.suggest import Suggest
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from curation.sources import Validate
from schemas.errors import InputError
from tests.curation.generate.scripted import THINGS, Told, numbers_of, seed_file, spoken, told_server


def obedient(messages: list[Mapping[str, str]]) -> tuple[str, str]:
    """Write instructions in the form and length that was asked for; finish them as ever."""
    last = messages[-1]["content"]
    if not (last.startswith("Write ") and " new " in last):
        return spoken(messages)
    return "\n".join(f"{at}. {_task(last, numbers_of(f'{last} {at}'))}" for at in range(1, 4)), "stop"


def _task(wish: str, number: Iterator[int]) -> str:
    words = 4 if "at most" in wish else 30 if "more than" in wish else 12
    things = " ".join(THINGS[next(number) % len(THINGS)] for _ in range(words))
    if "Ask questions" in wish:
        return f"Which {things}?"
    return f"Our {things}." if "situation" in wish else f"Describe {things}."


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    """Return a file of drafts for a small seed file."""
    with told_server(answer=obedient) as told:
        result = suggested(tmp_path, told)
    assert result.exit_code == 0, result.output
    return tmp_path / "d.jsonl"


def seeds(*words: object, said: str = "") -> Result:
    """Run `dolly-data seeds`."""
    return CliRunner().invoke(main, ["seeds", *map(str, words)], input=said)


def suggested(folder: Path, told: Told, *words: object) -> Result:
    """Have the server draft six seeds for a small seed file."""
    common = ("-o", folder / "d.jsonl", "-n", 6, "--base-url", told.address, "--output-form", "list")
    return seeds("suggest", seed_file(folder), *common, *words)


def rows_of(path: Path) -> list[dict[str, object]]:
    """Return the rows of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def ids_of(path: Path) -> list[str]:
    """Return the ids of a file's drafts."""
    return [one.id for one in check_seeds(path)[0]]


def test_the_emptiest_cells_come_first(tmp_path: Path) -> None:
    """Every pair of form and length of every category, but those that have enough."""
    there = read_seeds(seed_file(tmp_path))
    cells = grid_of(seeds_by_category(there))
    counts = Counter(map(cell_of, there))
    thin = thin_cells(there, cells, 2)

    assert len(cells) == 3 * 3 * 3
    assert {cells[at] for _, at in thin} == {cell for cell in cells if counts[cell] < 2}
    assert [has for has, _ in thin] == sorted(has for has, _ in thin)
    assert cell_of(there[0]) == SeedCell("open_qa", "question", "short")


def test_a_draft_is_in_a_thin_cell_and_says_where_it_came_from(tmp_path: Path, drafts: Path) -> None:
    """Its cell, model, terms, request and examples; nobody has decided about it."""
    there = read_seeds(seed_file(tmp_path))
    thin = {grid_of(seeds_by_category(there))[at] for _, at in thin_cells(there, grid_of(seeds_by_category(there)), 2)}
    found, _ = check_seeds(drafts)
    journal = (tmp_path / "d.jsonl.journal" / "answers.jsonl").read_text()

    assert len(found) == 6
    for draft in found:
        said = draft.extra["seed_draft"]
        assert SeedCell(**said["cell"]) == cell_of(draft)
        assert cell_of(draft) in thin
        assert (said["model"], said["terms"], said["decision"]) == ("scripted", "unknown", None)
        assert said["request"] in journal
        assert set(said["examples"]) <= {seed.id for seed in there}


def test_nothing_unapproved_is_used(tmp_path: Path, drafts: Path) -> None:
    """`generate` names file, line and field; `seeds check` lists it; `seeds from` passes it over."""
    result = CliRunner().invoke(main, ["generate", "-n", "1", "--seeds", str(drafts), "-o", str(tmp_path / "1")])

    assert result.exit_code == 1
    assert f"{drafts}:1: seed_draft: expected a draft that was approved" in result.output
    assert "found nobody's decision (and 5 more" in result.output
    assert "seed_draft: expected" in seeds("check", drafts).output
    with pytest.raises(InputError, match="rows that could be seeds"):
        SeedDraw(source=str(drafts))()


def test_a_detour_over_a_step_approves_nothing(tmp_path: Path, drafts: Path) -> None:
    """Neither its file of records as seeds, nor its records to be answered anew."""
    run_source(Validate(source=str(drafts)), tmp_path / "v")

    with pytest.raises(InputError, match=r"records.jsonl:1: seed_draft: .*nobody's decision"):
        read_seeds(tmp_path / "v" / "records.jsonl")
    with pytest.raises(InputError, match=r"records.jsonl:1: seed_draft: .*nobody's decision"):
        read_answered(str(tmp_path / "v"))


def test_approved_drafts_become_seeds(tmp_path: Path, drafts: Path) -> None:
    """By id, signed and dated; the new seed file holds the old seeds and them alone."""
    first, second = ids_of(drafts)[:2]
    words = (drafts, first, second, "--reviewer", "ada", "--seeds", seed_file(tmp_path), "-o", tmp_path / "more.jsonl")
    result = seeds("approve", *words)
    decision = rows_of(drafts)[0]["seed_draft"]["decision"]  # type: ignore[index]  # JSON

    assert result.output == f"2 of 6 drafts approved, 4 open\nwrote {tmp_path / 'more.jsonl'}\n"
    assert (decision["verdict"], decision["by"], decision["id"]) == ("approved", "ada", first)
    assert decision["at"].endswith("Z")
    assert [one.id for one in read_seeds(tmp_path / "more.jsonl")][24:] == [first, second]


def test_a_changed_text_has_to_be_approved_again(drafts: Path) -> None:
    """The decision was about the other one."""
    seeds("approve", drafts, *ids_of(drafts), "--reviewer", "ada")
    assert len(read_seeds(drafts)) == 6
    changed = rows_of(drafts)
    changed[2]["response"] = "Something else."
    drafts.write_text("".join(json.dumps(row) + "\n" for row in changed))

    with pytest.raises(InputError, match=r"d.jsonl:3: seed_draft: .*found another text than ada approved"):
        read_seeds(drafts)
    assert "5 of 6 drafts approved, 1 open" in seeds("approve", drafts, said="quit\n").output


def test_each_open_draft_is_asked_about(drafts: Path) -> None:
    """Yes, no and skip; a rejected one is no seed and not open any more."""
    result = seeds("approve", drafts, "--reviewer", "ada", said="y\nn\nskip\nquit\n")
    verdicts = [(row["seed_draft"]["decision"] or {}).get("verdict") for row in rows_of(drafts)]  # type: ignore[index]  # JSON

    assert verdicts == ["approved", "rejected", None, None, None, None]
    assert "1 of 6 drafts approved, 4 open" in result.output
    assert "rejected by ada" in seeds("check", drafts).output


def test_what_others_do_to_the_file_meanwhile_stands(drafts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reviewer is being asked; another decides, edits a text and takes a draft out. Nothing of it is undone."""
    prompt: Callable[..., object] = click.prompt
    meanwhile: list[Result] = []

    def prompted(*words: object, **settings: object) -> object:
        if not meanwhile:
            meanwhile.append(seeds("approve", drafts, ids_of(drafts)[1], "--reviewer", "bob"))
            rows = rows_of(drafts)
            rows[2]["response"] = "Something else."
            drafts.write_text("".join(json.dumps(row) + "\n" for row in (rows[:4] + rows[5:])))
        return prompt(*words, **settings)

    monkeypatch.setattr(click, "prompt", prompted)
    result = seeds("approve", drafts, "--reviewer", "ada", said="y\nn\nn\ny\ny\nn\n")
    rows = rows_of(drafts)
    made = [row["seed_draft"]["decision"] or {} for row in rows]  # type: ignore[index]  # JSON

    assert [(one.get("verdict"), one.get("by")) for one in made] == [
        ("approved", "ada"),
        ("approved", "bob"),
        (None, None),
        ("approved", "ada"),
        ("rejected", "ada"),
    ]
    assert rows[2]["response"] == "Something else."
    assert "expected the decision as it was read, found approved by bob" in result.output
    assert result.output.count("expected the draft as it was read, found none") == 2
    assert "3 of 5 drafts approved, 1 open" in result.output


def test_decisions_that_are_made_at_once_are_all_written(drafts: Path) -> None:
    """One after the other, each into what the one before has left."""
    file = DraftsFile.read(drafts)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda draft: file.decide(draft, "approved", "ada"), file.drafts))

    assert len(DraftsFile.read(drafts).approved()) == 6


def test_an_unknown_id_and_a_file_without_drafts(tmp_path: Path, drafts: Path) -> None:
    """Both are named, and nothing is written."""
    before = drafts.read_bytes()

    assert "expected that of a draft in it, found 0000" in seeds("approve", drafts, "0000").output
    assert (
        "seeds.jsonl:1: seed_draft: expected a draft of seeds suggest" in seeds("approve", seed_file(tmp_path)).output
    )
    assert drafts.read_bytes() == before


def test_decisions_are_not_written_over(tmp_path: Path, drafts: Path) -> None:
    """Only --force makes the drafts anew; the journal has the answers, nothing is sent."""
    before = drafts.read_bytes()
    seeds("approve", drafts, ids_of(drafts)[0])
    with told_server(answer=obedient) as told:
        refused, forced = suggested(tmp_path, told), suggested(tmp_path, told, "--force")

    assert "expected no file (or --force), found one" in refused.output
    assert forced.exit_code == 0
    assert drafts.read_bytes() == before
    assert told.ledger == []


def test_the_mock_endpoint_drafts_the_same_at_any_concurrency(tmp_path: Path) -> None:
    """In the form that it keeps best; whatever is no draft is counted by what was wrong with it."""
    with serving(MockEndpoint()) as running:
        base = Suggest(seeds=str(seed_file(tmp_path)), n=4, model="mock", base_url=running.address)
        one, many = (replace(base, concurrency=at, journal=str(tmp_path / str(at)))() for at in (1, 16))

    assert one == many
    assert one.drafts
    assert one.passed["draft_not_in_cell"]


def test_the_embedded_model_drafts_a_seed(tmp_path: Path) -> None:
    """Without an endpoint: seeds are short questions, and longer ones are what the smallest model comes to first."""
    rows = [row for row in rows_of(seed_file(tmp_path)) if row["category"] == "open_qa"]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    journal = str(tmp_path / "journal")
    found = Suggest(seeds=str(tmp_path / "questions.jsonl"), n=1, concurrency=2, journal=journal)()

    assert [cell_of(draft) in dict(found.thin) for draft in found.drafts] == [True]
    assert "smollm2" in found.drafts[0].extra["seed_draft"]["model"].lower()
