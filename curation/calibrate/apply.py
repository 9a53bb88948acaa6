"""Takes labelled pairs back: how right dedupe is at each threshold, and what it makes of planted pairs."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.calibrate.ask import ask
from curation.calibrate.curve import Judged, Point, curve, lowest_for, point
from curation.calibrate.labels import read_labels
from curation.calibrate.plants import CONTRASTS, DUPLICATES, Edit
from curation.dedupe.stage import Dedupe
from curation.embedding import open_encoder
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord

TARGET = 0.95
"""Precision that is asked for where nobody says another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What became of one kind of planted pair."""

    kind: str
    planted: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was measured on somebody's data, and with what."""

    encoder: str
    """Its identity: weights and precision."""
    data: str
    """Fingerprint of the step the pairs were drawn from."""
    target: float
    labelled: int
    threshold: float | None
    """The lowest one that reaches the target, and so do all above it; None where none does."""
    default: Point
    """What dedupe's own threshold comes to."""
    points: tuple[Point, ...]
    duplicates: tuple[Planted, ...]
    """At the threshold, or dedupe's own: rejected is right."""
    contrasts: tuple[Planted, ...]
    """At the same: rejected is wrong."""

    @property
    def chosen(self) -> Point | None:
        """The point of the threshold."""
        return next((one for one in self.points if one.threshold == self.threshold), None)


def calibrate(path: Path, target: float = TARGET, *, aside: Aside = SILENT) -> Calibration:
    """Measure dedupe on the labelled pairs in a file.

    Raises:
        InputError: the file cannot be used, or a target that no share can reach.
    """
    if not 0 < target <= 1:
        raise InputError(place="calibrate", field="target", expected="above 0, up to 1", found=str(target))
    pairs = read_labels(path)
    stage = Dedupe(encoder=str(pairs[0].drawn["encoder"]), neighbours=False)
    verdicts = ask(stage, [(pair.a, pair.b) for pair in pairs], aside)
    sizes = Counter(pair.bin for pair in pairs)
    judged = [
        Judged(cosine=pair.cosine, weight=pair.of / sizes[pair.bin], same=pair.same, agrees=verdict.same)
        for pair, verdict in zip(pairs, verdicts, strict=True)
    ]
    points = curve(judged)
    found = lowest_for(points, target)
    used = stage if found is None else stage.at(found.threshold)
    records = [record for pair in pairs for record in (pair.a, pair.b)]
    return Calibration(
        encoder=open_encoder(stage.encoder, "fp32").identity,
        data=str(pairs[0].drawn["fingerprint"]),
        target=target,
        labelled=len(pairs),
        threshold=found.threshold if found else None,
        default=point(judged, stage.threshold),
        points=tuple(points),
        duplicates=tuple(plant(used, records, DUPLICATES, aside)),
        contrasts=tuple(plant(used, records, CONTRASTS, aside)),
    )


def plant(
    stage: Dedupe, records: Iterable[InstructionRecord], edits: Mapping[str, Edit], aside: Aside = SILENT
) -> Iterator[Planted]:
    """Plant every kind of edit into each record and count how many of the pairs lose one of the two."""
    edited = [(kind, one, edit(one.instruction)) for kind, edit in edits.items() for one in records]
    plants = [(kind, one, replace(one, instruction=text)) for kind, one, text in edited if text]
    verdicts = ask(stage, [(one, other) for _, one, other in plants], aside)
    found = zip((kind for kind, _, _ in plants), verdicts, strict=True)
    rejected = Counter(kind for kind, verdict in found if verdict.same and verdict.cosine >= stage.threshold)
    planted = Counter(kind for kind, _, _ in plants)
    return (Planted(kind=kind, planted=planted[kind], rejected=rejected[kind]) for kind in edits)


def write_calibration(path: Path, found: Calibration) -> None:
    """Write what was measured as one JSON object; a share of no pairs is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(_without_nan(asdict(found))) + b"\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
