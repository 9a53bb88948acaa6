"""What is shown of a sampled row: its fields, shortened around what a reason points at."""

from curation.reasons import describe
from curation.report.numbers import SampledReason, SampledRow, Text
from schemas.codec import dumps
from schemas.outcome import Rejection
from schemas.record import TEXT_FIELDS, InstructionRecord, Provenance, Reason, Row

MOST = 600
"""Characters of a field that are shown."""
BEFORE_SPAN = 120
"""Characters shown before a span that does not stand near the start."""
FIELDS_MOST = 8
"""Fields shown of a row that never was a record."""
NAME_MOST = 40


def of_record(record: InstructionRecord) -> SampledRow:
    """Return a kept record as an example."""
    return SampledRow(id=record.id, place=place_of(record.provenance), texts=record_texts(record))


def of_rejection(rejection: Rejection, reason: Reason) -> SampledRow:
    """Return a rejected row as an example of one of its reasons."""
    return SampledRow(
        id=rejection.id,
        place=place_of(rejection.provenance),
        texts=row_texts(rejection.row, reason),
        other_id=reason.other,
        reason=SampledReason(
            code=reason.code,
            words=describe(reason.code),
            field=reason.field,
            found=reason.found[:MOST],
            limit=reason.limit[:MOST],
            scores=dict(reason.scores),
        ),
    )


def record_texts(record: InstructionRecord) -> tuple[Text, ...]:
    """Return a record's fields; an empty context and category are left out."""
    fields = {name: getattr(record, name) for name in (*TEXT_FIELDS, "category")}
    return tuple(excerpt(name, text) for name, text in fields.items() if text or name in ("instruction", "response"))


def row_texts(row: Row, reason: Reason | None = None) -> tuple[Text, ...]:
    """Return a row's fields: of a record its texts, of anything else whatever it has."""
    if all(name in row for name in TEXT_FIELDS):
        shown = {name: row[name] for name in TEXT_FIELDS if row[name] or name != "context"}
        shown |= {"category": row["category"]} if row.get("category") else {}
    else:
        shown = dict(list(row.items())[:FIELDS_MOST])
    return tuple(
        excerpt(str(name)[:NAME_MOST], _text(value), reason.span if reason and reason.field == name else None)
        for name, value in shown.items()
    )


def excerpt(name: str, text: str, span: tuple[int, int] | None = None) -> Text:
    """Return the part of a text that is shown, around the span if there is one."""
    span = span if span and 0 <= span[0] < span[1] <= len(text) else None
    start = max(0, span[0] - BEFORE_SPAN) if span and span[1] > MOST else 0
    end = min(len(text), start + MOST)
    inside = (span[0] - start, min(span[1], end) - start) if span else None
    return Text(name=name, text=text[start:end], before=start, after=len(text) - end, span=inside)


def place_of(provenance: Provenance) -> str:
    """Return where a row stood, as `file:line`."""
    return f"{provenance.source}:{provenance.line}" if provenance.line else provenance.source


def _text(value: object) -> str:
    return value if isinstance(value, str) else dumps(value).decode()
