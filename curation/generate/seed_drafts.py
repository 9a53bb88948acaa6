"""Drafts of seeds: what a model wrote for a person to decide about. Until somebody approved of it, it is no seed.

A row of a drafts file is a seed with one more field:

    "seed_draft": {"cell": {…}, "model": …, "terms": …, "request": …, "examples": […], "decision": null}

and later `"decision": {"verdict": "approved", "by": …, "at": …, "id": …}`. `id` is that of the text that was decided
about, as in a review: who changes the text afterwards has to have it approved again.
"""

import fcntl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from curation.generate.seed_import import write_rows
from curation.generate.seeds import DRAFT, SHIPPED, parse_seeds, read_seeds, undecided
from schemas.errors import InputError
from schemas.formats import write_row
from schemas.record import InstructionRecord

Verdict = Literal["approved", "rejected"]


def draft_of(record: InstructionRecord) -> InstructionRecord:
    """Return what a model wrote as a draft that nobody has decided about."""
    came = record.provenance
    draft = {
        "cell": record.extra["cell"],
        "model": came.model,
        "terms": came.terms,
        "request": came.request,
        "examples": list(came.seeds),
        "decision": None,
    }
    return replace(record, extra={DRAFT: draft})


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftsFile:
    """A file of drafts, as it was read."""

    path: Path
    drafts: tuple[InstructionRecord, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `seeds suggest` wrote.

        Raises:
            InputError: a row that is no draft, or no drafts at all.
        """
        drafts, faults = parse_seeds(path)
        if faults:
            raise InputError(str(faults[0]))
        strange = next((one for one in drafts if not isinstance(one.extra.get(DRAFT), Mapping)), None)
        if strange is not None:
            place = f"{path}:{strange.provenance.line}"
            raise InputError(place=place, field=DRAFT, expected="a draft of seeds suggest", found="none")
        if not drafts:
            raise InputError(place=path, expected="drafts of seeds suggest", found="none")
        return cls(path=path, drafts=tuple(drafts))

    def open(self) -> list[InstructionRecord]:
        """Return the drafts about which nothing was decided as they stand now."""
        return [one for one in self.drafts if not (decided(one, "approved") or decided(one, "rejected"))]

    def approved(self) -> list[InstructionRecord]:
        """Return the drafts that are seeds now."""
        return [one for one in self.drafts if not undecided(one)]

    def named(self, ids: Iterable[str]) -> list[InstructionRecord]:
        """Return the drafts with these ids.

        Raises:
            InputError: there is none with one of them.
        """
        known = {one.id: one for one in self.drafts}
        missing = next((name for name in ids if name not in known), None)
        if missing is not None:
            raise InputError(place=self.path, field="id", expected="that of a draft in it", found=missing)
        return [known[name] for name in dict.fromkeys(ids)]

    def decide(
        self, draft: InstructionRecord, verdict: Verdict, by: str, now: Callable[[], datetime] | None = None
    ) -> None:
        """Write a decision down in the file as it is by now.

        Raises:
            InputError: the draft is not in it any more, or somebody has decided about it since it was read.
        """
        at = (now or _now)().strftime("%Y-%m-%dT%H:%M:%SZ")
        decision = {"verdict": verdict, "by": by, "at": at, "id": draft.id}
        with _locked(self.path):
            there = self.read(self.path)
            there.expect(draft)
            drafts = [_with(one, decision) if one.id == draft.id else one for one in there.drafts]
            write_rows(map(row_of, drafts), self.path, force=True)

    def expect(self, draft: InstructionRecord) -> None:
        """Refuse to decide about a draft that is not as somebody has read it.

        Raises:
            InputError: it is not there, or another decision is.
        """
        known = {one.id: one.extra[DRAFT].get("decision") for one in self.drafts}
        if draft.id not in known:
            found = "none: its text was changed, or it was taken out"
            raise InputError(place=self.path, field=draft.id, expected="the draft as it was read", found=found)
        if (made := known[draft.id]) != draft.extra[DRAFT].get("decision"):
            found = f"{made['verdict']} by {made['by']}" if made else "none"
            raise InputError(place=self.path, field=draft.id, expected="the decision as it was read", found=found)


def decided(draft: InstructionRecord, verdict: Verdict) -> bool:
    """Say whether this was decided about the text as it stands."""
    decision = draft.extra[DRAFT].get("decision")
    return isinstance(decision, Mapping) and (decision.get("verdict"), decision.get("id")) == (verdict, draft.id)


def write_with(file: DraftsFile, seeds: str, output: Path) -> None:
    """Write the seeds of a file (empty: those that ship) and the approved drafts as one file of seeds."""
    there = read_seeds(Path(seeds) if seeds else SHIPPED)
    known = {one.id for one in there}
    more = [one for one in file.approved() if one.id not in known]
    write_rows(map(row_of, (*there, *more)), output, force=True)


def row_of(seed: InstructionRecord) -> dict[str, Any]:
    """Return a seed or a draft as a row, with every field it came with."""
    return {**write_row(seed, "dolly"), **seed.extra}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from deciding meanwhile; the file itself is replaced, so another is what is locked."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _with(draft: InstructionRecord, decision: Mapping[str, str]) -> InstructionRecord:
    return replace(draft, extra={**draft.extra, DRAFT: {**draft.extra[DRAFT], "decision": dict(decision)}})


def _now() -> datetime:
    return datetime.now(UTC)
