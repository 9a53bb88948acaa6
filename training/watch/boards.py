"""Curves of a run on TensorBoard or trackio: asides that turn rows into scalars, on this machine and nowhere else."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from schemas.outcome import Aside
from training.log import EVALUATIONS, LOG, SAMPLES
from training.watch_config import WatchConfig

CURVES = {
    "loss": "train/loss",
    "lr": "train/learning_rate",
    "grad_norm": "train/gradient_norm",
    "tokens_per_second": "speed/tokens_per_second",
    "mfu": "speed/mfu",
    "padding_share": "speed/padding_share",
}
"""Field of a step's row → its curve."""
ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_DATASET_ID", "TRACKIO_WEBHOOK_URL")
"""Variables by which trackio would send what it is told to another machine."""


class Board(Protocol):
    """Shows curves and texts."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""

    def text(self, step: int, name: str, text: str) -> None:
        """Show a text."""

    def close(self) -> None:
        """Write what is left."""


@dataclass(frozen=True, slots=True)
class OnBoards:
    """An aside that shows rows on boards and passes them on."""

    aside: Aside
    boards: Sequence[Board]

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Show a row."""
        self.aside.leave(name, row)
        for board in self.boards:
            if name == SAMPLES:
                board.text(row["step"], f"answers/{row['title']}", row["text"])
            else:
                board.scalars(row["step"], scalars(name, row))

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Pass on how far the run is."""
        self.aside.progress(what, done, total, note)


def scalars(name: str, row: Mapping[str, Any]) -> dict[str, float]:
    """Return the points of a row by curve."""
    if name == LOG:
        return {curve: row[field] for field, curve in CURVES.items()}
    if name != EVALUATIONS:
        return {}
    found = {"held_out/loss": row["loss"], "answers/stop_rate": row["stop_rate"]}
    found |= {f"held_out/{one['category']}": one["loss"] for one in row["categories"]}
    return {curve: value for curve, value in found.items() if value is not None}


@contextmanager
def on_boards(config: WatchConfig, run: str, aside: Aside) -> Iterator[Aside]:
    """Show what is left on the boards that were asked for; `run`: what to call it there."""
    boards: list[Board] = []
    if config.tensorboard:
        boards.append(TensorBoard(config.tensorboard / run))
    if config.trackio:
        boards.append(Trackio(config.trackio, run))
    try:
        yield OnBoards(aside, boards) if boards else aside
    finally:
        for board in boards:
            board.close()


class TensorBoard:
    """Event files; a run that goes on writes its rows again, so the points of its earlier life are purged."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  # an extra, and slow to load

        self._writer: Any = SummaryWriter(str(folder), purge_step=0)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        for curve, value in values.items():
            self._writer.add_scalar(curve, value, step)
        self._writer.flush()

    def text(self, step: int, name: str, text: str) -> None:
        """Show a text as it is: indented, because TensorBoard reads Markdown."""
        self._writer.add_text(name, "\n".join(f"    {line}" for line in text.splitlines()), step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class Trackio:
    """A run of trackio in its store on this machine, whatever its variables say; a new one at each start."""

    def __init__(self, project: str, run: str) -> None:
        import trackio  # noqa: PLC0415  # an extra, and slow to load

        with _here_only(), redirect_stdout(StringIO()):
            self._finish = trackio.finish
            self._run: Any = trackio.init(project, name=run, embed=False, auto_log_cpu=False, auto_log_gpu=False)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        self._run.log(dict(values), step=step)

    def text(self, step: int, name: str, text: str) -> None:
        """Show nothing: trackio has curves, and the answers stand in samples.jsonl."""

    def close(self) -> None:
        """Write what is left."""
        with redirect_stdout(StringIO()):
            self._finish()  # not the run's own: trackio would finish it once more at exit, and say so on stdout


@contextmanager
def _here_only() -> Iterator[None]:
    """Hide the variables that would have rows sent elsewhere."""
    hidden = {name: os.environ.pop(name) for name in ELSEWHERE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
