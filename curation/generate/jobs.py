"""The jobs of batch mode on disk: what was planned, uploaded, submitted and ended, each before the next is done.

`batches.jsonl` in the journal's folder, only appended. A job that was planned and has no id may or may not have reached
the provider; it is looked for there by the hash of its file, which stands in its metadata.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.generate.journal import drop_torn, whole_rows
from schemas.codec import dumps

JOBS = "batches.jsonl"
ENDED = ("completed", "expired", "cancelled")
"""States in which a job yields what it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, as far as it has come."""

    sha256: str
    """Of the file of requests."""
    number: int
    """Tells apart jobs of the same file: what was not answered is asked again."""
    keys: tuple[str, ...]
    """Of its requests."""
    file: str = ""
    id: str = ""
    """What the provider calls it; empty: it has not said so yet."""
    status: str = ""

    @property
    def name(self) -> str:
        """What it is found by at the provider."""
        return f"{self.sha256[:32]}-{self.number}"


class Jobs:
    """The jobs of a journal."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOBS
        self._jobs: dict[str, Job] = {}
        for row in whole_rows(self._path):
            with suppress(KeyError):  # a job whose plan cannot be read is no job
                self._note(row)

    @property
    def open(self) -> list[Job]:
        """Jobs whose end is not known, oldest first."""
        return [job for job in self._jobs.values() if not job.status]

    def reopen(self, waits: Callable[[str], bool]) -> None:
        """Open the last job again of every request that `waits`: a run was killed before its answer was written down.

        The provider gives a job's results as often as it is asked, and is paid for them once.
        """
        seen = {key for job in self.open for key in job.keys}
        for name, job in reversed(self._jobs.items()):
            if job.status in ENDED and any(waits(key) and key not in seen for key in job.keys):
                self._jobs[name] = replace(job, status="")
            seen.update(job.keys)

    def plan(self, sha256: str, keys: Iterable[str]) -> Job:
        """Write down a job that is to be submitted."""
        number = sum(job.sha256 == sha256 for job in self._jobs.values())
        return self._write({"sha256": sha256, "number": number, "keys": list(keys)})

    def update(self, job: Job, **what: str) -> Job:
        """Write down how far a job has come: `file`, `id` or `status`."""
        return self._write({"sha256": job.sha256, "number": job.number, **what})

    def _write(self, row: Mapping[str, Any]) -> Job:
        """Append a line and see it to the disk; half a line of a crash is dropped first."""
        drop_torn(self._path)
        with self._path.open("ab") as file:
            file.write(dumps(row) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return self._note(row)

    def _note(self, row: Mapping[str, Any]) -> Job:
        name = f"{row['sha256']} {row['number']}"
        before = self._jobs.get(name)
        if before is None:
            before = Job(sha256=row["sha256"], number=row["number"], keys=tuple(row["keys"]))
        more = {field: row[field] for field in ("file", "id", "status") if field in row}
        self._jobs[name] = replace(before, **more)
        return self._jobs[name]
