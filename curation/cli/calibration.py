"""How a calibration reads on a terminal."""

from collections.abc import Iterator, Mapping
from math import isnan
from typing import Any

from curation.calibrate.apply import Calibration, Planted
from curation.calibrate.curve import Point
from curation.calibrate.second import Compared

SHOWN = 0.8
"""Lowest threshold that is listed."""


def calibration_text(found: Calibration, both: Compared | None = None) -> str:
    """Return the curve, what became of the planted pairs, and the threshold to use."""
    lines = [
        f"{found.labelled:,} labelled pairs",
        *_agreement(both),
        "",
        "threshold  precision  95 % bounds  recall  pairs",
    ]
    lines += [_line(one) for one in found.points if one.threshold >= SHOWN and one.precision.pairs]
    lines += ["", *_planted("planted duplicates rejected", found.duplicates)]
    lines += ["", *_planted("planted contrasts rejected, wrongly", found.contrasts), ""]
    if found.chosen is None:
        return "\n".join([*lines, f"No threshold is right {found.target:.0%} of the time."])
    low, high = found.chosen.precision.low, found.chosen.precision.high
    said = f"dolly-data dedupe DIR -o OUT --threshold {found.threshold:g}"
    return "\n".join([*lines, f"Right {found.target:.0%} of the time ({low:.0%} to {high:.0%}): {said}"])


def calibration_event(found: Calibration, both: Compared | None = None) -> Mapping[str, Any]:
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
        "labelled_twice": both.table.total if both else 0,
        "kappa": both.table.kappa if both and not isnan(both.table.kappa) else None,
    }


def _agreement(both: Compared | None) -> Iterator[str]:
    """Yield how far two people agree, where two labelled."""
    if both is None or not both.table.total:
        return
    table = both.table
    said = "no kappa, for all have one label" if isnan(table.kappa) else f"kappa {table.kappa:.2f}"
    yield f"{table.total:,} of them labelled twice: {table.observed:.0%} alike, {said}"


def _line(one: Point) -> str:
    share = one.precision
    bounds = f"{share.low:.2f}-{share.high:.2f}"
    return f"{one.threshold:>9.2f}  {share.of:>9.3f}  {bounds:>11}  {one.recall:>6.3f}  {share.pairs:>5}"


def _planted(title: str, kinds: tuple[Planted, ...]) -> Iterator[str]:
    yield title
    for one in kinds:
        yield f"  {one.kind:16} {one.rejected:>5,} of {one.planted:,}"
