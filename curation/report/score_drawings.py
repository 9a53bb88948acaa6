"""The figures of scores: how far each is only length, why records have none, and how each spreads."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from curation.report.counted import Histogram, ScoreNumbers, Spread
from curation.report.figures import BEFORE, KEPT, LOST, Bar, bars, histogram
from curation.report.numbers import Report
from curation.report.svg import Caption, Cell, Figure, clipped, figure, label, line, number, percent, rect
from curation.score.length import LENGTH, MOSTLY, WithLength

MARKS = {"kept": KEPT, "rejected": LOST}
ROW, TOP = 38, 26
"""Pixels of one score, and of what stands over the first."""
WIDER = 1.5
"""How many times as wide as others a bin is that is named as an outer one."""
TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def score_figures(report: Report) -> dict[str, Figure | None]:
    """Return the figures of all scores by their key: `score-1` is the first score's histogram."""
    if not report.scores:
        return {}
    return {
        "score-length": _lengths(report.scores),
        "score-nulls": _nulls(report.scores),
        **{f"score-{at}": _histogram(f"score-{at}", one) for at, one in enumerate(report.scores, 1)},
    }


def scores_words(report: Report) -> str:
    """Return what is counted in the figures of scores, in words."""
    steps = ", ".join(dict.fromkeys(clipped(one.step) for one in report.scores))
    drawn = next((one for one in report.scores if one.sampled), None)
    of = (
        f" A step of more than {drawn.looked_at:,} records is shown by as many, drawn by seed {report.seed}."
        if drawn
        else ""
    )
    ends = any(one.histogram and _runs_on(one.histogram) for one in report.scores)
    beyond = " Where values run far, the bars at the ends hold what lies beyond." if ends else ""
    return f"Of the records that were scored in {steps}.{of}{beyond}"


def _lengths(scores: Sequence[ScoreNumbers]) -> Figure | None:
    """Draw how each score's ranking goes with length; the strongest first."""
    known = [(one, one.length) for one in scores if one.length]
    if not known:
        return None
    known.sort(key=lambda pair: -abs(pair[1].spearman))
    text = (
        "Rank correlation of each score with the words of the response: the dot, and its 95 % interval. The grey bar "
        "is what chance gives. In the shaded parts more than half of a score's ranking is length: such a score says "
        "little that counting words would not."
    )
    bottom = TOP + ROW * len(known)
    parts = [*_ground(bottom)]
    for at, (one, found) in enumerate(known):
        parts += _correlation(one.name, found, TOP + ROW * at)
    rows = tuple(_cells(one, found) for one, found in known)
    columns = ("score", "with length", "from", "to", "by chance", "records")
    return figure(Caption("score-length", "Is it only length?", text), (parts, bottom + 22), columns, rows)


def _ground(bottom: int) -> Iterator[str]:
    """Yield what the dots stand on: the parts that mean length, the middle, the axis."""
    side = _at(-math.sqrt(MOSTLY))
    for start in (0.0, 100 - side):
        yield rect(start, TOP - 6, side, bottom - TOP + 6, mark="track")
    yield label(0, TOP - 12, "the shorter the higher", "tick")
    yield label(100, TOP - 12, "the longer the higher", "tick end")
    yield line(50, TOP - 6, 50, bottom, "grid")
    yield line(0, bottom, 100, bottom, "axis")
    for tick in TICKS:
        side_of = {-1.0: "", 1.0: "end"}.get(tick, "middle")
        yield label(_at(tick), bottom + 16, number(tick), f"tick {side_of}".strip())


def _correlation(name: str, found: WithLength, y: int) -> Iterator[str]:
    yield label(0, y + 10, clipped(name), "label", dx=4)
    yield label(100, y + 10, f"{found.spearman:+g}", "note end", dx=-4)
    at = y + 23
    chance = 50 * found.chance
    yield rect(50 - chance, at - 3, 2 * chance, 6, mark=BEFORE)
    yield line(_at(found.low), at, _at(found.high), at, "span")
    yield f'<circle class="dot" cx="{_at(found.spearman):.3f}%" cy="{at}" r="5"/>'


def _at(rho: float) -> float:
    """Return the place of a coefficient, in per cent of the width."""
    return 50 + 50 * rho


def _cells(one: ScoreNumbers, found: WithLength) -> tuple[Cell, ...]:
    return (one.name, found.spearman, found.low, found.high, found.chance, one.having)


def _nulls(scores: Sequence[ScoreNumbers]) -> Figure | None:
    found = [(clipped(one.name), reason) for one in scores for reason in one.missing]
    if not found:
        return None
    text = "Records without a score, and why there is none. No number stands in for one."
    return bars(
        Caption("score-nulls", "Scores that could not be had", text),
        [(LOST, "without a score")],
        [
            Bar(
                label=f"{name}: {reason.key.replace('_', ' ')}",
                values=(reason.count,),
                notes=(f"{reason.count:,}, {percent(reason.share)}",),
            )
            for name, reason in found
        ],
        ("score", "code", "what it means", "records", "of those looked at"),
        tuple((name, one.key, one.words, one.count, percent(one.share)) for name, one in found),
    )


def _histogram(key: str, one: ScoreNumbers) -> Figure | None:
    data, spread = one.histogram, one.spread
    if data is None or spread is None:
        return None
    parts = [_spread_words(spread), _fates_words(data), _null_words(one), _length_words(one)]
    text = " ".join(part for part in parts if part)
    return histogram(Caption(key, clipped(one.name), text), data, [MARKS[group.name] for group in data.series])


def _spread_words(spread: Spread) -> str:
    low, high, least, most = map(number, (spread.p05, spread.p95, spread.least, spread.most))
    if least == most:
        return f"All are {most}."
    return (
        f"Median {number(spread.median)}, half between {number(spread.p25)} and {number(spread.p75)}, nine in ten "
        f"between {low} and {high}, all between {least} and {most}."
    )


def _fates_words(data: Histogram) -> str:
    series = data.series
    if len(series) == 1 or series[0].median == series[-1].median:
        return ""
    return f"Median of the {' and of the '.join(f'{group.name} {number(group.median)}' for group in series)}."


def _runs_on(data: Histogram) -> bool:
    """Say whether a bar at an end stands for more than the one beside it."""
    widths = [high - low for low, high in pairwise(data.edges)]
    return len(widths) > 1 and any(end > WIDER * beside for end, beside in (widths[:2], widths[:-3:-1]))


def _null_words(one: ScoreNumbers) -> str:
    reasons = ", ".join(f"{reason.count:,} {clipped(reason.key.replace('_', ' '))}" for reason in one.missing)
    return f"{percent(one.missing_share)} have none: {reasons}." if reasons else ""


def _length_words(one: ScoreNumbers) -> str:
    if one.name == LENGTH:
        return "The length itself: what every score has to beat."
    if one.length is None:
        return "How it goes with length is not known: too few records, or the same for all."
    return f"With length {one.length.spearman:+g}: {one.length.said or 'next to nothing'}."
