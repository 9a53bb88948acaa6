"""What is seen of a run goes to disk while it runs, row by row: `tail -f OUT.resume/log.jsonl`.

    OUT.resume/
      live.json          which run this is
      log.jsonl          one row an optimiser step
      evaluations.jsonl  one row an evaluation
      samples.jsonl      the answers to the fixed prompts
      training.html      the same as a page, as of the last evaluation

A row is one write at the end of its file, so a killed process leaves whole rows and perhaps a torn last one, which is
not read. Evaluations outlive the process: a run that goes on does not make them again.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.codec import dumps, loads
from schemas.outcome import Aside
from training.log import EVALUATIONS, LOG, SAMPLES

WHOSE = "live.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An aside that writes rows where a person can follow them, and passes them on."""

    folder: Path
    run: str
    """The fingerprint of the run: rows of another one are not taken up."""
    aside: Aside

    def begin(self) -> dict[str, list[dict[str, Any]]]:
        """Return the evaluations and samples that this run has already made; the log is written anew."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mine = _run_of(self.folder) == self.run
        made = {name: self._rows(name) if mine else [] for name in (EVALUATIONS, SAMPLES)}
        whole = {row["step"] for row in made[EVALUATIONS]}
        made[SAMPLES] = [row for row in made[SAMPLES] if row["step"] in whole]
        for name, rows in ((LOG, []), *made.items()):
            self._replace(name, rows)
        (self.folder / WHOSE).write_bytes(dumps({"run": self.run, "process": os.getpid()}))
        return made

    def cut(self, steps: int) -> None:
        """Forget what was seen after so many steps: the run goes on from there and will see it again."""
        for name in (EVALUATIONS, SAMPLES):
            self._replace(name, [row for row in self._rows(name) if row["step"] <= steps])

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Write a row at the end of `NAME.jsonl`."""
        with self._file(name).open("ab", buffering=0) as file:
            file.write(dumps(row) + b"\n")
        self.aside.leave(name, row)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Pass on how far the run is."""
        self.aside.progress(what, done, total, note)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def _rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows that are whole."""
        file = self._file(name)
        lines = file.read_bytes().split(b"\n")[:-1] if file.is_file() else []
        return [loads(line) for line in lines]

    def _replace(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a file anew; at no moment is there less than before or after."""
        draft = self.folder / f".{name}.writing"
        draft.write_bytes(b"".join(dumps(row) + b"\n" for row in rows))
        draft.replace(self._file(name))


def _run_of(folder: Path) -> str:
    try:
        return str(loads((folder / WHOSE).read_bytes())["run"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
