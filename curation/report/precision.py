"""How often dedupe is right at its threshold, from what `dolly-data calibrate apply` wrote."""

from pathlib import Path
from typing import Any

from curation.report.counted import Histogram
from curation.report.numbers import Precision
from schemas.codec import loads
from schemas.errors import InputError

NEAR = 0.006
"""How far a threshold may be from a measured one; they are a hundredth apart."""


def measured_precision(path: Path, similarity: Histogram | None) -> Precision | None:
    """Return the precision at the threshold of a report's similarity; None where that threshold was not measured.

    Raises:
        InputError: the file is not what `calibrate apply` writes.
    """
    limit = similarity.threshold if similarity else None
    points = _points(path)
    near = [one for one in points if limit is not None and abs(one.threshold - limit) < NEAR]
    return min(near, key=lambda one: abs(one.threshold - (limit or 0.0)), default=None)


def _points(path: Path) -> list[Precision]:
    try:
        row: Any = loads(path.read_bytes())
        found = [(float(one["threshold"]), one["precision"]) for one in [row["default"], *row["points"]]]
        return [
            Precision(
                threshold=threshold,
                rate=round(float(share["of"]), 6),
                low=round(float(share["low"]), 6),
                high=round(float(share["high"]), 6),
                pairs=int(share["pairs"]),
            )
            for threshold, share in found
            if share["of"] is not None
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(place=path, expected="what dolly-data calibrate apply -o writes", found=str(error)) from error
