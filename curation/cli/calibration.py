"""How a calibration reads on a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from curation.calibrate.apply import Calibration, Planted
from curation.calibrate.curve import Point

SHOWN = 0.8
"""Lowest threshold that is listed."""


def calibration_text(found: Calibration) -> str:
    """Return the curve, what became of the planted pairs, and the threshold to use."""
    lines = [f"{found.labelled:,} labelled pairs", "", "threshold  precision  95 % bounds  recall  pairs"]
    lines += [_line(one) for one in found.points if one.threshold >= SHOWN and one.precision.pairs]
    lines += ["", *_planted("planted duplicates rejected", found.duplicates)]
    lines += ["", *_planted("planted contrasts rejected, wrongly", found.contrasts), ""]
    if found.chosen is None:
        return "\n".join([*lines, f"No threshold is right {found.target:.0%} of the time."])
    low, high = found.chosen.precision.low, found.chosen.precision.high
    said = f"dolly-data dedupe DIR -o OUT --threshold {found.threshold:g}"
    return "\n".join([*lines, f"Right {found.target:.0%} of the time ({low:.0%} to {high:.0%}): {said}"])


def calibration_event(found: Calibration) -> Mapping[str, Any]:
    """Return the outcome as a row for programs."""
    best = found.chosen.precision if found.chosen else None
    return {
        "event": "calibration",
        "threshold": found.threshold,
        "precision": best.of if best else None,
        "low": best.low if best else None,
        "labelled": found.labelled,
        "encoder": found.encoder,
        "data": found.data,
    }


def _line(one: Point) -> str:
    share = one.precision
    bounds = f"{share.low:.2f}-{share.high:.2f}"
    return f"{one.threshold:>9.2f}  {share.of:>9.3f}  {bounds:>11}  {one.recall:>6.3f}  {share.pairs:>5}"


def _planted(title: str, kinds: tuple[Planted, ...]) -> Iterator[str]:
    yield title
    for one in kinds:
        yield f"  {one.kind:16} {one.rejected:>5,} of {one.planted:,}"
