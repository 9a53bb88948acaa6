"""Snapshots of an unfinished run: whole ones, at real stores, and a store that fails ends nothing."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from curation.generate.deliver import deliver, without_secrets
from schemas.errors import InputError
from schemas.step import StepDirectory
from tests.curation.generate.scripted import Reply, Told, seed_file, told_server
from tests.curation.release.hub import serving
from tests.curation.release.test_push import dolly_data

CANARY = "sk-canary-7f3a"


@pytest.fixture
def told() -> Iterator[Told]:
    """Run an endpoint."""
    with told_server() as running:
        yield running


def words(told: Told, folder: Path, to: str, *more: str) -> list[str]:
    """Return the words of a run of twelve records that pushes every five."""
    asked = ["generate", "-n", "12", "--base-url", told.address, "--model", "m", "--seeds", str(seed_file(folder))]
    form = ["--round-size", "4", "--output-form", "list", "-o", str(folder / "1")]
    return [*asked, *form, "--push-every", "5", "--push-to", to, *more]


def run(told: Told, folder: Path, to: str, *more: str) -> Result:
    """Run it."""
    return CliRunner().invoke(main, words(told, folder, to, *more), env={"OPENAI_API_KEY": CANARY})


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_holds_the_last_snapshot_whole(told: Told, tmp_path: Path, form: str) -> None:
    """A step that verifies, with the records of the run, the terms, no key, and nothing half-written beside it."""
    result = run(told, tmp_path, form.format(tmp_path / "to"))
    step = StepDirectory.open(tmp_path / "to" / "snapshot-000012")

    assert result.exit_code == 0, result.output
    assert f"pushed 12 records to {form.format(tmp_path / 'to')}" in result.output
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["snapshot-000012"]
    assert (step.path / "records.jsonl").read_bytes() == (tmp_path / "1" / "records.jsonl").read_bytes()
    assert step.manifest.stage == "generate-snapshot"
    assert (step.manifest.recorded["partial"], step.manifest.counts.kept) == (False, 12)
    assert "`scripted`: 12 records; unknown" in (step.path / "README.md").read_text()
    assert all(CANARY.encode() not in path.read_bytes() for path in step.path.iterdir())


def test_a_run_that_is_stopped_leaves_a_partial_snapshot(told: Told, tmp_path: Path) -> None:
    """All that it had come to; a resumed run goes on from there, and never goes back behind it."""
    told.replies += [*[Reply()] * 12, Reply(status=401)]
    stopped = run(told, tmp_path, str(tmp_path / "to"), "--concurrency", "1")
    (partial,) = (tmp_path / "to").iterdir()
    step = StepDirectory.open(partial)
    resumed = run(told, tmp_path, str(tmp_path / "to"))

    assert (stopped.exit_code, resumed.exit_code) == (5, 0)
    assert step.manifest.recorded["partial"]
    assert 0 < step.manifest.counts.kept < 12
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["snapshot-000012"]


def test_an_address_of_fsspec(told: Told, tmp_path: Path) -> None:
    """In memory, where renaming is copying: the same files, and only the last snapshot."""
    store = fsspec.filesystem("memory")
    result = run(told, tmp_path, "memory://bucket/run")
    found = {path.rpartition("/")[2]: store.cat_file(path) for path in store.find("/bucket/run")}

    assert result.exit_code == 0, result.output
    assert set(found) == {"README.md", "manifest.json", "records.jsonl", "rejected.jsonl"}
    assert found["records.jsonl"] == (tmp_path / "1" / "records.jsonl").read_bytes()
    assert store.isfile("/bucket/run/snapshot-000012/manifest.json")


def test_a_failing_push_ends_nothing(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, without the password; the next one is tried, and has everything."""
    tried: list[str] = []

    def failing(folder: Path, dest: str, name: str) -> None:
        tried.append(name)
        if len(tried) == 1:
            raise OSError(f"no route to {dest}")
        deliver(folder, str(tmp_path / "to"), name)

    monkeypatch.setattr("curation.generate.snapshots.deliver", failing)
    result = run(told, tmp_path, "memory://me:secret@bucket/run")

    assert result.exit_code == 0, result.output
    assert len(tried) > 1
    assert "secret" not in result.output + json.dumps([path.read_text() for path in (tmp_path / "1").iterdir()])
    assert StepDirectory.open(tmp_path / "to" / "snapshot-000012").manifest.counts.kept == 12


