"""How checks write down what they found: one line of evidence, and where it stands."""

import re

from schemas.record import Reason

EVIDENCE = 100
"""Characters of evidence that a reason quotes at most."""

Span = tuple[int, int]


def evidence(text: str, span: Span | None = None) -> str:
    """Return the part of `text` in `span` (or its beginning) as one line of at most EVIDENCE characters."""
    start, end = span or (0, len(text))
    line = " ".join(text[start : min(end, start + 4 * EVIDENCE)].split())
    return line if len(line) <= EVIDENCE else line[: EVIDENCE - 1] + "…"


def reason_at(code: str, field: str, text: str, span: Span, limit: str = "") -> Reason:
    """Return the reason for what stands at `span` of `text`, the value of `field`."""
    return Reason(code=code, field=field, found=evidence(text, span), limit=limit, span=span)


def reason_for(code: str, field: str, text: str, match: re.Match[str] | None, limit: str = "") -> Reason | None:
    """Return the reason for a match in `text`, the value of `field`; nothing if nothing matched."""
    return reason_at(code, field, text, match.span(), limit) if match else None
