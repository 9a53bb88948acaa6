"""Where a score is read from, and what stands for one that is not there.

A score is found under its name, in this order: a built-in one; a side file `scores.jsonl`, of the step that is read or
of a step that led to it (see curation/score/file.py); a field of the rows as they came in. Where a record has several
lines for a score the last one counts; a record that was repaired has another id, so the score of its old text
is not taken for its own.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from curation.score.file import MISSING, Score, is_number, read_scores
from curation.select.surface import surface
from curation.spool import Records
from schemas.errors import InputError
from schemas.record import InstructionRecord

SCORES: Mapping[str, Callable[[InstructionRecord], float]] = {"surface": surface}
"""Name → a score that is computed from the record alone; higher is better."""

NOT_A_NUMBER = "score_not_a_number"


def scores_of(records: Records, name: str, files: Iterable[str]) -> list[Score]:
    """Return each record's score called `name`.

    Raises:
        InputError: there is no such score at all; says which there are. Or a line of a file is none.
    """
    if name in SCORES:
        return [Score(value=SCORES[name](record)) for record in records]
    found: dict[str, Score] = {}
    names: set[str] = set()
    for path in files:
        names |= _read(Path(path), name, found)
    scores = [found.get(record.id) or _field(record, name) for record in records]
    if len(records) and all(score.reason == MISSING for score in scores):
        names |= {key for record in records for key, value in record.extra.items() if is_number(value)}
        known = ", ".join((*SCORES, *sorted(names)))
        raise InputError(place="select", field="by", expected=f"one of {known}", found=name)
    return scores


def _read(path: Path, name: str, found: dict[str, Score]) -> set[str]:
    """Take the scores called `name` out of a file; return all names in it."""
    names = set()
    for line in read_scores(path):
        names.add(line.name)
        if line.name == name:
            found[line.id] = line.score
    return names


def _field(record: InstructionRecord, name: str) -> Score:
    """Return the score that stood in the row as it came in."""
    if name not in record.extra:
        return Score(reason=MISSING)
    value = record.extra[name]
    return Score(value=float(value)) if is_number(value) else Score(reason=NOT_A_NUMBER)