def test_a_push_that_breaks_off_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amid its files, or before its manifest: what is there verifies, and the next push tidies up."""
    for name, text in {"records.jsonl": "{}", "manifest.json": "m"}.items():
        (tmp_path / "from" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "from" / name).write_text(text)
    to, local = tmp_path / "to", type(fsspec.filesystem("file"))
    deliver(tmp_path / "from", str(to), "snapshot-000001")

    def torn(*_: Any, **__: Any) -> None:
        raise OSError("gone")

    for broken in ("put_file", "mv"):
        with monkeypatch.context() as patch:
            patch.setattr(local, broken, torn)
            with pytest.raises(OSError, match="gone"):
                deliver(tmp_path / "from", str(to), "snapshot-000002")
        assert (to / "snapshot-000001" / "manifest.json").read_text() == "m"
        assert not (to / "snapshot-000002").exists()
    (to / "2024").mkdir()
    deliver(tmp_path / "from", str(to), "snapshot-000002")

    assert sorted(path.name for path in to.iterdir()) == ["2024", "snapshot-000002"]


def test_the_hub_gets_one_commit(told: Told, tmp_path: Path) -> None:
    """A private data set, the Hub's own client, and its token nowhere in the files."""
    with serving() as hub:
        done: subprocess.CompletedProcess[str] = dolly_data(
            hub, tmp_path, *words(told, tmp_path, "hf://datasets/org/colours")
        )

    assert done.returncode == 0, done.stderr
    assert hub.private == {"org/colours": True}
    assert set(hub.files) == {"README.md", "manifest.json", "records.jsonl", "rejected.jsonl"}
    assert hub.files["records.jsonl"] == (tmp_path / "1" / "records.jsonl").read_bytes()
    assert all(b"hf_aaaa" not in content for content in hub.files.values())


def test_a_data_set_of_others_at_the_hub_stays_as_it_is(told: Told, tmp_path: Path) -> None:
    """Each push is refused, with the file that is no snapshot's; the run goes on."""
    with serving() as hub:
        hub.files |= {"README.md": b"Ours.", "data/train.parquet": b"PAR1"}
        done: subprocess.CompletedProcess[str] = dolly_data(
            hub, tmp_path, *words(told, tmp_path, "hf://datasets/org/colours")
        )

    assert done.returncode == 0, done.stderr
    assert "expected a new data set, or one of snapshots alone, found one with data/train.parquet" in done.stderr
    assert hub.files == {"README.md": b"Ours.", "data/train.parquet": b"PAR1"}
    assert StepDirectory.open(tmp_path / "1").manifest.counts.kept == 12


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--push-every", "5"), "expected both, a number of records and a place, or neither, found 5 and no place"),
        (("--push-every", "5", "--push-to", "hf://org"), "expected hf://datasets/ORG/NAME, found hf://org"),
        (("--push-every", "5", "--push-to", "x"), "push_to: expected another place than the output, found the same"),
    ],
)
def test_a_place_that_cannot_be_meant(more: tuple[str, ...], said: str) -> None:
    """It is said before anything is asked."""
    result = CliRunner().invoke(main, ["generate", "-o", "x", *more])

    assert result.exit_code == InputError.exit_code
    assert said in result.output


def test_addresses_are_shown_without_secrets() -> None:
    """Neither user nor password nor query."""
    assert without_secrets("no s3://a:b@host/x?sig=1 there") == "no s3://host/x there"
