"""A recipe is walked at an address: what is finished stands there, and any machine goes on from there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from schemas.mirror import mirror_of
from tests.stores import elsewhere, memory_store
from tests.support import ROOT

ROWS = str(ROOT / "docs" / "example" / "rows.jsonl")
RUNS = "memory://shop/runs"
STEPS = [{"validate": {"source": ROWS}}, "filter", {"review": {"sample": 3}}, "report"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store in memory, and a cache folder of its own."""
    with memory_store(tmp_path / "cache", monkeypatch) as memory:
        yield memory


def walk(tmp_path: Path, steps: list[Any], *words: str, place: str = RUNS) -> Result:
    """Run a recipe of these steps."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(json.dumps({"name": "t", "steps": steps}))
    return CliRunner().invoke(main, ["run", str(recipe), "-o", place, "--json", *words])


def events(done: Result) -> list[Any]:
    """Return what the command said to programs."""
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row for row in rows if row["event"] != "progress"]


def names(store: Any) -> set[str]:
    """Return what stands at the address, by its first name."""
    return {name.removeprefix("/shop/runs/").split("/")[0] for name in store.find("/shop/runs")}


def test_each_step_stands_at_the_address(tmp_path: Path, store: Any) -> None:
    """With the bytes of a folder; the command says of each where it was put."""
    done = walk(tmp_path, STEPS)
    walk(tmp_path, STEPS, place=str(tmp_path / "here"))

    assert names(store) == {"1-validate", "2-filter", "3-review.jsonl", "4-report.html", "4-report.json"}
    assert f"put at {RUNS}/2-filter\n" in done.stderr
    for name in ("1-validate/records.jsonl", "2-filter/rejected.jsonl", "3-review.jsonl"):
        assert store.cat_file(f"/shop/runs/{name}") == (tmp_path / "here" / name).read_bytes()


def test_another_machine_goes_on_from_what_is_finished(tmp_path: Path, store: Any) -> None:
    """A step that fails leaves those before it at the address; where it is mended, they are reused."""
    failed = walk(tmp_path, [*STEPS[:2], {"dedupe": {"encoder": "no-such"}}])
    elsewhere(tmp_path / "cache")

    again = events(walk(tmp_path, [*STEPS[:2], {"dedupe": {"encoder": "hashing"}}]))

    assert failed.exit_code == 1
    assert [one["reused"] for one in again] == [True, True, False]
    assert names(store) == {"1-validate", "2-filter", "3-dedupe"}


def test_a_changed_setting_replaces_the_step_at_the_address(tmp_path: Path, store: Any) -> None:
    """And the steps that follow from it; what came before stays as it was put."""
    walk(tmp_path, STEPS[:2])
    before = {name: store.modified(f"/shop/runs/{name}/manifest.json") for name in ("1-validate", "2-filter")}

    walk(tmp_path, [STEPS[0], {"filter": {"checks": {"response_too_long": {"max_words": 1}}}}])

    assert store.modified("/shop/runs/1-validate/manifest.json") == before["1-validate"]
    assert store.modified("/shop/runs/2-filter/manifest.json") > before["2-filter"]


def test_a_sample_that_people_changed_at_the_address_is_left_as_it_is(tmp_path: Path, store: Any) -> None:
    """Whether this machine has an older one or none."""
    walk(tmp_path, STEPS)
    decided = store.cat_file("/shop/runs/3-review.jsonl").replace(b'"decision":null', b'"decision":"accept"')
    store.pipe("/shop/runs/3-review.jsonl", decided)

    for _ in range(2):
        walk(tmp_path, STEPS)

        assert store.cat_file("/shop/runs/3-review.jsonl") == decided
        assert mirror_of(f"{RUNS}/3-review.jsonl").read_bytes() == decided
        elsewhere(tmp_path / "cache")


def test_what_stands_beside_a_step_is_put_with_it(tmp_path: Path, store: Any) -> None:
    """A journal is put and found again; one that is here stays, and what people decide is not put."""
    journal, decisions = (mirror_of(f"{RUNS}/1-validate{end}") for end in (".journal", ".review"))
    for folder in (journal, decisions):
        folder.mkdir(parents=True)
        (folder / "lines.jsonl").write_text("1\n")
    walk(tmp_path, STEPS[:1])
    (journal / "lines.jsonl").write_text("1\n2\n")

    walk(tmp_path, STEPS[:1])
    kept = (journal / "lines.jsonl").read_text()
    elsewhere(tmp_path / "cache")
    walk(tmp_path, STEPS[:1])

    assert kept == "1\n2\n"
    assert (journal / "lines.jsonl").read_text() == "1\n"
    assert names(store) == {"1-validate", "1-validate.journal"}


def test_other_steps_of_the_folder_are_not_fetched(tmp_path: Path, store: Any) -> None:
    """Only what the recipe names; it may be large."""
    store.pipe("/shop/runs/9-train/manifest.json", b"{}")

    assert walk(tmp_path, STEPS[:1]).exit_code == 0
    assert not mirror_of(f"{RUNS}/9-train").exists()


def test_what_cannot_be_put_is_kept_and_put_the_next_time(
    tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the step's place here."""

    def fails(*_: object, **__: object) -> None:
        raise OSError("no way")  # what a store says

    with monkeypatch.context() as broken:
        broken.setattr(type(fsspec.filesystem("memory")), "put_file", fails)
        failed = walk(tmp_path, STEPS[:2])
    here = mirror_of(f"{RUNS}/1-validate")

    again = events(walk(tmp_path, STEPS[:2]))

    assert failed.exit_code == 1
    assert f"Error: {RUNS}/1-validate: no way; it is kept in {here}, run the same again" in failed.output
    assert [one["reused"] for one in again] == [True, False]
    assert names(store) == {"1-validate", "2-filter"}
