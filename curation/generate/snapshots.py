"""Snapshots of an unfinished run: every so many records all there are so far, whole, to a folder or an address.

    DEST/snapshot-000200/   records.jsonl, rejected.jsonl, README.md, and manifest.json, which arrives last

An older snapshot goes when the new one is complete. At `hf://datasets/ORG/NAME` it is one commit. A copy is no part of
the run: where it fails the run goes on, and the next one is tried.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from curation.generate.deliver import deliver, without_secrets
from curation.terms.table import MEANINGS
from curation.visible import on_one_line
from schemas.codec import as_config, dumps, loads, write_record, write_rejection
from schemas.directory import MANIFEST, manifest_json, recorded
from schemas.manifest import Counts, FileDigest, Manifest, digest_file, fingerprint
from schemas.outcome import Outcome, Rejection
from schemas.step import RECORDS, REJECTED
from schemas.tally import Tally

STAGE = "generate-snapshot"
"""Another stage than a finished run's, so that nothing takes the one for the other."""
SPOOL, PUSHED = "snapshot", "pushed.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How far a run had come at one moment."""

    sizes: dict[str, int]
    """File of the spool → bytes that belong to it."""
    counts: Counts
    models: Counter[tuple[str, str]]
    """Model and class of its terms → records."""


@dataclass(slots=True, kw_only=True)
class Snapshots:
    """Copies a run's outcomes, and sends all of them off every so many records."""

    every: int
    dest: str
    n: int
    source: Any
    """The source; its settings and inputs stand in the manifest."""
    folder: Path
    """The journal's: the copy is kept there, and what was pushed last."""
    say: Callable[[str], None]
    _tally: Tally = field(default_factory=Tally)
    _models: Counter[tuple[str, str]] = field(default_factory=Counter)
    _inputs: tuple[FileDigest, ...] = ()
    _pushed: int = 0
    """Records of the last snapshot that arrived."""
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Begin with an empty copy: a resumed run comes through all of its outcomes again."""
        if self.every:
            (self.folder / SPOOL).mkdir(parents=True, exist_ok=True)
            for name in (RECORDS, REJECTED):
                (self.folder / SPOOL / name).write_bytes(b"")
            self._inputs = tuple(replace(one, path=Path(one.path).name) for one in self.source.inputs())
            path = self.folder / PUSHED
            before = loads(path.read_bytes()) if path.exists() else {}
            self._pushed = before.get("kept", 0) if before.get("of") == self._identity else 0

    @property
    def _identity(self) -> str:
        """What a snapshot is one of; not the address, which may hold a password."""
        return fingerprint(STAGE, {**as_config(self.source), "to": without_secrets(self.dest)}, self._inputs)

    def note(self, outcome: Outcome) -> None:
        """Copy an outcome; where it is the one that completes a number, send all of them off."""
        if not self.every:
            return
        self._tally.add(outcome)
        rejected = isinstance(outcome, Rejection)
        line = write_rejection(outcome) if isinstance(outcome, Rejection) else write_record(outcome)
        with (self.folder / SPOOL / (REJECTED if rejected else RECORDS)).open("ab") as file:
            file.write(line)
        if not isinstance(outcome, Rejection):
            self._models[outcome.provenance.model, outcome.provenance.terms] += 1
            if self._kept > self._pushed and self._kept % self.every == 0 and (self._task is None or self._task.done()):
                self._task = asyncio.create_task(asyncio.to_thread(self._push, self._now()))

    async def end(self) -> None:
        """Wait for what is under way, and send off what came after it."""
        if self._task:
            await self._task
        if self.every and self._kept > self._pushed:
            await asyncio.to_thread(self._push, self._now())

    @property
    def _kept(self) -> int:
        return self._tally.counts().kept

    def _now(self) -> Snapshot:
        sizes = {name: (self.folder / SPOOL / name).stat().st_size for name in (RECORDS, REJECTED)}
        return Snapshot(sizes=sizes, counts=self._tally.counts(), models=Counter(self._models))

    def _push(self, snapshot: Snapshot) -> None:
        """Send a snapshot off; whatever goes wrong is said, and no more."""
        kept, where = snapshot.counts.kept, without_secrets(self.dest)
        try:
            with TemporaryDirectory() as folder:
                self._write(Path(folder), snapshot)
                deliver(Path(folder), self.dest, f"snapshot-{kept:06}")
        except Exception as error:  # noqa: BLE001  # of any store's package; a copy must not end the run
            words = without_secrets(str(error).strip().partition("\n")[0] or type(error).__name__)
            self.say(
                f"Warning: {kept:,} records could not be pushed to {where}, the next snapshot tries again: {words}"
            )
            return
        self._pushed = kept
        (self.folder / PUSHED).write_bytes(dumps({"of": self._identity, "to": where, "kept": kept}) + b"\n")
        self.say(f"pushed {kept:,} records to {where}")

    def _write(self, folder: Path, snapshot: Snapshot) -> None:
        for name, size in snapshot.sizes.items():
            with (self.folder / SPOOL / name).open("rb") as file:
                (folder / name).write_bytes(file.read(size))
        (folder / "README.md").write_text(_readme(snapshot, self.n), encoding="utf-8")
        manifest = Manifest(
            stage=STAGE,
            config=as_config(self.source),
            inputs=self._inputs,
            outputs=tuple(digest_file(path, path.name) for path in sorted(folder.iterdir())),
            counts=snapshot.counts,
            fingerprint=self._identity,
            recorded={**recorded(0.0), "partial": snapshot.counts.kept < self.n, "of": self.n},
        )
        (folder / MANIFEST).write_bytes(manifest_json(manifest))


def pushed_text(folder: Path) -> str:
    """Return what was pushed last with the journal in `folder`."""
    if not (folder / PUSHED).exists():
        return "no snapshot has arrived"
    row = loads((folder / PUSHED).read_bytes())
    return f"pushed {row['kept']:,} records to {row['to']}"


def _readme(snapshot: Snapshot, n: int) -> str:
    kept = snapshot.counts.kept
    head = "---\nconfigs:\n- config_name: default\n  data_files: records.jsonl\n---\n"
    state = "Partial: the run is not finished." if kept < n else "The run is finished."
    lines = [
        f"- `{_name(model)}`: {rows:,} records; {kind or 'unknown'}" for (model, kind), rows in snapshot.models.items()
    ]
    kinds = sorted({kind or "unknown" for _, kind in snapshot.models})
    meanings = [f"- {kind}: {MEANINGS[kind]}" for kind in kinds if kind in MEANINGS]
    mixed = ["The models' terms of use differ; the strictest binds the data set as a whole.", ""] * (len(kinds) > 1)
    return "\n".join(
        [
            f"{head}# A snapshot: {kept:,} of {n:,} records",
            "",
            f"{state} Nobody has reviewed these records, and no licence comes with them.",
            "",
            "Whoever uses what these models wrote is bound by their makers' terms:",
            "",
            *lines,
            "",
            *mixed,
            *meanings,
            "",
        ]
    )


def _name(model: str) -> str:
    return re.sub(r"[`<>\[\]]", "", on_one_line(model))
