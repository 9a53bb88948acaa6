"""Curves on TensorBoard and trackio: what a run logged, on this machine, and nothing is asked of anybody."""

import os
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from schemas.outcome import SILENT
from tests.training.watch.test_watcher import gpt, request, rows, towns
from training.fit import fit
from training.watch.boards import ELSEWHERE, on_boards, scalars
from training.watch_config import WatchConfig

__all__ = ["gpt", "towns"]
ROW = {
    "step": 1,
    "loss": 2.0,
    "lr": 1e-3,
    "grad_norm": 1.5,
    "tokens_per_second": 90.0,
    "mfu": 0.2,
    "padding_share": 0.1,
}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let no connection out, and return whom it was asked for."""
    asked: list[Any] = []

    def refuse(*words: Any, **_: Any) -> None:
        asked.append(words)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


def points(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the curves that TensorBoard's own reader finds, and the names of its texts."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415  # slow to load

    found = EventAccumulator(str(folder))
    found.Reload()
    curves = {name: [(one.step, one.value) for one in found.Scalars(name)] for name in found.Tags()["scalars"]}
    return curves | {name: [] for name in found.Tags()["tensors"]}


def test_a_run_stands_on_tensorboard(tmp_path: Path, towns: Path, gpt: Path, alone: list[Any]) -> None:
    """Every step, every evaluation by category, and the answers; nobody is asked for anything."""
    pytest.importorskip("tensorboard", reason="the extra watch is not installed")
    watching = WatchConfig(evaluation_share=1.0, sample_tokens=4, tensorboard=tmp_path / "boards")

    out = fit(request(towns, gpt, tmp_path / "out", watching=watching)).path

    found, log = points(tmp_path / "boards" / "out"), rows(out, "log")
    assert [value for _, value in found["train/loss"]] == pytest.approx([row["loss"] for row in log])
    assert [step for step, _ in found["speed/mfu"]] == list(range(1, 7))
    assert [step for step, _ in found["held_out/loss"]] == list(range(7))
    assert {"train/learning_rate", "train/gradient_norm", "speed/tokens_per_second", "speed/padding_share"} <= set(
        found
    )
    assert {"held_out/other", "answers/stop_rate", "answers/A tweet/text_summary"} <= set(found)
    assert alone == []


def test_a_run_that_goes_on_has_each_point_once(tmp_path: Path) -> None:
    """Its rows are left again, so those of its earlier life are purged."""
    pytest.importorskip("tensorboard", reason="the extra watch is not installed")
    for _ in range(2):
        with on_boards(WatchConfig(tensorboard=tmp_path), "run", SILENT) as shown:
            shown.leave("log", ROW)

    assert points(tmp_path / "run")["train/loss"] == [(1, 2.0)]


@pytest.mark.skipif(find_spec("trackio") is None, reason="the extra watch is not installed")
def test_a_run_stands_in_trackio_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where its variables name another place; nothing is printed among the results."""
    for name in ELSEWHERE:
        monkeypatch.setenv(name, "me/there")
    monkeypatch.setattr("trackio.utils.TRACKIO_DIR", tmp_path)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))

    with on_boards(WatchConfig(trackio="project"), "run", SILENT) as shown:
        shown.leave("log", ROW)

    assert alone == []
    assert capsys.readouterr().out == ""
    assert os.environ[ELSEWHERE[0]] == "me/there"


def test_what_was_not_measured_is_no_point() -> None:
    """A run without held-out records has no held-out loss; rows of other files have no curves."""
    row: dict[str, Any] = {"step": 0, "loss": None, "stop_rate": None, "categories": []}

    assert scalars("evaluations", row) == {}
    assert scalars("rejected", {"step": 1}) == {}
