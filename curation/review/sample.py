"""Draws the records that a person is to look at, into a file that an editor opens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curation.review.sampling import Sample
from curation.review.words import reason_words, repair_words
from schemas.chain import walk
from schemas.codec import dumps, sha256_of
from schemas.errors import InputError
from schemas.outcome import Rejection
from schemas.record import TEXT_FIELDS, InstructionRecord
from schemas.step import StepDirectory

Fate = Literal["kept", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A sample to draw."""

    n: int = 20
    """Records to draw; all, where there are fewer."""
    seed: int = 1
    """Names the shuffle: the same seed draws the same records."""
    rejected: bool = False
    """Draw from the rejected rows of all steps instead, to find out whether they were rejected rightly."""

    @property
    def fate(self) -> Fate:
        """What became of the rows the sample is drawn from."""
        return "rejected" if self.rejected else "kept"


def sample_lines(step: StepDirectory, draw: Draw) -> list[dict[str, Any]]:
    """Return the sampled rows as the lines a person edits: the decision is null and the note empty."""
    steps = walk(step).steps if draw.rejected else (step,)
    counts = [one.manifest.counts for one in steps]
    drawn = {
        "fate": draw.fate,
        "seed": draw.seed,
        "of": sum(one.rejected for one in counts) if draw.rejected else counts[-1].kept,
        "fingerprint": step.manifest.fingerprint,
    }
    return [{**line, "decision": None, "note": "", "drawn": drawn} for line in _drawn(steps, draw)]


def write_sample(path: Path, lines: Iterable[Mapping[str, Any]], *, force: bool = False) -> None:
    """Write the lines to a new file.

    Raises:
        InputError: the file exists; it may hold decisions.
    """
    if path.exists() and not force:
        raise InputError(place=path, expected="a new file", found="one that may hold decisions (--force replaces it)")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.writing")
    draft.write_bytes(b"".join(dumps(line) + b"\n" for line in lines))
    draft.replace(path)


def _drawn(steps: Iterable[StepDirectory], draw: Draw) -> Sample[dict[str, Any]]:
    sample: Sample[dict[str, Any]] = Sample(draw.n, draw.seed)
    for step in steps:
        if draw.rejected:
            for rejection in step.rejections():
                # Rows that are equal are rejected one by one, so the place they stood at is part of their name.
                sample.offer(f"{rejection.id}:{sha256_of(rejection.provenance)}", _rejected_line(rejection, step))
        else:
            for record in step.records():
                sample.offer(record.id, _kept_line(record))
    return sample


def _kept_line(record: InstructionRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        **{field: getattr(record, field) for field in TEXT_FIELDS},
        "category": record.category,
        "why": [*map(reason_words, record.flags), *map(repair_words, record.repairs)],
    }


def _rejected_line(rejection: Rejection, step: StepDirectory) -> dict[str, Any]:
    """Return a rejected row as it is read; of a row that never was a record, all of it stands in `row`."""
    row = rejection.row
    texts = {field: row.get(field, "") for field in (*TEXT_FIELDS, "category")}
    foreign = not all(isinstance(text, str) for text in texts.values()) or not texts["instruction"]
    why = [f"{step.manifest.stage}: {reason_words(reason)}" for reason in rejection.reasons]
    return {"id": rejection.id, **({"row": dict(row)} if foreign else texts), "why": why}
