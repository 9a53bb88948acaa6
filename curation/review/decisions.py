"""Reads the decisions that people wrote into a sampled file, and says of each that cannot be used why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.codec import loads
from schemas.errors import InputError
from schemas.formats import shown
from schemas.record import TEXT_FIELDS, content_id

DECISIONS = ("accept", "reject", "edit")
"""What a person may write; null is undecided."""
SEVERITIES = ("critical", "major", "minor")
"""How bad a defect may be called."""
UTF8_BOM = b"\xef\xbb\xbf"
MOST_PROBLEMS = 20
"""Problems that one message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about one record."""

    line: int
    """Where it stands in the file, from 1."""
    id: str
    decision: str = ""
    """One of DECISIONS; empty: undecided."""
    note: str = ""
    severity: str = ""
    """One of SEVERITIES, of a defect; empty: not stated."""
    reasons: tuple[str, ...] = ()
    """Codes of what was wrong, if the reviewer named any."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Instruction, context and response as they stand in the file."""
    drawn: Mapping[str, Any] = field(default_factory=dict)
    """The sample it was drawn into: fate, seed, size of the population."""

    @property
    def on_kept(self) -> bool:
        """True for a kept record, false for a rejected row that was drawn to judge its rejection."""
        return bool(self.drawn.get("fate", "kept") == "kept")

    @property
    def is_edited(self) -> bool:
        """Say whether the texts are no longer those of the record the id names."""
        return content_id(*(self.texts[name] for name in TEXT_FIELDS)) != self.id


def read_decisions(path: Path) -> list[Decision]:
    """Read every line of a decisions file, one decision a record.

    Raises:
        InputError: no such file, or lines that cannot be used; each with its place, field, what is expected and found.
    """
    if not path.is_file():
        raise InputError(place=path, expected="a file that dolly-data review sample wrote", found="nothing")
    problems: list[InputError] = []
    decisions: list[Decision] = []
    for number, line in enumerate(path.read_bytes().removeprefix(UTF8_BOM).splitlines(), 1):
        if not line.strip():
            continue
        try:
            decisions.append(_checked(_read(line, number)))
        except InputError as error:
            problems.append(InputError(f"{path}:{number}: {error}"))
    unlike = _unlike(decisions)
    problems += [InputError(f"{path}:{second.line}: {_disagreement(first, second)}") for first, second in unlike]
    if problems:
        raise InputError(_listed(problems))
    return _one_each(decisions)


def _one_each(decisions: Iterable[Decision]) -> list[Decision]:
    """Return one decision a record, in the file's order; where a line is undecided and another is not, the other."""
    found: dict[str, Decision] = {}
    for one in decisions:
        if one.id not in found or not found[one.id].decision:
            found[one.id] = one
    return list(found.values())


def _read(line: bytes, number: int) -> Decision:
    try:
        row = loads(line)
    except ValueError as error:
        raise InputError(expected="one JSON object", found=str(error)) from error
    if not isinstance(row, dict):
        raise InputError(expected="one JSON object", found=shown(row))
    drawn = row.get("drawn")
    return Decision(
        line=number,
        id=_text(row, "id"),
        decision=_word(row),
        note=_text({"note": row.get("note") or ""}, "note"),
        severity=_severity(row),
        reasons=_reasons(row),
        texts={} if "row" in row else {name: _text(row, name) for name in TEXT_FIELDS},
        drawn=drawn if isinstance(drawn, dict) else {},
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise InputError(field=name, expected="text", found=shown(value) if name in row else "nothing")
    if "\0" in value or not _is_unicode(value):
        raise InputError(field=name, expected="Unicode text without NUL", found=shown(value))
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _word(row: Mapping[str, Any]) -> str:
    expected = f"{', '.join(DECISIONS)} or null"
    if "decision" not in row:
        raise InputError(field="decision", expected=expected, found="nothing")
    word = row["decision"]
    if word not in (*DECISIONS, "", None):
        raise InputError(field="decision", expected=expected, found=shown(word))
    return word or ""


def _severity(row: Mapping[str, Any]) -> str:
    word = row.get("severity") or ""
    if word not in (*SEVERITIES, ""):
        raise InputError(field="severity", expected=f"{', '.join(SEVERITIES)} or nothing", found=shown(word))
    return str(word)


def _reasons(row: Mapping[str, Any]) -> tuple[str, ...]:
    codes = row.get("reasons") or []
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise InputError(field="reasons", expected="a list of codes", found=shown(codes))
    return tuple(codes)


def _checked(one: Decision) -> Decision:
    """Refuse a decision that its own line contradicts."""
    if not one.on_kept:
        if one.decision == "edit":
            raise InputError(field="decision", expected="accept or reject of a rejected row", found="edit")
        return one
    if one.decision == "edit":
        _check_edit(one)
    elif one.is_edited:
        raise InputError(
            field="decision",
            expected=f"edit, or the texts of record {one.id} unchanged",
            found=f"{one.decision or 'null'} and changed texts",
        )
    return one


def _check_edit(one: Decision) -> None:
    if not one.is_edited:
        raise InputError(
            field="decision",
            expected="a changed instruction, context or response",
            found="edit and the record's own texts",
        )
    for name in ("instruction", "response"):
        if not one.texts[name].strip():
            raise InputError(field=name, expected="text", found=shown(one.texts[name]))


def _unlike(decisions: Iterable[Decision]) -> Iterator[tuple[Decision, Decision]]:
    """Yield the decisions about one record that say different things."""
    first: dict[str, Decision] = {}
    for one in decisions:
        if one.decision:
            before = first.setdefault(one.id, one)
            if (before.decision, before.texts) != (one.decision, one.texts):
                yield before, one


def _disagreement(first: Decision, second: Decision) -> InputError:
    same = first.decision == second.decision
    return InputError(
        field="decision",
        expected=f"one decision for record {first.id}, which line {first.line} decides: {first.decision}",
        found=f"{second.decision}{' with other texts' if same else ''}",
    )


def _listed(problems: list[InputError]) -> str:
    more = len(problems) - MOST_PROBLEMS
    lines = [str(problem) for problem in problems[:MOST_PROBLEMS]]
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)
