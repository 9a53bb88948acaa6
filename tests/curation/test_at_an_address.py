"""What reads steps, releases and run folders reads them at an address, too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.cli import main
from schemas.mirror import mirror_of
from tests.stores import elsewhere, memory_store
from tests.support import ROOT, pair, step_of

RUNS = "memory://runs"
FEW = [pair(f"Name a town that begins with {letter}.", f"{letter}town, by the river.") for letter in "ABCDEFGH"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store in memory with a step, and a cache folder of its own."""
    with memory_store(tmp_path / "cache", monkeypatch) as memory:
        memory.put(str(step_of(tmp_path / "1-in", FEW).path), "/runs/1-in", recursive=True)
        yield memory


def dolly(*words: object) -> str:
    """Run a command that ends well."""
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told(*words: object) -> Any:
    """Run a command and return its last event."""
    return json.loads(dolly(*words, "--json").splitlines()[-1])


def test_a_record_is_explained_from_an_address(tmp_path: Path, store: Any) -> None:
    """Every step there, on a machine that has seen none; the weights of models stay where they are."""
    dolly("filter", f"{RUNS}/1-in", "-o", f"{RUNS}/2-filter", "--set", "response_too_long.max_words=1")
    manifest = json.loads(store.cat_file("/runs/2-filter/manifest.json"))
    run = {"data": {"fingerprint": json.loads(store.cat_file("/runs/1-in/manifest.json"))["fingerprint"]}}
    outputs = [{"path": "model.safetensors", "sha256": "", "bytes": 3}]
    trained = {**manifest, "stage": "train", "inputs": [], "outputs": outputs, "parts": {}}
    store.pipe({"/runs/3-train/manifest.json": json.dumps(trained).encode(), "/runs/3-train/run.json": json.dumps(run)
                .encode(), "/runs/3-train/model.safetensors": b"big"})  # fmt: skip
    elsewhere(tmp_path / "cache")

    story = told("explain", FEW[0].id, RUNS)

    assert [one["path"] for one in story["steps"]] == [f"{RUNS}/1-in", f"{RUNS}/2-filter"]
    assert story["checkpoints"] == [f"{RUNS}/3-train"]
    assert not mirror_of(f"{RUNS}/3-train/model.safetensors").exists()
    assert [one["path"] for one in told("explain", FEW[0].id, f"{RUNS}/1-in")["steps"]] == [f"{RUNS}/1-in"]


@pytest.mark.usefixtures("store")
def test_an_address_without_steps_is_said() -> None:
    """By its name."""
    done = CliRunner().invoke(main, ["explain", "abcdef", "memory://nowhere"])

    assert done.exit_code == 1
    assert "memory://nowhere: expected step directories, found none" in done.output


def test_a_report_is_read_from_and_written_to_addresses(tmp_path: Path, store: Any) -> None:
    """The page and its numbers, as they are written in a folder; a command that fails puts nothing."""
    dolly("report", f"{RUNS}/1-in", "-o", "memory://pages/of/today.html")
    dolly("report", tmp_path / "1-in", "-o", tmp_path / "today.html")
    failed = CliRunner().invoke(main, ["report", f"{RUNS}/none", "-o", "memory://pages/of/never.html"])

    assert {name.rpartition("/")[2] for name in store.find("/pages")} == {"today.html", "today.json"}
    assert store.cat_file("/pages/of/today.html") == (tmp_path / "today.html").read_bytes()
    assert failed.exit_code == 1


def test_rows_are_restored_from_an_address_to_another(store: Any) -> None:
    """Those of the steps that led there, too."""
    dolly("filter", f"{RUNS}/1-in", "-o", f"{RUNS}/2-filter", "--set", "response_too_long.max_words=1")

    event = told("restore", f"{RUNS}/2-filter", "--reason", "response_too_long", "-o", f"{RUNS}/3-restore")

    assert event["counts"]["kept"] == len(FEW)
    assert store.isfile("/runs/3-restore/manifest.json")


def test_releases_at_addresses_are_compared(store: Any) -> None:
    """By diff, as the release before, and as what is kept already."""
    dolly("release", f"{RUNS}/1-in", "-o", f"{RUNS}/first", "--license", "cc0-1.0")

    diff = told("diff", f"{RUNS}/first", f"{RUNS}/1-in")
    second = told("release", f"{RUNS}/1-in", "-o", f"{RUNS}/second", "--previous", f"{RUNS}/first")
    against = ["--against", f"{RUNS}/first", "--encoder", "hashing"]
    deduped = told("dedupe", f"{RUNS}/1-in", *against, "-o", f"{RUNS}/4-dedupe")

    assert (diff["bump"], diff["unchanged"]) == ("patch", len(FEW))
    assert second["version"] == "1.0.1"
    assert deduped["counts"]["kept"] == 0
    rows = [json.loads(line) for line in store.cat_file("/runs/4-dedupe/against.jsonl").splitlines()]
    assert rows[0]["against"] == f"{RUNS}/first"


@pytest.mark.usefixtures("store")
def test_an_audit_plants_in_data_at_an_address(tmp_path: Path) -> None:
    """A step as well as a file."""
    rows = (ROOT / "docs" / "example" / "rows.jsonl").read_bytes()
    words = ("--check", "response_empty", "--defect", "empty_response", "--per-defect", 1, "--rounds", 1)
    (tmp_path / "rows.jsonl").write_bytes(rows)

    for place in (f"{RUNS}/1-in", f"file://{tmp_path}/rows.jsonl"):
        event = told("audit", "--data", place, *words, "-o", tmp_path / "audit", "--force")

        assert event["event"] == "audit"
