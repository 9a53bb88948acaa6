"""A watched run ends in the bytes of an unwatched one; what was seen is on disk at once."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from schemas.directory import read_manifest
from schemas.errors import InputError, StoppedError
from schemas.manifest import differences
from tests.support import pair, step_of
from tests.training.tiny import save_tiny
from training.checkpoint.checkpoint import read_run
from training.checkpoint.resume import resume_beside
from training.config import settle
from training.fit import fit
from training.planning.plan import Request
from training.watch_config import WatchConfig

CATEGORIES = ("open_qa", "chat", "rewriting")


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step of 120 records of three categories, of which six are held out."""
    records = [pair(f"Name town {at}.", f"Town {at % 7}.", category=CATEGORIES[at % 3]) for at in range(120)]
    return step_of(tmp_path_factory.mktemp("data") / "towns", records).path


@pytest.fixture(scope="module")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny GPT-2, which draws random numbers in training, with room for the prompts."""
    return save_tiny(tmp_path_factory.mktemp("base") / "gpt", "gpt2", n_positions=1024)


def request(data: Path, base: Path, out: Path, share: float = 1.0, **more: Any) -> Request:
    """Return a request for six steps, watched at this share of the time."""
    config = settle("default", {"dtype": "fp32", "steps": 6, "rows_per_step": 8})
    watching = WatchConfig(evaluation_share=share, sample_tokens=4)
    return Request(**{"data": data, "base": str(base), "out": out, "config": config, "preset": "default",
                      "watching": watching, **more})  # fmt: skip


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a side file."""
    return [json.loads(line) for line in (folder / f"{name}.jsonl").open()]


def test_the_weights_are_the_same_however_often_a_run_is_looked_at(tmp_path: Path, towns: Path, gpt: Path) -> None:
    """Never, at a twentieth of the time, after each step."""
    shares = (0.0, 0.05, 1.0)
    outs = [fit(request(towns, gpt, tmp_path / str(share), share)).path for share in shares]

    weights = [(out / "model.safetensors").read_bytes() for out in outs]
    losses = [[row["loss"] for row in rows(out, "log")] for out in outs]
    assert weights[0] == weights[1] == weights[2]
    assert losses[0] == losses[1] == losses[2]
    assert [row["step"] for row in rows(outs[0], "evaluations")] == [0, 6]
    assert [row["step"] for row in rows(outs[2], "evaluations")] == list(range(7))


def test_what_was_seen_is_part_of_the_checkpoint(tmp_path: Path, towns: Path, gpt: Path) -> None:
    """Evaluations, samples, the page, the record and the card; the manifest vouches for them; nothing is left over."""
    out = fit(request(towns, gpt, tmp_path / "out")).path

    run, manifest = read_run(out), read_manifest(out)
    assert run.watched is not None
    assert run.watched.first is not None
    assert run.watched.last is not None
    assert (run.watched.first.step, run.watched.last.step, run.watched.evaluations) == (0, 6, 7)
    assert run.held_out_loss is not None
    assert (run.held_out_loss.before, run.held_out_loss.after) == (run.watched.first.loss, run.watched.last.loss)
    assert run.watched.peak.per_second > 1e8
    assert 0 < run.trained.mfu < 1
    assert all(0 < row["mfu"] < 1 for row in rows(out, "log"))
    assert len(rows(out, "samples")) == 7 * 14
    assert {"evaluations.jsonl", "samples.jsonl", "training.html"} <= {one.path for one in manifest.outputs}
    assert differences(out, manifest.outputs) == []
    assert not resume_beside(out).exists()


def test_the_card_tells_the_loss_by_category(tmp_path: Path, towns: Path, gpt: Path) -> None:
    """And how many answers ended by themselves."""
    out = fit(request(towns, gpt, tmp_path / "out", 0.0)).path

    card, seen = (out / "README.md").read_text(), rows(out, "evaluations")
    for one in seen[-1]["categories"]:
        assert f"| {one['category'].replace('_', chr(92) + '_')} | {one['records']} |" in card
        assert f"{one['loss']:.3f}" in card
    assert f"{seen[-1]['stop_rate']:.0%} of 14 answers ended by themselves" in card


def test_rows_stand_on_disk_while_the_run_goes_on(tmp_path: Path, towns: Path, gpt: Path) -> None:
    """Where a person can follow them, with the page."""
    out, found = tmp_path / "out", []

    class Looking:
        """An aside that looks at the folder when the fourth step is logged."""

        def leave(self, name: str, row: Any) -> None:
            """Look."""
            if name == "log" and row["step"] == 4:
                live = resume_beside(out)
                found.extend(
                    [len(rows(live, "log")), len(rows(live, "evaluations")), (live / "training.html").is_file()]
                )

        def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
            """Say nothing."""

    fit(request(towns, gpt, out), Looking())

    assert found == [4, 4, True]


def test_a_run_that_goes_on_does_not_look_again(tmp_path: Path, towns: Path, gpt: Path) -> None:
    """The evaluations of its earlier life stand in the checkpoint, byte by byte; none is there twice."""
    out = tmp_path / "out"

    class Signal:
        """An aside that has a signal come after three steps."""

        def leave(self, name: str, row: Any) -> None:
            """Raise it."""
            if name == "log" and row["step"] == 3:
                signal.raise_signal(signal.SIGTERM)

        def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
            """Say nothing."""

    with pytest.raises(StoppedError):
        fit(request(towns, gpt, out), Signal())
    live = resume_beside(out)
    early = (live / "evaluations.jsonl").read_bytes()
    with (live / "evaluations.jsonl").open("ab") as file:
        file.write(b'{"step": 3, "torn')

    fit(request(towns, gpt, out))

    steps = [row["step"] for row in rows(out, "evaluations")]
    assert (out / "evaluations.jsonl").read_bytes().startswith(early)
    assert steps == [0, 1, 2, 4, 5, 6]
    assert sorted({row["step"] for row in rows(out, "samples")}) == steps
    assert len(rows(out, "samples")) == 14 * len(steps)


def test_another_run_s_rows_are_not_taken_up(tmp_path: Path, towns: Path, gpt: Path) -> None:
    """A killed run that had saved no state leaves rows behind; with other settings they are dropped."""
    out = tmp_path / "out"
    live = resume_beside(out)
    live.mkdir()
    (live / "live.json").write_text('{"run": "another"}')
    (live / "evaluations.jsonl").write_text('{"step": 0, "seconds": 1.0, "loss": 99.0}\n')

    run = fit(request(towns, gpt, out, 0.0)).run

    assert run.held_out_loss is not None
    assert run.held_out_loss.before < 50


def test_a_setting_that_cannot_be_meant_is_refused() -> None:
    """With the field and what it may be."""
    with pytest.raises(InputError, match="evaluation_share: expected 0 to 1, found 2"):
        WatchConfig(evaluation_share=2)
    with pytest.raises(InputError, match="sample_tokens"):
        WatchConfig(sample_tokens=-1)


def test_a_board_that_is_not_installed_is_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setattr("training.watch_config.find_spec", lambda _: None)

    with pytest.raises(InputError, match=r"--trackio: expected pip install '\.\[watch\]' in a checkout"):
        WatchConfig(trackio="mine")
    assert WatchConfig().tensorboard is None
