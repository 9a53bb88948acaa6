"""How the story of a record reads on a terminal."""

import textwrap
from collections.abc import Iterator
from dataclasses import asdict

import orjson

from curation.explain import Sighting, Story
from curation.reasons import describe
from curation.restore.source import RESTORED
from curation.visible import on_one_line
from schemas.mirror import address_of
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Provenance, Reason

WIDTH = 100
"""Characters of a text that are shown."""


def story_text(story: Story) -> str:
    """Return the story as lines: the texts, then each step with what it made of the record and why."""
    first = story.sightings[0].outcome
    lines = [f"record {' → '.join(story.ids)}", *_texts(story.sightings[-1].outcome), *_origin(first.provenance)]
    for number, sight in enumerate(story.sightings):
        before = story.sightings[number - 1].outcome if number else None
        lines += ["", *_sighting(sight, before)]
    lines += [f"\ntrained into {address_of(path)}" for path in story.checkpoints]
    return "\n".join(lines)


def story_json(story: Story) -> str:
    """Return the story as one JSON object."""
    steps = [
        {
            "path": address_of(sight.path),
            "stage": sight.manifest.stage,
            "kept": not isinstance(sight.outcome, Rejection),
            "outcome": asdict(sight.outcome),
            "notes": [{"name": note.name, **note.row} for note in sight.notes],
            "verdicts": [verdict._asdict() for verdict in sight.verdicts],
        }
        for sight in story.sightings
    ]
    return orjson.dumps(
        {"ids": story.ids, "steps": steps, "checkpoints": [address_of(one) for one in story.checkpoints]}
    ).decode()


def _texts(outcome: InstructionRecord | Rejection) -> Iterator[str]:
    row = outcome.row if isinstance(outcome, Rejection) else asdict(outcome)
    shown = ("instruction", "context", "input", "response", "output", "raw")
    for name in shown:
        if row.get(name):
            yield f"  {name:12} {_short(str(row[name]))}"


def _origin(came: Provenance) -> Iterator[str]:
    place = f"{came.source}:{came.line}" if came.line else came.source
    yield f"  {'came from':12} {on_one_line(place)}" + (f", format {came.format}" if came.format else "")
    if came.model:
        yield f"  {'written by':12} {on_one_line(came.model)}, request {came.request}"
    if came.seeds:
        yield f"  {'shown':12} {', '.join(came.seeds)}"


def _sighting(sight: Sighting, before: InstructionRecord | Rejection | None) -> Iterator[str]:
    kept = not isinstance(sight.outcome, Rejection)
    yield f"{sight.path.name}: {sight.manifest.stage} {'kept it' if kept else 'rejected it'}"
    if isinstance(sight.outcome, Rejection):
        yield from (_reason("because", reason) for reason in sight.outcome.reasons)
    else:
        yield from _changes(sight.outcome, before)
    if passed := [verdict.code for verdict in sight.verdicts if verdict.passed]:
        yield from textwrap.wrap(f"  passed     {', '.join(passed)}", WIDTH, subsequent_indent=" " * 13)
    for note in sight.notes:
        if note.name == RESTORED:  # told already, from the record itself
            continue
        known = ", ".join(f"{key} {_short(str(value), 60)}" for key, value in note.row.items() if key != "id")
        yield f"  {note.name:10} {known}"


def _changes(record: InstructionRecord, before: InstructionRecord | Rejection | None) -> Iterator[str]:
    """Yield the repairs and flags that this step added, and who put the record back."""
    repairs, flags, restored = _known(before)
    for one in record.provenance.restored[restored:]:
        parts = [
            f"put back{f' by {one.by}' if one.by else ''} after {one.step} had rejected it for {', '.join(one.codes)}"
        ]
        yield f"  restored   {_short(': '.join([*parts, *[one.note] * bool(one.note)]), 2 * WIDTH)}"
    for repair in record.repairs[repairs:]:
        yield f"  repaired   {repair.code}: {repair.field} was {_short(repair.old)!r}, is {_short(repair.new)!r}"
    for flag in record.flags[flags:]:
        yield _reason("flagged", flag)


def _known(before: InstructionRecord | Rejection | None) -> tuple[int, int, int]:
    """Return how many repairs, flags and restorations the record had when the step before was done with it."""
    if before is None:
        return 0, 0, 0
    row = before.row if isinstance(before, Rejection) else {"repairs": before.repairs, "flags": before.flags}
    return len(row.get("repairs", ())), len(row.get("flags", ())), len(before.provenance.restored)


def _reason(word: str, reason: Reason) -> str:
    parts = [f"  {word:10} {reason.code}: {describe(reason.code)}"]
    if reason.field or reason.found:
        parts.append(f"{reason.field}: found {_short(reason.found)}" if reason.found else reason.field)
    parts += [f"limit {_short(reason.limit)}"] * bool(reason.limit)
    parts += [f"the other is {reason.other}"] * bool(reason.other)
    parts += [f"{name} {score:.4f}" for name, score in reason.scores.items()]
    return "; ".join(parts)


def _short(text: str, most: int = WIDTH) -> str:
    """Return text on one line, nothing in it able to move the cursor, cut to `most` characters."""
    line = on_one_line(text)
    return line if len(line) <= most else line[: most - 1] + "…"
