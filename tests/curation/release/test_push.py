"""A release reaches a hub whole, or is not tagged: the Hub's own client talks to a hub on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.release.push import push
from schemas.directory import read_manifest
from schemas.errors import GateError, InputError
from tests.curation.release.hub import TOKEN, Hub, serving
from tests.support import pair, step_of


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Run a hub."""
    with serving() as running:
        yield running


def dolly_data(hub: Hub, tmp_path: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run dolly-data in a process of its own, signed in at the hub."""
    at = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    home = {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-m", "curation.cli", *map(str, words)],
        env={**os.environ, **at, **home, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def release_words(tmp_path: Path, rows: int = 3, *more: object) -> list[object]:
    """Return the words that build a release and push it."""
    step = step_of(tmp_path / "step", [pair(f"Name colour {n}.") for n in range(rows)])
    return ["release", step.path, "-o", tmp_path / "rel", "--allow-ungated", "--push", "hf://org/colours", *more]


def test_a_release_is_uploaded_verified_and_then_tagged(hub: Hub, tmp_path: Path) -> None:
    """Every file, byte for byte, in a private repository; the tag is the last thing that is asked for."""
    done = dolly_data(hub, tmp_path, *release_words(tmp_path))

    assert done.returncode == 0, done.stderr
    here = {path.relative_to(tmp_path / "rel").as_posix(): path for path in (tmp_path / "rel").rglob("*")}
    assert hub.files == {name: path.read_bytes() for name, path in here.items() if path.is_file()}
    assert hub.private == {"org/colours": True}
    assert hub.tags == {"v1.0.0": hub.commits[-1]}
    assert [one.split("/")[-2] for one in hub.asked][-2:] == ["tree", "tag"]
    assert f"pushed to org/colours at {hub.commits[-1][:12]}" in done.stdout


@pytest.mark.parametrize("path", ["data/train-00000-of-00001.parquet", "README.md"])
def test_what_arrived_damaged_is_not_tagged(hub: Hub, tmp_path: Path, path: str) -> None:
    """A large file is known by its sha256, a small one by git's hash."""
    hub.spoil = path

    done = dolly_data(hub, tmp_path, *release_words(tmp_path))

    assert done.returncode == 1
    assert f"{path} has other bytes" in done.stderr
    assert hub.tags == {}


def test_a_version_is_released_once(hub: Hub, tmp_path: Path) -> None:
    """And what an earlier release had and this one has not is taken away."""
    hub.tags["v1.0.0"] = "1" * 40
    hub.files |= {"old.parquet": b"old", "manifest.json": b"{}"}
    words = release_words(tmp_path)

    again = dolly_data(hub, tmp_path, *words)
    next_one = dolly_data(hub, tmp_path, *words, "--version", "1.0.1")

    assert (again.returncode, next_one.returncode) == (1, 0), next_one.stderr
    assert "v1.0.0 is there already" in again.stderr
    assert "old.parquet" not in hub.files
    assert set(hub.tags) == {"v1.0.0", "v1.0.1"}


def test_a_data_set_of_something_else_stays_as_it_is(hub: Hub, tmp_path: Path) -> None:
    """Where no release stands nothing is taken away; what an upload that broke off has left is no hindrance."""
    hub.files |= {"README.md": b"Ours.", "data/mine.csv": b"1,2"}
    words = release_words(tmp_path)

    refused = dolly_data(hub, tmp_path, *words)
    before = dict(hub.files)
    del hub.files["data/mine.csv"]
    done = dolly_data(hub, tmp_path, *words)

    assert refused.returncode == InputError.exit_code
    assert "expected a new data set, or one with an earlier release" in refused.stderr
    assert "data/mine.csv" in refused.stderr
    assert before == {"README.md": b"Ours.", "data/mine.csv": b"1,2"}
    assert done.returncode == 0, done.stderr


def test_a_hub_that_refuses_is_told_in_a_line(hub: Hub, tmp_path: Path) -> None:
    """Wrong token, or no network: a message, no traceback, and the release stands."""
    words = release_words(tmp_path)

    refused = dolly_data(hub, tmp_path, *words, HF_TOKEN="hf_" + "b" * 34)
    offline = dolly_data(hub, tmp_path, *words, HF_HUB_OFFLINE="1")

    assert (refused.returncode, offline.returncode) == (1, 1)
    assert "401" in refused.stderr
    assert "HF_HUB_OFFLINE" in offline.stderr
    assert "Traceback" not in refused.stderr + offline.stderr
    assert read_manifest(tmp_path / "rel").stage == "release"


def test_an_ungated_release_is_not_pushed_unless_that_is_allowed(tmp_path: Path) -> None:
    """Nothing leaves without people having looked."""
    words = release_words(tmp_path)
    from click.testing import CliRunner  # noqa: PLC0415  # only here

    from curation.cli import main  # noqa: PLC0415

    done = CliRunner().invoke(main, [str(word) for word in words if word != "--allow-ungated"])

    assert done.exit_code == 6
    with pytest.raises(GateError, match="--allow-ungated"):
        push(tmp_path / "rel", "hf://org/colours")


@pytest.mark.parametrize("target", ["org/colours", "hf://colours", "hf://a/b/c", "https://x/y"])
def test_where_to_push_is_said_as_a_hub_id(tmp_path: Path, target: str) -> None:
    """Before anything is sent."""
    from curation.release.build import Release, release  # noqa: PLC0415  # only here

    release(step_of(tmp_path / "step", [pair()]), tmp_path / "rel", Release())

    with pytest.raises(InputError, match="hf://ORG/NAME"):
        push(tmp_path / "rel", target, allow_ungated=True)
